"""Rows that a trainer sees: which exposure, with which label, and weights for both outcomes.

An emission protocol says when an exposure turns into rows. With waiting time e, attribution window W, exposure
at t, conversion at c:

    once      one row at t + e, labelled by what is known then
    copied    the same, and a positive copy at c where t + e < c <= t + W
    settled   one row at t + W, with the final label
    standing  one row at a common cut, with the label so far and the time gone by
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from thence.conversion.exposures import NEVER, Exposures


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows to train on, in the order in which they came.

    Args:
        index: ``[r]`` int64, the exposure of each.
        label: ``[r]`` float32, its label when it was emitted.
        columns: further float32 columns ``[r]`` or ``[r, k]`` by name; ``positive`` and ``negative`` weigh the
            loss of both outcomes where they stand: ``positive · -log p + negative · -log(1 - p)``.

    Example:
        >>> rows = Rows(np.array([4, 7]), np.array([1.0, 0.0]))
        >>> len(rows), rows.take(np.array([1])).index.tolist()
        (2, [7])
    """

    index: np.ndarray
    label: np.ndarray
    columns: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        """How many rows."""
        return len(self.index)

    def take(self, places: np.ndarray) -> Rows:
        """Some of the rows, or all of them in another order."""
        if isinstance(self.columns, Asked):
            return self.columns.take(places)
        columns = {name: column[places] for name, column in self.columns.items()}
        return Rows(self.index[places], self.label[places], columns)

    def adding(self, columns: Mapping[str, np.ndarray]) -> Rows:
        """The same rows with further columns."""
        return Rows(self.index, self.label, {**self.columns, **columns})

    def whole(self) -> Rows:
        """The same rows with all columns computed."""
        return Rows(self.index, self.label, dict(self.columns))

    def asking(self, make: Callable[[Rows], Mapping[str, np.ndarray]]) -> Rows:
        """The same rows with further columns, which are computed when one of them is asked for.

        Of rows that are drawn before that, the columns are computed alone; no prediction is made for a row that
        nobody trains on.

        Args:
            make: from rows to their further columns; what it gives of a row depends on that row alone.

        Example:
            >>> rows = Rows(np.array([4, 7]), np.array([1.0, 0.0]))
            >>> rows = rows.asking(lambda some: {"twice": 2 * some.index})
            >>> rows.take(np.array([1])).columns["twice"]
            array([14])
        """
        return Rows(self.index, self.label, Asked(self, make))


class Asked(Mapping[str, np.ndarray]):
    """Columns of rows, some of which are computed when a column is asked for.

    Args:
        rows: with the columns that they have already.
        make: from rows to the further ones.
    """

    def __init__(self, rows: Rows, make: Callable[[Rows], Mapping[str, np.ndarray]]) -> None:
        self._rows, self._make = rows, make

    @cached_property
    def _all(self) -> Mapping[str, np.ndarray]:
        return {**self._rows.columns, **self._make(self._rows)}

    def __getitem__(self, name: str) -> np.ndarray:
        """One column ``[r]`` or ``[r, k]``."""
        return self._all[name]

    def __iter__(self) -> Iterator[str]:
        """The names of all of them."""
        return iter(self._all)

    def __len__(self) -> int:
        """How many columns."""
        return len(self._all)

    def take(self, places: np.ndarray) -> Rows:
        """Some of the rows; what was computed is not computed again."""
        if "_all" in vars(self):
            return Rows(self._rows.index, self._rows.label, self._all).take(places)
        return self._rows.take(places).asking(self._make)


def once(known: Exposures, since: int, wait: int) -> Rows:
    """One row for every exposure whose waiting time ended in ``[since, clock)``, with the label of that moment.

    Args:
        known: what is known now.
        since: the clock of the refresh before, microseconds UTC.
        wait: waiting time e in microseconds; 0 emits every exposure at once, as a negative.

    Example:
        >>> shown = Exposures.make([0, 10], [4, 30], window=50, until=40)
        >>> once(shown, 0, 5).label.tolist(), once(shown, 0, 25).label.tolist()
        ([1.0, 0.0], [1.0, 1.0])
    """
    span = np.arange(*np.searchsorted(known.time, [since - wait, known.until - wait]))
    delay = known.conversion_time[span] - known.time[span]
    soon = (known.conversion_time[span] != NEVER) & (delay <= min(wait, known.window))
    return Rows(span, soon.astype(np.float32))


def late(known: Exposures, since: int, wait: int) -> Rows:
    """A positive row for every conversion in ``[since, clock)`` that came after the waiting time.

    Example:
        >>> shown = Exposures.make([0, 10], [4, 30], window=50, until=40)
        >>> late(shown, 0, 5).index.tolist()
        [1]
    """
    first = int(np.searchsorted(known.time, since - known.window))
    ends, starts = known.conversion_time[first:], known.time[first:]
    delay = ends - starts
    new = (ends != NEVER) & (ends >= since) & (delay > wait) & (delay <= known.window)
    index = first + np.flatnonzero(new)
    return Rows(index, np.ones(len(index), np.float32))


def copied(known: Exposures, since: int, wait: int) -> Rows:
    """The rows of :func:`once`, and behind them those of :func:`late`.

    Example:
        >>> shown = Exposures.make([0, 10], [4, 30], window=50, until=40)
        >>> copied(shown, 0, 5).label.tolist()
        [1.0, 0.0, 1.0]
    """
    return joined(once(known, since, wait), late(known, since, wait))


def settled(known: Exposures, since: int) -> Rows:
    """One row for every exposure whose window ended in ``[since, clock)``, with its final label."""
    return once(known, since, known.window)


def standing(known: Exposures, index: np.ndarray) -> Rows:
    """A row for each of some exposures as it stands at the clock.

    Args:
        known: what is known now.
        index: ``[r]`` places of exposures.

    Returns:
        Rows with the label so far; their columns are ``elapsed``, from exposure to clock, at most the window,
        and ``delay``, from exposure to conversion, the elapsed time where there is none; both as fractions of
        the window.

    Example:
        >>> shown = Exposures.make([0, 10], [10, NEVER], window=40, until=20)
        >>> rows = standing(shown, np.array([0, 1]))
        >>> rows.label.tolist(), rows.columns["elapsed"].tolist(), rows.columns["delay"].tolist()
        ([1.0, 0.0], [0.5, 0.25], [0.25, 0.25])
    """
    elapsed = np.minimum(known.until - known.time[index], known.window)
    end, delay = known.conversion_time[index], known.conversion_time[index] - known.time[index]
    converted = (end != NEVER) & (delay <= known.window)  # of these alone: logs are long
    delay = np.where(converted, delay, elapsed)
    columns = {"elapsed": elapsed / known.window, "delay": delay / known.window}
    return Rows(index, converted.astype(np.float32), {k: v.astype(np.float32) for k, v in columns.items()})


def joined(*parts: Rows) -> Rows:
    """All rows of several, one after the other; they have the same columns."""
    columns = {
        name: np.concatenate([part.columns[name] for part in parts])
        for name in (parts[0].columns if parts else ())
    }
    index = np.concatenate([part.index for part in parts])
    return Rows(index, np.concatenate([part.label for part in parts]), columns)
