"""What every kind of code is: rows of vectors kept in fewer bytes, which can be decoded and scored.

Scores of a batch are computed tile by tile: some rows are decoded into a block that stays in the cache, and one
matrix product scores it for the whole batch. Decoding is then paid once a batch, not once a query.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

import numpy as np

TILE_BYTES = 1 << 19
"""Bytes of decoded rows that are scored at a time; they stay in a core's cache."""


BLOCK_ROWS = 1 << 14
"""Rows that are coded at a time, so that no second copy of all vectors is made on the way."""


def row_blocks(num_rows: int) -> Iterator[slice]:
    """Slices of rows, one block after another.

    Example:
        >>> [(block.start, block.stop) for block in row_blocks(20_000)]
        [(0, 16384), (16384, 20000)]
    """
    for start in range(0, num_rows, BLOCK_ROWS):
        yield slice(start, min(start + BLOCK_ROWS, num_rows))


class Codes(Protocol):
    """``num_rows`` vectors of ``dim`` numbers in fewer bytes."""

    @property
    def num_rows(self) -> int:
        """How many vectors."""
        ...

    @property
    def dim(self) -> int:
        """Length of each vector."""
        ...

    def decode(self, rows: np.ndarray | slice) -> np.ndarray:
        """The vectors ``[len(rows), dim]`` float32 that the codes of some rows stand for."""
        ...

    def tensors(self) -> Mapping[str, np.ndarray]:
        """All that is kept, by name."""
        ...


def bytes_of(codes: Codes) -> int:
    """Bytes of all that is kept, scales and tables included."""
    return sum(array.nbytes for array in codes.tensors().values())


def by_tiles(codes: Codes, vectors: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """``⟨vectors[i], decoded[j]⟩ + bias[j]``, ``[b, num_rows]`` float32.

    Args:
        codes: the rows that answer.
        vectors: ``[b, dim]`` float32 that ask.
        bias: ``[num_rows]`` float32.
    """
    out = np.empty((len(vectors), codes.num_rows), np.float32)
    step = max(16, TILE_BYTES // (4 * max(codes.dim, 1)))
    for start in range(0, codes.num_rows, step):
        stop = min(start + step, codes.num_rows)
        np.matmul(vectors, codes.decode(slice(start, stop)).T, out=out[:, start:stop])
    out += bias
    return out
