"""Weighted sums of neighbours' rows on the CPU, over a whole graph or a sample of it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any

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

    def work(first: int, last: int) -> None:
        aggregate_rows(indptr, neighbors, weight, x, out, first, last)

    over_rows(indptr, work, threads=threads)
    return out


def over_rows(indptr: np.ndarray, work: Callable[[int, int], Any], *, threads: int = 1) -> list[Any]:
    """Call ``work(first, last)`` for ranges of rows that hold about :data:`CHUNK` entries each.

    The ranges do not depend on the number of threads, so what is added up range by range does not either.

    Args:
        indptr: ``[rows + 1]`` int, where each row's entries begin.
        work: what is done with the rows ``first … last - 1``; must release the interpreter's lock to gain.
        threads: how many ranges are worked on at once.

    Returns:
        What each call returned, in the order of the rows.

    Example:
        >>> over_rows(np.array([0, 2, 2]), lambda first, last: (first, last))
        [(0, 2)]
    """
    rows = len(indptr) - 1
    edges = np.searchsorted(indptr, np.arange(CHUNK, indptr[-1], CHUNK))
    ranges = list(pairwise(np.unique(np.concatenate([[0], edges, [rows]])).tolist()))
    if threads == 1 or len(ranges) <= 1:
        return [work(first, last) for first, last in ranges]
    return list(_pool(threads).map(work, *zip(*ranges, strict=True)))


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, "thence-aggregate")
