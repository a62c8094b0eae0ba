"""How late conversions come: the share that has come by each age, and what silence until an age says.

Of exposures whose label is final, with delays d of those that converted within the window W,

    F(a) = |{d <= a}| / |{d <= W}|,        F(W) = 1.

Where nothing has come until age a, Bayes' rule leaves of a probability p

    P(y = 1 | nothing until a) = p (1 - F(a)) / (1 - p F(a)).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from thence.base.errors import DataError

if TYPE_CHECKING:
    from thence.conversion.exposures import Exposures

EVEN, FINE, FINEST = 64, 48, 4096
"""Ages of a curve: so many even steps, and as many in equal ratios, from a ``FINEST``-th of the window on."""


@dataclass(frozen=True, eq=False, repr=False)
class DelayCurve:
    """The share of conversions that has come by each age.

    Args:
        ages: ``[m]`` int64 microseconds, rising from 0 to the window.
        share: ``[m]`` float64, never falling, from 0 or above to 1.
        conversions: how many it was counted on.
        exposures: of how many with a final label.

    Raises:
        DataError: they do not rise, do not end in 1, or differ in length.

    Example:
        >>> hour = 3_600_000_000
        >>> from thence.conversion.exposures import Exposures
        >>> shown = Exposures.make([0, 0, 0], [hour, 3 * hour, 30 * hour], window=8 * hour)
        >>> curve = DelayCurve.of(shown.before(20 * hour))
        >>> curve
        DelayCurve(2 conversions of 3 exposures, half of them by 1 h)
        >>> curve.by([0, 2 * hour, 9 * hour]).tolist()
        [0.0, 0.5, 1.0]
    """

    ages: np.ndarray
    share: np.ndarray
    conversions: int
    exposures: int

    def __post_init__(self) -> None:
        if self.ages.shape != self.share.shape or self.ages.ndim != 1 or len(self.ages) < 2:
            raise DataError(f"a delay curve of {self.ages.shape} ages and {self.share.shape} shares")
        rises = (np.diff(self.ages) > 0).all() and (np.diff(self.share) >= 0).all()
        if not rises or self.ages[0] != 0 or self.share[0] < 0 or self.share[-1] != 1:
            raise DataError("a delay curve that does not rise to 1 from age 0 on")
        if not 0 < self.conversions <= self.exposures:
            raise DataError(f"a delay curve of {self.conversions} conversions of {self.exposures} exposures")

    @classmethod
    def of(cls, known: Exposures) -> DelayCurve:
        """Counted on the exposures whose label is final.

        Raises:
            DataError: none of them converted.
        """
        mature = int(known.mature.sum())  # they rise by time, so mature ones are first
        delay = (known.conversion_time[:mature] - known.time[:mature])[known.converted[:mature]]
        if not len(delay):
            raise DataError(
                f"none of {mature:,} exposures with a final label converted, so nobody knows how late it comes"
            )
        ages = ages_of(known.window)
        count = np.bincount(np.searchsorted(ages, delay), minlength=len(ages))
        return cls(ages, np.cumsum(count) / len(delay), len(delay), mature)

    def by(self, age: ArrayLike) -> np.ndarray:
        """The share that has come by ages in microseconds, float64 of the same shape; 1 from the window on."""
        return np.interp(np.asarray(age, np.float64), self.ages.astype(np.float64), self.share)

    def age(self, share: float) -> int:
        """The youngest known age in microseconds by which at least this share has come."""
        return int(self.ages[np.searchsorted(self.share, share)])

    def told(self) -> dict[str, Any]:
        """Everything as JSON can hold it."""
        return {
            "ages": self.ages.tolist(),
            "share": self.share.tolist(),
            "conversions": self.conversions,
            "exposures": self.exposures,
        }

    @classmethod
    def from_told(cls, told: Mapping[str, Any]) -> DelayCurve:
        """From what :meth:`told` returned.

        Raises:
            DataError: it does not fit together.
        """
        ages, share = np.array(told["ages"], np.int64), np.array(told["share"], np.float64)
        return cls(ages, share, int(told["conversions"]), int(told["exposures"]))

    def __repr__(self) -> str:
        """One line: of how many, and when half of them had come."""
        half = self.age(0.5) / 3_600_000_000
        return (
            f"DelayCurve({self.conversions:,} conversions of {self.exposures:,} exposures, "
            f"half of them by {half:.3g} h)"
        )


def ages_of(window: int) -> np.ndarray:
    """The ages ``[m]`` of a curve, microseconds: even steps, and finer ones at the beginning.

    Example:
        >>> ages = ages_of(86_400_000_000)
        >>> int(ages[0]), int(ages[-1]), len(ages) <= 113
        (0, 86400000000, True)
    """
    even = np.linspace(0, window, EVEN + 1)
    fine = np.geomspace(window / FINEST, window, FINE)
    return np.unique(np.round(np.concatenate([even, fine])).astype(np.int64))


def still(probability: ArrayLike, come: ArrayLike) -> np.ndarray:
    """What is left of probabilities where nothing has come yet: p (1 - F) / (1 - p F).

    Args:
        probability: of a conversion within the window, in [0, 1].
        come: F, the share of conversions that has come by the age, in [0, 1].

    Example:
        >>> still([0.5, 0.5, 0.5], [0.0, 0.5, 1.0]).round(4).tolist()
        [0.5, 0.3333, 0.0]
    """
    p, gone = np.asarray(probability, np.float64), np.asarray(come, np.float64)
    left = p * (1 - gone)
    return np.divide(left, left + 1 - p, out=np.zeros(np.broadcast(p, gone).shape), where=left > 0)
