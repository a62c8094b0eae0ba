"""Rows of a matrix by node, faster than a plain look-up: memory is asked for rows before they are needed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from thence.base.errors import ConfigError, DataError

CHUNK = 8_192
"""Rows a task of a thread."""

AHEAD, NEAR = 24_576, 3_072
"""Bytes of rows that are under way to an outer cache, and to the first."""

STREAM_FROM = 1 << 22
"""Bytes of a result from which it goes past the caches."""

NOWHERE = np.empty(0, np.int64)
Work = Callable[[np.ndarray, np.ndarray, np.ndarray], None]


def gather(
    matrix: np.ndarray,
    nodes: Any,
    out: np.ndarray | None = None,
    *,
    scale: np.ndarray | None = None,
    threads: int = 1,
) -> np.ndarray:
    """The rows ``matrix[nodes]``, side by side.

    Args:
        matrix: ``[n, dim]``, contiguous row by row; any numbers. It may be a read-only memory map.
        nodes: ``[b]`` ints in 0 … n - 1, in any order, repeats allowed.
        out: ``[b, dim]`` where to put them; a new array when None. Of ``matrix``'s dtype, or float32 where that
            is float16, or where there is a ``scale``.
        scale: ``[n]`` float32; ``matrix`` is int8 then, and row i stands for ``scale[i] · matrix[i]``.
        threads: how many threads share the work; the result is the same for any number.

    Returns:
        ``out``.

    Raises:
        DataError: a node is out of range, or a shape or dtype does not fit.
        ConfigError: ``threads`` is below one.

    Example:
        >>> matrix = np.arange(6, dtype=np.float32).reshape(3, 2)
        >>> gather(matrix, [2, 0, 2])
        array([[4., 5.],
               [0., 1.],
               [4., 5.]], dtype=float32)
        >>> codes = np.array([[127, -127], [127, 0]], np.int8)
        >>> gather(codes, [1, 0], scale=np.array([0.5, 1.0], np.float32))
        array([[127. ,   0. ],
               [ 63.5, -63.5]], dtype=float32)
    """
    if threads < 1:
        raise ConfigError(f"threads is {threads}", fix="It is at least 1.")
    matrix = check_matrix(matrix, scale)
    nodes = check_nodes(nodes, len(matrix))
    if out is None:
        out = empty(len(nodes), matrix.shape[1], np.dtype(np.float32) if scale is not None else matrix.dtype)
    check_out(out, (len(nodes), matrix.shape[1]), matrix.dtype, scaled=scale is not None)
    fill(matrix, scale, (nodes, None), out, threads)
    return out


def fill(
    matrix: np.ndarray,
    scale: np.ndarray | None,
    places: tuple[np.ndarray, np.ndarray | None],
    out: np.ndarray,
    threads: int = 1,
) -> None:
    """Row ``places[0][i]`` becomes row ``places[1][i]`` (None: i) of ``out``; arguments are trusted."""
    index, into = places
    if not len(index) or not matrix.shape[1]:
        return
    work = _worker(matrix, scale, out.dtype, out.nbytes >= STREAM_FROM)

    def run(start: int, stop: int) -> None:
        part = _read_only(index[start:stop])
        if into is None:
            work(part, _read_only(NOWHERE), out[start:stop])
        else:
            work(part, _read_only(into[start:stop]), out)

    if threads == 1 or len(index) <= CHUNK:
        run(0, len(index))
        return
    starts = range(0, len(index), CHUNK)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(run, starts, [start + CHUNK for start in starts]))


def _worker(matrix: np.ndarray, scale: np.ndarray | None, dtype: np.dtype, large: bool) -> Work:
    """The kernel that takes rows of this matrix to a result of this dtype, and how far it looks ahead."""
    from thence.graph.rows.kernel import LINE, copy_rows, scale_rows, stream_rows, widen_rows

    dim, width = matrix.shape[1], matrix.shape[1] * matrix.itemsize
    flat = _read_only(matrix.reshape(-1))
    far, near = (max(1, min(64, amount // width)) for amount in (AHEAD, NEAR))
    if scale is not None:
        factor = _read_only(scale)
        return lambda index, into, out: scale_rows(flat, factor, index, into, dim, out.reshape(-1), far)
    if dtype != matrix.dtype:
        halves = flat.view(np.uint16)
        return lambda index, into, out: widen_rows(halves, index, into, dim, out.reshape(-1), far)
    whole, source = large and width % LINE == 0, flat.view(np.uint8)

    def copy(index: np.ndarray, into: np.ndarray, out: np.ndarray) -> None:
        line = out.reshape(-1).view(np.uint8)
        kernel = stream_rows if whole and line.ctypes.data % LINE == 0 else copy_rows
        kernel(source, index, into, width, line, far, near)

    return copy


def empty(num_rows: int, dim: int, dtype: np.dtype) -> np.ndarray:
    """A new matrix that begins where a line of memory begins.

    Example:
        >>> empty(3, 2, np.dtype(np.float32)).ctypes.data % 64
        0
    """
    size = num_rows * dim * dtype.itemsize
    room = np.empty(size + 63, np.uint8)
    begin = -room.ctypes.data % 64
    return room[begin : begin + size].view(dtype).reshape(num_rows, dim)


def check_matrix(matrix: np.ndarray, scale: np.ndarray | None) -> np.ndarray:
    """A matrix that the kernels can read.

    Raises:
        DataError: it is not one, or it and its scale do not fit.
    """
    matrix = np.asarray(matrix)
    if matrix.ndim != 2 or matrix.dtype.kind not in "fiub" or not matrix.dtype.isnative:
        raise DataError(f"not a matrix of numbers but {matrix.dtype} of shape {matrix.shape}")
    if not matrix.flags.c_contiguous:
        raise DataError("the matrix does not lie row by row", fix="Pass np.ascontiguousarray of it.")
    if scale is not None:
        if matrix.dtype != np.int8:
            raise DataError(f"a scale goes with an int8 matrix, not {matrix.dtype}")
        if scale.shape != (len(matrix),) or scale.dtype != np.float32 or not scale.flags.c_contiguous:
            raise DataError(f"the scale is {scale.dtype} of shape {scale.shape}, not one float32 a row")
    return matrix


def check_nodes(nodes: Any, num_rows: int) -> np.ndarray:
    """Nodes as contiguous int64.

    Raises:
        DataError: they are not ints, or one has no row.
    """
    nodes = np.asarray(nodes)
    if nodes.ndim != 1 or not (nodes.dtype.kind in "iu" or not nodes.size):
        raise DataError(f"nodes are {nodes.dtype} of shape {nodes.shape}", fix="Pass ints, [b].")
    if nodes.size and not 0 <= nodes.min() <= nodes.max() < num_rows:
        worst = nodes.min() if nodes.min() < 0 else nodes.max()
        raise DataError(f"node {worst} is out of range", fix=f"Nodes are 0 … {num_rows - 1}.")
    return np.ascontiguousarray(nodes, np.int64)


def check_out(out: np.ndarray, shape: tuple[int, int], dtype: np.dtype, *, scaled: bool) -> None:
    """Whether rows of ``dtype`` can go there.

    Raises:
        DataError: they cannot.
    """
    possible = [np.dtype(np.float32)] if scaled else [dtype]
    if dtype == np.float16:
        possible.append(np.dtype(np.float32))
    if out.shape != shape or out.dtype not in possible:
        wanted = " or ".join(str(kind) for kind in possible)
        raise DataError(f"out is {out.dtype} of shape {out.shape}", fix=f"Pass {wanted} of shape {shape}.")
    if not (out.flags.c_contiguous and out.flags.writeable):
        raise DataError("out is not contiguous and writable")


def _read_only(array: np.ndarray) -> np.ndarray:
    """A read-only view, so that one compiled kernel serves arrays and memory maps alike."""
    view = array.view()
    view.flags.writeable = False
    return view
