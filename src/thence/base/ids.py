"""External ids at the border, dense ints inside.

Everything inside the house speaks of nodes as ints ``0 … n-1``; an :class:`IdMap` is the only place that
knows what they are called outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from thence.base.arrow import pc
from thence.base.errors import ConfigError, DataError

MISSING = -1


class IdMap:
    """A one-to-one map between external ids (strings) and the ints ``0 … n-1``.

    Args:
        ids: the external ids in the order of their ints; each one once, none null.

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
        self.array: pa.Array = array.cast(pa.string())
        if self.array.null_count:
            raise DataError("an id is null", fix="Drop the rows that have no id.")
        if pc.count_distinct(self.array).as_py() != len(self.array):
            counts = self.array.value_counts()
            twice = counts.field("values")[int(np.argmax(counts.field("counts").to_numpy()))].as_py()
            raise DataError(f"id {twice!r} stands more than once", fix="Give each id once.")
        self._index: dict[str, int] | None = None

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
        return id in self._lookup()

    def index(self, id: str) -> int:  # noqa: A002
        """The int of one external id.

        Raises:
            DataError: the id is unknown.
        """
        found = self._lookup().get(id)
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
        found = pc.index_in(array.cast(pa.string()), value_set=self.array).fill_null(MISSING)
        codes = np.asarray(found.to_numpy(), dtype=np.int64)
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

    def _lookup(self) -> dict[str, int]:
        if self._index is None:
            self._index = {id_: i for i, id_ in enumerate(self.array.to_pylist())}
        return self._index
