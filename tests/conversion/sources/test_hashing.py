"""Buckets that are the same everywhere, spread evenly and never depend on other rows."""

import numpy as np
import pyarrow as pa
import pytest

from thence.base.errors import ConfigError, DataError
from thence.conversion.sources.hashing import describe, hashed, signed_log


def test_the_form_in_which_values_come_does_not_matter() -> None:
    words = ["red", None, "blue", "", "red"]
    found = hashed(words, 1000, "colour")
    for other in (
        pa.array(words),
        pa.array(words, pa.large_string()),
        pa.array(words).dictionary_encode(),
        pa.chunked_array([words[:2], words[2:]]),
        pa.array([None if word is None else word.encode() for word in words], pa.binary()),
    ):
        np.testing.assert_array_equal(hashed(other, 1000, "colour"), found)
    ints = np.array([3, 0, -7, 3])
    for kind in (np.int8, np.int32, np.int64):
        np.testing.assert_array_equal(hashed(ints.astype(kind), 50, "k"), hashed(ints.tolist(), 50, "k"))
    assert hashed([True, None, False], 9).tolist()[1] == 0


def test_rows_alone_have_the_buckets_that_they_have_together() -> None:
    words = [f"w{k % 37}" for k in range(200)]
    whole = hashed(words, 64, "x")
    np.testing.assert_array_equal(whole, [hashed([word], 64, "x")[0] for word in words])
    np.testing.assert_array_equal(whole[60:], hashed(words[60:], 64, "x"))


def test_buckets_are_filled_evenly_and_bucket_zero_only_by_the_unknown() -> None:
    for values in (np.arange(64_000), [f"user {k}" for k in range(64_000)]):
        counts = np.bincount(hashed(values, 65, "u"), minlength=65)
        assert counts[0] == 0
        chi2 = float(((counts[1:] - 1000) ** 2 / 1000).sum())  # 63 degrees of freedom: mean 63, sd 11
        assert 25 < chi2 < 115


def test_columns_collide_otherwise() -> None:
    one, other = (hashed(np.arange(2000), 50, name) for name in ("a", "b"))
    assert 10 < (one == other).sum() < 90  # 2000 / 49 = 41 by chance


def test_what_is_no_category_is_refused() -> None:
    with pytest.raises(DataError, match="no categories"):
        hashed([0.5])
    with pytest.raises(ConfigError, match="at least two"):
        hashed(["a"], 1)
    with pytest.raises(DataError, match="no numbers"):
        describe({}, {"price": ["a"]})
    with pytest.raises(DataError, match="rows"):
        describe({"a": [1, 2]}, {"b": [1.0]})


def test_numbers_are_tamed_and_the_unknown_stays_so() -> None:
    found = signed_log([np.nan, -np.e + 1, 0, np.e - 1])
    assert np.isnan(found[0]) and found[1:].round(6).tolist() == [-1, 0, 1]
    both = describe({"a": ["x", None]}, {"b": [None, 2]}, buckets={"a": 7})
    assert both.buckets == (7,) and np.isnan(both.numbers[0, 0]) and both.numbers[1, 0] == 2
