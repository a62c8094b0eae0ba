"""Drawing entries of rows without replacement, uniformly or by weight.

A row is a span of entries, ``begin … begin + length - 1``; every function appends the entries that it draws,
row after row, and tells how many each row got. What a row draws is a function of the key and of the row's own
word (see ``hash``), so neither the order of the rows nor the number of threads matters.
"""

from __future__ import annotations

import numba
import numpy as np

from thence.graph.sample.kernel.hash import GOLDEN, below, fold, mix
from thence.graph.sample.kernel.prefetch import prefetch

AHEAD = 24
"""Rows ahead for which memory is asked."""


@numba.njit(cache=True, nogil=True)
def spans(indptr: np.ndarray, rows: np.ndarray, begin: np.ndarray, length: np.ndarray) -> None:
    """``begin`` and ``length`` of some rows."""
    last = len(rows) - 1
    for i in range(len(rows)):
        prefetch(indptr, rows[min(i + AHEAD, last)])
        at = indptr[rows[i]]
        begin[i] = at
        length[i] = indptr[rows[i] + 1] - at


@numba.njit(cache=True, nogil=True)
def shorten(time: np.ndarray, begin: np.ndarray, length: np.ndarray, until: np.ndarray) -> None:
    """Cut rows whose entries ascend in time to those not later than each row's ``until``."""
    for i in range(len(begin)):
        low, high = begin[i], begin[i] + length[i]
        while low < high:
            middle = (low + high) >> 1
            if time[middle] <= until[i]:
                low = middle + 1
            else:
                high = middle
        length[i] = low - begin[i]


@numba.njit(cache=True, nogil=True)
def draw_uniform(
    begin: np.ndarray,
    length: np.ndarray,
    word: np.ndarray,
    key: np.uint64,
    most: int,
    drawn: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> int:
    """At most ``most`` entries of each row, every set of that size equally likely (Floyd's algorithm).

    Args:
        begin: ``[n]`` int64, each row's first entry.
        length: ``[n]`` int64.
        word: ``[n]`` int64, what each row's draw depends on beside the key.
        key: of this draw.
        most: k.
        drawn: ``count [n]``, ``entry [e]`` and ``scale [e]`` float32 (1 / chance), filled.

    Returns:
        How many entries were drawn in all.

    References:
        Bentley, Floyd, "Programming pearls: a sample of brilliance", CACM 1987.
    """
    count, entry, scale = drawn
    end = 0
    for i in range(len(begin)):
        first, size = begin[i], length[i]
        if size <= most:
            for j in range(size):
                entry[end + j] = first + j
                scale[end + j] = 1.0
            end += size
            count[i] = size
            continue
        stream = fold(key, word[i])
        for j in range(most):
            bound = size - most + j
            pick = first + below(mix(stream + np.uint64(j) * GOLDEN), bound + 1)
            for other in range(end, end + j):
                if entry[other] == pick:
                    pick = first + bound
                    break
            entry[end + j] = pick
            scale[end + j] = size / most
        end += most
        count[i] = most
    return end


@numba.njit(cache=True, nogil=True)
def look_up(neighbors: np.ndarray, entry: np.ndarray, found: np.ndarray) -> None:
    """The neighbours that stand at some entries."""
    last = len(entry) - 1
    for i in range(len(entry)):
        prefetch(neighbors, entry[min(i + AHEAD, last)])
        found[i] = neighbors[entry[i]]
