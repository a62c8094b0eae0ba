"""Weighted sums of neighbours' rows: the sparse-times-dense product that graph learning spends its time on."""

from __future__ import annotations

import numba
import numpy as np

from thence.graph.sample.kernel.prefetch import prefetch

AHEAD = 8
LINE = 64
"""Bytes in a cache line."""


@numba.njit(cache=True, nogil=True, fastmath=True)
def aggregate_rows(
    indptr: np.ndarray,
    neighbors: np.ndarray,
    weight: np.ndarray,
    x: np.ndarray,
    out: np.ndarray,
    first: int,
    last: int,
) -> None:
    """``out[i] = Σ_e weight[e] · x[neighbors[e]]`` over the entries e of row i, for ``first ≤ i < last``.

    Args:
        indptr: ``[rows + 1]`` int.
        neighbors: ``[entries]`` int, rows of ``x``.
        weight: ``[entries]`` float32.
        x: ``[n, width]`` float32, C-contiguous.
        out: ``[rows, width]`` float32, C-contiguous, overwritten.
        first: the first row to fill.
        last: the row after the last one.
    """
    width, end = x.shape[1], indptr[last] - 1
    flat, stride = x.reshape(-1), max(LINE // x.itemsize, 1)
    for i in range(first, last):
        row = out[i]
        row[:] = 0
        for e in range(indptr[i], indptr[i + 1]):
            begin = np.int64(neighbors[min(e + AHEAD, end)]) * width
            for k in range(0, width, stride):
                prefetch(flat, begin + k)
            share, other = weight[e], x[neighbors[e]]
            for k in range(width):
                row[k] += share * other[k]
