"""Exposures with a clock: what was shown, what was done about it since, and whether it converted in time.

An exposure (an impression, a click, an offer, a trial purchase) is made at a time; engagement events follow it;
it converts or not. With attribution window W its final label is

    y = 1  where  0 < conversion_time - time <= W,

and is known from ``time + W`` on, or from the conversion on where there is one. :meth:`Exposures.before` gives
what was known at a moment and nothing later; everything that learns is handed such a view.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from thence.base.errors import DataError
from thence.conversion.engagement import Engagement, unchecked
from thence.conversion.features import Features
from thence.events.clock import DAY, Moment, iso, micros

NEVER = int(np.iinfo(np.int64).max)
"""The time of a conversion that is not known of, and the clock of those who know everything."""


@dataclass(frozen=True, eq=False, repr=False)
class Exposures:
    """Exposures sorted by time, seen up to a clock.

    Args:
        features: what was known of each at its own time.
        time: ``[n]`` int64, microseconds UTC, rising.
        conversion_time: ``[n]`` int64, microseconds UTC; ``NEVER`` where none is known.
        window: attribution window W in microseconds.
        until: the clock, microseconds UTC; nothing at or after it is known.
        engagement: events between exposure and conversion; none where not given.

    Raises:
        DataError: arrays differ in length, times do not rise, a conversion comes before its exposure, or
            something is later than the clock.

    Example:
        >>> day = 86_400_000_000
        >>> shown = Exposures.make([0, day], [3 * day, NEVER], window=7 * day, until=9 * day)
        >>> shown
        Exposures(2 exposures, 1 converted so far, window 7 d, known until 1970-01-10T00:00:00Z)
        >>> early = shown.before(2 * day)
        >>> early.converted.tolist(), early.mature.tolist(), shown.mature.tolist()
        ([False, False], [False, False], [True, True])
    """

    features: Features
    time: np.ndarray
    conversion_time: np.ndarray
    window: int
    until: int = NEVER
    engagement: Engagement = field(default_factory=Engagement)

    def __post_init__(self) -> None:
        count = len(self.time)
        if len(self.conversion_time) != count or len(self.features) != count:
            raise DataError(
                f"{count:,} times, {len(self.conversion_time):,} conversions and {len(self.features):,} rows "
                "of features do not fit together"
            )
        if self.window <= 0:
            raise DataError(f"window is {self.window} µs", fix="Give the attribution window in microseconds.")
        if (self.time[1:] < self.time[:-1]).any():
            raise DataError("exposures are not sorted by time")
        known = self.conversion_time != NEVER
        if (self.conversion_time[known] <= self.time[known]).any():
            raise DataError("a conversion is not later than its exposure", fix="Read them with a reader.")
        if (count and self.time[-1] >= self.until) or (self.conversion_time[known] >= self.until).any():
            raise DataError(f"something is later than the clock {iso(self.until)}")

    @classmethod
    def make(
        cls,
        time: object,
        conversion_time: object,
        *,
        window: int,
        until: Moment = NEVER,
        features: Features | None = None,
        engagement: Engagement | None = None,
    ) -> Exposures:
        """Exposures from anything that looks like arrays; they are sorted by time first.

        Args:
            time: ``[n]`` microseconds UTC.
            conversion_time: ``[n]`` microseconds UTC, ``NEVER`` for none.
            window: attribution window in microseconds.
            until: the clock.
            features: ``n`` rows in the same order; none where not given.
            engagement: whose owners are numbered in the same order.
        """
        times, ends = np.asarray(time, np.int64), np.asarray(conversion_time, np.int64)
        features = features if features is not None else Features.none(len(times))
        events = engagement if engagement is not None else Engagement()
        if (times[1:] < times[:-1]).any():
            order = np.argsort(times, kind="stable")
            times, ends, features, events = times[order], ends[order], features.take(order), events.take(order)
        return cls(features, times, ends, int(window), micros(until), events)

    def __len__(self) -> int:
        """How many exposures."""
        return len(self.time)

    def __repr__(self) -> str:
        """One line with the counts."""
        clock = "" if self.until == NEVER else f", known until {iso(self.until)}"
        return (
            f"Exposures({len(self):,} exposures, {int(self.converted.sum()):,} converted so far, "
            f"window {self.window / DAY:g} d{clock})"
        )

    @property
    def converted(self) -> np.ndarray:
        """``[n]`` bool: the label so far; the final one where the exposure is mature."""
        return (self.conversion_time != NEVER) & (self.conversion_time - self.time <= self.window)

    @property
    def mature(self) -> np.ndarray:
        """``[n]`` bool: the whole window lies before the clock, so that the label is final."""
        return self.time < self.until - self.window

    @property
    def elapsed(self) -> np.ndarray:
        """``[n]`` int64: microseconds from exposure to the clock, at most the window."""
        return np.minimum(self.until - self.time, self.window)

    def before(self, at: Moment) -> Exposures:
        """What was known at a moment: exposures, conversions and engagement before it, and nothing later."""
        clock = min(micros(at), self.until)
        stop = int(np.searchsorted(self.time, clock))
        ends = self.conversion_time[:stop]
        fields = {"features": self.features[:stop], "time": self.time[:stop], "window": self.window}
        known = {"conversion_time": np.where(ends < clock, ends, NEVER), "until": clock}
        events = self.engagement.before(clock, stop)
        return unchecked(Exposures, {**fields, **known, "engagement": events})

    def since(self, at: Moment) -> int:
        """The first exposure at or after a moment, as a place in the arrays."""
        return int(np.searchsorted(self.time, micros(at)))

    def with_features(self, features: Features) -> Exposures:
        """The same exposures described otherwise."""
        return replace(self, features=features)
