"""Files in the format of the Criteo conversion log, made here: what is read, what is refused."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from thence.base.errors import DataError
from thence.conversion.exposures import NEVER
from thence.conversion.sources.criteo import read_criteo
from thence.conversion.sources.hashing import hashed
from thence.events.clock import DAY, SECOND


def line(click, conversion="", ints=range(8), categories="abcdefghi") -> str:
    return "\t".join(str(value) for value in (click, conversion, *ints, *categories)) + "\n"


def test_a_line_becomes_an_exposure(tmp_path) -> None:
    path = tmp_path / "data.txt"
    path.write_text(
        line(50, 50, [3, "", -1, 0, 0, 0, 0, 0]) + line(10, 70, categories=["", *"bcdefghi"]) + line(5_000)
    )
    shown, report = read_criteo(path, window=1000 * SECOND, start=DAY, buckets=500)
    assert report.read == report.accepted == 3 and shown.until == DAY + 5_001 * SECOND
    assert shown.time.tolist() == [DAY + second * SECOND for second in (10, 50, 5_000)]
    assert shown.conversion_time.tolist() == [DAY + 70 * SECOND, DAY + 50 * SECOND + 1, NEVER]
    assert shown.features.codes[:, 0].tolist() == [0, *[hashed(["a"], 500, "category 1")[0]] * 2]
    assert shown.features.buckets == (500,) * 9 and len(shown.features.names) == 17
    np.testing.assert_allclose(shown.features.numbers[1, :3], [np.log(4), np.nan, -np.log(2)], rtol=1e-6)


def test_bad_lines_are_counted_and_the_others_read(tmp_path) -> None:
    path = tmp_path / "data.txt"
    good = line(10, 70) + line(5_000)
    bad = [
        line(80, 70),
        line("", 5),
        line("x"),
        line(5, "1.5"),
        line(5, "", ["a"] * 8),
        line(10**12),
        line(-4),
        "1\t2\n",
    ]
    path.write_text(bad[0] + good + "".join(bad[1:]))
    shown, report = read_criteo(path, window=1000 * SECOND)
    assert len(shown) == 2 and report.read == 10 and report.accepted == 2
    assert dict(report.refused) == {
        "not a number": 3,
        "time out of range": 2,
        "conversion before its exposure": 1,
        "no time": 1,
        "not 19 columns": 1,
    }


def test_compressed_and_in_many_chunks_it_is_the_same(tmp_path, monkeypatch) -> None:
    rng = np.random.default_rng(1)
    click, delay = rng.integers(0, 60 * 86_400, 5_000), rng.integers(0, 20 * 86_400, 5_000)
    text = "".join(
        line(c, c + d if d % 5 == 0 else "", rng.integers(-1, 99, 8), rng.integers(0, 9, 9))
        for c, d in zip(click, delay, strict=True)
    )
    (tmp_path / "a.txt").write_text(text)
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(text.encode(), 1))
    one, report = read_criteo(tmp_path / "a.txt")
    monkeypatch.setattr("thence.conversion.sources.criteo.CHUNK_BYTES", 10_000)
    other, _ = read_criteo(tmp_path / "a.txt.gz")
    assert report.accepted == 5_000 and abs(one.converted.mean() - 0.2) < 0.02
    for name in ("time", "conversion_time"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    np.testing.assert_array_equal(one.features.codes, other.features.codes)
    np.testing.assert_array_equal(one.features.numbers, other.features.numbers)
    order = np.argsort(click, kind="stable")
    np.testing.assert_array_equal(one.time, click[order] * SECOND)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300), st.booleans())
def test_random_bytes_are_refused(tmp_path, data: bytes, packed: bool) -> None:
    path = tmp_path / ("x.gz" if packed else "x.txt")
    path.write_bytes(data)
    with pytest.raises(DataError):
        read_criteo(path)


def test_logs_that_nothing_can_be_learned_from(tmp_path) -> None:
    path = tmp_path / "data.txt"
    for text, said in (
        (line(0, 5) + line(9), "longer than the log"),
        (line(0) + line(99 * 86_400), "no exposure converted"),
        (line(9, 5), "no click was accepted.*conversion before"),
    ):
        path.write_text(text)
        with pytest.raises(DataError, match=said):
            read_criteo(path)
    with pytest.raises(DataError, match="no such file"):
        read_criteo(tmp_path / "absent.txt")
    (tmp_path / "cut.txt.gz").write_bytes(gzip.compress(line(0, 5).encode() * 999)[:-30])
    with pytest.raises(DataError):
        read_criteo(tmp_path / "cut.txt.gz")
