"""Actions at query times: whether an exposure had converted by then, and which engagement it had seen."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np

from thence.conversion.exposures import Exposures

CHUNK = 262_144
MOST = 15
KINDS = 62
"""So many kinds fit into a set."""


@dataclass(frozen=True, eq=False)
class Actions:
    """Codes of what was seen of an exposure at query times.

    Code 0 is a conversion; 1 and above are sets of kinds of engagement, of which the ``MOST`` commonest among
    mature exposures have a code each and all others share the last.

    Args:
        times: J query times after the exposure, microseconds.
        sets: sets of kinds that have a code, as bits, rising.

    Example:
        >>> shown = Exposures.make([0, 10], [4, 99], window=50, until=100)
        >>> actions = Actions((3, 5, 50)).learned(shown, np.arange(2))
        >>> actions.size, actions.seen(shown, np.arange(2)).tolist()
        (2, [[1, 0, 0], [1, 1, 1]])
    """

    times: tuple[int, ...]
    sets: np.ndarray = field(default_factory=lambda: np.zeros(1, np.int64))
    rest: bool = False

    @property
    def size(self) -> int:
        """A, how many actions there are."""
        return 1 + len(self.sets) + self.rest

    def learned(self, known: Exposures, index: np.ndarray) -> Actions:
        """With codes for the sets that were seen of some exposures."""
        found = Counter({0: 1})
        for first in range(0, len(index), CHUNK):
            part = index[first : first + CHUNK]
            sets, count = np.unique(
                self._bits(known, part, np.ones((len(part), len(self.times)), bool)), return_counts=True
            )
            found.update(dict(zip(sets.tolist(), count.tolist(), strict=True)))
        kept = np.array(sorted(bits for bits, _ in found.most_common(MOST)), np.int64)
        return replace(self, sets=kept, rest=bool(len(known.engagement.kinds)))

    def seen(self, known: Exposures, index: np.ndarray, asked: np.ndarray | None = None) -> np.ndarray:
        """The action at each query time.

        Args:
            known: what is known now; times that are asked for lie before its clock.
            index: ``[r]`` places of exposures.
            asked: ``[r, J]`` which query times are asked for; all when None.

        Returns:
            ``[r, J]`` int8, -1 where nothing was asked for.
        """
        found = np.full((len(index), len(self.times)), -1, np.int8)
        for first in range(0, len(index), CHUNK):
            part = slice(first, first + CHUNK)
            some = np.ones((len(index[part]), len(self.times)), bool) if asked is None else asked[part]
            self._code(known, index[part], some, found[part])
        return found

    def _code(self, known: Exposures, index: np.ndarray, asked: np.ndarray, code: np.ndarray) -> None:
        """Write the action at each query time that is asked for."""
        delay = known.conversion_time[index] - known.time[index]
        done = delay[:, None] <= np.minimum(self.times, known.window)
        still = asked & ~done
        code[asked & done] = 0
        code[still] = 1
        if len(known.engagement.kinds):
            bits = self._bits(known, index, still)
            place = np.minimum(np.searchsorted(self.sets, bits), len(self.sets) - 1)
            code[still] = 1 + np.where(self.sets[place] == bits, place, len(self.sets))

    def _bits(self, known: Exposures, index: np.ndarray, asked: np.ndarray) -> np.ndarray:
        """Sets of kinds that were seen, as bits, of what is asked for, row by row."""
        row, j = np.nonzero(asked)
        clock = known.time[index[row]] + np.array(self.times, np.int64)[j]
        count, _ = known.engagement.so_far(clock, index[row])
        bits = np.zeros(len(row), np.int64)
        for kind, column in enumerate((count > 0).T[:KINDS]):
            bits |= column.astype(np.int64) << kind
        return bits


def passed(known: Exposures, since: int, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Exposures that passed query times in ``[since, clock)``, and which.

    Args:
        known: what is known now.
        since: the clock of the refresh before, microseconds UTC.
        times: ``[J]`` query times.

    Returns:
        Places ``[r]``, rising, and ``[r, J]`` bool.

    Example:
        >>> index, new = passed(Exposures.make([0, 10], [4, 30], window=50, until=40), 20, np.array([5, 15]))
        >>> index.tolist(), new.tolist()
        ([1], [[False, True]])
    """
    first = np.searchsorted(known.time, since - times)
    stop = np.searchsorted(known.time, known.until - times)
    begin = int(first.min(initial=len(known.time)))
    some = np.zeros(int(stop.max(initial=begin)) - begin, bool)
    for start, end in zip(first - begin, stop - begin, strict=True):
        some[start:end] = True
    index = begin + np.flatnonzero(some)
    return index, (index[:, None] >= first) & (index[:, None] < stop)
