"""Parquet, batch by batch; a row group that cannot be decoded is refused row by row, the others are read."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from thence.base.errors import DataError
from thence.events.quarantine import refusals, shown_rows
from thence.events.read.chunk import Chunk, Source

BATCH_ROWS = 131_072


def read_parquet(source: Source) -> Iterator[Chunk]:
    """The rows of a Parquet file.

    Raises:
        DataError: the file's footer is missing or torn, so that not even its rows can be counted.
    """
    try:
        file = pq.ParquetFile(source.path, memory_map=False, pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"not a whole Parquet file: {error}", where=source.name, fix="Copy it again."
        ) from error
    first, total = 0, max(file.metadata.num_rows, 1)
    with file:
        for group in range(file.num_row_groups):
            count = file.metadata.row_group(group).num_rows
            for chunk in _read_group(file, group, first, count):
                last = int(chunk.rows[-1]) + 1 if len(chunk.rows) else first + count
                chunk.done = source.size * last // total
                yield chunk
            first += count


def _read_group(file: pq.ParquetFile, group: int, first: int, count: int) -> Iterator[Chunk]:
    at, end = first, first + count
    try:
        for batch in file.iter_batches(batch_size=BATCH_ROWS, row_groups=[group]):
            table = pa.Table.from_batches([batch])
            rows = np.arange(at, at + table.num_rows)
            at += table.num_rows
            yield Chunk(table, rows, lambda positions, table=table: shown_rows(table, positions))
    except (pa.ArrowException, OSError) as error:
        why = str(error)[:200]
        for begin in range(at, end, BATCH_ROWS):
            rows = np.arange(begin, min(begin + BATCH_ROWS, end))
            refused = refusals(rows, None, [f"row group {group} unreadable"] * len(rows), [why] * len(rows))
            yield Chunk(file.schema_arrow.empty_table(), np.zeros(0, np.int64), lambda _: [], refused=refused)
