"""Sorted segments on disk: what is old stays as it lies, what is new comes beside it, small ones are merged.

A *store* is a list of segments of one kind of rows, oldest first, each sorted by its column ``key``. A segment
is never changed. With new rows the youngest segments go into the new one while they are not much larger, so the
sizes of segments grow at least threefold from one to the next: a store of n rows has O(log n) segments, and a
row is written O(log n) times in its life. Segments that are written at one time lie in one *part*, an artifact
of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from thence.base.artifact import Artifact, Draft, open_artifact
from thence.graph.append.counted import (
    PAIR,
    SUBSTITUTE,
    Columns,
    Fold,
    arcs_among,
    concat,
    every,
    forget,
    merge,
    newest,
    take,
)
from thence.graph.append.groups import ranges
from thence.graph.build import MIN_SUPPORT

KIND = "graphstate-part"
AT_ONCE = 1 << 13
"""Keys that are looked up before the memory that their pages took is given back."""
GROWTH = 3
"""A segment goes into the new one when it has at most this many times the rows gathered so far."""

ROWS: dict[str, dict[str, type]] = {
    "users": {"key": np.uint64, "other": np.uint64, "number": np.int32},
    "purchases": {"key": np.int32, "order": np.int64, "item": np.int32, "time": np.int64},
    "looks": {"key": np.int32, "item": np.int32, "time": np.int64},
    "buyers": {"key": np.int64},
    "lookers": {"key": np.int64},
    "same_basket": PAIR,
    "bought_after": PAIR,
    "co_viewed": PAIR,
    "substitute": SUBSTITUTE,
}
"""The columns of each store. ``buyers`` and ``lookers`` hold (item, user), each once."""

ARCS = ".arcs"

FOLDS: dict[str, Fold] = {"users": every, "purchases": every, "looks": every}
"""What becomes of equal keys when segments are merged; of the others the newest row stands."""


@dataclass(frozen=True, eq=False)
class Store:
    """Segments of one kind of rows.

    Args:
        name: which kind, a key of ``ROWS``.
        parts: the part that each segment lies in, oldest first.
        segments: their columns, memory-mapped.
        arcs: of pairs, the rows of the oldest segment that are arcs, once more: a graph is made of these, and
            the many pairs that are seen too seldom need not be read for it.
    """

    name: str
    parts: tuple[str, ...]
    segments: tuple[Columns, ...]
    arcs: Columns = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Rows of all segments, those included that newer ones replace."""
        return sum(len(segment["key"]) for segment in self.segments)

    @property
    def empty(self) -> Columns:
        """A table of no rows."""
        return {name: np.zeros(0, type_) for name, type_ in ROWS[self.name].items()}

    def between(self, low: np.ndarray, high: np.ndarray) -> tuple[Columns, np.ndarray]:
        """Rows whose key lies in one of some ranges ``low … high - 1``, and which range each is from."""
        found, whose = [self.empty], [np.zeros(0, np.int64)]
        for segment in self.segments:
            key = segment["key"]
            first = np.searchsorted(key, low.astype(key.dtype))
            last = np.searchsorted(key, high.astype(key.dtype))
            found.append(take(segment, ranges(first, last)))
            whose.append(np.repeat(np.arange(len(low)), last - first))
            forget([segment])
        return concat(found), np.concatenate(whose)

    def of(self, keys: np.ndarray) -> Columns:
        """All rows of some keys, each key given once."""
        return self.between(keys, keys + 1)[0]

    def latest(self, keys: np.ndarray) -> tuple[Columns, np.ndarray]:
        """The newest row of each key, zeros where there is none, and ``[num_keys]`` bool whether there is."""
        known = np.zeros(len(keys), bool)
        found = {name: np.zeros(len(keys), type_) for name, type_ in ROWS[self.name].items()}
        for segment in reversed(self.segments):
            for begin in range(0, len(keys) if len(segment["key"]) else 0, AT_ONCE):
                some = keys[begin : begin + AT_ONCE]
                at = np.minimum(np.searchsorted(segment["key"], some), len(segment["key"]) - 1)
                hit = np.flatnonzero(~known[begin : begin + AT_ONCE] & (segment["key"][at] == some))
                for name, column in segment.items():
                    found[name][begin + hit] = column[at[hit]]
                known[begin + hit] = True
                forget([segment])
        return found, known


