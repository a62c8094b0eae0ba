"""Timestamps in every form, against Python's own datetime."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thence.base.errors import ConfigError, DataError
from thence.events.clock import iso, micros
from thence.events.times import EARLY, LATE, MISSING, UNREADABLE, check_unit, to_micros

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONES = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2262, 1, 1), timezones=st.one_of(st.just(UTC), ZONES))


@given(st.lists(MOMENTS, min_size=1), st.sampled_from(["T", " "]), st.booleans())
@settings(deadline=None)
def test_iso_text_like_datetime(moments, between, comma):
    texts = [moment.isoformat(between) for moment in moments]
    texts = [text.replace(".", ",") if comma else text for text in texts]
    values, faults, _ = to_micros(pa.array(texts), None)
    assert not faults.any()
    assert values.tolist() == [(moment - EPOCH) // timedelta(microseconds=1) for moment in moments]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2017-10-15", "2017-10-15T00:00:00Z"),
        ("2017/10/15 07:30", "2017-10-15T07:30:00Z"),
        (" 2017-10-15T07:30:01Z ", "2017-10-15T07:30:01Z"),
        ("2017-10-15 07:30:01 UTC", "2017-10-15T07:30:01Z"),
        ("2017-10-15T07:30:01.123456789+0130", "2017-10-15T06:00:01Z"),
        ("2000-02-29", "2000-02-29T00:00:00Z"),
    ],
)
def test_forms_of_text(text, expected):
    values, faults, _ = to_micros(pa.array([text]), None)
    assert not faults.any()
    assert iso(values[0]) == expected


@pytest.mark.parametrize(
    "text",
    ["x", "2017", "20171015T00", "2017-02-29", "1900-02-29", "2017-13-01", "2017-00-01", "2017-10-15T24:00",
     "2017-10-15T00:60", "2017-10-15T00:00:60", "2017-10/15", "2017-10-15T00:00:00+25:00",
     "2017-10-15T00:00:00 CET", "2017-10-15T00:00:00.", "--5", "1.2.3", "9" * 40, "+", "."],
)  # fmt: skip
def test_text_that_is_no_time(text):
    assert to_micros(pa.array([text, "2017-10-15"]), "s")[1].tolist() in ([UNREADABLE, 0], [0, 0])
    if text != "2017":
        assert to_micros(pa.array([text]), "s")[1].tolist() == [UNREADABLE]


@pytest.mark.parametrize(("unit", "factor"), [("s", 1), ("ms", 1000), ("us", 10**6), ("ns", 10**9)])
@pytest.mark.parametrize("make", [lambda v: pa.array(v), lambda v: pa.array([str(x) for x in v])])
def test_the_magnitude_tells_the_unit(unit, factor, make):
    seconds = [1_200_000_000, 1_508_025_600, 1_900_000_000]
    values, faults, found = to_micros(make([second * factor for second in seconds]), None)
    assert found == unit
    assert not faults.any()
    assert values.tolist() == [second * 10**6 for second in seconds]


def test_floats_and_decimals_keep_their_fraction():
    for column in (pa.array([1508025600.25, np.nan, None]), pa.array(["1508025600.25", "nan", None])):
        values, faults, _ = to_micros(column, None)
        assert values[0] == 1508025600_250000
        assert faults.tolist() == [0, UNREADABLE, MISSING]


def test_what_int64_cannot_hold_is_late_or_early():
    values, faults, _ = to_micros(pa.array([2**62, -(2**62), 5]), "s")
    assert faults.tolist() == [LATE, EARLY, 0]
    assert values[2] == 5_000_000
    far = pa.array([2**60, 5], pa.int64()).cast(pa.timestamp("s"))
    assert to_micros(far, None)[1].tolist() == [LATE, 0]


def test_arrow_types():
    moment = datetime(2017, 10, 15, 7, 30, tzinfo=UTC)
    for unit in ("s", "ms", "us", "ns"):
        for zone in (None, "UTC", "Europe/Berlin"):
            column = pa.array([moment], pa.timestamp(unit, "UTC")).cast(pa.timestamp(unit, zone))
            assert to_micros(column, None)[0].tolist() == [micros(moment)]
    assert to_micros(pa.array([date(2017, 10, 15)]), None)[0].tolist() == [micros("2017-10-15")]
    with pytest.raises(DataError, match="no timestamps"):
        to_micros(pa.array([True]), None)


def test_moments_of_callers():
    assert micros(5) == 5
    assert micros(np.int64(5)) == 5
    assert micros(date(1970, 1, 2)) == 86_400_000_000
    assert micros("1970-01-01T01:00:00+01:00") == 0
    for wrong in ("soon", True, 1.5, None):
        with pytest.raises(ConfigError, match="is not a time"):
            micros(wrong)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="Did you mean"):
        check_unit("uss")
