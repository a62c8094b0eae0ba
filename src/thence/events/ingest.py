"""Ingest: raw rows in; a log, a quarantine and an account of every row out.

Rows stream: read, judge, write to fresh parts, hash. Then repeats are settled by hash, bucket by bucket, and
only the parts that lose rows (or whose types widened) are written again. One rename publishes the whole, so a
crash at any moment leaves the old log as it was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from thence.base.artifact import MANIFEST, Artifact, Draft, open_artifact, write_artifact
from thence.base.progress import Progress, silent
from thence.events.behind import Behind
from thence.events.columns import conform
from thence.events.dedupe import Repeats
from thence.events.intake import Judge, Taken, renamed, take
from thence.events.options import IngestOptions
from thence.events.parts import GROUP_ROWS, Part, PartWriter
from thence.events.quarantine import FILE, QuarantineWriter
from thence.events.read import Source, find_sources
from thence.events.report import IngestReport, SourceReport
from thence.events.rowhash import row_hashes
from thence.events.schema import ITEM_CORE, unify
from thence.events.store import ITEMS, KIND, combined, finish, last_of_each, parts_of, remove
from thence.events.validate import EventRules, item_rules

DEFAULTS = IngestOptions()


class _Unchanged(Exception):  # noqa: N818
    """Leaves the draft unpublished: there is nothing new."""

    def __init__(self, report: IngestReport) -> None:
        self.report = report


def ingest(
    sources: Any,
    into: str | Path,
    *,
    items: Any = None,
    rename: Mapping[str, str] | None = None,
    event: str | None = None,
    options: IngestOptions = DEFAULTS,
    progress: Progress = silent,
) -> IngestReport:
    r"""Read raw events (and a catalogue) into a log on disk, adding to the log that stands there.

    Every row read is accepted, quarantined with the reason, or a duplicate. A duplicate equals, in every
    column, a row that came before it or that the log has, so ingesting a file twice changes nothing. Memory
    stays bounded whatever the size of the files.

    Args:
        sources: files (Parquet, CSV, TSV, JSON lines; ``.gz`` or not), folders, globs, pyarrow, pandas or Ibis
            tables, or a list of these.
        into: the folder of the log; made, or added to.
        items: the same for the catalogue; where an item stands twice, its last row counts.
        rename: from column names of the sources to canonical ones, such as ``{"customer": "user_id"}``.
        event: the event of every row, for sources that have no such column.
        options: how to read.
        progress: called as sources are read, with bytes (of files) or rows (of tables).

    Raises:
        DataError: a source cannot be read at all, or lacks a required column; then nothing is written.
        ConfigError: ``event`` is not in the vocabulary.
        ArtifactError: something that is not a log stands at ``into``.

    Example:
        >>> import tempfile
        >>> from thence.events import EventLog
        >>> with tempfile.TemporaryDirectory() as tmp:
        ...     _ = Path(f"{tmp}/day.csv").write_text(
        ...         "when,customer,item_id,price\n2026-01-05,ann,phone,299\n2026-01-06,ann,case,-1\n")
        ...     names = {"when": "timestamp", "customer": "user_id"}
        ...     report = ingest(f"{tmp}/day.csv", f"{tmp}/log", rename=names, event="purchase")
        ...     print(report, EventLog.load(f"{tmp}/log"), sep="\n")
        IngestReport(2 read = 1 accepted + 1 quarantined + 0 duplicates; price negative: 1)
        EventLog(1 events, 1 users, 1 items, 2026-01-05T00:00:00Z to 2026-01-05T00:00:00Z)
    """
    options.check_event(event)
    old = open_artifact(into, KIND) if (Path(into) / MANIFEST).exists() else None
    try:
        with write_artifact(into, KIND) as draft:
            run = _Run(draft, old, rename or {}, options, progress)
            with run.writing:
                run.read_events(sources, event)
                run.read_items(items)
                return run.settle()
    except _Unchanged as unchanged:
        return unchanged.report


class _Run:
    """One ingest, from the first row read to the draft that is ready to be published."""

    def __init__(
        self,
        draft: Draft,
        old: Artifact | None,
        rename: Mapping[str, str],
        options: IngestOptions,
        progress: Progress,
    ) -> None:
        self.draft, self.old, self.rename, self.options, self.progress = draft, old, rename, options, progress
        self.scratch = draft.folder / "scratch"
        self.quarantine = QuarantineWriter(draft.path(FILE))
        self.parts = PartWriter(lambda number: draft.path(f"scratch/parts/{number:05d}.parquet"))
        self.writing = Behind(self.parts.write)
        self.repeats = Repeats(self.scratch / "hashes")
        self.taken: list[Taken] = []
        self.taken_items: list[Taken] = []
        self.fresh_items: list[pa.Table] = []

    def read_events(self, sources: Any, event: str | None) -> None:
        """Read, judge, hash and write aside all events."""
        latest = self.options.latest_micros()
        for source in find_sources(sources):
            judge = EventRules(latest, self.options.events, event, self.options.time_unit)
            self.taken.append(self._take(source, judge, self._keep, strict=True))

    def read_items(self, items: Any) -> None:
        """Read and judge the catalogue; names of columns that it lacks are not renamed."""
        for source in find_sources(items) if items is not None else ():
            self.taken_items.append(self._take(source, item_rules, self.fresh_items.append, strict=False))

    def settle(self) -> IngestReport:
        """Settle repeats, carry over what stands, and write down what the draft holds."""
        self.writing.flush()
        parts = self.parts.close()
        standing = parts_of(self.old) if self.old else []
        self._hash_standing(standing)
        repeated = self.repeats.find()
        items, item_report = self._settle_items()
        report = self._report(repeated, item_report)
        if self.old and not report.accepted and not (item_report and item_report.accepted) and self._known():
            raise _Unchanged(replace(report, changed=False))
        if self.old:
            digests = [one.source.digest for one in (*self.taken, *self.taken_items)]
            self.quarantine.carry(self.old.path(FILE), without=digests)
        self.quarantine.close()
        self.progress("settle", 0, None)
        finish(self.draft, standing, parts, repeated, items)
        remove(self.scratch)
        self.draft.counts["quarantined"] = pq.read_metadata(self.draft.path(FILE)).num_rows
        self.draft.config |= {
            "until": self.old.config["until"] if self.old else None,
            "sources": self._ledger(report),
        }
        self.draft.fingerprint = combined(self.repeats.sum, items)
        return report

    def _take(self, source: Source, judge: Judge, keep: Callable[[pa.Table], None], *, strict: bool) -> Taken:
        return take(
            source,
            judge,
            keep,
            self.quarantine,
            rename=partial(renamed, rename=self.rename, strict=strict),
            options=self.options,
            progress=self.progress,
        )

    def _keep(self, table: pa.Table) -> None:
        self.writing.put(table)
        self.repeats.add(row_hashes(table))

    def _hash_standing(self, parts: list[Part]) -> None:
        """Hash the rows that the log has, so that new ones can be held against them."""
        for at, part in enumerate(parts):
            with pq.ParquetFile(part.path) as file:
                for batch in file.iter_batches(batch_size=GROUP_ROWS):
                    self.repeats.add_known(row_hashes(pa.Table.from_batches([batch])))
            self.progress("compare with the log", at + 1, len(parts))

    def _settle_items(self) -> tuple[pa.Table | None, IngestReport | None]:
        """The catalogue as it will stand, and the account of the rows that were read for it."""
        standing = (
            self.old.table(ITEMS.removesuffix(".parquet")) if self.old and ITEMS in self.old.files else None
        )
        if not self.taken_items:
            return standing, None
        tables = ([standing] if standing is not None else []) + self.fresh_items
        schema = unify((table.schema for table in tables), ITEM_CORE)
        fresh = last_of_each(self.fresh_items, schema)
        new = fresh if standing is None else fresh.filter(pa.array(~_same(fresh, standing, schema)))
        merged = fresh if standing is None else last_of_each([standing, new], schema)
        reasons, read = _total(self.taken_items)
        quarantined = reasons.total()
        return merged, IngestReport(
            read=read,
            accepted=new.num_rows,
            quarantined=quarantined,
            duplicates=read - quarantined - new.num_rows,
            reasons=dict(reasons.most_common()),
        )

    def _report(self, repeated: np.ndarray, items: IngestReport | None) -> IngestReport:
        end, sources = 0, []
        for one in self.taken:
            begin, end = end, end + one.passed
            duplicates = int(np.count_nonzero(repeated[begin:end]))
            sources.append(
                SourceReport(
                    name=one.source.name,
                    sha256=one.source.digest,
                    read=one.read,
                    accepted=one.passed - duplicates,
                    quarantined=one.reasons.total(),
                    duplicates=duplicates,
                )
            )
        reasons, read = _total(self.taken)
        return IngestReport(
            read=read,
            accepted=sum(one.accepted for one in sources),
            quarantined=reasons.total(),
            duplicates=sum(one.duplicates for one in sources),
            reasons=dict(reasons.most_common()),
            sources=tuple(sources),
            items=items,
        )

    def _known(self) -> bool:
        """Whether every source was read before with the same rows refused."""
        ledger = {
            line["sha256"]: line["quarantined"] for line in (self.old.config["sources"] if self.old else ())
        }
        taken = (*self.taken, *self.taken_items)
        return all(ledger.get(one.source.digest) == one.reasons.total() for one in taken)

    def _ledger(self, report: IngestReport) -> list[dict[str, Any]]:
        """What was ever read: a source that was read again keeps what it once brought."""
        lines = {line["sha256"]: dict(line) for line in (self.old.config["sources"] if self.old else ())}
        for one in report.sources:
            before = lines.get(one.sha256, {"accepted": 0})
            lines[one.sha256] = one.entry() | {"accepted": before["accepted"] + one.accepted}
        for one in self.taken_items:
            line = {"name": one.source.name, "sha256": one.source.digest, "read": one.read, "catalogue": True}
            lines[one.source.digest] = line | {"quarantined": one.reasons.total()}
        return list(lines.values())


def _total(taken: list[Taken]) -> tuple[Counter[str], int]:
    return sum((one.reasons for one in taken), Counter()), sum(one.read for one in taken)


def _same(rows: pa.Table, standing: pa.Table, schema: pa.Schema) -> np.ndarray:
    """``[rows]`` bool: which rows stand already, equal in every column."""
    ours = row_hashes(conform(rows, schema), ITEM_CORE)
    theirs = row_hashes(conform(standing, schema), ITEM_CORE)
    return np.isin(ours[0], theirs[0]) & np.isin(ours[1], theirs[1])
