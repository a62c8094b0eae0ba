"""The rules for events once more, as Ibis expressions: the same rows are refused, for the same reasons.

``thence.events.validate`` judges Arrow batches in this process; this file says the same to an engine that the
rows need not leave. Tests hold the two against each other, on DuckDB and on Spark.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import ibis as _ibis
import ibis.expr.datatypes as dt

from thence.base.errors import DataError
from thence.events.engine import staged
from thence.events.expr_text import blank, filled, stripped, time_parts, time_values, to_float
from thence.events.schema import MAX_ID, OPTIONAL, REQUIRED
from thence.events.times import FARTHEST, UNITS
from thence.events.validate import INVALID_UTF8, require

BOUNDS = (("s", 5e10), ("ms", 5e13), ("us", 5e16))
ibis: Any = _ibis
HIDDEN = "thence__"
REASON = f"{HIDDEN}reason"
VALUES = ("numeric", "whole", "decimals", "dated", "micros")
LARGEST = "1.7976931348623157e308"


@dataclass
class Rules:
    """The columns of a log as expressions over a raw table, and why a row is refused.

    Args:
        table: a raw Ibis table under canonical column names.
        latest: microseconds UTC; a later timestamp is refused.
        vocabulary: the events that are known.
        event: the event of every row, for tables without such a column.
        unit: the unit of numeric timestamps; None to tell it from the whole table, which is then read once.
        further: whether the columns that are no core ones are judged and kept too.

    Raises:
        DataError: a column is missing, or of a type that no expression can judge.
    """

    table: Any
    latest: int
    vocabulary: tuple[str, ...]
    event: str | None = None
    unit: str | None = None
    further: bool = True
    columns: dict[str, Any] = field(default_factory=dict)
    faults: list[tuple[Any, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        names = list(self.table.columns)
        require(names, [name for name in REQUIRED if name != "event" or self.event is None])
        self._timestamp(self.table["timestamp"])
        self._id("user_id", required=True)
        self._id("item_id", required=True)
        self._event()
        self._id("order_id", required=False)
        for name in ("price", "quantity", "discount"):
            self._number(name)
        self.columns = {name: self.columns[name] for name in (*REQUIRED, *OPTIONAL)}
        for name in sorted(set(names) - set(self.columns)) if self.further else ():
            self.columns[name] = self._kept(name)

    def judged(self) -> Any:
        """The columns of the log and ``thence__reason``: null where the row is accepted."""
        return self.table.select(**self.columns, **{REASON: self.reason()})

    def refused(self) -> Any:
        """The refused rows as they came, and ``reason``; a column of that name is called ``raw_reason``."""
        marked = self.table.mutate(**{REASON: self.reason()})
        marked = marked.filter(marked[REASON].notnull())
        raw = {name: marked[name] for name in marked.columns if not name.startswith(HIDDEN)}
        if "reason" in raw:
            raw["raw_reason"] = raw.pop("reason")
        return marked.select(**raw, reason=marked[REASON])

    def reason(self) -> Any:
        """Why a row is refused: the first fault that applies, null for none."""
        return ibis.cases(*((mask.fill_null(False), reason) for mask, reason in self.faults), else_=None)

    def refuse(self, mask: Any, reason: str) -> None:
        """Give ``reason`` to the rows of ``mask`` that have none yet."""
        self.faults.append((mask, reason))

    def _text(self, name: str) -> Any:
        """A column as text, null where it is empty or no valid UTF-8; the latter is a fault."""
        column = self.table[name]
        if not column.type().is_binary():
            return filled(column.cast("string"))
        decoded = _decoded(self.table, column)
        self.refuse(column.notnull() & decoded.isnull(), INVALID_UTF8)
        return filled(decoded)

    def _timestamp(self, column: Any) -> None:
        type_ = column.type()
        if type_.is_string() or type_.is_binary():
            value = self._text_time()
        elif type_.is_timestamp() or type_.is_date():
            self.refuse(column.isnull(), "timestamp missing")
            value = _micros(self.table, column)
        elif type_.is_numeric() or _nothing(type_):
            self.refuse((column == column).isnull(), "timestamp missing")  # on Spark, isnull means NaN too
            value = self._number_time(column)
        else:
            raise DataError(f"values of type {type_} are no timestamps", where="column 'timestamp'")
        self.refuse(value > self.latest, "timestamp in the future")
        self.refuse(value < 0, "timestamp before 1970")
        self.columns["timestamp"] = value

    def _text_time(self) -> Any:
        text = self._text("timestamp")
        self.refuse(text.isnull(), "timestamp missing")
        self._stage(time_parts(text))
        self._stage(time_values({name: self.table[HIDDEN + name] for name in time_parts(text)}))
        numeric, whole, decimals, dated, micros = (self.table[HIDDEN + name] for name in VALUES)
        self.refuse(~numeric & ~dated, "timestamp unreadable")
        unit = self.unit or _unit(self.table.filter(numeric).select(number=whole))
        counted = _scaled(whole.cast("float64"), whole, decimals, unit)
        return ibis.ifelse(numeric, counted, micros)

    def _stage(self, columns: Mapping[str, Any]) -> None:
        """Put columns, and the faults found so far, into the table, so that what follows reads them there."""
        masks = {f"{HIDDEN}fault{at}": mask for at, (mask, _) in enumerate(self.faults)}
        hidden = {HIDDEN + name: column for name, column in columns.items()}
        self.table = staged(self.table.mutate(**masks, **hidden))
        self.faults = [(self.table[name], why) for name, (_, why) in zip(masks, self.faults, strict=True)]

    def _number_time(self, column: Any) -> Any:
        type_ = column.type()
        if _nothing(type_):
            return ibis.literal(0, "int64")
        floats = column.cast("float64")
        unit = self.unit or _unit(self.table.select(number=floats))
        if type_.is_signed_integer() or (type_.is_unsigned_integer() and type_.nbytes < 8):
            return _scaled(floats.fill_null(0.0), column.cast("int64").fill_null(0), None, unit)
        finite = _finite(floats)
        self.refuse(~finite, "timestamp unreadable")
        inside = ibis.ifelse(finite & (floats.abs() < FARTHEST), floats, 0.0).fill_null(0.0)
        whole = inside.floor().cast("float64")
        safe = ibis.ifelse(finite, floats, 0.0).fill_null(0.0)
        return _scaled(safe, whole.cast("int64"), inside - whole, unit)

    def _id(self, name: str, *, required: bool) -> None:
        if name not in self.table.columns:
            self.columns[name] = ibis.null("string")
            return
        type_ = self.table[name].type()
        if type_.is_string() or type_.is_binary():
            text = self._text(name)
        elif type_.is_floating():
            text = _written(self.table[name].cast("float64"))
        elif type_.is_integer() or type_.is_decimal() or _nothing(type_):
            text = self.table[name].cast("string")
        else:
            raise DataError(f"values of type {type_} are no ids", where=f"column {name!r}")
        text = ibis.ifelse(blank(text), ibis.null("string"), text)
        if required:
            self.refuse(text.isnull(), f"{name} missing")
        self.refuse(text.length() > MAX_ID, f"{name} longer than {MAX_ID} characters")
        self.columns[name] = text

    def _event(self) -> None:
        if self.event is not None:
            self.columns["event"] = ibis.literal(self.event, "string")
            return
        word = stripped(self._text("event")).lower()
        self.refuse(word.isnull() | (word == ""), "event missing")
        self.refuse(word.notin(self.vocabulary), "event unknown")
        self.columns["event"] = word

    def _number(self, name: str) -> None:
        if name not in self.table.columns:
            self.columns[name] = ibis.null("float64")
            return
        type_ = self.table[name].type()
        if type_.is_string() or type_.is_binary():
            value, unreadable = to_float(self._text(name))
            self.refuse(unreadable, f"{name} not a number")
        elif type_.is_numeric() or _nothing(type_):
            value = self.table[name].cast("float64")
        else:
            raise DataError(f"values of type {type_} are no numbers", where=f"column {name!r}")
        self.refuse(~_finite(value), f"{name} not finite")
        if name == "price":
            self.refuse(value < 0.0, f"{name} negative")
        self.columns[name] = value + 0.0  # -0.0 becomes 0.0

    def _kept(self, name: str) -> Any:
        """A further column in one of the types that a log keeps."""
        column, type_ = self.table[name], self.table[name].type()
        if type_.is_string() or type_.is_binary():
            return self._text(name)
        if type_.is_boolean() or type_.is_date():
            return column
        if _nothing(type_):
            return column.cast("string")
        if type_.is_integer() and type_ != dt.uint64:
            return column.cast("int64")
        if type_.is_floating() or type_.is_decimal():
            return column.cast("float64") + 0.0
        if type_.is_timestamp():
            return column.cast("timestamp(6)")
        raise DataError(
            f"column {name!r} has type {type_}, of which no log is made without reading it here",
            fix=f"Cast it to text or another plain type, or leave it out: table.drop({name!r}).",
        )


def _nothing(type_: Any) -> bool:
    """Whether a column holds nothing but nulls by its type."""
    return type_.is_null() or (type_.is_unknown() and "NULL" in str(type_))


def _finite(value: Any) -> Any:
    return value.abs() <= ibis.literal(LARGEST).cast("float64")  # NaN counts as larger than any number


def _written(value: Any) -> Any:
    """Floats as ids: a whole one reads as an int, one that is not finite is missing."""
    whole = _finite(value) & (value == value.floor()) & (value.abs() < 2.0**53)
    ints = ibis.ifelse(whole, value, 0.0).cast("int64").cast("string")
    return ibis.ifelse(whole, ints, ibis.ifelse(_finite(value), value.cast("string"), ibis.null("string")))


def _scaled(floats: Any, whole: Any, fraction: Any, unit: str | None) -> Any:
    """Microseconds of ``whole + fraction`` units; what int64 cannot hold stays far off, on its side of now."""
    factor = UNITS[unit or "us"]
    reach = floats * factor
    inside = (reach <= FARTHEST) & (reach >= -FARTHEST)
    safe = ibis.ifelse(inside, whole, 0)
    if factor < 1:
        near = safe // 1000  # Spark divides ints as floats: near, and then put right
        value = near + (safe - near * 1000) // 1000
    else:
        value = safe * int(factor)
        if fraction is not None:
            value = value + ibis.ifelse(inside, (fraction * factor + 0.5).floor(), 0.0).cast("int64")
    far = ibis.ifelse(reach > 0, ibis.literal(2**63 - 1), ibis.literal(-(2**63 - 1)))
    return ibis.ifelse(inside, value, far)


def _unit(numbers: Any) -> str | None:
    """The unit of numeric timestamps, from the median of the positive ones; None when there is none.

    A median lies below a bound when more than half of the numbers do; that is counted, which no engine has to
    sort for. Where exactly half do, it is the mean of the two numbers on either side of the bound.
    """
    value = numbers.number.cast("float64")
    seen = numbers.filter((value > 0) & _finite(value)).select(value=value)
    figures: dict[str, Any] = {"n": seen.count()}
    for unit, bound in BOUNDS:
        below = seen.value < bound
        figures |= {
            f"{unit}_n": seen.count(where=below),
            f"{unit}_under": seen.value.max(where=below),
            f"{unit}_over": seen.value.min(where=~below),
        }
    row = seen.aggregate(**figures).to_pyarrow().to_pylist()[0]
    if not row["n"]:
        return None
    for unit, bound in BOUNDS:
        half, count = row["n"] / 2, row[f"{unit}_n"]
        between = row[f"{unit}_under"] is not None and row[f"{unit}_over"] is not None
        if count > half or (
            count == half and between and (row[f"{unit}_under"] + row[f"{unit}_over"]) / 2 < bound
        ):
            return unit
    return "ns"


def _micros(table: Any, column: Any) -> Any:
    """Microseconds UTC of a timestamp or a date."""
    name = table.get_backend().name
    if name == "duckdb" and column.type().is_timestamp() and (column.type().scale or 0) > 6:
        nanos = _epoch_ns(column)
        return _scaled(nanos.cast("float64").fill_null(0.0), nanos.fill_null(0), None, "ns")
    if name == "duckdb":
        return _epoch_us(column)
    moment = column.cast("timestamp") if column.type().is_date() else column
    if name == "pyspark":
        return _unix_micros(moment)
    return moment.truncate("s").epoch_seconds().cast("int64") * 1_000_000 + moment.microsecond().cast("int64")


def _decoded(table: Any, column: Any) -> Any:
    """Bytes as text, null where they are no valid UTF-8."""
    name = table.get_backend().name
    if name == "duckdb":
        return _try(_decode(column))
    if name == "pyspark":
        return _try_validate_utf8(column)
    raise DataError(f"{name} cannot tell which bytes are text", fix="Cast columns of bytes to strings.")


@ibis.udf.scalar.builtin(name="epoch_us")
def _epoch_us(moment) -> dt.int64:  # type: ignore[empty-body]
    """DuckDB's."""


@ibis.udf.scalar.builtin(name="epoch_ns")
def _epoch_ns(moment) -> dt.int64:  # type: ignore[empty-body]
    """DuckDB's."""


@ibis.udf.scalar.builtin(name="unix_micros")
def _unix_micros(moment) -> dt.int64:  # type: ignore[empty-body]
    """Spark's."""


@ibis.udf.scalar.builtin(name="decode")
def _decode(value) -> dt.string:  # type: ignore[empty-body]
    """DuckDB's."""


@ibis.udf.scalar.builtin(name="try")
def _try(value) -> dt.string:  # type: ignore[empty-body]
    """DuckDB's."""


@ibis.udf.scalar.builtin(name="try_validate_utf8")
def _try_validate_utf8(value) -> dt.string:  # type: ignore[empty-body]
    """Spark's."""
