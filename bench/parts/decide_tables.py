"""Rows that decisions are measured on, from ``$THENCE_DATA/ctr``, the package obp and the demo's shop.

Where a set is in the order of time, models are trained on its earliest rows, and what decides is fitted to,
tested on and judged by the others in random parts; elsewhere all parts are drawn at random.
"""

from __future__ import annotations

import gzip
import importlib.util
import io
import os
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv

from thence.base.errors import DataError
from thence.base.rng import generator
from thence.conversion.features import Features
from thence.conversion.sources.coupons import coupon_offers
from thence.conversion.sources.cross_sell import cross_sell
from thence.decide.uncertainty.evidence import cells
from thence.events.clock import DAY

CENSUS_NUMBERS = (0, 5, 16, 17, 18, 30, 39)
"""Age, wage an hour, capital gains and losses, dividends, size of the employer, weeks worked."""
CENSUS_WEIGHT, CENSUS_LABEL = 24, 41
CENSUS_CELLS = ((4, 3), (2, 4, 12), (0, 7, 12), (1, 15, 19), (3, 39))
"""Education × occupation; industry × education × sex; age × marriage × sex; class × work × tax; and weeks."""
FLIGHT_WORDS = ("carrier", "tailnum", "origin", "dest", "flight", "month", "hour")
FLIGHT_NUMBERS = ("sched_dep_time", "sched_arr_time", "distance", "minute")
LATE = 60
FIRST_WEEKS = 56 * DAY
CROSS_ROWS = 300_000
"""So many of the demo's 993,227 exposures are drawn."""


@dataclass(frozen=True, eq=False)
class Table:
    """Rows with final labels.

    Args:
        features: what a model sees.
        label: ``[n]`` bool.
        ids: ``[n, columns]`` whose training examples are counted.
        ordered: whether the rows are in the order of time.
    """

    features: Features
    label: np.ndarray
    ids: np.ndarray
    ordered: bool


def table(name: str) -> Table:
    """One of :data:`TABLES`."""
    return TABLES[name]()


@lru_cache(1)
def census_kdd() -> Table:
    """KDD Census-Income: 299,285 persons, 6.2 % earn more than 50,000; the instance weight is dropped."""
    folder = _data() / "census_kdd"
    parts = []
    for part in ("train", "test"):
        with gzip.open(folder / f"census_income_1994_1995_{part}.csv.gz") as raw:
            read = csv.ReadOptions(autogenerate_column_names=True)
            words = csv.ConvertOptions(column_types={f"f{k}": pa.string() for k in range(42)})
            parts.append(csv.read_csv(io.BytesIO(raw.read()), read, convert_options=words))
    rows = pa.concat_tables(parts)
    columns = [pc.utf8_trim_whitespace(rows[f"f{k}"]) for k in range(42)]
    label = np.asarray(pc.starts_with(columns[CENSUS_LABEL], "50000+"))
    numbers = [np.asarray(pc.cast(columns[k], pa.float64())) for k in CENSUS_NUMBERS]
    words = [k for k in range(41) if k not in (*CENSUS_NUMBERS, CENSUS_WEIGHT)]
    every = np.stack([_codes(columns[k]) for k in range(41)], 1)
    every[:, 0] //= 5
    return Table(_features(every[:, words], numbers), label, cells(every, CENSUS_CELLS), False)


@lru_cache(1)
def nycflights13() -> Table:
    """Departures from New York in 2013: 8.65 % arrive 60 minutes late or more.

    Known before departure, and seen: carrier, tail, origin, destination, flight number, month, scheduled hour
    and minute, scheduled arrival, distance, weekday. Not seen: what it did (``dep_time``, ``dep_delay``,
    ``arr_time``, ``air_time``) and the day, which would let a random split tell of a day's weather.
    """
    with zipfile.ZipFile(_data() / "nycflights13" / "flights.csv.zip") as pack:
        rows = csv.read_csv(io.BytesIO(pack.read(pack.namelist()[0])))
    late = rows["arr_delay"]
    if not pa.types.is_integer(late.type) and not pa.types.is_floating(late.type):
        late = pc.cast(pc.if_else(pc.equal(late, "NA"), None, late), pa.float64())
    kept = pc.is_valid(late)
    rows, late = rows.filter(kept), np.asarray(late.filter(kept))
    codes = [_codes(pc.cast(rows[name], pa.string())) for name in FLIGHT_WORDS]
    day = np.asarray(rows["month"]).astype("m8[M]") + np.datetime64("2012-12", "M")
    date = day.astype("M8[D]") + (np.asarray(rows["day"]) - 1)
    weekday = (date.astype(np.int64) + 3) % 7
    codes = np.stack([*codes, weekday], 1)
    numbers = [np.asarray(rows[name], np.float64) for name in FLIGHT_NUMBERS]
    place = {name: k for k, name in enumerate(FLIGHT_WORDS)}
    ids = np.hstack(
        [codes, cells(codes, [(place["carrier"], place["flight"]), (place["dest"], place["hour"])])]
    )
    return Table(_features(codes, numbers), late >= LATE, ids, False)


