"""Weighted sums of neighbours' rows on the CPU, over a whole graph or a sample of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise

import numpy as np

from thence.graph.sample.kernel.aggregate import aggregate_rows

CHUNK = 1 << 16
"""Entries that a thread takes on at a time."""


def aggregate(
    indptr: np.ndarray,
    neighbors: np.ndarray,
    weight: np.ndarray,
    x: np.ndarray,
    *,
    threads: int = 1,
) -> np.ndarray:
    """``[rows, width]`` float32: Σ over a row's entries of weight · (row of ``x`` that the entry names).

    A row is summed in the order of its entries, so the result does not depend on the number of threads.

    Args:
        indptr: ``[rows + 1]`` int, where each row's entries begin.
        neighbors: ``[entries]`` int, rows of ``x``; trusted to be there.
        weight: ``[entries]`` float32.
        x: ``[n, width]`` float32.
        threads: how many chunks of rows are worked on at once.

    Example:
        >>> x = np.array([[1.0, 0.0], [0.0, 1.0]], np.float32)
        >>> aggregate(np.array([0, 2, 2]), np.array([0, 1]), np.array([2, 3], np.float32), x).tolist()
        [[2.0, 3.0], [0.0, 0.0]]
    """
    rows = len(indptr) - 1
    x = np.ascontiguousarray(x)
    out = np.empty((rows, x.shape[1]), x.dtype)
    if threads == 1 or len(neighbors) <= CHUNK:
        aggregate_rows(indptr, neighbors, weight, x, out, 0, rows)
        return out
    edges = np.searchsorted(indptr, np.arange(CHUNK, len(neighbors), CHUNK))
    bounds = np.unique(np.concatenate([[0], edges, [rows]])).tolist()
    work = [
        _pool(threads).submit(aggregate_rows, indptr, neighbors, weight, x, out, first, last)
        for first, last in pairwise(bounds)
    ]
    for each in work:
        each.result()
    return out


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, "thence-aggregate")
