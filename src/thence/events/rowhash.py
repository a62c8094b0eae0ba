"""A 128-bit hash of a row, by which duplicates are known and a log's content is fingerprinted.

The hash is the sum over the row's columns of a hash of (column name, value), in two independent lanes of 64
bits. Null adds nothing, so a column that a source lacks counts like one that is null; the order of columns does
not count; further columns are hashed by their text, so widening a column's type moves no hash. The sum over all
rows of a log is its fingerprint: it does not depend on the order of rows or on how they lie in files.

Two different rows of a log of n rows share a hash with probability about n² / 2¹²⁹ (10⁻²¹ for a billion rows).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from thence.events.columns import plain, text
from thence.events.schema import CORE

_MASK = (1 << 64) - 1


def row_hashes(table: pa.Table, core: Mapping[str, pa.DataType] = CORE) -> np.ndarray:
    """The hashes ``[2, n]`` (uint64) of a table's rows.

    Args:
        table: columns of kept types.
        core: the columns whose type never changes; they are hashed as they are.

    Example:
        >>> a = pa.table({"item_id": ["x", "y"], "shelf": [1, None]})
        >>> b = pa.table({"shelf": ["1", None], "item_id": ["x", "y"]})
        >>> bool((row_hashes(a) == row_hashes(b)).all())
        True
    """
    from thence.events.kernels import hash_strings, hash_words

    lanes = np.zeros((2, table.num_rows), np.uint64)
    for name in table.column_names:
        column = plain(table[name])
        seed = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")
        if column.null_count == len(column):
            continue
        if name in core and column.type in (pa.int64(), pa.float64()):
            valid = np.asarray(column.is_valid())
            words = column.fill_null(0).to_numpy() + core[name].to_pandas_dtype()(0)  # -0.0 becomes 0.0
            hash_words(words, valid, seed, lanes)
        else:
            hash_strings(column if column.type == pa.string() else text(column), seed, lanes)
    return lanes


class Sum:
    """The running sum of row hashes: a fingerprint that does not depend on order."""

    def __init__(self) -> None:
        self.rows = 0
        self._lanes = [0, 0]

    def add(self, hashes: np.ndarray) -> None:
        """Count the rows with these hashes ``[2, n]`` in."""
        self._change(hashes, 1)

    def remove(self, hashes: np.ndarray) -> None:
        """Count the rows with these hashes ``[2, n]`` out."""
        self._change(hashes, -1)

    def merge(self, rows: int, lanes: tuple[int, int]) -> None:
        """Count in the sum of other rows, as :attr:`parts` gives it."""
        self.rows += rows
        self._lanes = [(mine + theirs) & _MASK for mine, theirs in zip(self._lanes, lanes, strict=True)]

    @property
    def parts(self) -> tuple[int, tuple[int, int]]:
        """How many rows were counted, and the sums of both lanes."""
        return self.rows, (self._lanes[0], self._lanes[1])

    def _change(self, hashes: np.ndarray, sign: int) -> None:
        self.rows += sign * hashes.shape[1]
        for lane in (0, 1):
            self._lanes[lane] = (self._lanes[lane] + sign * int(hashes[lane].sum(dtype=np.uint64))) & _MASK

    def hex(self) -> str:
        """48 hexadecimal digits: the count and both lanes."""
        return f"{self.rows:016x}{self._lanes[0]:016x}{self._lanes[1]:016x}"
