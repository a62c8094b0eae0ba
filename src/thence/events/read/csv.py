"""CSV and TSV, block by block, taken apart without ever trusting a byte.

The first line that is not empty names the columns. Records end at a newline outside quotes. A record with
another number of fields, one longer than the limit, and one whose quote is not closed within the limit are
refused by
themselves: after the last two, reading goes on with the next line. Empty lines are no rows.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from thence.base.errors import DataError
from thence.events.quarantine import refusals, shown
from thence.events.read.blocks import Blocks
from thence.events.read.chunk import Chunk, Source
from thence.events.read.csv_kernel import NOT_CLOSED, TOO_LONG, column, split_records

_DELIMITERS = ",\t;|"


def read_csv(source: Source, delimiter: str | None, max_row_bytes: int) -> Iterator[Chunk]:
    """The rows of a CSV file, all columns as bytes.

    Args:
        source: the file.
        delimiter: one character; None tells it from the header.
        max_row_bytes: the longest row.

    Raises:
        DataError: the header cannot be read.
    """
    blocks = Blocks(source)
    reader: _Records | None = None
    waiting, at = b"", 0
    for block in blocks:
        waiting += block
        if reader is None:
            found = _header(waiting, source, max_row_bytes, final=False)
            if found is None:
                continue
            line, begin = found
            reader = _Records(line, delimiter, max_row_bytes)
            waiting, at = waiting[begin:], at + begin
        yield (chunk := reader.take(waiting, at, final=False))
        chunk.done = blocks.done
        waiting, at = waiting[reader.consumed :], at + reader.consumed
    if reader is None:
        found = _header(waiting, source, max_row_bytes, final=True)
        if found is None and not blocks.torn:
            return
        if found is None or blocks.torn:
            raise DataError(f"no header: {blocks.torn}", where=source.name)
        reader = _Records(found[0], delimiter, max_row_bytes)
        waiting, at = waiting[found[1] :], at + found[1]
    if blocks.torn:
        reason = blocks.torn
        rows = np.array([reader.row])
        refused = refusals(rows, [at], [reason], [shown(waiting)])
        yield Chunk(reader.nothing(), rows[:0], lambda _: [], refused=refused, done=blocks.done)
    else:
        chunk = reader.take(waiting, at, final=True)
        chunk.done = blocks.done
        yield chunk


def _header(data: bytes, source: Source, limit: int, *, final: bool) -> tuple[str, int] | None:
    """The header line and where the rows begin; None when it is not whole yet, or there is none."""
    at = 3 if data[:3] == b"\xef\xbb\xbf" else 0
    while at < len(data) and data[at : at + 1] in (b"\n", b"\r"):
        at += 1
    end = data.find(b"\n", at)
    if end < 0 and not final and len(data) - at <= limit:
        return None
    end = end if end >= 0 else len(data)
    if end - at > limit:
        raise DataError(f"the header is longer than {limit} bytes", where=source.name, fix="Is it a CSV file?")
    if end == at:
        return None
    try:
        return data[at:end].decode().rstrip("\r"), min(end + 1, len(data))
    except UnicodeDecodeError as error:
        raise DataError(
            "the header is not UTF-8", where=source.name, fix="Convert the file to UTF-8."
        ) from error


class _Records:
    """Takes buffers apart; knows the columns, the number of the next row, and what is being skipped."""

    def __init__(self, header: str, delimiter: str | None, limit: int) -> None:
        self.delimiter = delimiter or max(_DELIMITERS, key=header.count)
        try:
            self.names = next(csv.reader([header], delimiter=self.delimiter))
        except csv.Error as error:
            raise DataError(f"the header cannot be read: {error}") from error
        self.limit = limit
        self.row = 0
        self.consumed = 0
        self._skipping = False

    def nothing(self) -> pa.Table:
        """A table of the columns without rows."""
        return pa.table([pa.array([], pa.binary()) for _ in self.names], names=self.names)

    def take(self, data: bytes, begin: int, *, final: bool) -> Chunk:
        """The records of a buffer that begins at byte ``begin``; ``consumed`` says how far they reach."""
        skipped = 0
        if self._skipping:
            end = data.find(b"\n")
            if end < 0:
                self.consumed = len(data)
                return Chunk(self.nothing(), np.zeros(0, np.int64), lambda _: [])
            skipped, self._skipping = end + 1, False
        view = np.frombuffer(data, np.uint8)[skipped:]
        width = len(self.names)
        many = int(np.count_nonzero(view == 10)) + 2
        pieces = many + int(np.count_nonzero(view == ord(self.delimiter))) + 2
        records = np.empty((many, 3), np.int64)
        fields, kinds = np.empty((pieces, 2), np.int32), np.empty(pieces, np.uint8)
        used, count, cells = split_records(
            view, ord(self.delimiter), width, self.limit, final, records, fields, kinds
        )
        self.consumed = skipped + used
        records = records[:count]
        self._skipping = bool(count and records[-1, 2] == TOO_LONG and records[-1, 1] == len(view))
        rows = np.arange(self.row, self.row + count)
        self.row += count
        good = records[:, 2] == width
        columns = []
        for number in range(width):
            offsets, values = column(view, fields[:cells], kinds[:cells], number, width)
            buffers = [None, pa.py_buffer(offsets), pa.py_buffer(values)]
            columns.append(pa.Array.from_buffers(pa.binary(), int(good.sum()), buffers))
        table = pa.table(columns, names=self.names)
        places = begin + skipped + records[:, 0]
        kept, bad = records[good], records[~good]
        return Chunk(
            table,
            rows[good],
            lambda at: [shown(bytes(view[kept[i, 0] : kept[i, 1]])) for i in at],
            offsets=places[good],
            refused=refusals(rows[~good], places[~good], *self._why(view, bad)),
        )

    def _why(self, view: np.ndarray, bad: np.ndarray) -> tuple[list[str], list[str | None]]:
        """Reasons and raw texts of refused records."""
        words = {
            NOT_CLOSED: f"quote not closed within {self.limit} bytes",
            TOO_LONG: f"row longer than {self.limit} bytes",
        }
        reasons = [
            words.get(kind) or f"row has {kind} fields instead of {len(self.names)}"
            for kind in bad[:, 2].tolist()
        ]
        most = min(4096, self.limit)
        return reasons, [shown(bytes(view[begin : min(end, begin + most)])) for begin, end, _ in bad]
