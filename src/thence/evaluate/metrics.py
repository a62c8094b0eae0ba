"""HitRate@k, MRR@k, Recall@k and NDCG@k from the place of each target.

A target has ``above`` candidates that score more, and is one of ``tied`` that score the same (itself counted).
With ties broken by chance its rank r is uniform on ``above + 1 … above + tied``. Every figure here is a sum
over targets of some function f of the rank, so its expectation over that chance is exact::

    E[f(r)] = (F(above + tied) − F(above)) / tied,    F(n) = f(1) + … + f(n)

Without ties that is f(above + 1), the usual figure; a constant scorer gets HitRate@k = k / candidates.
"""

from __future__ import annotations

import numpy as np

from thence.base.errors import ConfigError


def hit(above: np.ndarray, tied: np.ndarray, k: int) -> np.ndarray:
    """``[M]``: probability that the target is among the first k.  f(r) = 1 for r ≤ k, else 0.

    Example:
        >>> hit(np.array([0, 9, 10, 9]), np.array([1, 1, 1, 4]), k=10).tolist()
        [1.0, 1.0, 0.0, 0.25]
    """
    return _expected(np.ones(_checked(k)), above, tied)


def reciprocal_rank(above: np.ndarray, tied: np.ndarray, k: int) -> np.ndarray:
    """``[M]``: expected 1 / rank, 0 beyond the first k.  f(r) = 1/r for r ≤ k, else 0.

    Example:
        >>> reciprocal_rank(np.array([0, 3, 5, 0]), np.array([1, 1, 1, 2]), k=5).tolist()
        [1.0, 0.25, 0.0, 0.75]
    """
    return _expected(1.0 / np.arange(1, _checked(k) + 1), above, tied)


def discounted_gain(above: np.ndarray, tied: np.ndarray, k: int) -> np.ndarray:
    """``[M]``: expected discounted gain of a relevant target.  f(r) = 1 / log2(1 + r) for r ≤ k, else 0.

    Example:
        >>> discounted_gain(np.array([0, 2]), np.array([1, 1]), k=5).tolist()
        [1.0, 0.5]
    """
    return _expected(_discounts(k), above, tied)


def ideal_gain(num_relevant: np.ndarray, k: int) -> np.ndarray:
    """The discounted gain of a perfect ranking: relevant targets in the first places, as many as fit in k.

    Args:
        num_relevant: ``[Q]`` int, relevant targets of each query, at least 1.
        k: length of the list.

    Example:
        >>> ideal_gain(np.array([1, 2]), k=1).tolist()
        [1.0, 1.0]
    """
    return np.cumsum(_discounts(k))[np.minimum(num_relevant, k) - 1]


def mid_ranks(values: np.ndarray) -> np.ndarray:
    """``[n]`` float64: ascending ranks from 1; equal values share the mean of their ranks.

    Example:
        >>> mid_ranks(np.array([5.0, 1.0, 5.0])).tolist()
        [2.5, 1.0, 2.5]
    """
    _, back, count = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count - 1) / 2)[back]


def _discounts(k: int) -> np.ndarray:
    return 1.0 / np.log2(np.arange(2, _checked(k) + 2))


def _expected(f: np.ndarray, above: np.ndarray, tied: np.ndarray) -> np.ndarray:
    """The mean of f over the places that ties leave open; f is 0 beyond its length."""
    total = np.concatenate([[0.0], np.cumsum(f)])
    k = len(f)
    exact = np.append(f, 0.0)[np.minimum(above, k)]  # no rounding from differences where nothing is tied
    spread = (total[np.minimum(above + tied, k)] - total[np.minimum(above, k)]) / tied
    return np.where(tied == 1, exact, spread)


def _checked(k: int) -> int:
    if k < 1:
        raise ConfigError(f"k is {k}", fix="Give a list length of at least 1.")
    return k
