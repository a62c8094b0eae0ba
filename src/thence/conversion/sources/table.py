"""The exposure schema: one Parquet row for each exposure, read with every refused row counted.

    time              timestamp, or int64 microseconds UTC
    conversion_time   the same, null for none so far
    exposure_id       optional; of rows with the same id the first counts
    engagement        optional, list<struct<kind: string, time: timestamp or int64>>, in any order
    any other         a category where it is a string, bool, int or dictionary; a number where it is a float

Categories are hashed (:mod:`~thence.conversion.sources.hashing`). A conversion in the same microsecond as its
exposure counts as one later. Engagement before its exposure, without kind or time, or of a kind that was not
named is refused event by event. A file that :func:`write_exposures` wrote keeps window, clock and codes as they
were.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from thence.base.arrow import pc
from thence.base.errors import ConfigError, DataError, nearest
from thence.conversion.exposures import NEVER, Exposures
from thence.conversion.sources.gather import Gathered
from thence.conversion.sources.hashing import BUCKETS, Buckets, as_numbers, buckets_of, hashed
from thence.conversion.sources.report import EARLIEST, LATEST, Reading, Sieve, fit_to_learn
from thence.events.clock import Moment, micros
from thence.events.columns import plain

TIME, END, ID, ENGAGEMENT = "time", "conversion_time", "exposure_id", "engagement"
EVENTS = pa.list_(pa.struct([("kind", pa.string()), ("time", pa.int64())]))
META = b"thence.exposures"
ROWS = 262_144
MANY_KINDS = 255


def read_exposures(
    path: str | Path,
    *,
    window: int | None = None,
    until: Moment | None = None,
    kinds: Collection[str] | None = None,
    numeric: Collection[str] = (),
    buckets: Buckets = BUCKETS,
) -> Reading:
    """Exposures from a Parquet file in the exposure schema.

    Args:
        path: the file.
        window: attribution window in microseconds; the file's own where it was written by thence.
        until: the clock; the file's own, or else the microsecond after the last time that it holds.
        kinds: kinds of engagement that are known; all that occur when None.
        numeric: columns of ints that are numbers, not categories.
        buckets: of categories.

    Returns:
        The exposures and the report of what became of the rows.

    Raises:
        DataError: the file is torn or none, a column is missing or of no use, nothing was accepted, the window
            is longer than the log, or all or none of the exposures converted.
        ConfigError: no window is known, or a named column is absent.

    Example:
        >>> import tempfile
        >>> day = 86_400_000_000
        >>> times = {"time": [0, day, 9 * day], "conversion_time": [day, 0, None]}
        >>> rows = pa.table(times | {"item": ["a", "b", "a"]})
        >>> with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        ...     pq.write_table(rows, file.name)
        ...     shown, report = read_exposures(file.name, window=2 * day)
        >>> report
        ExposureReport(3 read = 2 accepted + 1 refused; conversion before its exposure: 1)
        >>> shown.converted.tolist(), shown.features.names
        ([True, False], ('item',))
    """
    path = Path(path)
    if not path.is_file():
        raise DataError("no such file", where=path)
    try:
        with pq.ParquetFile(path) as source:
            return _read(source, path, (window, until, kinds, numeric, buckets))
    except (pa.ArrowException, OSError, UnicodeDecodeError, OverflowError) as error:
        raise DataError(f"cannot be read as Parquet: {error}", where=path) from error


def _read(source: pq.ParquetFile, path: Path, asked: tuple[Any, ...]) -> Reading:
    window, until, kinds, numeric, buckets = asked
    kept = _meta(source.schema_arrow, path)
    window = kept.get("window") if window is None else window
    if window is None:
        raise ConfigError("no attribution window", where=path, fix="Give it in microseconds.")
    columns = _Columns(source.schema_arrow, numeric, buckets, kept, path)
    parts, sieve = Gathered(columns.buckets, columns.names), Sieve()
    named = dict.fromkeys(kept.get("kinds", ()) if kinds is None else kinds)
    latest, ids = EARLIEST, _Ids()
    for batch in source.iter_batches(ROWS):
        latest = max(latest, _take(batch, columns, (parts, sieve, ids), named, kinds is not None))
    clock = micros(until) if until is not None else kept.get("until", latest + 1)
    made = parts.exposures(window=int(window), until=clock, kinds=tuple(named))
    report = sieve.report()
    if not len(made):
        raise DataError(f"no exposure was accepted: {report}", where=path)
    fit_to_learn(made, path)
    return Reading(made, report)


class _Columns:
    """Which columns are categories and which are numbers."""

    def __init__(
        self, schema: pa.Schema, numeric: Collection[str], buckets: Buckets, kept: dict[str, Any], path: Path
    ) -> None:
        for name in (TIME, END):
            if name not in schema.names:
                raise DataError(f"column {name!r} is missing", where=path, fix=nearest(name, schema.names))
        if len(set(schema.names)) < len(schema.names):
            raise DataError("two columns have the same name", where=path)
        for name in set(numeric) - set(schema.names):
            raise ConfigError(
                f"no column {name!r}", where=path, fix=nearest(name, set(schema.names) - {TIME, END})
            )
        self.coded: dict[str, int] = kept.get("buckets", {})
        self.categories, self.numbers = [], []
        for entry in schema:
            if entry.name in (TIME, END, ID, ENGAGEMENT):
                continue
            whole = pa.types.is_integer(entry.type) and entry.name not in numeric
            number = (
                pa.types.is_floating(entry.type) or pa.types.is_decimal(entry.type) or entry.name in numeric
            )
            if not (whole or number or _is_category(entry.type)):
                raise DataError(f"column {entry.name!r} of type {entry.type} is of no use", where=path)
            (self.numbers if number else self.categories).append(entry.name)
        self.buckets = tuple(self.coded.get(name, buckets_of(name, buckets)) for name in self.categories)
        self.names = (*self.categories, *self.numbers)
        self.ids, self.engagement = ID in schema.names, ENGAGEMENT in schema.names
        if self.engagement and not _is_events(schema.field(ENGAGEMENT).type):
            raise DataError("engagement is no list of structs of kind and time", where=path)

    def codes(self, batch: pa.RecordBatch) -> np.ndarray:
        codes = np.empty((batch.num_rows, len(self.categories)), np.int32)
        for k, name in enumerate(self.categories):
            if name in self.coded:
                codes[:, k] = np.asarray(batch[name].fill_null(-1))
            else:
                codes[:, k] = hashed(batch[name], self.buckets[k], name)
        return codes

    def values(self, batch: pa.RecordBatch) -> np.ndarray:
        numbers = np.empty((batch.num_rows, len(self.numbers)), np.float32)
        for k, name in enumerate(self.numbers):
            numbers[:, k] = as_numbers(batch[name], name)
        return numbers


class _Ids:
    """Ids that were met, as hashes of 64 bits."""

    def __init__(self) -> None:
        self._seen = np.empty(0, np.uint64)

    def repeated(self, column: pa.Array) -> np.ndarray:
        """Which rows have an id that an earlier row had; rows without id never."""
        from thence.events.kernels import hash_strings

        text, lanes = plain(column).cast(pa.string()), np.zeros((2, len(column)), np.uint64)
        hash_strings(text, 0, lanes)
        unique, first = np.unique(lanes[0], return_index=True)
        repeated = np.ones(len(column), bool)
        repeated[first] = np.isin(unique, self._seen)
        named = np.asarray(text.is_valid())
        self._seen = np.union1d(self._seen, lanes[0][named])
        return repeated & named


def _take(
    batch: pa.RecordBatch,
    columns: _Columns,
    into: tuple[Gathered, Sieve, _Ids],
    kinds: dict[str, None],
    fixed: bool,
) -> int:
    """Judge and keep the rows of a batch; returns the latest time that was kept."""
    parts, sieve, ids = into
    time, timed = _moments(batch[TIME], TIME)
    end, ended = _moments(batch[END], END)
    codes, numbers = columns.codes(batch), columns.values(batch)
    coded = np.array([name in columns.coded for name in columns.categories], bool)
    wrong = (codes < 0) | (codes >= np.array(columns.buckets, np.int64))
    good = sieve.pass_(
        batch.num_rows,
        {
            "no time": ~timed,
            "time out of range": (time < EARLIEST) | (time > LATEST) | (ended & (end > LATEST)),
            "conversion before its exposure": ended & (end < time),
            "infinite number": np.any(np.isinf(numbers), axis=1),
            "code out of range": np.any(wrong & coded, axis=1),
            "repeated id": ids.repeated(batch[ID]) if columns.ids else np.zeros(batch.num_rows, bool),
        },
    )
    rows = np.flatnonzero(good)
    end = np.where(ended, np.maximum(end, time + 1), NEVER)
    latest = max(time[rows].max(initial=EARLIEST), end[rows][ended[rows]].max(initial=EARLIEST))
    if columns.engagement:
        owner, kind, at = _events(batch[ENGAGEMENT], time, good, (sieve, kinds, fixed))
        place = np.cumsum(good) - 1
        parts.add_engagement(parts.rows + place[owner], kind, at)
        latest = max(latest, at.max(initial=EARLIEST))
    parts.add(time[rows], end[rows], codes[rows], numbers[rows])
    return int(latest)


def _events(
    column: pa.Array, time: np.ndarray, good: np.ndarray, told: tuple[Sieve, dict[str, None], bool]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Owner, kind and time of the events of accepted rows."""
    sieve, kinds, fixed = told
    owner = np.asarray(pc.list_parent_indices(column), np.int64)
    events = pc.list_flatten(column)
    at, timed = _moments(pc.struct_field(events, "time"), "engagement.time")
    encoded = plain(pc.struct_field(events, "kind").cast(pa.string())).dictionary_encode()
    names = encoded.dictionary.to_pylist()
    if not fixed:
        kinds.update(dict.fromkeys(names))
        if len(kinds) > MANY_KINDS:
            raise DataError(f"engagement of more than {MANY_KINDS} kinds", fix="Name those that matter.")
    places = {name: place for place, name in enumerate(kinds)}
    kind = np.array([places.get(name, -1) for name in names] + [-2])[
        np.asarray(encoded.indices.fill_null(len(names)))
    ]
    mine = good[owner]
    owner, at, timed, kind = owner[mine], at[mine], timed[mine], kind[mine]
    kept = sieve.pass_events(
        len(owner),
        {
            "without kind or time": ~timed | (kind == -2),
            "of an unknown kind": kind == -1,
            "before its exposure": at < time[owner],
            "out of range": at > LATEST,
        },
    )
    return owner[kept], kind[kept].astype(np.uint8), at[kept]


