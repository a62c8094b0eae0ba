"""Writing rows chunk by chunk, so that there may be more of them than memory holds."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from thence.base.artifact import write_artifact
from thence.base.errors import DataError
from thence.graph.rows.encoding import Kept, blocks, check_kept, encode

KIND = "rows"


def write_rows(
    folder: str | Path, chunks: Iterable[Any], *, kept: Kept = "float32", use: np.ndarray | None = None
) -> None:
    """Write a matrix as an artifact of kind ``rows``; never more than one chunk of it is in memory.

    Args:
        folder: where to.
        chunks: matrices ``[any number, dim]``, dense or sparse, in node order.
        kept: how, see :mod:`thence.graph.rows.encoding`.
        use: ``[n]``, how much each row is asked for, by any measure, such as the in-degree; a cache then knows
            what to hold.

    Raises:
        DataError: chunks are not matrices of one width, a number is not finite or too large, there is no
            chunk, or ``use`` does not fit.
        ConfigError: there is no such way to keep rows.
        ArtifactError: it cannot be written.
    """
    dtype = check_kept(kept)
    with write_artifact(folder, KIND) as draft:
        path = draft.path("matrix.npy")
        with path.open("wb") as stream:
            shape, scales = _stream(stream, chunks, dtype)
        if dtype == np.int8:
            draft.array("scale", np.concatenate([np.empty(0, np.float32), *scales]))
        if use is not None:
            draft.array("hot", by_use(use, shape[0]))
        draft.counts.update(rows=shape[0], dim=shape[1])
        draft.config["kept"] = kept


def by_use(use: np.ndarray, num_rows: int) -> np.ndarray:
    """``[n]`` int32: the nodes from the most used to the least; of equals the lower first.

    Raises:
        DataError: there is not one finite number a row.

    Example:
        >>> by_use(np.array([1, 3, 1]), 3).tolist()
        [1, 0, 2]
    """
    use = np.asarray(use)
    if use.shape != (num_rows,) or use.dtype.kind not in "fiub" or not np.isfinite(use).all():
        raise DataError(f"use is {use.dtype} of shape {use.shape}", fix=f"Pass {num_rows} finite numbers.")
    return np.argsort(-use.astype(np.float64), kind="stable").astype(np.int32)


def _stream(
    stream: BinaryIO, chunks: Iterable[Any], dtype: np.dtype
) -> tuple[tuple[int, int], list[np.ndarray]]:
    """Write chunk after chunk behind a header that is put right at the end; the shape, and the scales."""
    count, dim, scales = 0, -1, []
    for number, chunk in enumerate(chunks):
        for block in blocks(chunk):
            codes, scale = encode(block, dtype)
            if count == 0:
                _header(stream, (0, block.shape[1]), dtype)
            stream.write(codes.data)
            scales += [] if scale is None else [scale]
            count += len(block)
        dim = chunk.shape[1] if dim < 0 else dim
        if chunk.shape[1] != dim:
            raise DataError(f"it has {chunk.shape[1]} columns, those before {dim}", where=f"chunk {number}")
    if dim < 1:
        raise DataError("there is no chunk of rows, or its rows are empty")
    stream.seek(0)
    _header(stream, (count, dim), dtype)
    return (count, dim), scales


def _header(stream: BinaryIO, shape: tuple[int, int], dtype: np.dtype) -> None:
    """The header of an ``.npy`` file; NumPy leaves room in it, so that any number of rows fits."""
    np.lib.format.write_array_header_1_0(stream, {"descr": dtype.str, "fortran_order": False, "shape": shape})
