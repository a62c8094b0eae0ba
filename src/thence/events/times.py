"""Timestamps in any usual form brought to int64 microseconds UTC.

Arrow timestamps and dates say what they are. Text is read as ISO 8601, with or without an offset (UTC where
there is none), or as a number. A number is seconds, milliseconds, microseconds or nanoseconds since 1970:
stated by the caller, or told from the magnitude of the first batch of a file (an event of this century has 10,
13, 16 or 19 digits; the bounds lie a factor of about 30 from either side).
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from thence.base.arrow import pc
from thence.base.errors import ConfigError, DataError, nearest
from thence.events.columns import as_string, is_text

UNITS = {"s": 1e6, "ms": 1e3, "us": 1.0, "ns": 1e-3}
"""Microseconds in one unit."""

MISSING, UNREADABLE, BROKEN, EARLY, LATE = 1, 2, 3, 4, 5
FARTHEST = 9.0e18
"""Microseconds that int64 can hold, with room."""


def detect_unit(numbers: np.ndarray) -> str | None:
    """The unit of numeric timestamps, from the median magnitude; None when no number is positive.

    Example:
        >>> detect_unit(np.array([1_508_025_600])), detect_unit(np.array([1_508_025_600_000]))
        ('s', 'ms')
    """
    positive = numbers[np.isfinite(numbers) & (numbers > 0)]
    if not len(positive):
        return None
    middle = float(np.median(positive))
    return next((unit for unit, bound in (("s", 5e10), ("ms", 5e13), ("us", 5e16)) if middle < bound), "ns")


def check_unit(unit: str | None) -> None:
    """Raise ConfigError unless the unit is known or None."""
    if unit is not None and unit not in UNITS:
        raise ConfigError(f"time unit {unit!r} is unknown", fix=nearest(unit, UNITS))


def to_micros(column: pa.Array, unit: str | None) -> tuple[np.ndarray, np.ndarray, str | None]:
    """Microseconds UTC of a timestamp column.

    Args:
        column: ``[n]`` Arrow array of timestamps, dates, numbers or text.
        unit: the unit of numbers; None to detect it.

    Returns:
        Values ``[n]`` int64; faults ``[n]`` uint8 (0 where the value counts); the unit, once it is known.

    Raises:
        DataError: values of this type are no timestamps.
    """
    type_, t = column.type, pa.types
    if is_text(type_):
        return _from_text(column, unit)
    if t.is_timestamp(type_):
        return (*_from_numbers(column.cast(pa.int64()), type_.unit)[:2], unit)
    if t.is_date32(type_):
        seconds = pc.multiply(column.cast(pa.int32()).cast(pa.int64()), 86_400)
        return (*_from_numbers(seconds, "s")[:2], unit)
    if t.is_date64(type_):
        return (*_from_numbers(column.cast(pa.int64()), "ms")[:2], unit)
    if t.is_integer(type_) or t.is_floating(type_) or t.is_decimal(type_) or t.is_null(type_):
        return _from_numbers(column, unit)
    raise DataError(f"values of type {type_} are no timestamps", where="column 'timestamp'")


def _missing(column: pa.Array) -> np.ndarray:
    return np.asarray(column.is_null()).astype(np.uint8) * MISSING


def _from_numbers(column: pa.Array, unit: str | None) -> tuple[np.ndarray, np.ndarray, str | None]:
    faults = _missing(column)
    floats = column.cast(pa.float64(), safe=False).fill_null(0.0).to_numpy()
    unit = unit or detect_unit(floats[faults == 0])
    if pa.types.is_integer(column.type) and not pa.types.is_uint64(column.type):
        whole = column.cast(pa.int64()).fill_null(0).to_numpy()
        return (*_scale(floats, whole, np.zeros(1), faults, unit), unit)
    faults[(faults == 0) & ~np.isfinite(floats)] = UNREADABLE
    inside = np.where(np.isfinite(floats) & (np.abs(floats) < FARTHEST), floats, 0.0)
    whole = np.floor(inside)
    return (*_scale(floats, whole.astype(np.int64), inside - whole, faults, unit), unit)


def _from_text(column: pa.Array, unit: str | None) -> tuple[np.ndarray, np.ndarray, str | None]:
    from thence.events.kernels import ISO, NUMBER, parse_times

    strings, broken = as_string(column)
    faults = _missing(strings)
    whole, fraction, kind = parse_times(strings)
    faults[(faults == 0) & (kind == 0)] = UNREADABLE
    if broken is not None:
        faults[broken] = BROKEN
    numeric = kind == NUMBER
    if not numeric.any():
        return np.where(kind == ISO, whole, 0), faults, unit
    unit = unit or detect_unit(whole[numeric].astype(np.float64))
    scaled, faults = _scale(
        np.where(numeric, whole, 0).astype(np.float64),
        np.where(numeric, whole, 0),
        np.where(numeric, fraction, 0.0),
        faults,
        unit,
    )
    return np.where(kind == ISO, whole, scaled), faults, unit


def _scale(
    floats: np.ndarray, whole: np.ndarray, fraction: np.ndarray, faults: np.ndarray, unit: str | None
) -> tuple[np.ndarray, np.ndarray]:
    """Microseconds of ``whole + fraction`` units; out of int64's reach is a fault."""
    factor = UNITS[unit or "us"]
    with np.errstate(over="ignore", invalid="ignore"):
        reach = floats * factor
    faults[(faults == 0) & (reach > FARTHEST)] = LATE
    faults[(faults == 0) & (reach < -FARTHEST)] = EARLY
    whole = np.where(faults == 0, whole, 0)
    if factor < 1:
        return whole // 1000, faults
    return whole * int(factor) + np.floor(fraction * factor + 0.5).astype(np.int64), faults
