"""The inner loops of gathering: rows from anywhere in memory, side by side.

Memory answers one random question in about a hundred nanoseconds, but many at once; so each loop asks for rows
that it will need later, first into an outer cache and, shortly before use, into the first. ``matrix`` is the
matrix laid flat, ``width`` the number of its elements a row, ``index`` the rows that are wanted, and ``into``
the row of ``out`` (laid flat as well) that each becomes; empty where they come one after another.
"""

from __future__ import annotations

import numba
import numpy as np

from thence.graph.rows.machine import LINE, copy_line, half, prefetch_far, settle, stream_line
from thence.graph.sample.kernel.prefetch import prefetch


@numba.njit(cache=True, nogil=True)
def copy_rows(
    matrix: np.ndarray, index: np.ndarray, into: np.ndarray, width: int, out: np.ndarray, far: int, near: int
) -> None:
    """Rows as they stand; ``matrix`` and ``out`` are bytes, whatever their elements.

    ``far`` rows ahead an outer cache is asked for, ``near`` rows ahead the first.
    """
    last, placed = len(index) - 1, len(into) > 0
    for i in range(len(index)):
        later = index[min(i + far, last)] * width
        for byte in range(0, width, LINE):
            prefetch_far(matrix, later + byte)
        soon = index[min(i + near, last)] * width
        for byte in range(0, width, LINE):
            prefetch(matrix, soon + byte)
        start, end = index[i] * width, (into[i] if placed else i) * width
        if width >= LINE:
            for byte in range(0, width - LINE, LINE):
                copy_line(out, end + byte, matrix, start + byte)
            copy_line(out, end + width - LINE, matrix, start + width - LINE)
        else:
            for byte in range(width):
                out[end + byte] = matrix[start + byte]


@numba.njit(cache=True, nogil=True)
def stream_rows(
    matrix: np.ndarray, index: np.ndarray, into: np.ndarray, width: int, out: np.ndarray, far: int, near: int
) -> None:
    """The same past the caches, for an ``out`` that is larger than they are and whose rows fill whole lines."""
    last, placed = len(index) - 1, len(into) > 0
    for i in range(len(index)):
        later = index[min(i + far, last)] * width
        for byte in range(0, width, LINE):
            prefetch_far(matrix, later + byte)
        soon = index[min(i + near, last)] * width
        for byte in range(0, width, LINE):
            prefetch(matrix, soon + byte)
        start, end = index[i] * width, (into[i] if placed else i) * width
        for byte in range(0, width, LINE):
            stream_line(out, end + byte, matrix, start + byte)
    settle()


@numba.njit(cache=True, nogil=True)
def widen_rows(
    matrix: np.ndarray, index: np.ndarray, into: np.ndarray, width: int, out: np.ndarray, far: int
) -> None:
    """Halves, given as uint16, to float32."""
    last, placed, step = len(index) - 1, len(into) > 0, LINE // 2
    wide = np.uint64(width)
    for i in range(len(index)):
        later = index[min(i + far, last)] * width
        for element in range(0, width, step):
            prefetch(matrix, later + element)
        start, end = np.uint64(index[i]) * wide, np.uint64(into[i] if placed else i) * wide
        for element in range(wide):
            out[end + element] = half(matrix[start + element])


@numba.njit(cache=True, nogil=True)
def scale_rows(
    matrix: np.ndarray,
    scale: np.ndarray,
    index: np.ndarray,
    into: np.ndarray,
    width: int,
    out: np.ndarray,
    far: int,
) -> None:
    """Signed bytes, times one float32 a row, to float32."""
    last, placed = len(index) - 1, len(into) > 0
    wide = np.uint64(width)
    for i in range(len(index)):
        later = index[min(i + far, last)]
        prefetch(scale, later)
        for element in range(0, width, LINE):
            prefetch(matrix, later * width + element)
        start, end = np.uint64(index[i]) * wide, np.uint64(into[i] if placed else i) * wide
        unit = scale[index[i]]
        for element in range(wide):
            out[end + element] = np.float32(matrix[start + element]) * unit
