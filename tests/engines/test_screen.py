"""The rules as expressions against the rules of ``ingest``, on DuckDB; Spark runs the same in test_spark.py."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tests.engines.raw import GOOD, ODD, RAW, RAW_ITEMS, compared

from thence.base.errors import ConfigError, DataError
from thence.events import EventLog, IngestOptions, ingest
from thence.events import engine as engines
from thence.events.screen import screen

UTC = dt.UTC


def on_duckdb(table: pa.Table):
    return engines.table_of(engines.connect(), "raw", table)


def check(table, folder, options=None, event=None):
    options = options or IngestOptions()
    report = ingest(table, folder / "log", options=options, event=event)
    found = screen(on_duckdb(table), options, event=event)
    compared(found, folder / "log", report)
    return found


def test_every_kind_of_bad_row_and_what_is_saved(tmp_path):
    found = check(RAW, tmp_path)
    assert len(found.report.reasons) >= 14 and found.report.duplicates
    found.save(tmp_path / "again", RAW_ITEMS)
    ingest(RAW, tmp_path / "whole", items=RAW_ITEMS)
    ours, theirs = EventLog.load(tmp_path / "again"), EventLog.load(tmp_path / "whole")
    assert ours.fingerprint == theirs.fingerprint and repr(ours) == repr(theirs)
    assert found.log(RAW_ITEMS).fingerprint == theirs.fingerprint


WILD = {name: [value, *ODD.get(name, ())] for name, value in GOOD.items()}
WILD["event"] = [value for value in WILD["event"] if value is None or not value.startswith("\u00a0")]
ROW = st.fixed_dictionaries(
    {name: st.just(GOOD[name]) | st.sampled_from(values) for name, values in WILD.items()}
)


@given(rows=st.lists(ROW, min_size=1, max_size=60), unit=st.sampled_from([None, "s", "ms", "us", "ns"]))
@settings(max_examples=4, phases=[Phase.generate])
def test_any_mixture_of_values(rows, unit, tmp_path_factory):
    table = pa.Table.from_pylist(rows + rows[:2], RAW.schema)
    check(table, tmp_path_factory.mktemp("any"), IngestOptions(time_unit=unit))


TEXT = st.text("0123456789-/:.,TZtz +UC", max_size=24) | st.datetimes().map(str) | st.floats().map(str)
NUMBER = st.from_regex(r"[+-]?[0-9]{0,20}\.?[0-9]{0,12}(e-?[0-9]{1,3})?", fullmatch=True)


@given(texts=st.lists(TEXT | NUMBER, min_size=20, max_size=200))
@settings(max_examples=4, phases=[Phase.generate])
def test_any_text_as_a_timestamp_or_a_price(texts, tmp_path_factory):
    size = len(texts)
    table = pa.table({"timestamp": texts + ["5"] * size, "price": ["1"] * size + texts})
    table = table.append_column("user_id", pa.array(["a"] * 2 * size))
    table = table.append_column("item_id", pa.array([str(at) for at in range(2 * size)]))
    check(table, tmp_path_factory.mktemp("text"), IngestOptions(time_unit="s"), event="view")


@pytest.mark.parametrize(
    "times",
    [
        pa.array([1_704_067_200, 1_704_067_201, 5, None, -5], pa.int32()),
        pa.array([1_704_067_200_123, 5, -(2**62), 2**62, None]),
        pa.array([1_704_067_200_123_456_789, 1_704_067_200_123_456_001, 7, 0, None]),
        pa.array([1_704_067_200_123_456, 1_704_067_200_123_457, 2**64 - 1, 1, None], pa.uint64()),
        pa.array([1_704_067_200.5, 1_704_067_200.1234565, float("nan"), float("inf"), 1e300]),
        pa.array([9e18, -9e19, -0.0, None, 1_704_067_200.5]),
        pa.array([1, 2, 3, 49_999_999_999, 50_000_000_001 + 10**11]),
        pa.array([dt.datetime(2024, 1, 1, 0, 0, 0, 1), dt.datetime(1960, 1, 1), None] * 2, pa.timestamp("us"))[
            :5
        ],
        pa.array([dt.datetime(2024, 1, 1, tzinfo=UTC), dt.datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)] * 3)[
            :5
        ],
        pa.array([1_704_067_200_123_456_789, -1, None, 0, 1], pa.timestamp("ns")),
        pa.array([dt.date(2024, 1, 1), dt.date(1960, 1, 1), None, dt.date(1970, 1, 1), dt.date(9999, 1, 1)]),
        pa.nulls(5),
    ],
    ids=lambda times: f"{times.type} {times[0]}",
)
def test_timestamps_of_any_type(times, tmp_path):
    table = pa.table({"timestamp": times, "user_id": ["a"] * 5, "item_id": ["b"] * 5})
    check(table, tmp_path, event="view")


@pytest.mark.parametrize("unit", ["s", "ns"])
def test_a_stated_unit_counts(unit, tmp_path):
    times = pa.array([1_704_067_200_123, 5, -(2**62), 2**62, None])
    table = pa.table({"timestamp": times, "user_id": ["a"] * 5, "item_id": ["b"] * 5})
    check(table, tmp_path, IngestOptions(time_unit=unit), event="view")


def test_columns_of_other_types(tmp_path):
    table = pa.table(
        {
            "timestamp": [1_704_067_200] * 6,
            "user_id": pa.array([1.0, 2.0, None, float("nan"), float("inf"), 1.0]),
            "item_id": pa.array([b"ok", b"\xff", None, b"", b"x", b"ok"]),
            "event": ["view"] * 6,
            "order_id": pa.array([5, 5, None, 7, 8, 5], pa.int16()),
            "price": pa.array([1.5, -1.0, None, 2.25, 0.0, 1.5], pa.float32()),
            "quantity": pa.array(["1.10", None, "2.00", "3.00", "-4.05", "1.10"]).cast(pa.decimal128(9, 2)),
            "discount": pa.array([1, None, -3, 4, 5, 1], pa.int8()),
            "flag": [True, None, False, True, True, True],
            "day": [dt.date(2024, 1, 1)] * 6,
            "when": pa.array([dt.datetime(2024, 1, 1, 5, tzinfo=UTC)] * 6),
            "share": pa.array([0.5, float("nan"), -0.0, 1.0, 2.0, 0.5], pa.float32()),
            "small": pa.array([1, None, 3, 4, 5, 1], pa.uint8()),
            "reason": ["theirs"] * 6,
        }
    )
    found = check(table, tmp_path)
    assert dict(found.report.reasons) == {"invalid UTF-8": 1, "user_id missing": 3}
    assert found.quarantined.raw_reason.to_pyarrow().to_pylist() == ["theirs"] * 4


def test_names_and_a_constant_event():
    table = on_duckdb(pa.table({"when": ["2024-01-05"], "customer": ["ann"], "item_id": ["tea"]}))
    found = screen(table, event="purchase", rename={"when": "timestamp", "customer": "user_id"})
    assert found.log().count() == 1 and found.accepted.event.to_pyarrow().to_pylist() == ["purchase"]
    with pytest.raises(DataError, match="column 'timestamp' is missing"):
        screen(table, event="purchase")
    with pytest.raises(DataError, match="no column 'wen' to rename"):
        screen(table, event="purchase", rename={"wen": "timestamp"})
    with pytest.raises(ConfigError, match="Did you mean 'purchase'"):
        screen(table, event="purchases", rename={"when": "timestamp", "customer": "user_id"})


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("timestamp", [True], "are no timestamps"),
        ("user_id", [dt.date(2024, 1, 1)], "are no ids"),
        ("price", [True], "are no numbers"),
        ("tags", [["a"]], "leave it out"),
    ],
)
def test_types_that_cannot_be_judged_are_refused(column, values, message):
    row = {"timestamp": [5], "user_id": ["a"], "item_id": ["b"], "event": ["view"], column: values}
    with pytest.raises(DataError, match=message):
        screen(on_duckdb(pa.table(row)))


def test_a_table_with_the_types_of_a_log_is_tidied_where_it_needs_it():
    row = {"timestamp": [5, 6], "user_id": ["a"] * 2, "item_id": ["b"] * 2, "event": [" View", "cart"]}
    full = row | {"order_id": [" ", "o"], "price": [1.0] * 2, "quantity": [1.0] * 2, "discount": [0.0] * 2}
    table = on_duckdb(pa.table(full | {"tags": [["x"], ["y"]]}))
    log = EventLog.from_tables(table)
    rows = log.events.order_by("timestamp").to_pyarrow().to_pylist()
    assert [row["event"] for row in rows] == ["view", "cart"] and [row["order_id"] for row in rows] == [
        None,
        "o",
    ]
    assert [row["tags"] for row in rows] == [["x"], ["y"]]
    neat = table.mutate(event=table.event.strip().lower(), order_id=table.item_id)
    assert EventLog.from_tables(neat).events is neat  # nothing to tidy: as it came
