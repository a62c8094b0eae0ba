"""The rank of each arc among the arcs of its source, of its target, or of both, by some score."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from thence.base.errors import ConfigError, DataError
from thence.graph.arcs import BLOCK, Arcs
from thence.graph.sparsify.check import Side


def arc_ranks(arcs: Arcs, score: np.ndarray, side: Side) -> np.ndarray:
    """Ranks from 0, the largest score first; equal scores rank by ascending neighbour.

    Args:
        arcs: the relation.
        score: ``[num_arcs]`` in out-order.
        side: ``out``: among the arcs of its source; ``into``: among those of its target; ``either``: the better
            of the two ranks; ``both``: the worse.

    Returns:
        ``[num_arcs]`` int64.

    Raises:
        ConfigError: there is no such side.
        DataError: there is not one score an arc, or one is NaN.

    Example:
        >>> arcs = Arcs.from_pairs([0, 0, 1], [1, 2, 2], num_nodes=3)
        >>> arc_ranks(arcs, np.array([1.0, 3.0, 2.0]), "out").tolist()
        [1, 0, 0]
    """
    if side not in ("out", "into", "either", "both"):
        raise ConfigError(f"no side {side!r}", fix="It is 'out', 'into', 'either' or 'both'.")
    score = np.asarray(score)
    if score.shape != (arcs.num_arcs,) or score.dtype.kind not in "biuf":
        raise DataError(f"scores are {score.dtype} of shape {score.shape} for {arcs.num_arcs} arcs")
    if np.isnan(score).any():
        raise DataError("the score of an arc is NaN", fix="Give -inf to arcs that must go first.")
    ranks = []
    if side != "into":
        ranks.append(_row_ranks(arcs.indptr, score))
    if side != "out":
        ranks.append(np.empty(arcs.num_arcs, np.int64))
        ranks[-1][arcs.in_order] = _row_ranks(arcs.in_indptr, score[arcs.in_order])
    return ranks[0] if len(ranks) == 1 else (np.minimum if side == "either" else np.maximum)(*ranks)


def _row_ranks(indptr: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Ranks inside rows, some rows at a time."""
    ranks = np.empty(len(score), np.int64)
    edges = np.searchsorted(indptr, np.arange(BLOCK, len(score), BLOCK))
    bounds = np.unique(np.concatenate([[0], edges, [len(indptr) - 1]])).tolist()
    for first, last in pairwise(bounds):
        begin, end = int(indptr[first]), int(indptr[last])
        row = np.repeat(np.arange(first, last), np.diff(indptr[first : last + 1]))
        order = np.lexsort((-score[begin:end].astype(np.float64), row))
        ranks[begin + order] = np.arange(begin, end) - indptr[row]
    return ranks
