"""At which moment to learn, and whether there is anything to learn from then."""

from __future__ import annotations

from thence.base.errors import DataError
from thence.conversion.exposures import NEVER, Exposures
from thence.events.clock import DAY, Moment, iso, micros


def moment(exposures: Exposures, at: Moment | None) -> int:
    """The clock that is asked for; that of the exposures, or where they have none, when the last window ends.

    Example:
        >>> moment(Exposures.make([0, 5], [NEVER, NEVER], window=10), None)
        16
    """
    if at is not None:
        return micros(at)
    if exposures.until != NEVER or not len(exposures):
        return exposures.until
    return int(exposures.time[-1]) + exposures.window + 1


def check_labels(known: Exposures) -> None:
    """Refuse to fit where no label is final, or all final labels are the same.

    Raises:
        DataError: so it is.
    """
    mature = known.mature
    count, days = int(mature.sum()), known.window / DAY
    if not count:
        first = (
            f"the first of {len(known):,} was made at {iso(int(known.time[0]))}"
            if len(known)
            else "there are none"
        )
        raise DataError(
            f"no exposure is mature at {iso(known.until)}: {first}, and labels are final after {days:g} days",
            fix="Fit at a later clock, give an older log, or shorten the window.",
        )
    converted = int(known.converted[mature].sum())
    if converted in (0, count):
        said = "none" if not converted else "every one"
        raise DataError(
            f"of {count:,} mature exposures {said} converted: there is nothing to tell apart",
            fix="Check the reader's conversions and window, or give a longer log.",
        )
