"""The exposure schema: what is read is what was written, what is refused is counted, what is torn is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from thence.base.errors import ConfigError, DataError
from thence.conversion.engagement import Engagement
from thence.conversion.exposures import NEVER, Exposures
from thence.conversion.features import Features
from thence.conversion.sources.hashing import hashed
from thence.conversion.sources.table import read_exposures, write_exposures
from thence.events.clock import DAY

EVENT = pa.list_(pa.struct([("kind", pa.string()), ("time", pa.int64())]))


def rows(**columns) -> pa.Table:
    """Four exposures, the second of which converts; any column may be given otherwise."""
    table = {
        "time": [0, DAY, 2 * DAY, 9 * DAY],
        "conversion_time": pa.array([None, 2 * DAY, None, None], pa.int64()),
    }
    return pa.table({**table, "item": ["a", "b", "a", None], **columns})


def saved(folder: Path, table: pa.Table) -> Path:
    pq.write_table(table, folder / "exposures.parquet")
    return folder / "exposures.parquet"


def test_columns_become_features_by_their_types(tmp_path) -> None:
    table = rows(
        shop=pa.array([1, 2, None, 2], pa.int32()),
        price=[1.5, None, float("nan"), 2.0],
        age=pa.array([7, None, 8, 9]),
        brand=pa.array(["x", "y", "x", "x"]).dictionary_encode(),
    )
    shown, report = read_exposures(
        saved(tmp_path, table), window=2 * DAY, numeric=["age"], buckets={"item": 50}
    )
    assert report.read == report.accepted == 4 and not report.refused
    assert shown.features.names == ("item", "shop", "brand", "price", "age")
    np.testing.assert_array_equal(shown.features.codes[:, 0], hashed(["a", "b", "a", None], 50, "item"))
    np.testing.assert_array_equal(shown.features.numbers, [[1.5, 7], [np.nan, np.nan], [np.nan, 8], [2, 9]])
    assert shown.until == 9 * DAY + 1 and shown.converted.tolist() == [False, True, False, False]
    stamped = table.set_column(
        0, "time", table["time"].cast(pa.timestamp("us")).cast(pa.timestamp("ms", "Asia/Tokyo"))
    )
    again, _ = read_exposures(saved(tmp_path, stamped), window=2 * DAY, numeric=["age"], buckets={"item": 50})
    np.testing.assert_array_equal(again.time, shown.time)


def test_every_fault_is_counted_once(tmp_path) -> None:
    table = pa.table(
        {
            "exposure_id": ["r", "s", "s", "t", None, None, "u", "v"],
            "time": [0, DAY, DAY, None, 3 * DAY, 2**60, 4 * DAY, 9 * DAY],
            "conversion_time": pa.array([0, 0, None, DAY, 4 * DAY, None, None, None], pa.int64()),
            "price": [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, float("inf"), 1.0],
        }
    )
    shown, report = read_exposures(saved(tmp_path, table), window=2 * DAY)
    assert (report.read, report.accepted) == (8, 3) and report.read == report.accepted + sum(
        report.refused.values()
    )
    assert dict(report.refused) == {
        "conversion before its exposure": 1,  # the first row of id s, so the second stands as a repeated id
        "repeated id": 1,
        "no time": 1,
        "time out of range": 1,
        "infinite number": 1,
    }
    assert "8 read = 3 accepted + 5 refused; " in repr(report)
    assert shown.conversion_time.tolist() == [1, 4 * DAY, NEVER]  # at the same microsecond: one later


def test_engagement_is_refused_event_by_event(tmp_path) -> None:
    events = [
        [{"kind": "cart", "time": DAY}, {"kind": "look", "time": 5}, {"kind": "cart", "time": None}],
        None,
        [{"kind": "cart", "time": DAY}, {"kind": None, "time": 3 * DAY}, {"kind": "cart", "time": 3 * DAY}],
        [],
    ]
    path = saved(tmp_path, rows(engagement=pa.array(events, EVENT)))
    shown, report = read_exposures(path, window=2 * DAY, kinds=["cart"])
    assert dict(report.events) == {"without kind or time": 2, "of an unknown kind": 1, "before its exposure": 1}
    assert shown.engagement.kinds == ("cart",) and shown.engagement.owner.tolist() == [0, 2]
    assert shown.engagement.time.tolist() == [DAY, 3 * DAY] and report.accepted == 4
    assert set(read_exposures(path, window=2 * DAY).exposures.engagement.kinds) >= {"cart", "look"}


def test_what_was_written_is_read_again(tmp_path) -> None:
    rng = np.random.default_rng(0)
    time = np.sort(rng.integers(0, 50 * DAY, 500))
    ends = np.where(rng.random(500) < 0.4, time + rng.integers(1, 9 * DAY, 500), NEVER)
    numbers = np.where(rng.random((500, 2)) < 0.2, np.nan, rng.normal(size=(500, 2)))
    features = Features(rng.integers(0, 30, (500, 3)), numbers, (30, 40, 50), tuple("abcde"))
    owner = rng.integers(0, 500, 900)
    engagement = Engagement.make(
        ["x", "y"], owner, rng.integers(0, 2, 900), time[owner] + rng.integers(0, 5 * DAY, 900)
    )
    whole = Exposures.make(time, ends, window=7 * DAY, features=features, engagement=engagement)
    for at in (NEVER, 30 * DAY):
        known = whole.before(at) if at != NEVER else whole
        write_exposures(known, tmp_path / "x.parquet")
        back, report = read_exposures(tmp_path / "x.parquet")
        assert report.accepted == len(known) == len(back) and not report.refused and not report.events
        assert back.window == known.window and back.features.buckets == known.features.buckets
        assert back.until == known.until if at != NEVER else back.until < NEVER
        np.testing.assert_array_equal(back.time, known.time)
        np.testing.assert_array_equal(back.conversion_time, known.conversion_time)
        np.testing.assert_array_equal(back.features.codes, known.features.codes)
        np.testing.assert_array_equal(back.features.numbers, known.features.numbers)
        clock = np.full(len(known), NEVER)
        for mine, theirs in zip(back.engagement.so_far(clock), known.engagement.so_far(clock), strict=True):
            np.testing.assert_array_equal(mine, theirs)


def test_the_order_of_rows_does_not_matter(tmp_path) -> None:
    events = pa.array([[{"kind": "cart", "time": 1}], None, [{"kind": "cart", "time": 3 * DAY}], None], EVENT)
    table = rows(engagement=events)
    straight, _ = read_exposures(saved(tmp_path, table), window=DAY)
    turned, _ = read_exposures(saved(tmp_path, table.take([3, 2, 0, 1])), window=DAY)
    np.testing.assert_array_equal(straight.features.codes, turned.features.codes)
    np.testing.assert_array_equal(straight.engagement.owner, turned.engagement.owner)
    early, _ = read_exposures(saved(tmp_path, table), window=DAY, until=3 * DAY)
    assert (
        len(early) == 3
        and early.until == 3 * DAY
        and (early.engagement.so_far(early.time + DAY)[1] < 3 * DAY).all()
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"conversion_time": pa.nulls(4, pa.int64())}, "no exposure converted"),
        ({"conversion_time": pa.array([1, 2 * DAY, 3 * DAY, 9 * DAY + 5])}, "all exposures converted"),
        ({"time": pa.array([1.5, 2, 3, 4])}, "timestamps or int64"),
        ({"time": pa.nulls(4, pa.int64())}, "no exposure was accepted.*no time: 4"),
        ({"when": pa.array([None] * 4, pa.date32())}, "'when' of type date32.* is of no use"),
        ({"engagement": [["cart"]] * 4}, "no list of structs"),
    ],
)
def test_tables_of_no_use_are_refused(tmp_path, change, said) -> None:
    with pytest.raises(DataError, match=said):
        read_exposures(saved(tmp_path, rows(**change)), window=2 * DAY)


def test_windows_and_columns_must_fit(tmp_path) -> None:
    path = saved(tmp_path, rows())
    with pytest.raises(DataError, match=r"window of 30 d is longer than the log's 9 d"):
        read_exposures(path, window=30 * DAY)
    with pytest.raises(ConfigError, match="no attribution window"):
        read_exposures(path)
    with pytest.raises(ConfigError, match=r"'itme'.*'item'"):
        read_exposures(path, window=DAY, numeric=["itme"])
    with pytest.raises(DataError, match="'conversion_time' is missing"):
        read_exposures(saved(tmp_path, rows().drop_columns("conversion_time")), window=DAY)
    with pytest.raises(DataError, match="no such file"):
        read_exposures(tmp_path / "absent.parquet", window=DAY)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_random_bytes_are_refused(tmp_path, data: bytes) -> None:
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(DataError):
        read_exposures(tmp_path / "x", window=DAY)


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_torn_file_is_refused_or_read(tmp_path, data) -> None:
    """A cut file is always refused; one with a byte changed is refused or read as what it now says."""
    events = pa.array([[{"kind": "cart", "time": DAY}], None, None, []], EVENT)
    whole = saved(tmp_path, rows(engagement=events, price=[1.0, 2, 3, 4])).read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    path = tmp_path / "torn.parquet"
    path.write_bytes(whole[:place])
    with pytest.raises(DataError):
        read_exposures(path, window=DAY)
    path.write_bytes(
        whole[:place] + bytes([whole[place] ^ data.draw(st.integers(1, 255))]) + whole[place + 1 :]
    )
    try:
        read_exposures(path, window=DAY)
    except DataError as error:
        assert str(path) in str(error) or "column" in str(error)
