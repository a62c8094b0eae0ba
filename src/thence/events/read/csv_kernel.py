"""Compiled loops that take CSV bytes apart into records, fields and columns.

The rules are those of RFC 4180, read the way that spreadsheets do: a quote counts only where a field begins, a
doubled quote inside a quoted field is one quote, and what follows the closing quote belongs to the field.
"""

from __future__ import annotations

import numpy as np
from numba import njit

NOT_CLOSED, TOO_LONG = -1, -2
"""Kinds of records that are refused; other kinds are numbers of fields."""

PLAIN, QUOTED, TANGLED = 0, 1, 2
"""Kinds of fields: as they stand, in quotes, in quotes with more to it than stripping them."""

_QUOTE, _NEWLINE, _RETURN = 34, 10, 13


@njit(cache=True, nogil=True)
def _record(data, at, end, delimiter, fields, kinds, used):
    """Take one record apart.

    Returns:
        (where it ends: its newline, or -1 where ``end`` came first; whether a quote is open; how many fields).
        Bounds of the fields go to ``fields[used:]``, their kinds to ``kinds[used:]``.
    """
    count, begin, kind = 0, at, PLAIN
    quoted = at < end and data[at] == _QUOTE
    if quoted:
        kind = QUOTED
        at += 1
    while True:
        if quoted:
            while at < end and data[at] != _QUOTE:
                at += 1
            if at >= end:
                return -1, True, count
            if at + 1 < end and data[at + 1] == _QUOTE:
                kind = TANGLED
                at += 2
                continue
            quoted = False
            at += 1
            if at < end and data[at] != delimiter and data[at] != _NEWLINE and data[at] != _RETURN:
                kind = TANGLED
            continue
        while at < end and data[at] != delimiter and data[at] != _NEWLINE:
            at += 1
        stop = at
        last = at >= end or data[at] == _NEWLINE
        if last and stop > begin and data[stop - 1] == _RETURN:
            stop -= 1
        if kind == QUOTED and data[stop - 1] != _QUOTE:
            kind = TANGLED
        fields[used + count, 0], fields[used + count, 1] = begin, stop
        kinds[used + count] = kind
        count += 1
        if last:
            return (at if at < end else -1), False, count
        at += 1
        begin, kind = at, PLAIN
        quoted = at < end and data[at] == _QUOTE
        if quoted:
            kind = QUOTED
            at += 1


@njit(cache=True, nogil=True)
def _line_end(data, at, end):
    while at < end and data[at] != _NEWLINE:
        at += 1
    return at


@njit(cache=True, nogil=True)
def split_records(data, delimiter, width, limit, final, records, fields, kinds):
    """Take a buffer apart, record by record.

    Args:
        data: ``[n]`` uint8.
        delimiter: one byte.
        width: how many fields a good record has.
        limit: the longest record in bytes.
        final: whether nothing follows the buffer.
        records: ``[m, 3]`` int64, filled with begin, end and kind (number of fields, NOT_CLOSED or TOO_LONG).
        fields: ``[k, 2]`` int32, filled with the bounds of the fields of good records, one record after
            another.
        kinds: ``[k]`` uint8, filled with the kinds of those fields.

    Returns:
        (bytes consumed; records; fields). A record of kind TOO_LONG comes last and ends where the buffer ends
        or where its line does.
    """
    at, found, used, size = 0, 0, 0, len(data)
    while at < size:
        if data[at] == _NEWLINE or (data[at] == _RETURN and at + 1 < size and data[at + 1] == _NEWLINE):
            at += 1 if data[at] == _NEWLINE else 2
            continue
        if final and data[at] == _RETURN and at + 1 == size:
            at += 1
            continue
        window = min(size, at + limit + 1)
        end, is_open, count = _record(data, at, window, delimiter, fields, kinds, used)
        if end < 0 and window == size and window - at <= limit:
            if not final:
                break  # the rest of this record is still to come
            if not is_open:
                end = size
        if end >= 0:
            records[found, 0], records[found, 1], records[found, 2] = at, end, count
            used += width if count == width else 0
            found += 1
            at = end + 1
            continue
        line = _line_end(data, at, window)
        too_long = line - at > limit
        if too_long:
            line = _line_end(data, line, size)
        records[found, 0], records[found, 1] = at, line
        records[found, 2] = TOO_LONG if too_long else NOT_CLOSED
        found += 1
        at = line + 1
        if too_long and line == size:
            break
    return min(at, size), found, used


@njit(cache=True, nogil=True)
def _untangle(data, begin, end, out, at):
    """Copy a field without its quotes, to ``out[at:]`` where ``at`` is not -1; returns its length."""
    size, quoted, k = 0, True, begin + 1
    while k < end:
        if quoted and data[k] == _QUOTE:
            if k + 1 < end and data[k + 1] == _QUOTE:
                k += 1
            else:
                quoted = False
                k += 1
                continue
        if at >= 0:
            out[at + size] = data[k]
        size += 1
        k += 1
    return size


@njit(cache=True, nogil=True)
def column_sizes(data, fields, kinds, column, width, offsets):
    """Fill ``offsets`` (``[n + 1]`` int32) with where each value of a column will begin."""
    total, nothing = 0, np.empty(0, np.uint8)
    for i in range(len(offsets) - 1):
        k = i * width + column
        offsets[i] = total
        begin, end = fields[k, 0], fields[k, 1]
        if kinds[k] == PLAIN:
            total += end - begin
        elif kinds[k] == QUOTED:
            total += end - begin - 2
        else:
            total += _untangle(data, begin, end, nothing, -1)
    offsets[len(offsets) - 1] = total


@njit(cache=True, nogil=True)
def column_bytes(data, fields, kinds, column, width, offsets, out):
    """Copy a column's values to ``out``, each to its offset."""
    for i in range(len(offsets) - 1):
        k, at = i * width + column, offsets[i]
        begin, end = fields[k, 0], fields[k, 1]
        if kinds[k] == TANGLED:
            _untangle(data, begin, end, out, at)
            continue
        if kinds[k] == QUOTED:
            begin += 1
        for j in range(offsets[i + 1] - at):
            out[at + j] = data[begin + j]


def column(data: np.ndarray, fields: np.ndarray, kinds: np.ndarray, number: int, width: int) -> tuple:
    """One column of the good records: offsets ``[n + 1]`` int32 and bytes uint8."""
    offsets = np.zeros(len(fields) // width + 1, np.int32)
    column_sizes(data, fields, kinds, number, width, offsets)
    out = np.empty(offsets[-1], np.uint8)
    column_bytes(data, fields, kinds, number, width, offsets, out)
    return offsets, out
