"""Engagement: what was done about an exposure before it converted (cart, coupon clipped, came back)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from thence.base.errors import DataError

T = TypeVar("T")
_LATEST = int(np.iinfo(np.int64).max)


def _no(kind: type) -> np.ndarray:
    return np.empty(0, kind)


def unchecked(kind: type[T], fields: dict[str, object]) -> T:
    """A frozen dataclass without its checks, which what it is a part of has passed: at every refresh they would
    look at all there is.

    Args:
        kind: the dataclass.
        fields: all of its fields by name.
    """
    made = object.__new__(kind)
    made.__dict__.update(fields)
    return made


@dataclass(frozen=True, eq=False)
class Engagement:
    """Events that belong to exposures, sorted by owner and time.

    Args:
        kinds: names of the kinds of events.
        owner: ``[m]`` int64, the exposure that each belongs to, rising.
        kind: ``[m]`` uint8, place in ``kinds``.
        time: ``[m]`` int64, microseconds UTC.
        clock: events at or after it are not seen.

    Raises:
        DataError: arrays differ in length, owners do not rise, or a kind is unknown.

    Example:
        >>> events = Engagement.make(["cart"], owner=[0, 0, 2], kind=[0, 0, 0], time=[5, 9, 7])
        >>> count, last = events.so_far(np.array([6, 6, 8]))
        >>> count[:, 0].tolist(), last[:, 0].tolist()
        ([1.0, 0.0, 1.0], [5, -1, 7])
    """

    kinds: tuple[str, ...] = ()
    owner: np.ndarray = field(default_factory=lambda: _no(np.int64))
    kind: np.ndarray = field(default_factory=lambda: _no(np.uint8))
    time: np.ndarray = field(default_factory=lambda: _no(np.int64))
    clock: int = _LATEST

    def __post_init__(self) -> None:
        if not len(self.owner) == len(self.kind) == len(self.time):
            raise DataError("owners, kinds and times of engagement differ in length")
        if len(self.owner) and ((self.owner[1:] < self.owner[:-1]).any() or self.owner[0] < 0):
            raise DataError("engagement is not sorted by its exposures", fix="Use Engagement.make.")
        if len(self.kind) and int(self.kind.max()) >= len(self.kinds):
            raise DataError(f"kind {int(self.kind.max())} of engagement, names for {len(self.kinds)}")

    @classmethod
    def make(cls, kinds: object, owner: object, kind: object, time: object) -> Engagement:
        """Engagement from events in any order."""
        owners, times = np.asarray(owner, np.int64), np.asarray(time, np.int64)
        order = np.lexsort((times, owners))
        names = tuple(kinds)  # type: ignore[arg-type]
        return cls(names, owners[order], np.asarray(kind, np.uint8)[order], times[order])

    def __len__(self) -> int:
        """How many events, those after the clock included."""
        return len(self.owner)

    def before(self, clock: int, owners: int) -> Engagement:
        """The events of the first exposures that came before a moment."""
        stop = int(np.searchsorted(self.owner, owners))
        kept = {"owner": self.owner[:stop], "kind": self.kind[:stop], "time": self.time[:stop]}
        return unchecked(Engagement, {**kept, "kinds": self.kinds, "clock": min(clock, self.clock)})

    def take(self, order: np.ndarray) -> Engagement:
        """The same events after their exposures were put into another order.

        Args:
            order: ``[n]`` the old place of each exposure.
        """
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        moved = Engagement.make(self.kinds, place[self.owner], self.kind, self.time)
        return Engagement(moved.kinds, moved.owner, moved.kind, moved.time, self.clock)

    def so_far(self, clock: np.ndarray, rows: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """How often and when last each kind was seen before each exposure's own clock.

        Args:
            clock: ``[n]`` microseconds; the view's own clock is never passed.
            rows: ``[n]`` exposures that are asked for, each any number of times; the first n when None.

        Returns:
            Counts ``[n, kinds]`` float32, and times of the last ``[n, kinds]`` int64, -1 for never.
        """
        clock = np.minimum(np.asarray(clock, np.int64), self.clock)
        rows = np.arange(len(clock)) if rows is None else rows
        width = len(self.kinds)
        first, stop = np.searchsorted(self.owner, rows), np.searchsorted(self.owner, rows, side="right")
        length = stop - first
        asked = np.repeat(np.arange(len(rows)), length)
        event = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length) + first[asked]
        seen = self.time[event] < clock[asked]
        place = asked[seen] * width + self.kind[event[seen]]
        count = np.bincount(place, minlength=len(rows) * width).reshape(len(rows), width)
        last = np.full(len(rows) * width, -1, np.int64)
        last[place] = self.time[event[seen]]  # events of an exposure rise, so the last one stays
        return count.astype(np.float32), last.reshape(len(rows), width)
