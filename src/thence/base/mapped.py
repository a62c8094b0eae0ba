"""Files that are used where they lie: arrays and tables whose bytes the system pages in when they are touched.

A table is kept as an uncompressed Arrow file of one batch a chunk, so that opening it costs the same for a
thousand rows as for a hundred million, and processes that open it share its pages. An array is an ``.npy``
file.
"""

from __future__ import annotations

import mmap
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import DTypeLike

BLOCK_BYTES = 1 << 26


def write_table(path: Path, table: pa.Table) -> None:
    """Write a table so that it can be mapped; each column comes back in as few chunks as it can lie in."""
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())


def map_table(path: Path) -> pa.Table:
    """A table that :func:`write_table` wrote, in time that does not depend on its rows.

    Raises:
        pa.ArrowInvalid: the file's frame is damaged; the rows themselves are not looked at.
    """
    table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    table.validate()
    return table


def read_table(path: Path) -> pa.Table:
    """The same table in memory; what happens to the file afterwards does not matter.

    Raises:
        pa.ArrowInvalid: the file's frame is damaged; the rows themselves are not looked at.
    """
    with pa.OSFile(str(path), "rb") as source:
        table = pa.ipc.open_file(source).read_all()
    table.validate()
    return table


def read_array(path: Path, *, mapped: bool = False) -> np.ndarray:
    """One array of an ``.npy`` file and of nothing else: archives and pickles are refused.

    Raises:
        ValueError: the file is no such array, or ends early.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as tmp:
        ...     write_array(Path(tmp) / "a.npy", np.arange(3))
        ...     read_array(Path(tmp) / "a.npy").tolist()
        [0, 1, 2]
    """
    if mapped:
        return np.lib.format.open_memmap(path, mode="r")
    with path.open("rb") as stream:
        return np.lib.format.read_array(stream, allow_pickle=False)


def write_array(path: Path, values: np.ndarray) -> None:
    """Write one array as ``.npy``; one that is mapped itself goes over piece by piece and leaves memory again.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as tmp:
        ...     write_array(Path(tmp) / "a.npy", np.arange(3))
        ...     write_array(Path(tmp) / "b.npy", np.load(f"{tmp}/a.npy", mmap_mode="r"))
        ...     np.load(f"{tmp}/b.npy").tolist()
        [0, 1, 2]
    """
    if not (isinstance(values, np.memmap) and values.ndim and values.flags.c_contiguous):
        np.save(path, np.ascontiguousarray(values), allow_pickle=False)
        return
    rows = max(1, BLOCK_BYTES // max(values[:1].nbytes, 1))
    with path.open("wb") as stream:
        np.lib.format.write_array_header_1_0(stream, np.lib.format.header_data_from_array_1_0(values))
        for at in range(0, len(values), rows):
            stream.write(np.asarray(values[at : at + rows]).data)
            release(values)


def release(array: np.ndarray) -> None:
    """Give back the memory of a read-only map's pages; they are read again when they are touched again."""
    if not isinstance(array, np.memmap) or array.mode != "r":
        return
    base: object = array
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap):
        base.madvise(mmap.MADV_DONTNEED)


class Column:
    """An array that is filled from front to back, in memory or, when it is to stay out of it, in a file.

    Args:
        length: how many values there will be.
        dtype: their type.
        path: the ``.npy`` file to write; None for memory.

    Example:
        >>> column = Column(3, np.int32)
        >>> column.append(np.array([4, 5])), column.append(np.array([6]))
        (None, None)
        >>> column.finish().tolist()
        [4, 5, 6]
    """

    def __init__(self, length: int, dtype: DTypeLike, path: Path | None = None) -> None:
        self.length, self.dtype, self.filled = length, np.dtype(dtype), 0
        self._path = path
        self._array = np.empty(length if path is None else 0, self.dtype)
        if path is not None:
            header = {"descr": self.dtype.str, "fortran_order": False, "shape": (length,)}
            with path.open("wb") as stream:
                np.lib.format.write_array_header_1_0(stream, header)

    def append(self, values: np.ndarray) -> None:
        """Put the next values behind those that came before."""
        begin, self.filled = self.filled, self.filled + len(values)
        if self._path is None:
            self._array[begin : self.filled] = values
        else:
            with self._path.open("ab") as stream:
                stream.write(np.ascontiguousarray(values, self.dtype).data)

    def finish(self) -> np.ndarray:
        """The whole array, mapped read-only where it lies in a file (which may then be unlinked).

        Raises:
            ValueError: fewer or more values came than were announced.
        """
        if self.filled != self.length:
            raise ValueError(f"{self.filled} values came of {self.length}")
        if self._path is None or not self.length:
            return self._array
        return np.load(self._path, mmap_mode="r", allow_pickle=False)
