"""EventLog: what customers did, when; and the catalogue of what they did it with."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thence.base.artifact import open_artifact
from thence.base.errors import ArtifactError
from thence.events import engine as engines
from thence.events.clock import Moment, iso, micros
from thence.events.split import TimeSplit, split

if TYPE_CHECKING:
    import ibis

KIND = "eventlog"
PARTS = "events/"


class EventLog:
    """A log of events as a lazy table, seen up to a clock.

    Make one with :func:`~thence.events.ingest`, :meth:`load` or :meth:`from_tables`. A log is immutable;
    :meth:`before` and :meth:`since` give other views of the same rows, at no cost.

    Args:
        events: an Ibis table with the columns of ``thence.events.schema`` and any further ones.
        items: the catalogue on the same backend, or None. It is static: a clock does not hide items.
        start: microseconds UTC; earlier events are not seen.
        until: the clock in microseconds UTC; nothing at or after it is seen.
        fingerprint: of all of ``events``, where it is known.

    Example:
        >>> import pyarrow as pa
        >>> log = EventLog.from_tables(pa.table({
        ...     "timestamp": [10, 20, 30], "user_id": ["u", "u", "v"],
        ...     "item_id": ["phone", "case", "phone"], "event": ["purchase"] * 3}))
        >>> log.count(), log.before(20).count(), log.span()
        (3, 1, (10, 30))
        >>> log.before(20).until
        20
    """

    def __init__(
        self,
        events: ibis.Table,
        items: ibis.Table | None = None,
        *,
        start: int | None = None,
        until: int | None = None,
        fingerprint: str = "",
    ) -> None:
        self._all = events
        self._whole_fingerprint = fingerprint
        self.items = items
        self.start = start
        self.until = until

    @classmethod
    def load(cls, folder: str | Path, *, verify: bool = True, engine: Any = "duckdb") -> EventLog:
        """Open a saved log; its rows stay on disk.

        Args:
            folder: where ``ingest`` or ``save`` put it.
            verify: compare every file's SHA-256; when False only sizes are compared.
            engine: what works on the rows: ``"duckdb"`` in this process; ``"spark"``, the active Spark session
                or else a local one; or a Spark session, whose executors then must see the folder.

        Raises:
            ArtifactError: it is absent, torn, tampered with, or not a log.
            ConfigError: there is no such engine, or it cannot run here.
        """
        art = open_artifact(folder, KIND, verify=verify)
        parts = sorted(name for name in art.files if name.startswith(PARTS))
        if not parts:
            raise ArtifactError("the log has no events", where=folder, fix="Ingest it again.")
        con = engines.connect(engine)
        events = engines.files_of(con, "events", [art.path(name).absolute() for name in parts])
        items = None
        if "items.parquet" in art.files:
            items = engines.files_of(con, "items", [art.path("items.parquet").absolute()])
        return cls(events, items, until=art.config.get("until"), fingerprint=art.fingerprint)

    @classmethod
    def from_tables(cls, events: Any, items: Any = None) -> EventLog:
        """A log in memory from tables with canonical columns; equal rows are all kept.

        Args:
            events: a pyarrow, pandas or Ibis table. An Ibis table whose columns already have the types of a log
                is read once to be checked and then stays where it is, on any backend.
            items: the same for the catalogue.

        Raises:
            DataError: a column is missing or rows are invalid (their counts by reason are named).
        """
        from thence.events.tables import to_log_tables

        return cls(*to_log_tables(events, items))

    def save(self, folder: str | Path) -> None:
        """Write what this view sees as an artifact of kind ``eventlog``."""
        from thence.events.store import save_log

        save_log(self, folder)

    def __repr__(self) -> str:
        """One line with the counts."""
        if not self.count():
            return "EventLog(no events)"
        first, last = self.span()
        known = self.events
        users, items = known.user_id.nunique(), known.item_id.nunique()
        row = known.aggregate(users=users, items=items).to_pyarrow().to_pylist()[0]
        clock = f", known until {iso(self.until)}" if self.until is not None else ""
        return (
            f"EventLog({self.count():,} events, {row['users']:,} users, {row['items']:,} items, "
            f"{iso(first)} to {iso(last)}{clock})"
        )

    @cached_property
    def events(self) -> ibis.Table:
        """The rows that this view sees, as a lazy Ibis table."""
        seen: Any = self._all
        if self.start is not None:
            seen = seen.filter(seen.timestamp >= self.start)
        if self.until is not None:
            seen = seen.filter(seen.timestamp < self.until)
        return seen

    def before(self, moment: Moment) -> EventLog:
        """What was known at a moment: events strictly before it. A clock can only be turned back."""
        at = micros(moment)
        return self._view(self.start, at if self.until is None else min(at, self.until))

    def since(self, moment: Moment) -> EventLog:
        """Events at a moment and after it, up to the clock."""
        at = micros(moment)
        return self._view(at if self.start is None else max(at, self.start), self.until)

    def split(self, valid: Moment | float = 0.1, test: Moment | float = 0.1) -> TimeSplit:
        """The global temporal split; see :func:`thence.events.split.split`.

        Args:
            valid: where the validation piece begins (ISO date, datetime or microseconds), or a float in (0, 1):
                its share of the time span.
            test: the same for the test piece.
        """
        return split(self, valid, test)

    def count(self) -> int:
        """How many events this view sees."""
        return self._extent[0]

    def span(self) -> tuple[int, int]:
        """The first and the last timestamp in microseconds UTC; (0, 0) for no events."""
        return self._extent[1], self._extent[2]

    @property
    def fingerprint(self) -> str:
        """A digest of the rows that this view sees; equal rows in any order or files give the same."""
        if not self._whole_fingerprint:
            from thence.events.store import fingerprint_of

            self._whole_fingerprint = fingerprint_of(self._all, self.items)
        if self.start is None and self.until is None:
            return self._whole_fingerprint
        return hashlib.sha256(f"{self._whole_fingerprint} {self.start} {self.until}".encode()).hexdigest()

    @cached_property
    def _extent(self) -> tuple[int, int, int]:
        seen = self.events
        row = seen.aggregate(n=seen.count(), first=seen.timestamp.min(), last=seen.timestamp.max())
        values = row.to_pyarrow().to_pylist()[0]
        return int(values["n"]), int(values["first"] or 0), int(values["last"] or 0)

    def _view(self, start: int | None, until: int | None) -> EventLog:
        return EventLog(self._all, self.items, start=start, until=until, fingerprint=self._whole_fingerprint)
