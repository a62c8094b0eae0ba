"""Both sides of a relation merged into one row a node."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def count_pairs(sides: tuple, counts: np.ndarray, first: int, last: int) -> None:
    """``counts[i]``: how many nodes i leads to or is led to from, for ``first ≤ i < last``."""
    out_ptr, targets, in_ptr, sources = sides
    for i in range(first, last):
        a, b = out_ptr[i], in_ptr[i]
        found = 0
        while a < out_ptr[i + 1] or b < in_ptr[i + 1]:
            forth = b == in_ptr[i + 1] or (a < out_ptr[i + 1] and targets[a] <= sources[b])
            back = a == out_ptr[i + 1] or (b < in_ptr[i + 1] and sources[b] <= targets[a])
            a += forth
            b += back
            found += 1
        counts[i] = found


@numba.njit(cache=True, nogil=True)
def fill_pairs(
    sides: tuple,
    weights: tuple,
    indptr: np.ndarray,
    entries: tuple,
    degree: np.ndarray,
    first: int,
    last: int,
) -> None:
    """The merged rows from ``first`` to before ``last``: neighbours ascending, which way their arcs lead, the
    larger weight, and row sums."""
    out_ptr, targets, in_ptr, sources = sides
    out_weight, in_weight = weights
    neighbors, turn, values = entries
    weighted = len(out_weight) > 0
    for i in range(first, last):
        a, b, total = out_ptr[i], in_ptr[i], 0.0
        for at in range(indptr[i], indptr[i + 1]):
            forth = b == in_ptr[i + 1] or (a < out_ptr[i + 1] and targets[a] <= sources[b])
            back = a == out_ptr[i + 1] or (b < in_ptr[i + 1] and sources[b] <= targets[a])
            neighbors[at] = targets[a] if forth else sources[b]
            turn[at] = np.int8(forth) - np.int8(back)
            value = np.float32(1.0)
            if weighted:
                value = np.float32(0.0)
                if forth:
                    value = out_weight[a]
                if back:
                    value = max(value, in_weight[b])
            values[at] = value
            total += value
            a += forth
            b += back
        degree[i] = total
