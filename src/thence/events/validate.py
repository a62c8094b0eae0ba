"""The border: each row is accepted or gets the reason why not, by rules over whole Arrow columns.

The first reason that applies is the one that is kept. What is accepted has the core columns in their types and
the further columns in kept types; nothing behind this file checks again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from thence.base.arrow import pc
from thence.base.errors import DataError, nearest
from thence.events import times
from thence.events.columns import as_string, is_text, kept, plain, text
from thence.events.schema import EVENTS, ITEM_CORE, MAX_ID, OPTIONAL, REQUIRED

INVALID_UTF8 = "invalid UTF-8"


@dataclass
class Verdict:
    """What became of a batch: the columns as they would be kept, and a reason for each row that is not.

    Args:
        size: rows in the batch.
        columns: by name, ``[size]`` each.
        codes: ``[size]`` int16: 0 where the row is accepted, else 1 + a position in ``reasons``.
        reasons: the reasons met.
    """

    size: int
    columns: dict[str, pa.Array] = field(default_factory=dict)
    codes: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int16))
    reasons: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.codes = np.zeros(self.size, np.int16)

    def refuse(self, mask: np.ndarray | pa.Array | None, reason: str) -> None:
        """Give ``reason`` to the rows of ``mask`` (null counts as no) that have none yet."""
        if mask is None:
            return
        rows = mask if isinstance(mask, np.ndarray) else np.asarray(mask.fill_null(False))
        rows = rows & (self.codes == 0)
        if rows.any():
            if reason not in self.reasons:
                self.reasons.append(reason)
            self.codes[rows] = 1 + self.reasons.index(reason)

    def accepted(self) -> pa.Table:
        """The accepted rows."""
        table = pa.table(self.columns)
        return table if not self.codes.any() else table.filter(pa.array(self.codes == 0))

    def refused(self) -> tuple[np.ndarray, list[str]]:
        """Positions of the refused rows and the reason of each."""
        at = np.flatnonzero(self.codes)
        return at, [self.reasons[code - 1] for code in self.codes[at]]


@dataclass
class EventRules:
    """The rules for events. One object a source, because the unit of numeric timestamps belongs to the source.

    Args:
        latest: microseconds UTC; a later timestamp is refused as in the future.
        vocabulary: the events that are known.
        event: the event of every row, for sources without such a column.
        unit: the unit of numeric timestamps, or None to detect it in the first batch that has any.
    """

    latest: int
    vocabulary: tuple[str, ...] = EVENTS
    event: str | None = None
    unit: str | None = None

    def __call__(self, table: pa.Table) -> Verdict:
        """Judge a batch whose columns have canonical names.

        Raises:
            DataError: a required column is missing or of an unusable type.
        """
        verdict = Verdict(table.num_rows)
        require(table.column_names, [name for name in REQUIRED if name != "event" or self.event is None])
        self._timestamp(verdict, plain(table["timestamp"]))
        for name in ("user_id", "item_id"):
            _id(verdict, name, plain(table[name]), required=True)
        self._event(verdict, table)
        if "order_id" in table.column_names:
            _id(verdict, "order_id", plain(table["order_id"]), required=False)
        for name in ("price", "quantity", "discount"):
            if name in table.column_names:
                _number(verdict, name, plain(table[name]), negative=name != "price")
        _complete(verdict, table, OPTIONAL)
        return verdict

    def _timestamp(self, verdict: Verdict, column: pa.Array) -> None:
        values, faults, self.unit = times.to_micros(column, self.unit)
        verdict.refuse(faults == times.MISSING, "timestamp missing")
        verdict.refuse(faults == times.BROKEN, INVALID_UTF8)
        verdict.refuse(faults == times.UNREADABLE, "timestamp unreadable")
        verdict.refuse((faults == times.LATE) | (values > self.latest), "timestamp in the future")
        verdict.refuse((faults == times.EARLY) | (values < 0), "timestamp before 1970")
        verdict.columns["timestamp"] = pa.array(values)

    def _event(self, verdict: Verdict, table: pa.Table) -> None:
        if self.event is not None:
            verdict.columns["event"] = pa.array([self.event]).take(pa.array(np.zeros(table.num_rows, np.int64)))
            return
        values, broken = as_string(plain(table["event"]))
        if len(pc.unique(values)) <= MAX_ID:  # few spellings: tidy the spellings, not the rows
            coded = values.dictionary_encode()
            words = pc.utf8_lower(pc.utf8_trim_whitespace(coded.dictionary))
            values = pa.DictionaryArray.from_arrays(coded.indices, words).dictionary_decode()
        else:
            values = pc.utf8_lower(pc.utf8_trim_whitespace(values))
        verdict.refuse(broken, INVALID_UTF8)
        verdict.refuse(pc.or_kleene(values.is_null(), pc.equal(values, "")), "event missing")
        known = pc.is_in(values, value_set=pa.array(self.vocabulary, pa.string()))
        verdict.refuse(pc.invert(known), "event unknown")
        verdict.columns["event"] = values


def item_rules(table: pa.Table) -> Verdict:
    """Judge a batch of a catalogue whose columns have canonical names.

    Raises:
        DataError: ``item_id`` is missing.
    """
    verdict = Verdict(table.num_rows)
    require(table.column_names, ["item_id"])
    _id(verdict, "item_id", plain(table["item_id"]), required=True)
    for name in ("title", "category", "brand"):
        if name in table.column_names:
            column = plain(table[name])
            values, broken = as_string(column if is_text(column.type) else kept(column)[0].cast(pa.string()))
            verdict.refuse(broken, INVALID_UTF8)
            verdict.columns[name] = values
    if "price" in table.column_names:
        _number(verdict, "price", plain(table["price"]), negative=False)
    _complete(verdict, table, {name: type_ for name, type_ in ITEM_CORE.items() if name != "item_id"})
    return verdict


def require(names: list[str], required: list[str]) -> None:
    """Raise DataError for a required column that is missing, with the nearest name that is there."""
    for name in required:
        if name not in names:
            others = [other for other in names if other not in required]
            constant = ' Or give event="purchase" where every row is one.' if name == "event" else ""
            raise DataError(
                f"column {name!r} is missing",
                fix=f"{nearest(name, others)} Name it with rename={{'theirs': '{name}'}}.{constant}",
            )


def _complete(verdict: Verdict, table: pa.Table, optional: dict[str, pa.DataType]) -> None:
    """Add absent optional columns as null, put the core first, and keep the further columns."""
    for name, type_ in optional.items():
        if name not in verdict.columns:
            verdict.columns[name] = pa.nulls(table.num_rows, type_)
    first = [name for name in (*REQUIRED, *optional) if name in verdict.columns]
    verdict.columns = {name: verdict.columns[name] for name in first}
    for name in table.column_names:
        if name not in verdict.columns:
            verdict.columns[name], broken = kept(plain(table[name]))
            verdict.refuse(broken, INVALID_UTF8)


def _id(verdict: Verdict, name: str, column: pa.Array, *, required: bool) -> None:
    values, broken = as_string(column if is_text(column.type) else _written(name, column))
    blank = _blank(values)
    if blank is not None:
        values = pc.if_else(blank, pa.scalar(None, pa.string()), values)
    verdict.refuse(broken, INVALID_UTF8)
    if required:
        verdict.refuse(values.is_null(), f"{name} missing")
    if (pc.max(pc.binary_length(values)).as_py() or 0) > MAX_ID:
        verdict.refuse(pc.greater(pc.utf8_length(values), MAX_ID), f"{name} longer than {MAX_ID} characters")
    verdict.columns[name] = values


def _blank(values: pa.Array) -> pa.Array | None:
    """Which ids are nothing but white space; None when none is."""
    first = pc.binary_slice(values.cast(pa.binary()), 0, 1)
    perhaps = pc.or_(pc.less_equal(first, pa.scalar(b" ")), pc.greater_equal(first, pa.scalar(b"\x80")))
    return pc.utf8_is_space(values) if pc.any(perhaps).as_py() else None


def _written(name: str, column: pa.Array) -> pa.Array:
    """Ids that came as numbers, as text; a whole float (how pandas holds ints beside nulls) reads as an int."""
    t = pa.types
    usable: tuple[Callable[[pa.DataType], bool], ...] = (t.is_integer, t.is_floating, t.is_decimal, t.is_null)
    if not any(test(column.type) for test in usable):
        raise DataError(f"values of type {column.type} are no ids", where=f"column {name!r}")
    if not t.is_floating(column.type):
        return column.cast(pa.string())
    known = pc.is_finite(column)
    return pc.if_else(known, text(column.cast(pa.float64())), pa.scalar(None, pa.string()))


def _number(verdict: Verdict, name: str, column: pa.Array, *, negative: bool) -> None:
    t = pa.types
    if is_text(column.type):
        strings, broken = as_string(column)
        verdict.refuse(broken, INVALID_UTF8)
        values, unreadable = _floats(strings)
        verdict.refuse(unreadable, f"{name} not a number")
    elif t.is_integer(column.type) or t.is_floating(column.type) or t.is_decimal(column.type):
        values = column.cast(pa.float64(), safe=False)
    elif t.is_null(column.type):
        values = column.cast(pa.float64())
    else:
        raise DataError(f"values of type {column.type} are no numbers", where=f"column {name!r}")
    verdict.refuse(pc.invert(pc.is_finite(values)), f"{name} not finite")
    if not negative:
        verdict.refuse(pc.less(values, 0.0), f"{name} negative")
    verdict.columns[name] = values


def _floats(strings: pa.Array) -> tuple[pa.Array, np.ndarray | None]:
    """Text as floats, and which of it is no number (None when all is)."""
    try:
        return strings.cast(pa.float64()), None
    except pa.ArrowInvalid:
        parsed = [_float(value) for value in strings.to_pylist()]
    bad = np.array([isinstance(value, str) for value in parsed])
    return pa.array([None if isinstance(value, str) else value for value in parsed], pa.float64()), bad


def _float(value: str | None) -> float | str | None:
    if value is None or not value.strip():
        return None
    try:
        return float(value) if "_" not in value else value
    except ValueError:
        return value
