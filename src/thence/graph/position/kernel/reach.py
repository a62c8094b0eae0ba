"""How many nodes are within reach: sketches of sets that are joined along arcs, and hop counts."""

from __future__ import annotations

import numba
import numpy as np

from thence.graph.sample.kernel.hash import fold
from thence.graph.sample.kernel.prefetch import prefetch

AHEAD = 8


@numba.njit(cache=True, nogil=True)
def begin_sketches(keys: np.ndarray, seed: np.uint64, bits: int, out: np.ndarray) -> None:
    """The sketch of each node alone, ``out`` ``[n, 2^bits]`` uint8: one register holds the rank of its hash."""
    out[:] = 0
    for i in range(len(keys)):
        word = fold(seed, keys[i])
        register = np.int64(word >> np.uint64(64 - bits))
        rest, rank = word << np.uint64(bits), 1
        while rank <= 64 - bits and not rest >> np.uint64(63):
            rest <<= np.uint64(1)
            rank += 1
        out[i, register] = rank


@numba.njit(cache=True, nogil=True)
def join_rows(
    indptr: np.ndarray, neighbors: np.ndarray, x: np.ndarray, out: np.ndarray, first: int, last: int
) -> None:
    """``out[i]``: the largest of each register over i and its neighbours, for ``first ≤ i < last``."""
    width, flat = x.shape[1], x.reshape(-1)
    end = indptr[last] - 1
    for i in range(first, last):
        row = out[i]
        row[:] = x[i]
        for e in range(indptr[i], indptr[i + 1]):
            prefetch(flat, np.int64(neighbors[min(e + AHEAD, end)]) * width)
            other = x[neighbors[e]]
            for k in range(width):
                row[k] = max(row[k], other[k])


@numba.njit(cache=True, nogil=True)
def hops_from(indptr: np.ndarray, neighbors: np.ndarray, start: int, most: int, out: np.ndarray) -> None:
    """``out[i]``: the fewest arcs from ``start`` to i, -1 where there are more than ``most`` or no way."""
    out[:] = -1
    queue = np.empty(len(out), np.int32)
    queue[0], out[start] = start, 0
    read, written = 0, 1
    while read < written:
        i = queue[read]
        read += 1
        if out[i] == most:
            break
        for e in range(indptr[i], indptr[i + 1]):
            j = neighbors[e]
            if out[j] < 0:
                out[j] = out[i] + 1
                queue[written] = j
                written += 1


@numba.njit(cache=True, nogil=True)
def cover(sides: tuple, order: np.ndarray, anchors: np.ndarray) -> int:
    """Anchors in ``order``, each passed over when it is next to one that is chosen; how many were found."""
    out_ptr, targets, in_ptr, sources = sides
    near = np.zeros(len(order), np.bool_)
    found = 0
    for i in order:
        if found == len(anchors):
            break
        if near[i]:
            continue
        anchors[found] = i
        found += 1
        near[targets[out_ptr[i] : out_ptr[i + 1]]] = True
        near[sources[in_ptr[i] : in_ptr[i + 1]]] = True
    return found
