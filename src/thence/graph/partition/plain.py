"""The floor of partitioning: by a hash of the node, or by ranges of nodes. Neither looks at arcs."""

from __future__ import annotations

import numpy as np

from thence.base.rng import derive_seed
from thence.graph.arcs import Arcs
from thence.graph.partition.parts import Partition, parts_asked
from thence.graph.partition.streaming import Load, loads


def by_hash(arcs: Arcs, num_parts: int, *, seed: int = 0) -> Partition:
    """Each node in the part that its hash names: any machine knows it without asking, and most arcs are cut.

    Args:
        arcs: the relation.
        num_parts: k; a share of about 1 − 1/k of the arcs is cut.
        seed: another seed is another hash.

    Raises:
        ConfigError: ``num_parts`` is out of range.

    Example:
        >>> by_hash(Arcs.from_pairs([], [], num_nodes=8), 2).part.tolist()
        [0, 0, 0, 0, 0, 0, 1, 1]
    """
    count = parts_asked(num_parts, arcs.num_nodes)
    word = np.arange(arcs.num_nodes, dtype=np.uint64) ^ np.uint64(derive_seed(seed, "partition", "hash"))
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):  # SplitMix64's finaliser
        word = (word ^ (word >> np.uint64(shift))) * np.uint64(factor)
    word ^= word >> np.uint64(31)
    return Partition.of(arcs, (word % np.uint64(count)).astype(np.int32), count, method="hash")


def by_range(arcs: Arcs, num_parts: int, *, by: Load = "nodes") -> Partition:
    """Runs of nodes of about equal load: good where neighbours have near ids (see ``thence.graph.reorder``).

    Args:
        arcs: the relation.
        num_parts: how many runs.
        by: what is balanced: ``nodes`` or ``arcs``.

    Raises:
        ConfigError: a setting is unknown or out of range.

    Example:
        >>> by_range(Arcs.from_pairs([], [], num_nodes=5), 2).part.tolist()
        [0, 0, 1, 1, 1]
    """
    count = parts_asked(num_parts, arcs.num_nodes)
    load = loads(arcs, by)
    middle = np.cumsum(load) - load / 2
    part = np.minimum(middle * count / max(float(load.sum()), 1.0), count - 1).astype(np.int32)
    return Partition.of(arcs, part, count, method="range")
