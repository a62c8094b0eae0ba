"""Sessions that come as lists of items in text files, and what is done to all of them at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from thence.base.arrow import pc
from thence.base.errors import ConfigError, DataError
from thence.base.ids import IdMap


@dataclass(frozen=True, eq=False, repr=False)
class Sessions:
    """Lists of items in the order in which they were met, the list that began first standing first.

    A session, a history, a basket in the order of its filling, and the beginning of one are all such lists. An
    item may stand in a list more than once.

    Args:
        ids: external id of each item.
        indptr: ``[num_sessions + 1]`` int64, where each list begins.
        items: ``[indptr[-1]]`` int32 item ints.

    Raises:
        DataError: the offsets do not rise from 0 to the number of items, or an item is out of range.

    Example:
        >>> sessions = Sessions.of(IdMap(["phone", "case", "cable"]), [[0, 1], [2, 0, 1]])
        >>> sessions
        Sessions(2 sessions, 5 events, 3 items)
        >>> histories, following, final = sessions.prefixes()
        >>> histories.lists(), following.tolist(), final.tolist()
        ([[0], [2], [2, 0]], [1, 0, 1], [True, False, True])
    """

    ids: IdMap
    indptr: np.ndarray
    items: np.ndarray

    def __post_init__(self) -> None:
        object.__setattr__(self, "indptr", np.ascontiguousarray(self.indptr, np.int64))
        ends = self.indptr.ndim == 1 and len(self.indptr) and self.indptr[0] == 0
        if not ends or self.indptr[-1] != len(self.items) or (np.diff(self.indptr) < 0).any():
            raise DataError(f"offsets do not rise from 0 to {len(self.items)}")
        if len(self.items) and (np.min(self.items) < 0 or np.max(self.items) >= len(self.ids)):
            raise DataError("an item is out of range", where=f"{len(self.ids)} items")
        object.__setattr__(self, "items", np.ascontiguousarray(self.items, np.int32))

    @classmethod
    def of(cls, ids: IdMap, lists: Iterable[Sequence[int] | np.ndarray]) -> Sessions:
        """Sessions from lists of item ints."""
        rows = [np.asarray(row, np.int64) for row in lists]
        indptr = np.concatenate([[0], np.cumsum([len(row) for row in rows], dtype=np.int64)])
        return cls(ids, indptr, np.concatenate([np.zeros(0, np.int64), *rows]))

    def __len__(self) -> int:
        """How many lists."""
        return len(self.indptr) - 1

    def __repr__(self) -> str:
        """One line with the counts."""
        return f"Sessions({len(self):,} sessions, {len(self.items):,} events, {len(self.ids):,} items)"

    @property
    def lengths(self) -> np.ndarray:
        """``[num_sessions]`` int64."""
        return np.diff(self.indptr)

    def lists(self) -> list[list[int]]:
        """The item ints as lists."""
        return [self.items[a:b].tolist() for a, b in zip(self.indptr[:-1], self.indptr[1:], strict=True)]

    def slice(self, begin: int, end: int) -> Sessions:
        """The lists from one position up to another."""
        ptr = self.indptr[begin : end + 1]
        return Sessions(self.ids, ptr - ptr[0], self.items[ptr[0] : ptr[-1]])

    def take(self, rows: np.ndarray) -> Sessions:
        """The lists at some positions, in the order given."""
        begin, length = self.indptr[rows], self.lengths[rows]
        indptr = np.concatenate([[0], np.cumsum(length)])
        place = np.arange(indptr[-1]) + np.repeat(begin - indptr[:-1], length)
        return Sessions(self.ids, indptr, self.items[place])

    def tail(self, share: float) -> tuple[Sessions, Sessions]:
        """The earlier sessions, and the latest ``share`` of them to judge on.

        Raises:
            ConfigError: the share is not between 0 and 1.
        """
        if not 0 < share < 1:
            raise ConfigError(f"a share of {share}", fix="Give one between 0 and 1.")
        cut = round((1 - share) * len(self))
        return self.slice(0, cut), self.slice(cut, len(self))

    def prefixes(self) -> tuple[Sessions, np.ndarray, np.ndarray]:
        """Every beginning of every list, the item that followed it, and whether that was the list's last.

        Returns:
            histories, ``[num_histories]`` int64 and ``[num_histories]`` bool, list after list, shortest first.
        """
        length = np.maximum(self.lengths - 1, 0)
        row = np.repeat(np.arange(len(self)), length)
        size = 1 + np.arange(len(row)) - np.repeat(np.cumsum(length) - length, length)
        begin = self.indptr[row]
        indptr = np.concatenate([[0], np.cumsum(size)])
        place = np.arange(indptr[-1]) + np.repeat(begin - indptr[:-1], size)
        following = self.items[begin + size].astype(np.int64)
        return Sessions(self.ids, indptr, self.items[place]), following, size == length[row]


def read_sessions(path: str | Path, ids: IdMap | None = None) -> Sessions:
    r"""Sessions from a text file, gzip or not: one a line, item ids parted by spaces, the earliest first.

    Lines that begin with # are comments; empty ones are left out.

    Args:
        path: the file.
        ids: the items that are known; others are left out of their lists. All items of the file, in the order
            in which they are first met, when not given.

    Raises:
        DataError: the file is absent or is no text.

    Example:
        >>> import tempfile
        >>> with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        ...     print("phone case\nsock phone", file=file, flush=True)
        ...     sessions = read_sessions(file.name)
        >>> sessions, sessions.ids.decode([2])
        (Sessions(2 sessions, 4 events, 3 items), ['sock'])
    """
    path = Path(path)
    try:
        with pa.input_stream(str(path), compression="gzip" if path.suffix == ".gz" else None) as stream:
            text = stream.read().decode("utf-8")
    except (OSError, EOFError, UnicodeDecodeError, pa.ArrowException) as error:
        raise DataError(f"cannot be read as sessions: {error}", where=path) from error
    rows = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    lengths = np.array([len(row) for row in rows], np.int64)
    names = pa.array([name for row in rows for name in row], pa.string())
    known = ids if ids is not None else IdMap(pc.unique(names))
    codes = known.encode(names, missing="mark")
    row = np.repeat(np.arange(len(rows)), lengths)[codes >= 0]
    counts = np.bincount(row, minlength=len(rows))
    return Sessions(known, np.concatenate([[0], np.cumsum(counts)]), codes[codes >= 0])
