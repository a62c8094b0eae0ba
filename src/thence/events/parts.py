"""The Parquet parts of a log: written as rows arrive, rewritten only where rows fall out or types widen."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from thence.base.arrow import pc
from thence.events.columns import conform
from thence.events.schema import CORE, unify

PART_ROWS = 4_194_304
GROUP_ROWS = 131_072
SAMPLE_ROWS = 16_384


@dataclass(frozen=True)
class Part:
    """One file of events.

    Args:
        path: where it lies.
        rows: how many rows.
        schema: its columns in kept types.
    """

    path: Path
    rows: int
    schema: pa.Schema


class PartWriter:
    """Writes tables of kept types to parts of at most about ``PART_ROWS`` rows, one row group at a time.

    Args:
        path_of: gives the path of the part with a number.
        core: the core columns.
    """

    def __init__(self, path_of: Callable[[int], Path], core: dict[str, pa.DataType] = CORE) -> None:
        self.parts: list[Part] = []
        self._path_of, self._core = path_of, core
        self._waiting: list[pa.Table] = []
        self._waiting_rows = 0
        self._writer: pq.ParquetWriter | None = None
        self._schema: pa.Schema | None = None
        self._rows = 0

    def write(self, table: pa.Table) -> None:
        """Take rows; they reach the disk with the next full row group."""
        if not table.num_rows:
            return
        schema = unify([table.schema], self._core, settle=False)
        if self._schema is None or unify([self._schema, schema], self._core, settle=False) != self._schema:
            self._finish()
            self._schema = schema
        self._waiting.append(conform(table, self._schema))
        self._waiting_rows += table.num_rows
        if self._waiting_rows >= GROUP_ROWS:
            self._flush()
        if self._rows >= PART_ROWS:
            self._finish()
            self._schema = schema

    def close(self) -> list[Part]:
        """Write what is waiting and return all parts."""
        self._finish()
        return self.parts

    def _flush(self) -> None:
        if not self._waiting:
            return
        table = pa.concat_tables(self._waiting)
        if self._writer is None:
            self._writer = open_writer(self._path_of(len(self.parts)), table.schema, table)
        self._writer.write_table(table, row_group_size=GROUP_ROWS)
        self._rows += table.num_rows
        self._waiting, self._waiting_rows = [], 0

    def _finish(self) -> None:
        self._flush()
        if self._writer is not None and self._schema is not None:
            self._writer.close()
            self.parts.append(Part(self._path_of(len(self.parts)), self._rows, self._schema))
        self._writer, self._rows = None, 0


def open_writer(path: Path, schema: pa.Schema, sample: pa.Table | None = None) -> pq.ParquetWriter:
    """A Parquet writer with the settings that all of a log's files share.

    Args:
        path: the file.
        schema: its columns.
        sample: rows that tell which columns repeat few values and gain from a dictionary.
    """
    coded: Any = True
    if sample is not None:
        few = sample.slice(0, SAMPLE_ROWS)
        coded = [name for name in schema.names if len(pc.unique(few[name])) <= few.num_rows // 32 + 1]
    return pq.ParquetWriter(path, schema, compression="zstd", compression_level=1, use_dictionary=coded)


def rewrite(part: Part, into: Path, schema: pa.Schema, keep: np.ndarray | None) -> Part:
    """A part in another schema and without some of its rows.

    Args:
        part: the part as it is.
        into: the new path; may be the old one.
        schema: a schema that unites the part's own.
        keep: ``[part.rows]`` bool, or None for all.
    """
    fresh, at, rows = into.with_suffix(".new"), 0, 0
    with pq.ParquetFile(part.path) as source, open_writer(fresh, schema) as writer:
        for batch in source.iter_batches(batch_size=GROUP_ROWS):
            table = pa.Table.from_batches([batch])
            if keep is not None:
                table = table.filter(pa.array(keep[at : at + batch.num_rows]))
            at += batch.num_rows
            rows += table.num_rows
            if table.num_rows:
                writer.write_table(conform(table, schema), row_group_size=GROUP_ROWS)
    fresh.replace(into)
    return Part(into, rows, schema)


def settle(
    old: Iterable[Part], new: Iterable[Part], path_of: Callable[[int], Path], dropped: np.ndarray
) -> tuple[list[Part], pa.Schema]:
    """All parts of a log in one schema, without the dropped rows; what need not change is not touched.

    Args:
        old: parts of the log so far, in another folder; they are linked or rewritten.
        new: parts written now, in the order of ``dropped``.
        path_of: the final path of the part with a number.
        dropped: bool, for each row of the new parts.

    Returns:
        The parts and the schema of kept types in which ``null`` still says that nothing was seen.
    """
    old, new = list(old), list(new)
    kept = unify((part.schema for part in (*old, *new)), CORE, settle=False)
    schema = unify([kept], CORE)
    done: list[Part] = []
    for part in old:
        path = path_of(len(done))
        if pq.read_schema(part.path).remove_metadata() == schema:
            _link(part.path, path)
            done.append(Part(path, part.rows, kept))
        else:
            done.append(rewrite(part, path, schema, None))
    at = 0
    for part in new:
        keep = ~dropped[at : at + part.rows]
        at += part.rows
        path = path_of(len(done))
        if not keep.any():
            part.path.unlink()
            continue
        if keep.all() and part.schema == schema:
            part.path.replace(path)
            done.append(Part(path, part.rows, kept))
        else:
            done.append(rewrite(part, path, schema, keep))
            part.path.unlink()
    if not done:
        open_writer(path_of(0), schema).close()
        done.append(Part(path_of(0), 0, kept))
    return done, kept


def _link(source: Path, target: Path) -> None:
    """The same file under a second name; a copy where the file system knows no links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