def open_stores(folder: Path, parts: Mapping[str, Iterable[str]], *, verify: bool = False) -> dict[str, Store]:
    """Stores whose segments lie in parts of ``folder``.

    Args:
        folder: of the state.
        parts: of each store, oldest first.
        verify: compare the SHA-256 of every file; else only sizes are compared.

    Raises:
        ArtifactError: a part is absent, torn or (with ``verify``) tampered with.
    """
    names = {part for some in parts.values() for part in some}
    opened = {part: open_artifact(folder / part, KIND, verify=verify) for part in names}
    stores = {}
    for name, some in parts.items():
        some = tuple(some)
        segments = tuple(_columns(opened[part], name, name) for part in some)
        arcs = _columns(opened[some[0]], name, name + ARCS) if some and name in MIN_SUPPORT else {}
        stores[name] = Store(name, some, segments, arcs)
    return stores


def _columns(art: Artifact, name: str, stem: str) -> Columns:
    return {column: art.array(f"{stem}.{column}") for column in ROWS[name]}


def grow(store: Store, new: Columns, draft: Draft, least: int | None) -> tuple[str, ...]:
    """Write new sorted rows into a part, together with the young segments that they outgrow.

    Args:
        store: what stands.
        new: sorted rows; of those with a key that stands already, the new row counts.
        draft: the part that is being written; its folder's name is not yet its own.
        least: pairs seen fewer times are no arcs; the relation's own number when None.

    Returns:
        The parts of the segments that remain as they are, oldest first; the new one comes after them. All of
        them where there is nothing new.
    """
    if not len(new["key"]):
        return store.parts
    stays, rows = len(store.segments), len(new["key"])
    while stays and len(store.segments[stays - 1]["key"]) <= GROWTH * rows:
        stays -= 1
        rows += len(store.segments[stays]["key"])
    fold = FOLDS.get(store.name, newest)
    with Writer(draft, store.name, least) as writer:
        for block in merge([*store.segments[stays:], new], fold):
            writer.write(_without_none(block) if not stays else block)
    return store.parts[:stays]


class Writer:
    """Writes one segment block by block, so that it never has to be in memory.

    Args:
        draft: the part that it becomes a piece of.
        name: the store's name.
        least: pairs seen fewer times are no arcs; the relation's own number when None.
    """

    def __init__(self, draft: Draft, name: str, least: int | None = None) -> None:
        self._least = (least or MIN_SUPPORT[name]) if name in MIN_SUPPORT else None
        self._tables = [_Files(draft, name, name)]
        if self._least is not None:
            self._tables.append(_Files(draft, name, name + ARCS))

    def __enter__(self) -> Writer:
        """Begin with headers that say that there are no rows; they have room for the number."""
        for table in self._tables:
            table.head()
        return self

    def __exit__(self, *_: object) -> None:
        """Write the number of rows into the headers."""
        for table in self._tables:
            table.head()
            table.close()

    def write(self, block: Mapping[str, np.ndarray]) -> None:
        """Add the rows that come next in order."""
        self._tables[0].write(block)
        if self._least is not None:
            self._tables[1].write(take(block, np.flatnonzero(arcs_among(block, self._least))))


class _Files:
    """The columns of one table, each a file that grows."""

    def __init__(self, draft: Draft, name: str, stem: str) -> None:
        self._rows = 0
        self._types = {column: np.dtype(type_) for column, type_ in ROWS[name].items()}
        self._files: dict[str, Any] = {
            column: draft.path(f"{stem}.{column}.npy").open("wb") for column in self._types
        }

    def write(self, block: Mapping[str, np.ndarray]) -> None:
        for column, file in self._files.items():
            np.ascontiguousarray(block[column], self._types[column]).tofile(file)
        self._rows += len(block["key"])

    def head(self) -> None:
        for column, file in self._files.items():
            file.flush()
            file.seek(0)
            shape = {"descr": self._types[column].str, "fortran_order": False, "shape": (self._rows,)}
            np.lib.format.write_array_header_1_0(file, shape)

    def close(self) -> None:
        for file in self._files.values():
            file.close()


def _without_none(table: Columns) -> Columns:
    """Rows that count; in the oldest segment nobody needs to be told that a pair is gone."""
    return take(table, np.flatnonzero(table["support"] > 0)) if "support" in table else table