@lru_cache(1)
def open_bandit() -> Table:
    """The sample of the Open Bandit Dataset: 60,000 impressions, 287 clicks.

    Read from the installed package obp, or from what ``THENCE_OBP`` names: its wheel, or a folder with ``obd``.
    """
    found = []
    for policy in ("bts", "random"):
        for campaign in ("all", "men", "women"):
            rows = csv.read_csv(io.BytesIO(_obd(f"{policy}/{campaign}/{campaign}.csv")))
            items = np.asarray(rows["item_id"])
            affinity = np.stack([np.asarray(rows[name]) for name in rows.column_names if "affinity" in name], 1)
            words = {
                "item": pa.array([f"{campaign} {item}" for item in items]),
                "place": pc.cast(rows["position"], pa.string()),
                "policy": pa.array([policy] * len(items)),
                "hour": pc.utf8_slice_codeunits(pc.cast(rows["timestamp"], pa.string()), 11, 13),
                **{f"user {k}": rows[f"user_feature_{k}"] for k in range(4)},
            }
            told = pa.table(words).append_column("liking", pa.array(affinity[np.arange(len(items)), items]))
            found.append(told.append_column("click", rows["click"]))
    rows = pa.concat_tables(found)
    codes = np.stack([_codes(rows[name]) for name in rows.column_names[:-2]], 1)
    ids = np.hstack([codes, cells(codes, [(4, 5, 6, 7)])])
    return Table(_features(codes, [np.asarray(rows["liking"])]), np.asarray(rows["click"]) == 1, ids, False)


@lru_cache(1)
def coupons() -> Table:
    """The demo's coupon offers: 5,657, of which 13.2 % are redeemed; in the order of time."""
    made = coupon_offers()
    codes = made.features.codes
    groups = [(0, 1), (0, 2, 3), tuple(range(codes.shape[1]))]
    return Table(made.features, made.converted, np.hstack([codes, cells(codes, groups)]), True)


@lru_cache(1)
def cross_sell_all() -> Table:
    """The demo's cross-sell and repurchase, 300,000 of 993,227 drawn at random: 52.9 % in 28 days; ordered."""
    made = cross_sell()
    rows = np.sort(generator(0, "bench", "cross-sell").permutation(len(made))[:CROSS_ROWS])
    return _shop(made.features.take(rows), made.converted[rows])


@lru_cache(1)
def cross_sell_trials() -> Table:
    """The demo's first baskets with a category, those of the log's first eight weeks (mostly none) left out.

    In the order of time.
    """
    made = cross_sell(trials=True)
    rows = np.flatnonzero(made.time >= made.time[0] + FIRST_WEEKS)
    return _shop(made.features.take(rows), made.converted[rows])


TABLES = {
    "census_kdd": census_kdd,
    "nycflights13": nycflights13,
    "open_bandit": open_bandit,
    "coupons": coupons,
    "cross_sell": cross_sell_all,
    "cross_sell_trials": cross_sell_trials,
}


def _shop(features: Features, label: np.ndarray) -> Table:
    """Category, household and store, and category × household."""
    pick = [features.names.index(name) for name in ("category", "household", "store")]
    ids = np.hstack([features.codes[:, pick], cells(features.codes, [pick[:2]], 1 << 20)])
    return Table(features, label, ids, True)


def _features(codes: np.ndarray, numbers: list[np.ndarray]) -> Features:
    buckets = tuple(int(size) + 1 for size in codes.max(axis=0))
    tamed = np.stack([np.sign(column) * np.log1p(np.abs(column)) for column in numbers], 1)
    return Features(codes.astype(np.int32), tamed.astype(np.float32), buckets)


def _codes(column: pa.ChunkedArray | pa.Array) -> np.ndarray:
    """Places in the sorted list of a column's values; the same in every run."""
    values = np.asarray(pc.fill_null(column, "").to_pylist() if column.null_count else column.to_pylist())
    return np.unique(values, return_inverse=True)[1]


def _data() -> Path:
    place = os.environ.get("THENCE_DATA")
    if place is None:
        raise DataError("THENCE_DATA is not set", fix="Set it to the folder that holds ctr/.")
    return Path(place) / "ctr"


def _obd(name: str) -> bytes:
    given = os.environ.get("THENCE_OBP")
    if given and Path(given).is_file():
        with zipfile.ZipFile(given) as wheel:
            return wheel.read(f"obp/dataset/obd/{name}")
    spec = importlib.util.find_spec("obp")
    if given is None and (spec is None or not spec.submodule_search_locations):
        raise DataError("the package obp is absent", fix="pip install --no-deps obp==0.4.1, or set THENCE_OBP.")
    folder = Path(given) if given else Path(next(iter(spec.submodule_search_locations))) / "dataset"  # type: ignore
    return (folder / "obd" / name).read_bytes()
