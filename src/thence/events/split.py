"""The global temporal split: everything before one moment is known, everything after it is to be predicted.

One pair of moments for all users, never one per user and never at random: a split per user lets the model
learn from one customer's December what it must predict of another's November.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from thence.base.errors import ConfigError, DataError
from thence.events.clock import Moment, iso, micros

if TYPE_CHECKING:
    from thence.events.log import EventLog


@dataclass(frozen=True)
class TimeSplit:
    """Three consecutive pieces of one log.

    Args:
        train: events before ``valid_from``.
        valid: events from ``valid_from`` on and before ``test_from``.
        test: events from ``test_from`` on.
        valid_from: microseconds UTC.
        test_from: microseconds UTC.
        known: train and valid together, all that is known when the test begins.
    """

    train: EventLog
    valid: EventLog
    test: EventLog
    valid_from: int
    test_from: int
    known: EventLog

    def __repr__(self) -> str:
        """One line with the counts and the two moments."""
        return (
            f"TimeSplit({self.train.count():,} train, "
            f"{self.valid.count():,} valid from {iso(self.valid_from)}, "
            f"{self.test.count():,} test from {iso(self.test_from)})"
        )


def split(log: EventLog, valid: Moment | float = 0.1, test: Moment | float = 0.1) -> TimeSplit:
    """Split a log at two moments.

    Args:
        log: the log.
        valid: where the validation piece begins, or a float in (0, 1): its share of the log's time span.
        test: where the test piece begins, or its share of the span.

    Raises:
        ConfigError: a share is out of range, or the moments are not in order.
        DataError: the log is empty.
    """
    if not log.count():
        raise DataError("an empty log cannot be split", where=repr(log))
    first, last = log.span()
    length = last + 1 - first
    test_from = last + 1 - _part(test, "test", length) if isinstance(test, float) else micros(test)
    valid_from = test_from - _part(valid, "valid", length) if isinstance(valid, float) else micros(valid)
    if not first < valid_from < test_from <= last:
        raise ConfigError(
            f"validation from {iso(valid_from)} and test from {iso(test_from)} leave a piece empty",
            where=f"a log from {iso(first)} to {iso(last)}",
            fix="Choose first < valid < test <= last.",
        )
    rest = log.since(valid_from)
    return TimeSplit(
        train=log.before(valid_from),
        valid=rest.before(test_from),
        test=log.since(test_from),
        valid_from=valid_from,
        test_from=test_from,
        known=log.before(test_from),
    )


def _part(share: float, name: str, length: int) -> int:
    if not 0.0 < share < 1.0:
        raise ConfigError(f"share {share} is not between 0 and 1", where=name)
    return max(1, round(share * length))
