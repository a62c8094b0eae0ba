"""Exposures that come in parts, put together without ever standing in memory twice."""

from __future__ import annotations

import numpy as np

from thence.conversion.engagement import Engagement
from thence.conversion.exposures import NEVER, Exposures
from thence.conversion.features import Features

SPARE = 8
"""Arrays grow by an eighth: the pages move, the bytes do not."""


class Grown:
    """Rows that grow in place.

    Args:
        dtype: of the values.
        width: values a row; a flat array when None.

    Example:
        >>> rows = Grown(np.int64)
        >>> rows.add(np.arange(3)), rows.add(np.arange(2)), rows.done().tolist()
        (None, None, [0, 1, 2, 0, 1])
    """

    def __init__(self, dtype: type, width: int | None = None) -> None:
        self._shape = () if width is None else (width,)
        self._data = np.empty((0, *self._shape), dtype)
        self._rows = 0

    def add(self, rows: np.ndarray) -> None:
        """Copy rows to the end."""
        stop = self._rows + len(rows)
        if stop > len(self._data):
            self._data.resize((stop + stop // SPARE, *self._shape), refcheck=False)
        self._data[self._rows : stop] = rows
        self._rows = stop

    def done(self) -> np.ndarray:
        """All rows; nothing may be added any more."""
        self._data.resize((self._rows, *self._shape), refcheck=False)
        return self._data


class Gathered:
    """Parts of exposures with the same features.

    Args:
        buckets: of each column of codes.
        names: of the columns of codes, then of numbers.

    Attributes:
        order: ``[n]`` the old place of each exposure once they were sorted; None where they came sorted.

    Example:
        >>> parts = Gathered((10,), ("item",))
        >>> parts.add(np.array([5, 3]), np.array([9, NEVER]), np.array([[1], [2]]), np.zeros((2, 0)))
        >>> shown = parts.exposures(window=8, until=20)
        >>> shown.time.tolist(), shown.features.codes[:, 0].tolist(), shown.converted.tolist()
        ([3, 5], [2, 1], [False, True])
    """

    def __init__(self, buckets: tuple[int, ...], names: tuple[str, ...]) -> None:
        self.buckets, self.names = buckets, names
        self.rows = 0
        self.order: np.ndarray | None = None
        self._time, self._end = Grown(np.int64), Grown(np.int64)
        self._codes = Grown(np.int32, len(buckets))
        self._numbers = Grown(np.float32, len(names) - len(buckets))
        self._owner, self._kind, self._at = Grown(np.int64), Grown(np.uint8), Grown(np.int64)

    def add(self, time: np.ndarray, end: np.ndarray, codes: np.ndarray, numbers: np.ndarray) -> None:
        """Exposures of one part: times, conversion times (``NEVER`` for none), codes and numbers."""
        for column, part in ((self._time, time), (self._end, end), (self._codes, codes)):
            column.add(part)
        self._numbers.add(numbers)
        self.rows += len(time)

    def add_engagement(self, owner: np.ndarray, kind: np.ndarray, time: np.ndarray) -> None:
        """Engagement with exposures, which are numbered in the order in which they were added."""
        for column, part in ((self._owner, owner), (self._kind, kind), (self._at, time)):
            column.add(part)

    def exposures(self, *, window: int, until: int, kinds: tuple[str, ...] = ()) -> Exposures:
        """All of it, sorted by time and seen up to a clock.

        Args:
            window: attribution window in microseconds.
            until: the clock; what came at or after it is left out.
            kinds: names of the kinds of engagement.
        """
        time, end, codes = self._time.done(), self._end.done(), self._codes.done()
        numbers, owner = self._numbers.done(), self._owner.done()
        if len(time) and (np.diff(time) < 0).any():
            order = self.order = np.argsort(time, kind="stable")
            time, end = time[order], end[order]
            for table in (codes, numbers):
                for column in table.T:  # one at a time: no second table
                    column[:] = column[order]
            place = np.empty(len(order), np.int64)
            place[order] = np.arange(len(order))
            owner = place[owner]
            del place
        stop = int(np.searchsorted(time, until))
        end[end >= until] = NEVER
        events = Engagement.make(kinds, owner, self._kind.done(), self._at.done()).before(until, stop)
        features = Features(codes[:stop], numbers[:stop], self.buckets, self.names)
        return Exposures(features, time[:stop], end[:stop], window, until, events)
