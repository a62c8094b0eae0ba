"""Products with a hermitian matrix, and the step of a Chebyshev filter around them."""

from __future__ import annotations

import numba
import numpy as np

from thence.graph.sample.kernel.prefetch import prefetch

AHEAD = 16
LINE = 16
"""Float32 in a cache line."""


@numba.njit(cache=True, nogil=True, fastmath=True)
def step_rows(
    matrix: tuple,
    turns: tuple,
    x: np.ndarray,
    out: np.ndarray,
    rule: tuple,
    first: int,
    last: int,
) -> None:
    """``out[i] = a (H x)[i] + b x[i] + c out[i]`` for ``first ≤ i < last``.

    Args:
        matrix: ``indptr``, ``neighbors`` and ``weight`` of the real part of the matrix before turning.
        turns: the turn of each entry (int8; empty for a real matrix), and cosine and sine of one turn.
        x: ``[n, width]`` float32, C-contiguous. For a complex matrix the first half of the columns holds real
            parts and the second half imaginary ones.
        out: ``[n, width]`` float32, C-contiguous.
        rule: a, b and c, float32.
        first: the first row to fill.
        last: the row after the last one.
    """
    indptr, neighbors, weight = matrix
    turn, cosine, sine = turns
    a, b, c = rule
    width, end = x.shape[1], indptr[last] - 1
    half, flat, real = width // 2, x.reshape(-1), len(turn) == 0
    total = np.empty(width, np.float32)
    for i in range(first, last):
        total[:] = 0
        for e in range(indptr[i], indptr[i + 1]):
            begin = np.int64(neighbors[min(e + AHEAD, end)]) * width
            for k in range(0, width, LINE):
                prefetch(flat, begin + k)
            other, value = x[neighbors[e]], weight[e]
            if real or turn[e] == 0:
                for k in range(width):
                    total[k] += value * other[k]
            else:
                along, across = value * cosine, value * sine * np.float32(turn[e])
                for k in range(half):
                    total[k] += along * other[k] - across * other[half + k]
                for k in range(half):
                    total[half + k] += along * other[half + k] + across * other[k]
        row, own = out[i], x[i]
        if c == 0:  # what stood there may not be a number
            for k in range(width):
                row[k] = a * total[k] + b * own[k]
        else:
            for k in range(width):
                row[k] = a * total[k] + b * own[k] + c * row[k]
