"""Screen: raw rows that already lie in an engine's tables, judged where they lie.

``ingest`` reads files into this process; a log that is too large for one machine is screened instead. The rules
are the same, written as Ibis expressions, so DuckDB, Spark or a warehouse runs them and no row leaves it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thence.base.errors import DataError
from thence.events.intake import renamed
from thence.events.options import IngestOptions
from thence.events.report import IngestReport
from thence.events.tables import is_ibis

if TYPE_CHECKING:
    import ibis

    from thence.events.log import EventLog

DEFAULTS = IngestOptions()
REASON = "thence__reason"


def screen(
    table: ibis.Table,
    options: IngestOptions = DEFAULTS,
    *,
    event: str | None = None,
    rename: Mapping[str, str] | None = None,
) -> Screened:
    """Judge the rows of an Ibis table on its own engine: accepted, quarantined with the reason, or duplicate.

    What is accepted, what is refused and why is the same as from :func:`~thence.events.ingest` of the same
    rows. Two things differ, because a table has no order: of equal rows, none is "the first"; and the unit of
    numeric timestamps, where ``options`` does not state it, is told from the whole table instead of from its
    first 131,072 rows.

    Args:
        table: raw rows on any Ibis backend.
        options: ``time_unit``, ``latest`` and ``events`` count; the others are about files.
        event: the event of every row, for tables that have no such column.
        rename: from column names of the table to canonical ones.

    Raises:
        DataError: a required column is missing, or one has a type that cannot be judged.
        ConfigError: ``event`` is not in the vocabulary.

    Example:
        >>> import ibis
        >>> raw = ibis.memtable({
        ...     "timestamp": ["2026-01-05", "2026-01-05", "soon"], "user_id": ["ann"] * 3,
        ...     "item_id": ["phone"] * 3, "event": ["Purchase"] * 3})
        >>> found = screen(raw)
        >>> found
        Screened(3 read = 1 accepted + 1 quarantined + 1 duplicates; timestamp unreadable: 1)
        >>> found.accepted.event.to_pyarrow().to_pylist()
        ['purchase']
    """
    from thence.events.engine import with_arrow
    from thence.events.expr_rules import Rules

    if not is_ibis(table):
        raise DataError(f"a {type(table).__name__} is no Ibis table", fix="Use ingest for what is in memory.")
    options.check_event(event)
    table = with_arrow(table)
    names = renamed(table.schema().to_pyarrow().empty_table(), rename or {}).column_names
    raw = table.select(**{ours: table[theirs] for ours, theirs in zip(names, table.columns, strict=True)})
    rules = Rules(raw, options.latest_micros(), options.events, event, options.time_unit)
    return Screened(rules.judged(), rules.refused())


@dataclass(frozen=True, eq=False, repr=False)
class Screened:
    """What became of a table's rows; the tables are lazy and lie where the raw one does.

    Args:
        judged: all rows as a log would keep them, and ``thence__reason``: null where nothing speaks against
            them.
        quarantined: the refused rows as they came, under canonical names, and ``reason``.
    """

    judged: ibis.Table
    quarantined: ibis.Table

    def __repr__(self) -> str:
        """One line with the counts."""
        return repr(self.report).replace("IngestReport", "Screened", 1)

    @cached_property
    def accepted(self) -> ibis.Table:
        """The rows of the log, each once, with its columns and types."""
        return self._good.distinct()

    @cached_property
    def duplicates(self) -> ibis.Table:
        """Accepted rows that came more than once, and ``repeats``: how many times after the first."""
        counted: Any = self._good.group_by(self._good.columns).agg(repeats=lambda t: t.count() - 1)
        return counted.filter(counted.repeats > 0)

    @cached_property
    def report(self) -> IngestReport:
        """The counts, which add up; two queries, made once."""
        rows = self.judged.group_by(REASON).agg(rows=lambda t: t.count()).to_pyarrow().to_pylist()
        counts = {row[REASON]: int(row["rows"]) for row in rows}
        good = counts.pop(None, 0)
        accepted = int(self.accepted.count().to_pyarrow().as_py())
        reasons = dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
        refused = sum(reasons.values())
        return IngestReport(good + refused, accepted, refused, good - accepted, reasons)

    def log(self, items: Any = None) -> EventLog:
        """What was accepted as a log on the same engine, every step still lazy; duplicates are left out.

        Args:
            items: a catalogue, as :meth:`EventLog.from_tables` takes it.
        """
        from thence.events.log import EventLog
        from thence.events.tables import to_items

        known = None if items is None else to_items(self.accepted.get_backend(), items)
        return EventLog(self.accepted, known)

    def save(self, folder: str | Path, items: Any = None) -> IngestReport:
        """Write what was accepted, and what was not, as an artifact of kind ``eventlog``.

        The accepted rows are written by the engine, in parallel, and then read once for their checksum.

        Args:
            folder: where the log is to stand; whatever stands there is replaced.
            items: a catalogue, as :meth:`EventLog.from_tables` takes it.
        """
        from thence.events.screen_store import save_screened

        return save_screened(self, folder, items)

    @cached_property
    def _good(self) -> Any:
        judged: Any = self.judged
        return judged.filter(judged[REASON].isnull()).drop(REASON)
