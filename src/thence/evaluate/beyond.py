"""Beyond accuracy: how much of the catalogue the lists show, and how far they lean to what is popular."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thence.base.errors import DataError
from thence.evaluate.metrics import mid_ranks


@dataclass(frozen=True)
class Beyond:
    """What the top lists of all queries together look like.

    Args:
        coverage: share of the catalogue that stands in at least one list.
        popularity: mean popularity percentile of what is recommended, 0.5 for lists drawn at random, 1 for the
            most popular alone.
        gini: inequality of how often nodes are recommended, 0 when all equally often, near 1 when one alone.
        filled: share of list places that hold a node.
    """

    coverage: float
    popularity: float
    gini: float
    filled: float


def beyond_accuracy(top: np.ndarray, popularity: np.ndarray, k: int) -> Beyond:
    """Coverage, popularity bias and concentration of top lists.

    Args:
        top: ``[S, K]`` int64 nodes, best first, -1 where a list is too short; K at least ``k``.
        popularity: ``[N]`` how popular each node was before; equal ones share the mean of their percentiles.
        k: length of the lists that are looked at.

    Raises:
        DataError: the lists are shorter than ``k``.

    Example:
        >>> lists = np.array([[0, 1], [0, 1]])
        >>> beyond_accuracy(lists, popularity=np.array([9, 5, 2, 1]), k=2)
        Beyond(coverage=0.5, popularity=0.75, gini=0.5, filled=1.0)

    References:
        Percentile of a node among N: (mid-rank − ½) / N.  Gini of counts c₁ ≤ … ≤ c_N:
        Σᵢ (2i − N − 1) cᵢ / (N Σ c).
    """
    if top.shape[1] < k:
        raise DataError(f"lists of length {top.shape[1]} where {k} are asked")
    shown = top[:, :k]
    listed = shown[shown >= 0]
    num = len(popularity)
    if not len(listed):
        return Beyond(0.0, float("nan"), float("nan"), 0.0)
    counts = np.bincount(listed, minlength=num)
    percentile = (mid_ranks(popularity) - 0.5) / num
    return Beyond(
        coverage=float((counts > 0).mean()),
        popularity=float(percentile[listed].mean()),
        gini=gini(counts),
        filled=len(listed) / shown.size,
    )


def gini(counts: np.ndarray) -> float:
    """The Gini coefficient of non-negative counts.

    Example:
        >>> gini(np.array([1, 1, 1, 1])), gini(np.array([0, 0, 0, 4]))
        (0.0, 0.75)
    """
    ordered = np.sort(counts).astype(np.float64)
    num, total = len(ordered), ordered.sum()
    if not total:
        return float("nan")
    place = 2 * np.arange(1, num + 1) - num - 1
    return float((place * ordered).sum() / (num * total))
