"""One reader a format; each yields chunks of rows that know where they stood."""

from __future__ import annotations

from collections.abc import Iterator

from thence.events.read.chunk import Chunk as Chunk
from thence.events.read.chunk import Source as Source
from thence.events.read.sources import find_sources as find_sources


def read(source: Source, *, delimiter: str | None = None, max_row_bytes: int = 1 << 20) -> Iterator[Chunk]:
    """The rows of a source, in order.

    Args:
        source: what to read.
        delimiter: of a CSV file; None to tell it from the header.
        max_row_bytes: a longer row of a text format is refused without being held.
    """
    if source.format == "parquet":
        from thence.events.read.parquet import read_parquet

        return read_parquet(source)
    if source.format == "table":
        from thence.events.read.table import read_table

        return read_table(source)
    if source.format == "csv":
        from thence.events.read.csv import read_csv

        return read_csv(source, delimiter, max_row_bytes)
    from thence.events.read.jsonl import read_jsonl

    return read_jsonl(source, max_row_bytes)
