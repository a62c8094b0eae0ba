"""Second moments of several blocks of rows."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True, nogil=True, fastmath=True)
def add_moments(stack: np.ndarray, pairs: np.ndarray, count: np.float32, out: np.ndarray) -> None:
    """``out[i, p] += ⟨stack[a, i], stack[b, i]⟩ / count`` for each pair p = (a, b).

    Args:
        stack: ``[blocks, n, width]`` float32.
        pairs: ``[num_pairs, 2]`` int.
        count: what sums are divided by.
        out: ``[n, num_pairs]`` float32.
    """
    for i in range(stack.shape[1]):
        for p in range(len(pairs)):
            one, other, total = stack[pairs[p, 0], i], stack[pairs[p, 1], i], np.float32(0)
            for k in range(stack.shape[2]):
                total += one[k] * other[k]
            out[i, p] += total / count
