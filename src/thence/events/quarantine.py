"""What was refused, kept so that it can be looked at and repaired: where it stood, why, and how it began."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from thence.base.arrow import pc
from thence.events.parts import open_writer

FILE = "quarantine.parquet"
RAW_LIMIT = 1024
"""Characters of a refused row that are kept."""

SCHEMA = pa.schema(
    {
        "source": pa.string(),
        "digest": pa.string(),
        "row": pa.int64(),
        "offset": pa.int64(),
        "reason": pa.string(),
        "raw": pa.string(),
    }
)
"""File, its SHA-256, row number (from 0, no header counted), byte offset (null if the format has none), …"""


def refusals(rows: Any, offsets: Any, reasons: list[str], raws: list[str | None]) -> pa.Table:
    """Refused rows of one source; ``offsets`` may be None."""
    rows = pa.array(np.asarray(rows, np.int64))
    return pa.table(
        {
            "row": rows,
            "offset": pa.nulls(len(rows), pa.int64()) if offsets is None else pa.array(offsets, pa.int64()),
            "reason": pa.array(reasons, pa.string()),
            "raw": pa.array(raws, pa.string()),
        }
    )


NOTHING = refusals([], None, [], [])


def shown(raw: bytes | str) -> str:
    """The beginning of a raw row as text; bytes that are no text are written as escapes."""
    if isinstance(raw, bytes):
        raw = raw[: 4 * RAW_LIMIT].decode(errors="backslashreplace")
    return raw[:RAW_LIMIT].encode(errors="backslashreplace").decode()


def shown_rows(table: pa.Table, at: np.ndarray) -> list[str | None]:
    """Rows of a table as the beginnings of JSON objects."""
    texts: list[str | None] = []
    for begin in range(0, len(at), 1024):
        rows = table.take(pa.array(at[begin : begin + 1024])).to_pylist()
        texts.extend(shown(json.dumps(row, default=_plain, ensure_ascii=False)) for row in rows)
    return texts


def _plain(value: Any) -> str:
    return shown(value) if isinstance(value, bytes) else str(value)


class QuarantineWriter:
    """Writes refused rows as they come.

    Args:
        path: the Parquet file.
    """

    def __init__(self, path: Path) -> None:
        self._writer = open_writer(path, SCHEMA)
        self._waiting: list[pa.Table] = []

    def add(self, source: str, digest: str, refused: pa.Table) -> None:
        """Take refused rows of one source."""
        if refused.num_rows:
            count = refused.num_rows
            named = pa.table({"source": [source] * count, "digest": [digest] * count})
            for name in refused.column_names:
                named = named.append_column(name, refused[name])
            self._put(named)

    def carry(self, path: Path, without: list[str]) -> None:
        """Take the rows of an older quarantine, except those of sources with the given digests."""
        with pq.ParquetFile(path) as source:
            for batch in source.iter_batches():
                gone = pc.is_in(batch["digest"], value_set=pa.array(without, pa.string()))
                self._put(pa.Table.from_batches([batch]).filter(pc.invert(gone)))

    def close(self) -> None:
        """Finish the file."""
        self._flush()
        self._writer.close()

    def _put(self, table: pa.Table) -> None:
        self._waiting.append(table)
        if sum(waiting.num_rows for waiting in self._waiting) >= 8192:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.concat_tables(self._waiting).cast(SCHEMA))
            self._waiting = []
