"""External ids at the border, dense ints inside.

Everything inside the house speaks of nodes as ints ``0 … n-1``; an :class:`IdMap` is the only place that
knows what they are called outside.

Ids that stand in ascending order, as those of a built graph do, are found by halving: a large map then needs no
dictionary, which would take seconds and, in each process anew, a hundred bytes an id.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from thence.base.arrow import pc
from thence.base.errors import ConfigError, DataError

MISSING = -1
HALVED_FROM = 1 << 17
"""Ids; smaller maps are looked up in a dictionary."""
HALVED_SHARE = 512
"""Asked for fewer than one in so many of its ids, a large map halves; for more, it hashes them all once."""


class IdMap:
    """A one-to-one map between external ids (strings) and the ints ``0 … n-1``.

    Args:
        ids: the external ids in the order of their ints; each one once, none null.

    ``ascending`` says whether they stand in ascending order of their UTF-8 bytes.

    Raises:
        DataError: an id is null or stands twice.

    Example:
        >>> ids = IdMap(["phone", "case", "charger"])
        >>> ids
        IdMap(3 ids)
        >>> ids.encode(["case", "phone"])
        array([1, 0])
        >>> ids.decode([2])
        ['charger']
    """

    def __init__(self, ids: Iterable[str] | pa.Array | pa.ChunkedArray) -> None:
        array: Any = ids if isinstance(ids, pa.Array | pa.ChunkedArray) else pa.array(list(ids), pa.string())
        array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
        self._keep(array.cast(pa.string()))
        self.ascending = self._ascends()
        if not self.ascending:
            self.check()

    @classmethod
    def opened(cls, array: pa.Array | pa.ChunkedArray, *, ascending: bool) -> IdMap:
        """The map of ids that were checked when they were stored; they are not read.

        Args:
            array: strings, in one chunk where they are to stay where they lie.
            ascending: whether they stand in ascending order.

        Raises:
            DataError: they are no strings, or one is null.

        Example:
            >>> IdMap.opened(pa.array(["case", "phone"]), ascending=True).index("phone")
            1
        """
        ids = cls.__new__(cls)
        chunks: Any = array.chunks if isinstance(array, pa.ChunkedArray) else [array]
        whole = chunks[0] if len(chunks) == 1 else pa.concat_arrays(chunks or [pa.array([], pa.string())])
        if whole.type != pa.string() or whole.null_count:
            raise DataError(f"ids are {whole.type} with {whole.null_count} nulls, not strings")
        ids._keep(whole)
        ids.ascending = ascending
        return ids

    def check(self) -> None:
        """Look at every id.

        Raises:
            DataError: an id is null, stands twice, or is out of the order that is claimed.
        """
        if self.array.null_count:
            raise DataError("an id is null", fix="Drop the rows that have no id.")
        if self.ascending and not self._ascends():
            raise DataError("the ids are not in ascending order")
        if not self.ascending and pc.count_distinct(self.array).as_py() != len(self.array):
            counts = self.array.value_counts()
            twice = counts.field("values")[int(np.argmax(counts.field("counts").to_numpy()))].as_py()
            raise DataError(f"id {twice!r} stands more than once", fix="Give each id once.")

    def __len__(self) -> int:
        """How many ids."""
        return len(self.array)

    def __repr__(self) -> str:
        """One line with the count."""
        return f"IdMap({len(self):,} ids)"

    def __eq__(self, other: object) -> bool:
        """The same ids in the same order."""
        return isinstance(other, IdMap) and self.array.equals(other.array)

    __hash__ = None  # type: ignore[assignment]

    def __contains__(self, id: str) -> bool:  # noqa: A002
        """Whether an external id is known."""
        return self._find(id) is not None

    def index(self, id: str) -> int:  # noqa: A002
        """The int of one external id.

        Raises:
            DataError: the id is unknown.
        """
        found = self._find(id)
        if found is None:
            raise DataError(f"id {id!r} is unknown", where=repr(self), fix="Ids are case-sensitive strings.")
        return found

    def encode(self, ids: Sequence[Any] | pa.Array | pa.ChunkedArray, *, missing: str = "raise") -> np.ndarray:
        """Ints ``[n]`` (int64) of many external ids.

        Args:
            ids: external ids; anything that Arrow casts to strings.
            missing: ``"raise"``, or ``"mark"`` to give unknown ids the int -1.

        Raises:
            DataError: an id is unknown and ``missing`` is ``"raise"``.
            ConfigError: ``missing`` is neither of the two.
        """
        if missing not in ("raise", "mark"):
            raise ConfigError(f"missing={missing!r}", where="IdMap.encode", fix="Use 'raise' or 'mark'.")
        array: Any = ids if isinstance(ids, pa.Array | pa.ChunkedArray) else pa.array(ids)
        codes = self._codes(array.cast(pa.string()))
        if missing == "raise" and (codes == MISSING).any():
            unknown = array[int(np.argmax(codes == MISSING))].as_py()
            count = int((codes == MISSING).sum())
            raise DataError(f"{count} unknown ids, the first {unknown!r}", where=repr(self))
        return codes

    def decode(self, codes: Sequence[int] | np.ndarray) -> list[str]:
        """External ids of many ints, as a list of strings.

        Raises:
            DataError: an int is negative or too large.
        """
        wanted = np.asarray(codes, dtype=np.int64)
        if len(outside := wanted[(wanted < 0) | (wanted >= len(self))]):
            raise DataError(f"node {outside[0]} is out of range", where=repr(self))
        return self.array.take(pa.array(wanted)).to_pylist()

    def _keep(self, array: pa.Array) -> None:
        self.array: pa.Array = array
        self._index: dict[str, int] | None = None

    def _ascends(self) -> bool:
        """Every id is larger than the one before it; then none stands twice."""
        rising: Any = pc.less(self.array[:-1], self.array[1:])
        return not self.array.null_count and pc.all(rising, min_count=0).as_py()

    def _codes(self, asked: Any) -> np.ndarray:
        """Ints ``[n]`` of strings, -1 for those that are unknown or null."""
        if self._halved and len(asked) * HALVED_SHARE < len(self):
            found = (self._find(id_) for id_ in asked.to_pylist())
            return np.array([MISSING if code is None else code for code in found], np.int64)
        codes = pc.index_in(asked, value_set=self.array).fill_null(MISSING)
        return np.asarray(codes.to_numpy(), dtype=np.int64)

    @property
    def _halved(self) -> bool:
        return self.ascending and len(self) >= HALVED_FROM

    def _find(self, id_: str | None) -> int | None:
        if id_ is None:
            return None
        if not self._halved:
            if self._index is None:
                self._index = {known: at for at, known in enumerate(self.array.to_pylist())}
            return self._index.get(id_)
        at = bisect_left(range(len(self)), id_, key=lambda place: self.array[place].as_py())
        return at if at < len(self) and self.array[at].as_py() == id_ else None
