"""JSON lines, block by block: Arrow's parser where a whole block suits it, Python's line by line where not.

Columns are the keys met so far. Objects and lists inside a row are kept as JSON text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.json as pj

from thence.events.quarantine import refusals, shown
from thence.events.read.blocks import Blocks
from thence.events.read.chunk import Chunk, Source
from thence.events.schema import wider

_SPACE = np.zeros(256, bool)
_SPACE[[9, 10, 13, 32]] = True


def read_jsonl(source: Source, max_row_bytes: int) -> Iterator[Chunk]:
    """The rows of a file with one JSON object a line; blank lines are no rows."""
    blocks = Blocks(source)
    lines = _Lines(max_row_bytes)
    waiting, at, skipping = b"", 0, False
    for block in blocks:
        waiting += block
        if skipping:
            end = waiting.find(b"\n") + 1 or len(waiting)
            skipping = not waiting[:end].endswith(b"\n")
            waiting, at = waiting[end:], at + end
        end = waiting.rfind(b"\n") + 1
        yield (chunk := lines.take(waiting[:end], at))
        chunk.done = blocks.done
        waiting, at = waiting[end:], at + end
        if len(waiting) > max_row_bytes:
            yield lines.take(waiting, at)
            waiting, at, skipping = b"", at + len(waiting), True
    if blocks.torn:
        row = np.array([lines.row])
        refused = refusals(row, [at], [blocks.torn], [shown(waiting)])
        yield Chunk(lines.nothing(), row[:0], lambda _: [], refused=refused, done=blocks.done)
    else:
        chunk = lines.take(waiting, at)
        chunk.done = blocks.done
        yield chunk


class _Lines:
    """Takes blocks of whole lines apart; knows the columns so far and the number of the next row."""

    def __init__(self, limit: int) -> None:
        self.types: dict[str, pa.DataType] = {}
        self.row = 0
        self._limit = limit

    def nothing(self) -> pa.Table:
        """A table of the columns so far without rows."""
        return pa.schema(self.types).empty_table() if self.types else pa.table({})

    def take(self, data: bytes, begin: int) -> Chunk:
        """The rows of a block of lines that begins at byte ``begin``."""
        bounds, long = _bounds(data, self._limit)
        rows = np.arange(self.row, self.row + len(bounds))
        self.row += len(bounds)
        reasons: dict[int, str] = {int(i): f"row longer than {self._limit} bytes" for i in np.flatnonzero(long)}
        table = self._whole(data, bounds) if not long.any() else None
        if table is None:
            table = self._line_by_line(data, bounds, reasons)
        bad = np.zeros(len(bounds), bool)
        bad[list(reasons)] = True
        good, places = bounds[~bad], begin + bounds[:, 0]
        listed, most = np.flatnonzero(bad), min(4096, self._limit)
        return Chunk(
            table,
            rows[~bad],
            lambda at: [shown(data[good[i, 0] : good[i, 1]]) for i in at],
            offsets=places[~bad],
            refused=refusals(
                rows[bad],
                places[bad],
                [reasons[int(i)] for i in listed],
                [shown(data[bounds[i, 0] : min(bounds[i, 1], bounds[i, 0] + most)]) for i in listed],
            ),
        )

    def _whole(self, data: bytes, bounds: np.ndarray) -> pa.Table | None:
        """All lines at once, or None where Arrow's parser might see them otherwise than line by line."""
        if not self.types or not len(bounds):
            return None
        view = np.frombuffer(data, np.uint8)
        if not ((view[bounds[:, 0]] == ord("{")) & (view[bounds[:, 1] - 1] == ord("}"))).all():
            return None
        expected = pa.schema({name: _settled(type_) for name, type_ in self.types.items()})
        parsing = pj.ParseOptions(explicit_schema=expected, unexpected_field_behavior="error")
        reading = pj.ReadOptions(use_threads=False, block_size=len(data) + 1)
        try:
            data.decode()
            table = pj.read_json(pa.BufferReader(data), reading, parsing)
        except (UnicodeDecodeError, pa.ArrowException):
            return None
        if table.num_rows != len(bounds) or table.schema != expected:
            return None
        for number, (name, type_) in enumerate(self.types.items()):
            if type_ == pa.null() and table[name].null_count == table.num_rows:
                table = table.set_column(number, name, pa.nulls(table.num_rows))
            else:
                self.types[name] = _settled(type_)
        return table

    def _line_by_line(self, data: bytes, bounds: np.ndarray, reasons: dict[int, str]) -> pa.Table:
        """Parse each line that has no reason yet; faults go to ``reasons``."""
        found: list[dict[str, Any]] = []
        for i, (begin, end) in enumerate(bounds.tolist()):
            if i not in reasons:
                row = _parse(data[begin:end])
                if isinstance(row, str):
                    reasons[i] = row
                else:
                    found.append(row)
        for row in found:
            for name in row:
                self.types.setdefault(name, pa.null())
        columns = {}
        for name in self.types:
            columns[name] = _column([row.get(name) for row in found])
            self.types[name] = wider(self.types[name], columns[name].type)
        return pa.table(columns) if columns else pa.table({})


def _bounds(data: bytes, limit: int) -> tuple[np.ndarray, np.ndarray]:
    """Where lines begin and end (``[n, 2]``), and which of them are longer than the limit (``[n]`` bool).

    White space around a line is left out, and a line of nothing else is none; one that is too long stays whole.
    """
    view = np.frombuffer(data, np.uint8)
    ends = np.append(np.flatnonzero(view == 10), len(data))
    begins = np.concatenate([[0], ends[:-1] + 1])
    ink_at = np.flatnonzero(~_SPACE[view])
    first, behind = np.searchsorted(ink_at, begins), np.searchsorted(ink_at, ends)
    long = ends - begins > limit
    kept = (behind > first) | long
    begins, ends, first, behind, long = (array[kept] for array in (begins, ends, first, behind, long))
    bounds = np.stack([begins, ends], axis=1)
    short = ~long
    bounds[short, 0] = ink_at[first[short]]
    bounds[short, 1] = ink_at[behind[short] - 1] + 1
    return bounds, long


def _parse(line: bytes) -> dict[str, Any] | str:
    """The object that a line holds, or why it holds none."""
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return "invalid UTF-8"
    try:
        row = json.loads(text)
        if not isinstance(row, dict):
            return "not a JSON object"
        if "\\ud" in text or "\\uD" in text:  # half of a surrogate pair is no text
            json.dumps(row, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return "invalid UTF-8"
    except (ValueError, RecursionError):
        return "not JSON"
    return row


def _column(values: list[Any]) -> pa.Array:
    """Values of one key as an Arrow array: of one type where they have one, else as text."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int} and all(value is None or -(2**63) <= value < 2**63 for value in values):
        return pa.array(values, pa.int64() if kinds else pa.null())
    if kinds == {bool}:
        return pa.array(values, pa.bool_())
    if kinds == {str}:
        return pa.array(values, pa.string())
    if kinds <= {int, float} and all(type(value) is not int or abs(value) < 2**1000 for value in values):
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    return pa.array([None if value is None else _spell(value) for value in values], pa.string())


def _spell(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return json.dumps(value, ensure_ascii=False)


def _settled(type_: pa.DataType) -> pa.DataType:
    return pa.string() if type_ == pa.null() else type_
