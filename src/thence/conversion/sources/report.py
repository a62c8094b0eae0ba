"""What became of the rows that a reader of exposures was given, in counts that add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from thence.base.errors import DataError
from thence.conversion.exposures import NEVER, Exposures
from thence.events.clock import DAY

EARLIEST, LATEST = -(2**53), 2**53
"""Times in microseconds that are taken for times: about 285 years on either side of 1970."""


@dataclass(frozen=True)
class ExposureReport:
    """What became of rows: ``read == accepted + sum(refused.values())``.

    Args:
        read: rows read.
        accepted: rows that became exposures.
        refused: rows refused, by reason; of several reasons the first counts.
        events: engagement events refused, by reason; their exposures stand without them.

    Example:
        >>> ExposureReport(10, 8, {"conversion before its exposure": 2})
        ExposureReport(10 read = 8 accepted + 2 refused; conversion before its exposure: 2)
    """

    read: int
    accepted: int
    refused: Mapping[str, int] = field(default_factory=dict)
    events: Mapping[str, int] = field(default_factory=dict)

    def __repr__(self) -> str:
        """One line with the counts."""
        reasons = "".join(f"; {reason}: {count:,}" for reason, count in self.refused.items())
        events = "".join(f"; engagement {reason}: {count:,}" for reason, count in self.events.items())
        refused = sum(self.refused.values())
        counts = f"{self.read:,} read = {self.accepted:,} accepted + {refused:,} refused"
        return f"ExposureReport({counts}{reasons}{events})"


class Reading(NamedTuple):
    """Exposures, and what became of the rows that they were read from."""

    exposures: Exposures
    report: ExposureReport


class Sieve:
    """Judges rows by named tests; the first that a row fails is its reason.

    Example:
        >>> sieve, odd = Sieve(), np.array([True, False, True])
        >>> sieve.pass_(3, {"odd": odd, "first": np.array([True, True, False])}).tolist()
        [False, False, False]
        >>> sieve.report()
        ExposureReport(3 read = 0 accepted + 3 refused; odd: 2; first: 1)
    """

    def __init__(self) -> None:
        self.read, self.accepted = 0, 0
        self.refused: Counter[str] = Counter()
        self.events: Counter[str] = Counter()

    def pass_(self, rows: int, faults: Mapping[str, np.ndarray]) -> np.ndarray:
        """Which rows ``[n]`` have no fault."""
        good = _count(rows, faults, self.refused)
        self.read += rows
        self.accepted += int(good.sum())
        return good

    def pass_events(self, rows: int, faults: Mapping[str, np.ndarray]) -> np.ndarray:
        """Which events of engagement ``[n]`` have no fault."""
        return _count(rows, faults, self.events)

    def refuse(self, reason: str, rows: int) -> None:
        """Rows that could not even be told apart into columns."""
        self.read += rows
        self.refused[reason] += rows

    def report(self) -> ExposureReport:
        """The counts, the most frequent reasons first."""
        return ExposureReport(
            self.read, self.accepted, dict(self.refused.most_common()), dict(self.events.most_common())
        )


def _count(rows: int, faults: Mapping[str, np.ndarray], counts: Counter[str]) -> np.ndarray:
    good = np.ones(rows, bool)
    for reason, fault in faults.items():
        found = int((good & fault).sum())
        if found:
            counts[reason] += found
        good &= ~fault
    return good


def fit_to_learn(exposures: Exposures, where: object = None) -> None:
    """Look whether exposures can be learned from.

    Raises:
        DataError: there are none, the window is longer than the log, or all or none of them converted.
    """
    if not len(exposures):
        raise DataError("no exposures", where=where, fix="See the report for what became of the rows.")
    last = exposures.until if exposures.until != NEVER else int(exposures.time[-1])
    span = last - int(exposures.time[0])
    if span <= exposures.window:
        raise DataError(
            f"the attribution window of {exposures.window / DAY:g} d is longer than the log's {span / DAY:g} d",
            where=where,
            fix="No label would be final: give a shorter window or a longer log.",
        )
    share = float(exposures.converted.mean())
    if share in (0.0, 1.0):
        what = "all exposures converted" if share else "no exposure converted"
        raise DataError(f"{what}: there is nothing to tell apart", where=where)
