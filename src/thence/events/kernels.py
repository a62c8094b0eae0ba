"""Compiled loops over the bytes of Arrow strings: reading timestamps and hashing values.

Imported only where rows are read, because compiling (once a machine, cached) takes seconds.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numba import njit

ISO, NUMBER = 1, 2
"""What :func:`parse_times` found; 0 is neither."""


def buffers(array: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Offsets ``[n + 1]`` (int64) and bytes (uint8) of a string or binary array; null is empty."""
    _, offsets, data = array.buffers()
    if not len(array) or offsets is None:
        return np.zeros(len(array) + 1, np.int64), np.zeros(1, np.uint8)
    stored = np.frombuffer(offsets, np.int32, len(array) + 1 + array.offset)[array.offset :]
    chars = np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(1, np.uint8)
    return stored.astype(np.int64), chars


def parse_times(strings: pa.Array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read ISO 8601 timestamps and plain decimal numbers.

    Args:
        strings: ``[n]`` string array.

    Returns:
        ``whole`` int64: microseconds UTC of an ISO timestamp, or the number's integer part; ``fraction``
        float64 in [0, 1): the number's decimals; ``kind`` uint8: ISO, NUMBER or 0 for neither.
    """
    offsets, data = buffers(strings)
    whole = np.zeros(len(strings), np.int64)
    fraction = np.zeros(len(strings))
    kind = np.zeros(len(strings), np.uint8)
    _parse_times(offsets, data, whole, fraction, kind)
    return whole, fraction, kind


def hash_strings(strings: pa.Array, seed: int, lanes: np.ndarray) -> None:
    """Add a 128-bit hash of each value to ``lanes`` (``[2, n]`` uint64); null adds nothing."""
    offsets, data = buffers(strings)
    _hash_strings(offsets, data, np.asarray(strings.is_valid()), np.uint64(seed), lanes)


def hash_words(words: np.ndarray, valid: np.ndarray, seed: int, lanes: np.ndarray) -> None:
    """Add a 128-bit hash of each 64-bit word to ``lanes`` (``[2, n]`` uint64); invalid ones add nothing."""
    _hash_words(words.view(np.uint64), valid, np.uint64(seed), lanes)


@njit(cache=True, nogil=True)
def _mix(x: np.uint64) -> np.uint64:
    """A bijection of 64-bit words in which every bit of the input moves half of the output's."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@njit(cache=True, nogil=True)
def _hash_words(words, valid, seed, lanes):
    other = _mix(seed + np.uint64(0x9E3779B97F4A7C15))
    for i in range(len(words)):
        if valid[i]:
            lanes[0, i] += _mix(_mix(words[i] ^ seed) + other)
            lanes[1, i] += _mix(_mix(words[i] + other) ^ seed)


@njit(cache=True, nogil=True)
def _hash_strings(offsets, data, valid, seed, lanes):
    other = _mix(seed + np.uint64(0x9E3779B97F4A7C15))
    for i in range(len(offsets) - 1):
        if not valid[i]:
            continue
        at, end = offsets[i], offsets[i + 1]
        size = np.uint64(end - at)
        a, b = _mix(seed ^ size), _mix(other + size)
        while at < end:
            word = np.uint64(0)
            for k in range(min(8, end - at)):
                word |= np.uint64(data[at + k]) << np.uint64(8 * k)
            a = _mix(a ^ word)
            b = _mix(b + word)
            at += 8
        lanes[0, i] += _mix(a + other)
        lanes[1, i] += _mix(b ^ seed)


@njit(cache=True, nogil=True)
def _digits(data, at, end, count):
    """The number written in ``count`` digits from ``at``; -1 where one of them is none."""
    if at + count > end:
        return -1
    value = 0
    for k in range(at, at + count):
        digit = np.int64(data[k]) - 48
        if digit < 0 or digit > 9:
            return -1
        value = value * 10 + digit
    return value


@njit(cache=True, nogil=True)
def _days(year, month, day):
    """Days from 1970-01-01 to a date of the Gregorian calendar; years begin in March to end in the leap day."""
    y = year - (1 if month <= 2 else 0)
    m = month + 9 if month <= 2 else month - 3
    return 365 * y + y // 4 - y // 100 + y // 400 + (153 * m + 2) // 5 + day - 1 - 719_468


@njit(cache=True, nogil=True)
def _month_length(year, month):
    if month == 2:
        return 29 if (year % 4 == 0 and year % 100 != 0) or year % 400 == 0 else 28
    return 30 if month in (4, 6, 9, 11) else 31


@njit(cache=True, nogil=True)
def _number(data, at, end):
    """(kind, integer part, decimals) of ``[+-]digits[.digits]``."""
    sign = 1
    if data[at] == 43 or data[at] == 45:
        sign = -1 if data[at] == 45 else 1
        at += 1
    whole, fraction, scale, digits, dot = 0, 0.0, 1.0, 0, False
    while at < end:
        c = np.int64(data[at])
        if c == 46 and not dot:
            dot = True
        elif 48 <= c <= 57:
            digits += 1
            if dot:
                scale /= 10.0
                fraction += (c - 48) * scale
            elif whole > 900_000_000_000_000_000:
                return 0, 0, 0.0
            else:
                whole = whole * 10 + (c - 48)
        else:
            return 0, 0, 0.0
        at += 1
    if digits == 0:
        return 0, 0, 0.0
    if sign < 0:
        return NUMBER, -whole, 0.0 if fraction == 0.0 else -fraction
    return NUMBER, whole, fraction


@njit(cache=True, nogil=True)
def _zone(data, at, end):
    """Microseconds that a zone lies east of UTC; a number below -10^18 where it cannot be read."""
    if at < end and data[at] == 32:
        at += 1
    if at == end or (end - at == 1 and (data[at] == 90 or data[at] == 122)):
        return 0
    if end - at == 3 and data[at] == 85 and data[at + 1] == 84 and data[at + 2] == 67:
        return 0
    sign = 1 if data[at] == 43 else -1
    if data[at] != 43 and data[at] != 45:
        return -(2**62)
    hours = _digits(data, at + 1, end, 2)
    at += 3
    minutes = 0
    if at < end:
        at += 1 if data[at] == 58 else 0
        minutes = _digits(data, at, end, 2)
        at += 2
    if hours < 0 or hours > 23 or minutes < 0 or minutes > 59 or at != end:
        return -(2**62)
    return sign * (hours * 60 + minutes) * 60_000_000


@njit(cache=True, nogil=True)
def _clock(data, at, end):
    """(position behind it, microseconds of the day) of ``hh:mm[:ss[.fraction]]``; (-1, 0) if unreadable."""
    hour = _digits(data, at, end, 2)
    minute = _digits(data, at + 3, end, 2)
    if hour < 0 or hour > 23 or minute < 0 or minute > 59 or data[at + 2] != 58:
        return -1, 0
    at += 5
    micros = (hour * 60 + minute) * 60_000_000
    if at < end and data[at] == 58:
        second = _digits(data, at + 1, end, 2)
        if second < 0 or second > 59:
            return -1, 0
        micros += second * 1_000_000
        at += 3
        if at + 1 < end and (data[at] == 46 or data[at] == 44):
            at += 1
            unit, begin = 100_000, at
            while at < end and 48 <= data[at] <= 57:
                micros += (np.int64(data[at]) - 48) * unit
                unit //= 10
                at += 1
            if at == begin or at - begin > 9:
                return -1, 0
    return at, micros


@njit(cache=True, nogil=True)
def _iso(data, at, end):
    """(kind, microseconds UTC) of an ISO 8601 date or timestamp."""
    year, month, day = _digits(data, at, end, 4), _digits(data, at + 5, end, 2), _digits(data, at + 8, end, 2)
    if year < 0 or month < 1 or month > 12 or day < 1 or day > _month_length(year, month):
        return 0, 0
    if data[at + 4] != data[at + 7] or (data[at + 4] != 45 and data[at + 4] != 47):
        return 0, 0
    micros = _days(year, month, day) * 86_400_000_000
    at += 10
    if at == end:
        return ISO, micros
    if data[at] != 84 and data[at] != 116 and data[at] != 32:
        return 0, 0
    at, of_day = _clock(data, at + 1, end)
    if at < 0:
        return 0, 0
    east = _zone(data, at, end)
    if east < -(2**60):
        return 0, 0
    return ISO, micros + of_day - east


@njit(cache=True, nogil=True)
def _parse_times(offsets, data, whole, fraction, kind):
    for i in range(len(offsets) - 1):
        at, end = offsets[i], offsets[i + 1]
        while at < end and data[at] <= 32:
            at += 1
        while at < end and data[end - 1] <= 32:
            end -= 1
        if at == end:
            continue
        found, value, rest = _number(data, at, end)
        if found == 0 and end - at >= 10:
            found, value = _iso(data, at, end)
        kind[i], whole[i], fraction[i] = found, value, rest
