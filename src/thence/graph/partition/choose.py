"""One door to the partitioners: METIS where it is installed and the graph fits it, else streaming."""

from __future__ import annotations

from typing import Literal

from thence.base.errors import ConfigError, nearest
from thence.base.progress import Progress, silent
from thence.graph.arcs import Arcs
from thence.graph.partition.metis import installed, metis
from thence.graph.partition.parts import Partition
from thence.graph.partition.plain import by_hash, by_range
from thence.graph.partition.streaming import Load, streaming

Method = Literal["auto", "metis", "ldg", "fennel", "hash", "range"]
METHODS = ("auto", "metis", "ldg", "fennel", "hash", "range")
METIS_ARCS = 50_000_000
"""METIS holds some 200 bytes an arc, 10 GB for so many; above, ``auto`` streams, which holds none of them."""


def partition(
    arcs: Arcs,
    num_parts: int,
    *,
    method: Method = "auto",
    by: Load = "nodes",
    slack: float = 0.05,
    seed: int = 0,
    progress: Progress = silent,
) -> Partition:
    """Divide the nodes of a relation so that few arcs lie between parts and parts are about equal.

    Args:
        arcs: the relation; of a graph with several, the one that is sampled from most.
        num_parts: how many parts.
        method: ``metis``, ``ldg`` or ``fennel`` (streaming), ``hash`` or ``range`` (the floor), or ``auto``:
            METIS where it is installed and there are at most 50 M arcs, else ``ldg``.
        by: what is balanced: ``nodes`` or ``arcs`` (``hash`` balances nodes alone).
        slack: how far a part may exceed the mean.
        seed: same seed, same partition.
        progress: told after each pass of a streaming method.

    Raises:
        ConfigError: a setting is unknown or out of range, or METIS is asked for and not installed.

    Example:
        >>> two = Arcs.from_pairs([0, 1, 2, 3, 4, 5, 0], [1, 2, 0, 4, 5, 3, 3], num_nodes=6)
        >>> partition(two, 2, method="ldg").sizes.tolist()
        [3, 3]
    """
    if method not in METHODS:
        raise ConfigError(f"unknown method {method!r}", fix=nearest(str(method), METHODS))
    if method == "auto":
        method = "metis" if installed() and arcs.num_arcs <= METIS_ARCS else "ldg"
    if method == "metis":
        return metis(arcs, num_parts, by=by, slack=slack, seed=seed)
    if method == "hash":
        return by_hash(arcs, num_parts, seed=seed)
    if method == "range":
        return by_range(arcs, num_parts, by=by)
    return streaming(arcs, num_parts, rule=method, by=by, slack=slack, seed=seed, progress=progress)
