"""The log, its clock, its split and its sessions."""

from __future__ import annotations

from datetime import UTC, datetime

import ibis
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thence.base.artifact import open_artifact
from thence.base.errors import ArtifactError, ConfigError, DataError
from thence.events import EventLog, sessions
from thence.events.clock import DAY, MINUTE

ROWS = st.lists(st.tuples(st.integers(0, 200), st.sampled_from("uvw"), st.sampled_from("abc")), max_size=30)
FEW = settings(max_examples=15, deadline=None)


def table(rows):
    return pa.table(
        {
            "timestamp": pa.array([row[0] * MINUTE for row in rows], pa.int64()),
            "user_id": pa.array([row[1] for row in rows], pa.string()),
            "item_id": pa.array([row[2] for row in rows], pa.string()),
            "event": pa.array(["view"] * len(rows), pa.string()),
        }
    )


def triples(log):
    return sorted(
        (r["timestamp"] // MINUTE, r["user_id"], r["item_id"]) for r in log.events.to_pyarrow().to_pylist()
    )


@given(ROWS, st.integers(-5, 205), st.integers(-5, 205))
@FEW
def test_the_clock_shows_exactly_what_was_known(rows, until, start):
    log = EventLog.from_tables(table(rows))
    seen = log.before(until * MINUTE).since(start * MINUTE)
    expected = sorted(row for row in rows if start <= row[0] < until)
    assert triples(seen) == expected
    assert seen.count() == len(expected)
    assert seen.span() == ((expected[0][0] * MINUTE, expected[-1][0] * MINUTE) if expected else (0, 0))
    assert log.count() == len(rows)
    assert seen.before(10_000 * MINUTE).until == until * MINUTE  # a clock cannot be turned forward
    assert triples(seen.since(-1)) == expected


def test_moments_may_be_dates():
    log = EventLog.from_tables(table([(0, "u", "a"), (24 * 60, "u", "b"), (48 * 60, "u", "c")]))
    for moment in (
        "1970-01-02",
        datetime(1970, 1, 2),
        datetime(1970, 1, 2, tzinfo=UTC),
        DAY,
        pd.Timestamp("1970-01-02"),
    ):
        assert triples(log.before(moment)) == [(0, "u", "a")]


@given(ROWS.filter(lambda rows: len({row[0] for row in rows}) > 2), st.data())
@FEW
def test_a_split_cuts_the_log_in_three(rows, data):
    log = EventLog.from_tables(table(rows))
    times = sorted({row[0] for row in rows})
    valid, test = sorted(data.draw(st.lists(st.sampled_from(times[1:]), min_size=2, max_size=2, unique=True)))
    split = log.split(valid=valid * MINUTE, test=test * MINUTE)
    assert triples(split.train) == sorted(row for row in rows if row[0] < valid)
    assert triples(split.valid) == sorted(row for row in rows if valid <= row[0] < test)
    assert triples(split.test) == sorted(row for row in rows if row[0] >= test)
    assert triples(split.known) == sorted(row for row in rows if row[0] < test)
    assert (split.train.until, split.valid.until, split.known.until) == (
        valid * MINUTE,
        test * MINUTE,
        test * MINUTE,
    )


def test_shares_are_of_the_span():
    log = EventLog.from_tables(table([(minute, "u", "a") for minute in range(100)]))
    split = log.split(valid=0.2, test=0.1)
    assert (split.train.count(), split.valid.count(), split.test.count()) == (70, 20, 10)
    assert repr(split) == (
        "TimeSplit(70 train, 20 valid from 1970-01-01T01:09:18Z, 10 test from 1970-01-01T01:29:06Z)"
    )
    for wrong in ({"valid": 1.5}, {"test": 0.0}, {"valid": 0.6, "test": 0.6}, {"valid": DAY, "test": MINUTE}):
        with pytest.raises(ConfigError):
            log.split(**wrong)
    with pytest.raises(DataError, match="empty log"):
        log.before(0).split()


def test_saved_views_are_logs_of_their_own(tmp_path):
    items = pa.table({"item_id": ["a", "b"], "title": ["A", "B"], "shelf": [1, 2]})
    log = EventLog.from_tables(table([(1, "u", "a"), (2, "v", "b"), (2, "v", "b"), (3, "u", "c")]), items)
    log.before(3 * MINUTE).save(tmp_path / "log")
    back = EventLog.load(tmp_path / "log")
    assert triples(back) == [(1, "u", "a"), (2, "v", "b"), (2, "v", "b")]
    assert back.until == 3 * MINUTE
    assert back.items.to_pyarrow()["shelf"].to_pylist() == [1, 2]  # type: ignore[union-attr]
    assert repr(back) == (
        "EventLog(3 events, 2 users, 2 items, 1970-01-01T00:01:00Z to 1970-01-01T00:02:00Z, "
        "known until 1970-01-01T00:03:00Z)"
    )
    assert open_artifact(tmp_path / "log", "eventlog").counts == {"events": 3, "items": 2, "quarantined": 0}
    log.before(0).save(tmp_path / "none")
    assert repr(EventLog.load(tmp_path / "none")) == "EventLog(no events)"
    part = next((tmp_path / "log" / "events").iterdir())
    part.write_bytes(part.read_bytes()[:-1] + b"?")
    with pytest.raises(ArtifactError, match="does not match its digest"):
        EventLog.load(tmp_path / "log")


def test_fingerprints_tell_content_not_order():
    rows = [(1, "u", "a"), (2, "v", "b"), (3, "u", "c")]
    one, other = EventLog.from_tables(table(rows)), EventLog.from_tables(table(rows[::-1]))
    assert one.fingerprint == other.fingerprint
    assert one.before(MINUTE).fingerprint == other.before(MINUTE).fingerprint != one.fingerprint
    assert EventLog.from_tables(table([*rows, rows[0]])).fingerprint != one.fingerprint
    assert EventLog.from_tables(table(rows), pa.table({"item_id": ["a"]})).fingerprint != one.fingerprint
    assert one.since(MINUTE).fingerprint != one.since(2 * MINUTE).fingerprint


def test_tables_of_any_kind_and_their_faults():
    rows = table([(1, "u", "a"), (2, "v", "b")])
    full = EventLog.from_tables(rows).events.to_pyarrow()
    own = ibis.duckdb.connect()
    own.con.register("mine", full)
    for source in (rows, rows.to_pandas(), ibis.memtable(rows), own.table("mine")):
        assert triples(EventLog.from_tables(source)) == [(1, "u", "a"), (2, "v", "b")]
    assert EventLog.from_tables(own.table("mine")).events.get_backend() is own
    bad = rows.set_column(1, "user_id", pa.array([None, "v"])).set_column(
        3, "event", pa.array(["view", "jump"])
    )
    with pytest.raises(DataError, match=r"2 invalid rows \(user_id missing: 1, event unknown: 1\)"):
        EventLog.from_tables(bad)
    with pytest.raises(DataError, match="'item_id' is missing"):
        EventLog.from_tables(rows.drop_columns(["item_id"]))


def literal_sessions(rows, gap):
    """One pass in time order over each user's events."""
    numbered, last, number = [], {}, {}
    for time, user, item in sorted(rows):
        if user not in last:
            number[user] = 0
        elif time - last[user] > gap:
            number[user] += 1
        last[user] = time
        numbered.append((time, user, item, number[user]))
    return sorted(numbered)


@given(ROWS, st.integers(1, 60))
@FEW
def test_sessions_like_one_pass_in_time(rows, gap):
    log = EventLog.from_tables(table(rows))
    for source in (log, log.events):
        found = sessions(source, gap).to_pyarrow().to_pylist()
        assert sorted(
            (r["timestamp"] // MINUTE, r["user_id"], r["item_id"], r["session"]) for r in found
        ) == literal_sessions(rows, gap)


def test_sessions_obey_the_clock_and_the_gap_is_checked():
    log = EventLog.from_tables(table([(0, "u", "a"), (100, "u", "b")]))
    assert sessions(log.before(100 * MINUTE)).count().to_pyarrow().as_py() == 1
    with pytest.raises(ConfigError, match="not positive"):
        sessions(log, 0)


@pytest.mark.parametrize("dialect", ["postgres", "bigquery", "snowflake", "trino"])
def test_the_same_expressions_compile_elsewhere(dialect):
    log = EventLog.from_tables(table([(0, "u", "a")]))
    text = ibis.to_sql(sessions(log.before(DAY).since(0)), dialect=dialect)
    assert "PARTITION BY" in text
    assert str(DAY) in text
