"""Recall@k: the share of the exact k best answers that an index finds."""

from __future__ import annotations

import numpy as np

from thence.base.rng import generator
from thence.index.filters import Filter
from thence.index.scan import scan
from thence.index.space import Space

TOLERANCE = 1e-6


def recalls(found: np.ndarray, exact: np.ndarray, k: int) -> np.ndarray:
    """``[Q]`` share of the scores ``exact`` that ``found`` reaches.

    An answer counts when its score is at least that of the k-th best, so that among equals any will do.

        recall_q = |{a ∈ found_q : s(a) ≥ s_k}| / |exact_q|

    Args:
        found: ``[Q, k]`` exact scores of what was found, ``-inf`` where nothing was.
        exact: ``[Q, k]`` scores of the exact answers, descending, ``-inf`` where fewer exist.
        k: how many of them count.

    Example:
        >>> recalls(np.array([[3.0, 1.0]]), np.array([[3.0, 2.0]]), 2).tolist()
        [0.5]
    """
    exact, found = exact[:, :k], found[:, :k]
    exist = np.isfinite(exact).sum(axis=1)
    last = np.take_along_axis(exact, np.maximum(exist - 1, 0)[:, None], axis=1)
    reached = np.isfinite(found) & (found >= last - TOLERANCE * np.abs(last))
    return np.where(exist > 0, np.minimum(reached.sum(axis=1), exist) / np.maximum(exist, 1), 1.0)


def sampled(
    num_nodes: int, queries: int, seed: int, alive: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Two samples of query nodes that share none: one to choose by, one to report on.

    Example:
        >>> choose, report = sampled(10, 4, seed=0)
        >>> len(choose), len(report), np.intersect1d(choose, report).size
        (4, 4, 0)
    """
    nodes = np.arange(num_nodes) if alive is None else np.flatnonzero(alive)
    each = min(queries, len(nodes) // 2)
    drawn = generator(seed, "index", "queries").choice(nodes, 2 * each, replace=False)
    return np.sort(drawn[:each]), np.sort(drawn[each:])


def exact_scores(space: Space, nodes: np.ndarray, k: int, bar: Filter) -> np.ndarray:
    """``[Q, k]`` scores of the exact answers to query nodes, the query's own constant left out."""
    return scan(np.ascontiguousarray(space.asking[nodes]), space, k, bar)[1]
