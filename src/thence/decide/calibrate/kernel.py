"""The compiled loop of Venn-Abers: one pass over the cumulative sum diagram, in whole numbers."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def with_one_more(count: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """Isotonic rate at each group after one more positive case was put into it, ``[m]`` float64.

    The diagram has the corners ``P_k = (Σ count, Σ positive)`` over the first k groups. One more positive case
    in group k moves the corners from k on by (1, 1), or, which is the same, those before k by (-1, -1). The
    rate at k is the slope of the lower hull where it crosses from the moved corners to the others. From k to
    k + 1 one corner more is moved; the crossing edge either stays, or starts at that corner and ends where it
    ended or to the right of it. The hull is therefore a stack, and each corner leaves it once.

    Args:
        count: ``[m]`` int64 cases in each group, in the order of scores, at least 1.
        positive: ``[m]`` int64 positive ones among them.

    References:
        Vovk, Petej and Fedorova, "Large-scale probabilistic predictors with and without guarantees of
        validity", NeurIPS 2015, section 3 (the geometric representation).
    """
    m = len(count)
    x, y = np.zeros(m + 1, np.int64), np.zeros(m + 1, np.int64)
    for k in range(m):
        x[k + 1], y[k + 1] = x[k] + count[k], y[k] + positive[k]
    right = np.empty(m, np.int64)  # corners of the hull right of the crossing edge's start, the nearest on top
    top = 0
    for k in range(m, 0, -1):  # lower hull of P_1 ... P_m, from the right
        while top >= 2 and _above(x, y, k, right[top - 1], right[top - 2]):
            top -= 1
        right[top] = k
        top += 1
    rate = np.empty(m)
    at_x, at_y = np.int64(-1), np.int64(-1)
    for k in range(1, m + 1):
        while top >= 2:  # the tangent from the start of the edge
            near, far = right[top - 1], right[top - 2]
            turn = (y[near] - at_y) * (x[far] - at_x) - (y[far] - at_y) * (x[near] - at_x)
            if turn < 0:
                break
            top -= 1
        end = right[top - 1]
        rise, run = y[end] - at_y, x[end] - at_x
        rate[k - 1] = rise / run
        moved_x, moved_y = x[k] - 1, y[k] - 1
        if k == end or (moved_y - at_y) * run < rise * (moved_x - at_x):
            at_x, at_y = moved_x, moved_y
        if k == end:
            top -= 1
    return rate


@njit(cache=True, nogil=True)
def _above(x: np.ndarray, y: np.ndarray, first: int, middle: int, last: int) -> bool:
    """Whether the middle corner lies on or above the line from the first to the last."""
    return (y[middle] - y[first]) * (x[last] - x[first]) >= (y[last] - y[first]) * (x[middle] - x[first])
