"""Tables that are already in memory, or already on an Ibis backend, as the tables of a log."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from thence.base.errors import DataError
from thence.events import engine
from thence.events.clock import DAY
from thence.events.columns import conform
from thence.events.schema import CORE, EVENTS, ITEM_CORE, unify
from thence.events.validate import EventRules, Verdict, item_rules

if TYPE_CHECKING:
    import ibis

SLICE = 131_072


def is_ibis(value: Any) -> bool:
    """Whether a value is an Ibis table, told without importing Ibis."""
    return type(value).__module__.partition(".")[0] == "ibis" and hasattr(value, "to_pyarrow")


def to_arrow(value: Any) -> pa.Table:
    """A pyarrow or pandas table as pyarrow.

    Raises:
        DataError: it is neither.
    """
    if isinstance(value, pa.Table):
        return value
    if isinstance(value, pa.RecordBatch):
        return pa.Table.from_batches([value])
    if type(value).__module__.partition(".")[0] == "pandas":
        return pa.Table.from_pandas(value, preserve_index=False)
    raise DataError(f"a {type(value).__name__} is no table", fix="Give a pyarrow, pandas or Ibis table.")


def slices(value: Any, rows: int = SLICE) -> Iterator[pa.Table]:
    """Any accepted table in pieces of at most ``rows`` rows; at least one, which may be empty."""
    if is_ibis(value):
        some = False
        for batch in engine.batches(value, rows):
            some = True
            yield pa.Table.from_batches([batch])
        if not some:
            yield value.schema().to_pyarrow().empty_table()
        return
    table = to_arrow(value)
    for at in range(0, max(table.num_rows, 1), rows):
        yield table.slice(at, rows)


def to_log_tables(events: Any, items: Any) -> tuple[ibis.Table, ibis.Table | None]:
    """Checked Ibis tables of events and items on one backend.

    Raises:
        DataError: a column is missing or rows are invalid.
    """
    latest = int(time.time() * 1e6) + DAY
    events = engine.with_arrow(events) if is_ibis(events) else events
    if is_ibis(events) and _settled(events, CORE):
        con, known = events.get_backend(), _checked(events, latest)
    else:
        con = engine.connect()
        known = _bring(con, "events", events, EventRules(latest, unit="us"), CORE)
    return known, None if items is None else to_items(con, items)


def to_items(con: Any, items: Any) -> ibis.Table:
    """A checked catalogue as a table of the backend ``con``; it passes through this process.

    Raises:
        DataError: ``item_id`` is missing or rows are invalid.
    """
    return _bring(con, "items", engine.with_arrow(items) if is_ibis(items) else items, item_rules, ITEM_CORE)


def _checked(table: Any, latest: int) -> Any:
    """A table with the types of a log, judged by its own engine; ids and events are tidied where need be."""
    from thence.events.expr_rules import Rules

    rules = Rules(table, latest, EVENTS, unit="us", further=False)
    words = ("user_id", "item_id", "event", "order_id")
    same = [rules.columns[name].identical_to(table[name]) for name in words]
    judged = table.select(reason=rules.reason(), same=same[0] & same[1] & same[2] & same[3])
    rows = judged.group_by("reason", "same").agg(rows=judged.count()).to_pyarrow().to_pylist()
    _raise_for(Counter({row["reason"]: row["rows"] for row in rows if row["reason"]}), "events")
    return table if all(row["same"] for row in rows) else table.mutate(**rules.columns)


def _settled(table: ibis.Table, core: dict[str, pa.DataType]) -> bool:
    types = table.schema().to_pyarrow()
    return all(name in types.names and types.field(name).type == type_ for name, type_ in core.items())


def _bring(
    con: Any, name: str, value: Any, rules: Callable[[pa.Table], Verdict], core: dict[str, pa.DataType]
) -> ibis.Table:
    if is_ibis(value) and _settled(value, core) and value.get_backend() is con:
        _valid(name, slices(value), rules, keep=False)
        return value
    tables = _valid(name, slices(value), rules, keep=True)
    schema = unify((table.schema for table in tables), core)
    whole = pa.concat_tables(conform(table, schema) for table in tables)
    return engine.table_of(con, name, whole)


def _valid(
    name: str, tables: Iterable[pa.Table], rules: Callable[[pa.Table], Verdict], *, keep: bool
) -> list[pa.Table]:
    """Judge all rows and return them, or raise with the counts by reason."""
    found: list[pa.Table] = []
    faults: Counter[str] = Counter()
    for table in tables:
        verdict = rules(table)
        faults.update(verdict.refused()[1])
        if keep:
            found.append(verdict.accepted())
    _raise_for(faults, name)
    return found


def _raise_for(faults: Counter[str], name: str) -> None:
    if faults:
        listed = ", ".join(f"{reason}: {count:,}" for reason, count in faults.most_common())
        raise DataError(
            f"{faults.total():,} invalid rows ({listed})",
            where=name,
            fix="Ingest them to have them quarantined.",
        )
