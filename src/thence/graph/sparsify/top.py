"""Top-k: each node keeps its k best arcs, by weight or by any score.

Kept arcs keep their weights: a mean over the k strongest neighbours is what is wanted, not an estimate of the
mean over all. With ``side="into"`` the lists of sources are pruned, which is what an encoder aggregates that
looks against the arcs; with ``out`` the lists of targets.
"""

from __future__ import annotations

import math

import numpy as np

from thence.base.errors import ConfigError
from thence.graph.arcs import Arcs
from thence.graph.sparsify.check import Side, count_asked, keep_arcs, share_asked
from thence.graph.sparsify.rank import arc_ranks


def top_weight(
    arcs: Arcs,
    k: int | None = None,
    *,
    share: float | None = None,
    side: Side = "out",
    keep_structure: bool = False,
) -> Arcs:
    """Keep the arcs that are among the k heaviest of their source (``out``), target (``into``), either or both.

    Args:
        arcs: the relation.
        k: how many a row keeps; ties go to the neighbour of the smaller int.
        share: in place of k: the smallest k that keeps at least this share of all arcs.
        side: whose rows are pruned.
        keep_structure: keep a spanning structure besides (see :func:`~thence.graph.sparsify.structure`).

    Raises:
        ConfigError: not exactly one of k and share is given, or one is out of range.

    Example:
        >>> arcs = Arcs.from_pairs([0, 0, 1], [1, 2, 2], num_nodes=3, weight=[1.0, 3.0, 2.0])
        >>> top_weight(arcs, 1).pairs.tolist()
        [[0, 1], [2, 2]]
        >>> top_weight(arcs, 1, side="into").pairs.tolist()
        [[0, 0], [1, 2]]

    References:
        The K-neighbour sparsifier: Sadhanala, Wang & Tibshirani, AISTATS 2016, keep k a node at random; here
        the k heaviest.
    """
    return top_score(arcs, arcs.weight, k, share=share, side=side, keep_structure=keep_structure)


def top_score(
    arcs: Arcs,
    score: np.ndarray,
    k: int | None = None,
    *,
    share: float | None = None,
    side: Side = "out",
    keep_structure: bool = False,
) -> Arcs:
    """The same by any score ``[num_arcs]`` in out-order.

    Raises:
        ConfigError: not exactly one of k and share is given, or one is out of range.
        DataError: there is not one score an arc, or one is NaN.
    """
    if (k is None) == (share is None):
        raise ConfigError("give either k or share")
    most = None if k is None else count_asked(k)
    least = None if share is None else share_asked(share)
    rank = arc_ranks(arcs, score, side)
    if least is not None:
        reached = np.cumsum(np.bincount(rank, minlength=1))
        most = int(np.searchsorted(reached, math.ceil(least * arcs.num_arcs - 1e-9))) + 1
    return keep_arcs(arcs, rank < (most or 0), keep_structure)
