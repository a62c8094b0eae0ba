r"""The Criteo conversion log's format: one click a line, tab-separated, without a header.

    click time in s · conversion time in s, empty for none · 8 ints, empty for unknown · 9 hashed categories

The public file has 15,898,883 clicks of 60 days; conversions are recorded within 30 days. It is read in chunks:
codes and numbers grow in place, so that the file costs about 84 bytes a click and never stands in memory as
text. Ints become sign(x) · log(1 + |x|), categories are hashed.

Reference: O. Chapelle, "Modeling delayed feedback in display advertising", KDD 2014.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv

from thence.base.arrow import pc
from thence.base.errors import DataError
from thence.base.progress import Progress, silent
from thence.conversion.exposures import NEVER
from thence.conversion.sources.gather import Gathered
from thence.conversion.sources.hashing import BUCKETS, hashed, signed_log
from thence.conversion.sources.report import Reading, Sieve, fit_to_learn
from thence.events.clock import DAY, SECOND
from thence.events.columns import plain

INTS = tuple(f"int {k}" for k in range(1, 9))
CATEGORIES = tuple(f"category {k}" for k in range(1, 10))
COLUMNS = ("click", "conversion", *INTS, *CATEGORIES)
CHUNK_BYTES = 8 << 20
LONGEST_LINE = 64 << 20
WINDOW = 30 * DAY
LONGEST = 10_000 * DAY // SECOND
INTEGER = r"^-?[0-9]{1,15}$"


def read_criteo(
    path: str | Path,
    *,
    window: int = WINDOW,
    start: int = 0,
    buckets: int = BUCKETS,
    progress: Progress = silent,
) -> Reading:
    r"""Exposures from a file in the format of the Criteo conversion log, plain or compressed with gzip.

    Args:
        path: the file.
        window: attribution window in microseconds.
        start: microseconds UTC of the file's second 0.
        buckets: that each category is hashed into.
        progress: told the rows read.

    Returns:
        The exposures, known until the last second of the file, and the report of what became of the rows.

    Raises:
        DataError: the file is absent or torn, nothing was accepted, the window is longer than the log, or all
            or none of the clicks converted.

    Example:
        >>> import tempfile
        >>> line = "\t".join(["{}", "{}", *"12345678", *"abcdefghi"]) + "\n"
        >>> with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        ...     for click, end in ((0, 60), (90, ""), (50, 40), (700, "")):
        ...         print(line.format(click, end), end="", file=file)
        ...     file.flush()
        ...     shown, report = read_criteo(file.name, window=100_000_000)
        >>> shown.converted.tolist(), report
        ([True, False, False],
         ExposureReport(4 read = 3 accepted + 1 refused; conversion before its exposure: 1))
    """
    path, sieve = Path(path), Sieve()
    if not path.is_file():
        raise DataError("no such file", where=path)
    parts = Gathered((buckets,) * len(CATEGORIES), (*CATEGORIES, *INTS))
    latest = 0
    try:
        with pa.input_stream(str(path), compression="gzip" if path.suffix == ".gz" else None) as stream:
            for chunk in _chunks(stream):
                table = _rows(chunk, sieve)
                if table is not None:
                    latest = max(latest, _take(table, (parts, sieve), start, buckets))
                progress("read", sieve.read, 0)
    except (pa.ArrowException, OSError, EOFError, UnicodeDecodeError) as error:
        raise DataError(f"cannot be read as a conversion log: {error}", where=path) from error
    report = sieve.report()
    if not report.accepted:
        raise DataError(f"no click was accepted: {report}", where=path)
    made = parts.exposures(window=window, until=start + (latest + 1) * SECOND)
    fit_to_learn(made, path)
    return Reading(made, report)


def _chunks(stream: Any) -> Iterator[bytes]:
    """Whole lines, so many at a time as come with a read."""
    rest = b""
    while data := stream.read(CHUNK_BYTES):
        stop = data.rfind(b"\n") + 1
        if stop:
            yield (rest + data[:stop]).replace(b"\r\n", b"\n")
            rest = data[stop:]
        elif len(rest) > LONGEST_LINE:
            raise DataError(f"a line of more than {LONGEST_LINE:,} bytes")
        else:
            rest += data
    if rest:
        yield rest + b"\n"


def _rows(chunk: bytes, sieve: Sieve) -> pa.Table | None:
    """The lines of a chunk as columns of strings; those that have not 19 are counted and left out."""
    chunk.decode()
    text = np.frombuffer(chunk, np.uint8)
    ends = np.flatnonzero(text == ord("\n"))
    starts = np.concatenate([[0], ends[:-1] + 1])
    tabs = np.add.reduceat(text == ord("\t"), starts, dtype=np.int64)
    good = (tabs == len(COLUMNS) - 1) & ~np.logical_or.reduceat(text == ord("\r"), starts)
    if not good.all():
        sieve.refuse("not 19 columns", int((~good).sum()))
        chunk = text[np.repeat(good, ends + 1 - starts)].tobytes()
    if not chunk:
        return None
    return pyarrow.csv.read_csv(
        pa.BufferReader(chunk),
        read_options=pyarrow.csv.ReadOptions(column_names=list(COLUMNS), use_threads=False),
        parse_options=pyarrow.csv.ParseOptions(delimiter="\t", quote_char=False),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(COLUMNS, pa.string()), strings_can_be_null=True, null_values=[""]
        ),
    )


def _take(batch: pa.Table, into: tuple[Gathered, Sieve], start: int, buckets: int) -> int:
    """Judge and keep the clicks of a chunk; returns the latest second that was kept."""
    parts, sieve = into
    found = [_ints(plain(batch[name])) for name in ("click", "conversion", *INTS)]
    (click, clicked, bad), (end, ended, bad_end) = found[:2]
    wrong = np.any([column[2] for column in found[2:]], axis=0)
    good = sieve.pass_(
        batch.num_rows,
        {
            "no time": ~clicked & ~bad,
            "not a number": bad | bad_end | wrong,
            "time out of range": (click < 0) | (click > LONGEST) | (ended & (end > LONGEST)),
            "conversion before its exposure": ended & (end < click),
        },
    )
    rows = np.flatnonzero(good)
    click, end, ended = click[rows], end[rows], ended[rows]
    codes = np.empty((len(rows), len(CATEGORIES)), np.int32)
    for k, name in enumerate(CATEGORIES):
        codes[:, k] = hashed(batch[name], buckets, name)[rows]
    numbers = np.empty((len(rows), len(INTS)), np.float32)
    for k, (value, known, _) in enumerate(found[2:]):
        numbers[:, k] = np.where(known, signed_log(value), np.nan)[rows]
    time = start + click * SECOND
    parts.add(time, np.where(ended, np.maximum(start + end * SECOND, time + 1), NEVER), codes, numbers)
    return int(max(click.max(initial=0), end[ended].max(initial=0)))


def _ints(column: pa.Array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values, which are there, and which are there but are no ints."""
    there = np.asarray(column.is_valid())
    bad = np.zeros(len(column), bool)
    try:
        values = column.cast(pa.int64())
    except pa.ArrowInvalid:
        whole = pc.match_substring_regex(column, INTEGER)
        bad = there & ~np.asarray(whole.fill_null(False))
        values = pc.if_else(whole, column, None).cast(pa.int64())
    return np.asarray(values.fill_null(0)), there & ~bad, bad
