"""The sum of some rows of a table, each times a number: a sparse row times a matrix, without a copy between."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def add_rows(table: np.ndarray, at: np.ndarray, value: np.ndarray, out: np.ndarray) -> None:
    """``out += Σ_i value[i] · table[at[i]]``.

    Args:
        table: ``[n, d]`` float32.
        at: ``[m]`` int64 rows of it.
        value: ``[m]`` float32.
        out: ``[d]`` float32.

    Example:
        >>> out = np.zeros(2, np.float32)
        >>> rows = np.array([[1, 2], [10, 20]], np.float32)
        >>> add_rows(rows, np.array([1, 0]), np.array([0.5, 3.0], np.float32), out)
        >>> out.tolist()
        [8.0, 16.0]
    """
    even = len(at) - len(at) % 4
    for i in range(0, even, 4):
        one, two, three, four = table[at[i]], table[at[i + 1]], table[at[i + 2]], table[at[i + 3]]
        for d in range(len(out)):
            out[d] += (
                value[i] * one[d] + value[i + 1] * two[d] + value[i + 2] * three[d] + value[i + 3] * four[d]
            )
    for i in range(even, len(at)):
        row = table[at[i]]
        for d in range(len(out)):
            out[d] += value[i] * row[d]
