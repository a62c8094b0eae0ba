"""Exposures with the span that a stream of them should take: when it begins, how it steps, where it ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thence.base.errors import ConfigError
from thence.conversion.exposures import Exposures
from thence.events.clock import DAY, iso


@dataclass(frozen=True, eq=False, repr=False)
class Study:
    """A data set made ready for a stream.

    Args:
        name: of the data set.
        exposures: with final labels; views of them are what learns.
        start: first clock, microseconds UTC; enough is mature by then to begin with.
        step: from one refresh to the next, microseconds.
        end: the first microsecond after the last block; all that is predicted before it is mature by the end.
        probability: ``[n]`` the true probability, where it is known.

    Raises:
        ConfigError: nothing is mature at the start, or blocks are not mature by the end.

    Example:
        >>> shown = Exposures.make([0, 5 * DAY], [DAY, 6 * DAY], window=2 * DAY, until=9 * DAY)
        >>> Study("two", shown, start=4 * DAY, step=DAY, end=6 * DAY)
        Study(two: 1 exposures before 1970-01-05T00:00:00Z, 2 blocks of 1 d, 1 to predict)
    """

    name: str
    exposures: Exposures
    start: int
    step: int
    end: int
    probability: np.ndarray | None = None

    def __post_init__(self) -> None:
        shown = self.exposures
        if self.step <= 0 or self.end < self.start + self.step:
            raise ConfigError(f"no block of {self.step} µs from {iso(self.start)} to {iso(self.end)}")
        if not shown.before(self.start).mature.any():
            raise ConfigError(
                f"no exposure is mature at {iso(self.start)}", where=self.name, fix="Start later."
            )
        if self.end + shown.window > shown.until:
            raise ConfigError(
                f"blocks until {iso(self.end)} are not mature by {iso(shown.until)}", where=self.name
            )

    def __repr__(self) -> str:
        """One line with the counts."""
        first, stop = self.exposures.since(self.start), self.exposures.since(self.end)
        return (
            f"Study({self.name}: {first:,} exposures before {iso(self.start)}, {self.blocks} blocks of "
            f"{self.step / DAY:g} d, {stop - first:,} to predict)"
        )

    @property
    def blocks(self) -> int:
        """How many whole blocks are predicted."""
        return (self.end - self.start) // self.step
