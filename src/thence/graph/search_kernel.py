"""Searching ascending values by halving, inside kernels."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def first_above(sums: np.ndarray, drawn: float, low: int, high: int) -> int:
    """The first place of the ascending ``sums`` that is above ``drawn``, known to lie in low … high."""
    while low < high:
        middle = (low + high) >> 1
        if sums[middle] > drawn:
            high = middle
        else:
            low = middle + 1
    return low


@numba.njit(cache=True, nogil=True)
def first_from(values: np.ndarray, wanted: Any, low: Any, end: Any) -> Any:
    """The first place in low … end - 1 whose value is at least ``wanted``; ``end`` where there is none."""
    while low < end:
        middle = (low + end) >> 1
        if values[middle] < wanted:
            low = middle + 1
        else:
            end = middle
    return low
