"""Local degree: each node keeps the arcs to its best connected neighbours, ⌈degree^a⌉ of them.

It keeps hubs and with them short ways; nodes of few arcs lose few. a = 1 keeps all, a = 0 one a node.
"""

from __future__ import annotations

import math

import numpy as np

from thence.base.errors import ConfigError
from thence.graph.arcs import Arcs
from thence.graph.sparsify.check import Side, keep_arcs, share_asked, sources_of
from thence.graph.sparsify.rank import arc_ranks


def local_degree(
    arcs: Arcs,
    exponent: float | None = None,
    *,
    share: float | None = None,
    side: Side = "either",
    keep_structure: bool = False,
) -> Arcs:
    """Keep an arc when its other end is among the ⌈d^a⌉ neighbours of largest degree of a node.

    Degrees of neighbours are in- and out-degree together; d is the number of arcs of the row that is pruned.

    Args:
        arcs: the relation.
        exponent: a, from 0 to 1.
        share: in place of a: the smallest a that keeps at least this share of all arcs.
        side: ``out``: among the targets of its source; ``into``: among the sources of its target; ``either``,
            as in the paper, or ``both``.
        keep_structure: keep a spanning structure besides.

    Raises:
        ConfigError: not exactly one of exponent and share is given, or one is out of range.

    Example:
        >>> arcs = Arcs.from_pairs([0, 0, 0, 1], [1, 2, 3, 2], num_nodes=4)
        >>> local_degree(arcs, 0.0, side="out").pairs.tolist()  # of 0's targets 1 and 2 have two arcs each
        [[0, 1], [1, 2]]

    References:
        Lindner, Staudt, Hamann, Meyerhenke & Wagner, "Structure-preserving sparsification of social networks",
        ASONAM 2015.
    """
    if (exponent is None) == (share is None):
        raise ConfigError("give either exponent or share")
    if exponent is not None and not (math.isfinite(exponent) and 0 <= exponent <= 1):
        raise ConfigError(f"exponent is {exponent}", fix="It lies between 0 and 1.")
    least = None if share is None else share_asked(share)
    needed = _needed(arcs, side)
    if exponent is not None:
        keep = needed < exponent - 1e-12
        keep |= np.isneginf(needed)
    else:
        count = max(math.ceil((least or 0) * arcs.num_arcs - 1e-9), 1)
        keep = needed <= (np.partition(needed, count - 1)[count - 1] if arcs.num_arcs else 0)
    return keep_arcs(arcs, keep, keep_structure)


def _needed(arcs: Arcs, side: Side) -> np.ndarray:
    """``[num_arcs]``: the arc is kept by every a above this.

    The arc of rank r (from 0) of d is among the first ⌈d^a⌉ when r < d^a, that is when log r / log d < a.
    """
    degree = arcs.out_degree + arcs.in_degree
    found = []
    for one in ("out", "into") if side in ("either", "both") else (side,):
        out = one == "out"
        score = degree[arcs.targets] if out else degree[sources_of(arcs)]
        rank = arc_ranks(arcs, score, one)
        size = arcs.out_degree[sources_of(arcs)] if out else arcs.in_degree[arcs.targets]
        with np.errstate(divide="ignore"):
            found.append(np.where(rank == 0, -np.inf, np.log(rank) / np.log(np.maximum(size, 2))))
    return found[0] if len(found) == 1 else (np.minimum if side == "either" else np.maximum)(*found)
