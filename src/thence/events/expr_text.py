"""Text as Ibis expressions: white space, timestamps and numbers read as the native reader reads them.

The patterns use what RE2 (DuckDB) and Java (Spark) agree on; white space is spelt out, because the two differ
about its class.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import Any

import ibis as _ibis

ibis: Any = _ibis

SPACES = (
    r"\x{09}-\x{0d}\x{1c}-\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}"
)
"""Unicode's white space, inside a class; by number, because some of it does not survive Spark's literals."""
CONTROLS = r"\x{00}-\x{20}"

PLAIN = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)$"
FLOAT = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$"
ENDLESS = r"^[+-]?(?:[iI][nN][fF](?:[iI][nN][iI][tT][yY])?|[nN][aA][nN])$"
ISO = (
    r"^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}/[0-9]{2}/[0-9]{2})"
    r"(?:[Tt ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.,][0-9]{1,9})?)?"
    r" ?(?:[Zz]|UTC|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?)?)?$"
)
DECIMALS = 20
LONGEST = "900000000000000000"


def stripped(text: Any, spaces: str = SPACES) -> Any:
    """Text without white space at its ends."""
    return text.re_replace(f"^[{spaces}]+|[{spaces}]+$", "")


def blank(text: Any) -> Any:
    """Whether text is nothing but white space."""
    return text.re_search(f"^[{SPACES}]+$")


def filled(text: Any) -> Any:
    """Text with null in the place of the empty string."""
    return text.nullif("")


def to_float(text: Any) -> tuple[Any, Any]:
    """Text as float64, infinite where it is no finite number; and whether it is no number. Blank is null."""
    bare = filled(stripped(text))
    number, endless = bare.re_search(FLOAT), bare.re_search(ENDLESS)
    value = ibis.ifelse(number, bare, ibis.null("string")).try_cast("float64")
    infinite = ibis.literal("inf").cast("float64")
    return ibis.ifelse(number | endless, value.fill_null(infinite), ibis.null("float64")), ~(number | endless)


def time_parts(text: Any) -> dict[str, Any]:
    """What timestamps as text consist of: the first of two steps, whose columns :func:`time_values` reads.

    A number is cut into its integer part and decimals, anything else is tried as ISO 8601; what is neither
    leaves parts that read as zero.
    """
    bare = stripped(text, CONTROLS)
    digits = bare.re_extract(r"^[+-]?0*([0-9]*)", 1).fill_null("")
    size = digits.length()
    short = (size <= 18) | ((size == 19) & (digits.substr(0, 18) <= LONGEST))
    numeric = (bare.re_search(PLAIN) & short).fill_null(False)
    dated = bare.re_search(ISO).fill_null(False)
    return {
        "numeric": numeric,
        "negative": bare.startswith("-").fill_null(False),
        "digits": ibis.ifelse(numeric & (size > 0), digits, "0"),
        "after": ibis.ifelse(numeric & bare.contains("."), bare.re_replace(r"^.*\.", ""), ""),
        "dated": dated,
        "iso": ibis.ifelse(dated, bare, "1970-01-01"),
    }


def time_values(parts: Mapping[str, Any]) -> dict[str, Any]:
    """What the parts say.

    Args:
        parts: the columns of :func:`time_parts`.

    Returns:
        ``numeric``: whether it is a number; ``whole`` and ``decimals``: its integer part (int64) and the rest
        (float64, same sign); ``dated``: whether it is an ISO date or timestamp; ``micros``: of that, UTC.
    """
    sign = ibis.ifelse(parts["negative"], -1, 1)
    real, micros = _iso_micros(parts["iso"])
    return {
        "numeric": parts["numeric"],
        "whole": sign.cast("int64") * parts["digits"].cast("int64"),
        "decimals": sign.cast("float64") * _decimals(parts["after"].rpad(DECIMALS, "0")),
        "dated": parts["dated"] & real,
        "micros": micros,
    }


def _iso_micros(text: Any) -> tuple[Any, Any]:
    """Whether text of the shape of ISO 8601 names a day that exists, and its microseconds UTC."""
    year, month, day = (_int(text.substr(at, size)) for at, size in ((0, 4), (5, 2), (8, 2)))
    real = (month >= 1) & (month <= 12) & (day >= 1) & (day <= _month_length(year, month))
    clock = text.substr(10)
    timed = clock != ""
    hour = _int(ibis.ifelse(timed, clock.substr(1, 2), "0"))
    minute = _int(ibis.ifelse(timed, clock.substr(4, 2), "0"))
    second = _int(ibis.ifelse(clock.substr(6, 1) == ":", clock.substr(7, 2), "0"))
    rest = clock.re_extract(r"[.,]([0-9]{1,9})", 1).fill_null("").rpad(6, "0").substr(0, 6)
    zone = r"([+-])([0-9]{2}):?([0-9]{2})?$"
    away = (_int(_part(clock, zone, 2)) * 60 + _int(_part(clock, zone, 3))) * 60
    east = ibis.ifelse(clock.re_extract(zone, 1) == "-", -away, away)
    seconds = _days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - east
    return real, seconds * 1_000_000 + _int(rest)


def _int(digits: Any) -> Any:
    return digits.cast("int64")


def _part(text: Any, pattern: str, group: int) -> Any:
    return text.re_extract(pattern, group).nullif("").fill_null("0")


def _decimals(digits: Any) -> Any:
    """Decimals added digit by digit, in the order and with the rounding of the native reader."""
    scale, scales = 1.0, []
    for _ in range(DECIMALS):
        scale /= 10.0
        scales.append(ibis.literal(repr(scale)).cast("float64"))
    terms = [digits.substr(at, 1).cast("float64") * scale for at, scale in enumerate(scales)]
    return reduce(lambda total, term: total + term, terms)


def _month_length(year: Any, month: Any) -> Any:
    leap = ((year % 4 == 0) & (year % 100 != 0)) | (year % 400 == 0)
    february = ibis.ifelse(leap, 29, 28)
    return ibis.ifelse(month == 2, february, ibis.ifelse(month.isin([4, 6, 9, 11]), 30, 31))


def _days(year: Any, month: Any, day: Any) -> Any:
    """Days from 1970-01-01 to a date of the Gregorian calendar, from a year that begins in March."""
    y = year - ibis.ifelse(month <= 2, 1, 0)
    m = month + ibis.ifelse(month <= 2, 9, -3)
    return 365 * y + y // 4 - y // 100 + y // 400 + (153 * m + 2) // 5 + day - 1 - 719_468