def _moments(column: pa.Array, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Times in microseconds, and which are there."""
    column = plain(column)
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False).cast(pa.int64())
    elif pa.types.is_null(column.type):
        column = column.cast(pa.int64())
    if not pa.types.is_integer(column.type) or pa.types.is_uint64(column.type):
        raise DataError(
            f"column {name!r} is of type {column.type}", fix="Give timestamps or int64 microseconds."
        )
    return np.asarray(column.cast(pa.int64()).fill_null(0)), np.asarray(column.is_valid())


def _is_category(type_: pa.DataType) -> bool:
    test = pa.types
    if test.is_dictionary(type_):
        return _is_category(type_.value_type) or test.is_integer(type_.value_type)
    tests = (
        test.is_string,
        test.is_large_string,
        test.is_string_view,
        test.is_binary,
        test.is_boolean,
        test.is_null,
    )
    return any(one(type_) for one in tests)


def _is_events(type_: pa.DataType) -> bool:
    if not (pa.types.is_list(type_) or pa.types.is_large_list(type_)) or not pa.types.is_struct(
        type_.value_type
    ):
        return False
    return {"kind", "time"} <= {field.name for field in type_.value_type}


def _meta(schema: pa.Schema, path: Path) -> dict[str, Any]:
    """What thence wrote beside the rows; nothing where another hand did."""
    text = (schema.metadata or {}).get(META)
    if text is None:
        return {}
    try:
        kept = json.loads(text)
        found = {
            "window": int(kept["window"]),
            "until": int(kept["until"]),
            "kinds": [str(kind) for kind in kept["kinds"]],
            "buckets": {str(name): int(count) for name, count in kept["buckets"].items()},
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError("what thence wrote beside the rows is torn", where=path) from error
    if found["window"] <= 0 or any(not 0 < count < 2**31 for count in found["buckets"].values()):
        raise DataError("what thence wrote beside the rows is out of range", where=path)
    if found["until"] == NEVER:
        del found["until"]
    return found


def write_exposures(exposures: Exposures, path: str | Path) -> None:
    """Write exposures in the exposure schema, as far as they are known.

    Args:
        exposures: up to their clock; window, clock and codes are kept in the file's metadata.
        path: the file, which is replaced.

    Raises:
        DataError: two columns have the same name, or one is named as a column of the schema.

    Example:
        >>> import tempfile
        >>> shown = Exposures.make([0, 9], [4, NEVER], window=5, until=20)
        >>> with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        ...     write_exposures(shown, file.name)
        ...     read_exposures(file.name).exposures
        Exposures(2 exposures, 1 converted so far, window 5.78704e-11 d, known until 1970-01-01T00:00:00Z)
    """
    features = exposures.features
    names = features.names
    if len(set(names)) < len(names) or {TIME, END, ID, ENGAGEMENT} & set(names):
        raise DataError(f"columns {names} cannot stand beside each other", fix="Rename them.")
    kinds = exposures.engagement.kinds
    kept = {
        "window": exposures.window,
        "until": exposures.until,
        "kinds": kinds,
        "buckets": dict(zip(names, features.buckets, strict=False)),
    }
    types = [pa.int32()] * len(features.buckets) + [pa.float32()] * features.numbers.shape[1]
    entries = [(TIME, pa.int64()), (END, pa.int64()), *zip(names, types, strict=True)]
    schema = pa.schema([*entries, (ENGAGEMENT, EVENTS)] if kinds else entries)
    schema = schema.with_metadata({META: json.dumps(kept).encode()})
    with pq.ParquetWriter(Path(path), schema) as sink:
        for batch in _batches(exposures, schema):
            sink.write_batch(batch)


def _batches(exposures: Exposures, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    features, events = exposures.features, exposures.engagement
    seen = np.flatnonzero(events.time < exposures.until)
    owner, names = events.owner[seen], pa.array(events.kinds, pa.string())
    for at in range(0, len(exposures), ROWS):
        part = slice(at, at + ROWS)
        time, end = exposures.time[part], exposures.conversion_time[part]
        columns = [pa.array(time), pa.array(end, mask=end == NEVER)]
        columns += [pa.array(column) for column in features.codes[part].T]
        columns += [pa.array(column, from_pandas=True) for column in features.numbers[part].T]
        if events.kinds:
            offsets = np.searchsorted(owner, np.arange(at, at + len(time) + 1))
            mine = seen[offsets[0] : offsets[-1]]
            kind = names.take(pa.array(events.kind[mine].astype(np.int64)))
            rows = pa.StructArray.from_arrays([kind, pa.array(events.time[mine])], names=["kind", "time"])
            columns.append(pa.ListArray.from_arrays(pa.array((offsets - offsets[0]).astype(np.int32)), rows))
        yield pa.record_batch(columns, schema=schema)
