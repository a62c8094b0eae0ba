"""Points in time: what a user writes, and the int64 microseconds UTC that thence counts in."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from thence.base.errors import ConfigError

Moment = int | str | date | datetime
"""Microseconds since 1970 in UTC, an ISO 8601 string, a date or a datetime (UTC where no zone is given)."""

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(moment: Moment) -> int:
    """Microseconds since 1970 in UTC of a moment in any accepted form.

    Raises:
        ConfigError: the moment cannot be read.

    Example:
        >>> micros("2017-10-15")
        1508025600000000
        >>> micros("2017-10-15T02:00:00+02:00") == micros(datetime(2017, 10, 15))
        True
    """
    value: Any = moment
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError as error:
            raise ConfigError(
                f"{moment!r} is not a time", fix="Write it as 2017-10-15 or 2017-10-15T08:00:00+02:00."
            ) from error
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    if isinstance(value, datetime):
        zoned = value if value.tzinfo else value.replace(tzinfo=UTC)
        return (zoned - _EPOCH) // timedelta(microseconds=1)
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise ConfigError(
            f"{moment!r} is not a time", fix="Give microseconds since 1970, a datetime or an ISO string."
        )
    return int(value)


def iso(moment: int) -> str:
    """A moment in microseconds as ISO 8601 to the second; microseconds themselves where no calendar holds it.

    Example:
        >>> iso(1508025600000000)
        '2017-10-15T00:00:00Z'
    """
    try:
        shown = _EPOCH + timedelta(microseconds=int(moment))
    except OverflowError:
        return f"{moment} µs"
    return shown.strftime("%Y-%m-%dT%H:%M:%SZ")
