"""A table in memory or on an Ibis backend, slice by slice."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from thence.events.quarantine import shown_rows
from thence.events.read.chunk import Chunk, Source
from thence.events.tables import slices


def read_table(source: Source) -> Iterator[Chunk]:
    """The rows of a pyarrow, pandas or Ibis table."""
    at = 0
    for table in slices(source.table):
        rows = np.arange(at, at + table.num_rows)
        at += table.num_rows
        yield Chunk(table, rows, lambda positions, table=table: shown_rows(table, positions), done=at)
