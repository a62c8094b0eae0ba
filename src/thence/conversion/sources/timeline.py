"""Events of many groups in order of time, so that questions about each group's past are answered at once."""

from __future__ import annotations

import numpy as np


class Timeline:
    """Events sorted by group and time.

    Args:
        group: ``[m]`` non-negative ints.
        time: ``[m]`` int64; the unit does not matter.

    Attributes:
        order: ``[m]`` the event that stands at each place.

    Example:
        >>> line = Timeline(np.array([0, 1, 0, 0]), np.array([5, 5, 9, 7]))
        >>> line.count(np.array([0, 0, 1]), np.array([5, 0, 5]), np.array([9, 9, 9])).tolist()
        [2, 3, 0]
        >>> asked, event = line.pairs(np.array([0]), np.array([5]), np.array([8]))
        >>> asked.tolist(), event.tolist()
        ([0], [3])
    """

    def __init__(self, group: np.ndarray, time: np.ndarray) -> None:
        self.order = np.lexsort((time, group))
        self._times = np.unique(time)
        self._key = self._keys(group[self.order], np.searchsorted(self._times, time[self.order]))

    def _keys(self, group: np.ndarray, rank: np.ndarray) -> np.ndarray:
        return np.asarray(group, np.int64) * (len(self._times) + 1) + rank

    def place(self, group: np.ndarray, time: np.ndarray, *, after: bool = False) -> np.ndarray:
        """The first place ``[n]`` at or after each time in its group; strictly after where asked."""
        rank = np.searchsorted(self._times, time, side="right" if after else "left")
        return np.searchsorted(self._key, self._keys(group, rank))

    def between(self, group: np.ndarray, after: np.ndarray, until: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """First and stop places of each group's events with ``after < time <= until``."""
        first = self.place(group, after, after=True)
        return first, np.maximum(first, self.place(group, until, after=True))

    def count(self, group: np.ndarray, after: np.ndarray, until: np.ndarray) -> np.ndarray:
        """How many events ``[n]`` with ``after < time <= until``."""
        first, stop = self.between(group, after, until)
        return stop - first

    def pairs(self, group: np.ndarray, after: np.ndarray, until: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Every question with every event that answers it: numbers of both."""
        first, stop = self.between(group, after, until)
        length = stop - first
        asked = np.repeat(np.arange(len(first)), length)
        place = np.arange(len(asked)) + np.repeat(first - (np.cumsum(length) - length), length)
        return asked, self.order[place]

    def last(self, group: np.ndarray, time: np.ndarray) -> np.ndarray:
        """The group's last event ``[n]`` strictly before each time; -1 for none."""
        if not len(self.order):
            return np.full(len(group), -1)
        stop, first = self.place(group, time), self.place(group, np.full(len(group), np.iinfo(np.int64).min))
        return np.where(stop > first, self.order[np.maximum(stop - 1, 0)], -1)

    def following(self) -> tuple[np.ndarray, np.ndarray]:
        """For each event ``[m]`` the one that comes next in its group, and the one before; -1 for none."""
        group = self._key // (len(self._times) + 1)
        same = np.diff(group) == 0
        later, earlier = np.full(len(group), -1), np.full(len(group), -1)
        later[self.order[:-1][same]] = self.order[1:][same]
        earlier[self.order[1:][same]] = self.order[:-1][same]
        return later, earlier
