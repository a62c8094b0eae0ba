"""How rows are kept: as float32, as halves, or as signed bytes with one scale a row; always read as float32.

======== ============== ==========================================================================
kept as  bytes a number what comes back for x
======== ============== ==========================================================================
float32  4              x rounded to float32; float32 comes back as it was
float16  2              x rounded to the nearest half; |x| must be at most 65,504
int8     1              s · round(x / s) with s = max |row| / 127: at most s / 2 from x, the largest
                        entry (up to its last bit) as it was; rows of noughts as they were
======== ============== ==========================================================================
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np

from thence.base.errors import ConfigError, DataError, nearest

Kept = Literal["float32", "float16", "int8"]
KINDS = ("float32", "float16", "int8")
BLOCK = 1 << 22
"""Bytes of float32 rows that are encoded at a time."""
LEVELS = np.float32(127)
SMALLEST = np.float32(1.2e-38)
"""The least scale that a row of signed bytes has."""


def check_kept(kept: str) -> np.dtype:
    """The dtype that rows are kept in.

    Raises:
        ConfigError: there is no such kind.
    """
    if kept not in KINDS:
        raise ConfigError(f"rows cannot be kept as {kept!r}", fix=nearest(str(kept), KINDS))
    return np.dtype(kept)


def blocks(chunk: Any) -> Iterator[np.ndarray]:
    """A chunk of rows, dense or sparse, in dense pieces of float32 that are small.

    Raises:
        DataError: it is not a matrix of numbers, or a number is not finite in float32.
    """
    if not hasattr(chunk, "toarray"):
        chunk = np.asarray(chunk)
    if len(getattr(chunk, "shape", ())) != 2 or np.dtype(chunk.dtype).kind not in "fiub":
        raise DataError(
            f"a chunk of rows is {chunk.dtype} of shape {chunk.shape}", fix="Pass numbers, [rows, dim]."
        )
    step = max(1, BLOCK // (4 * max(1, chunk.shape[1])))
    for start in range(0, chunk.shape[0], step):
        piece = chunk[start : start + step]
        dense = piece.toarray() if hasattr(piece, "toarray") else piece
        with np.errstate(over="ignore"):
            block = np.ascontiguousarray(dense, np.float32)
        if not np.isfinite(block).all():
            raise DataError("a feature is not finite, or too large for float32")
        yield block


def encode(block: np.ndarray, kept: np.dtype) -> tuple[np.ndarray, np.ndarray | None]:
    """Rows as they are kept, and the scale of each where there is one.

    Args:
        block: ``[rows, dim]`` float32, finite.
        kept: float32, float16 or int8.

    Raises:
        DataError: a number is too large for a half.

    Example:
        >>> encode(np.array([[0.5, -1.0, 0.25]], np.float32), np.dtype("int8"))
        (array([[  64, -127,   32]], dtype=int8), array([0.00787402], dtype=float32))
    """
    if kept == np.float32:
        return block, None
    if kept == np.float16:
        with np.errstate(over="ignore"):
            halves = block.astype(np.float16)
        if not np.isfinite(halves).all():
            raise DataError("a feature is too large for float16", fix="Keep rows as float32 or int8.")
        return halves, None
    largest = np.abs(block).max(axis=1, initial=0)
    scale = np.where(largest > 0, np.maximum(largest / LEVELS, SMALLEST), 0).astype(np.float32)
    divisor = np.where(scale > 0, scale, np.float32(1))[:, None]
    codes = np.clip(np.rint(block / divisor), -LEVELS, LEVELS).astype(np.int8)
    return codes, scale
