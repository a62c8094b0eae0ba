"""Reading sources into a keeper: the loop in which every row read gets its one fate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from thence.base.errors import DataError, nearest
from thence.base.progress import Progress, silent
from thence.events.options import IngestOptions
from thence.events.quarantine import QuarantineWriter, refusals
from thence.events.read import Chunk, Source, read
from thence.events.validate import Verdict

Judge = Callable[[pa.Table], Verdict]


@dataclass
class Taken:
    """The counts of one source: rows read, those that passed the rules, and the others by reason."""

    source: Source
    read: int = 0
    passed: int = 0
    reasons: Counter[str] = field(default_factory=Counter)


def take(
    source: Source,
    judge: Judge,
    keep: Callable[[pa.Table], None],
    quarantine: QuarantineWriter,
    *,
    rename: Callable[[pa.Table], pa.Table],
    options: IngestOptions,
    progress: Progress = silent,
) -> Taken:
    """Read one source to its end.

    Args:
        source: what to read.
        judge: the rules for its rows.
        keep: takes the rows that pass, in order.
        quarantine: takes the others.
        rename: brings a table's columns under canonical names.
        options: how to read.
        progress: called after each chunk.

    Raises:
        DataError: the source cannot be read, or lacks a column.
    """
    taken = Taken(source)
    try:
        for chunk in read(source, delimiter=options.delimiter, max_row_bytes=options.max_row_bytes):
            table = rename(chunk.table) if chunk.table.num_columns else chunk.table
            refused = chunk.refused
            if table.num_columns:
                verdict = judge(table)
                passed = verdict.accepted()
                taken.passed += passed.num_rows
                keep(passed)
                refused = _refused(chunk, verdict)
            quarantine.add(source.name, source.digest, refused)
            taken.reasons.update(_counted(refused))
            taken.read += chunk.table.num_rows + chunk.refused.num_rows
            progress(f"read {source.name}", chunk.done, source.size or None)
    except DataError as error:
        if error.where == source.name:
            raise
        raise DataError(
            error.what, where=f"{source.name}, {error.where}" if error.where else source.name, fix=error.fix
        ) from error
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror or error}", where=source.name) from error
    return taken


def renamed(table: pa.Table, rename: Mapping[str, str], *, strict: bool = True) -> pa.Table:
    """A table under canonical column names.

    Args:
        table: as the source has it.
        rename: canonical names by the source's.
        strict: whether a name that the source lacks is an error.

    Raises:
        DataError: a column to rename is not there, or two columns would have one name.
    """
    names = table.column_names
    for theirs, ours in rename.items():
        if strict and theirs not in names and ours not in names:
            raise DataError(f"there is no column {theirs!r} to rename", fix=nearest(theirs, names))
    named = [rename.get(name, name).strip() or f"column_{at}" for at, name in enumerate(names)]
    twice = [name for name, count in Counter(named).items() if count > 1]
    if twice:
        raise DataError(f"two columns are called {twice[0]!r}", fix="Rename one of them.")
    return table.rename_columns(named)


def _refused(chunk: Chunk, verdict: Verdict) -> pa.Table:
    """The rows of a chunk that its reader or the rules refuse, in their order."""
    at, reasons = verdict.refused()
    if not len(at):
        return chunk.refused
    offsets = None if chunk.offsets is None else chunk.offsets[at]
    judged = refusals(chunk.rows[at], offsets, reasons, chunk.raw(at))
    return pa.concat_tables([chunk.refused, judged]).sort_by("row") if chunk.refused.num_rows else judged


def _counted(refused: pa.Table) -> dict[str, int]:
    if not refused.num_rows:
        return {}
    counts = refused["reason"].combine_chunks().value_counts()
    return {str(entry["values"]): int(entry["counts"]) for entry in counts.to_pylist()}
