"""Features of a catalogue: what is alike is near, what is unknown is nothing, and odd tables do no harm."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest

from thence.encode import features as module
from thence.encode.features import item_features


def likeness(**columns: object) -> np.ndarray:
    """Cosines between the rows of a catalogue's features."""
    x = item_features(pa.table(columns)).toarray()
    return x @ x.T


def test_rows_have_unit_length_or_are_zero() -> None:
    x = item_features(
        pa.table(
            {
                "title": ["red case", None, "", None],
                "category": ["A > B", "A", None, None],
                "brand": ["x", None, "y", None],
                "price": pa.array([1.0, None, math.nan, None]),
            }
        )
    )
    assert x.dtype == np.float32 and x.shape[0] == 4
    np.testing.assert_allclose(np.linalg.norm(x.toarray(), axis=1), [1, 1, 1, 0], atol=1e-6)


def test_equal_products_have_equal_features_whatever_their_row() -> None:
    near = likeness(title=["red case", "phone", "red case"], category=["P > C", "P", "P > C"])
    np.testing.assert_allclose(near[0, 2], 1.0, atol=1e-6)
    assert near[0, 1] < 0.6


def test_categories_are_alike_by_the_levels_that_they_share() -> None:
    """Each level is one entry: A > B > C and A > B > D share two of three, A > E one of √(3 · 2)."""
    near = likeness(category=["A > B > C", "A > B > D", "A > E", "X > B > C"])
    np.testing.assert_allclose(near[0], [1, 2 / 3, 1 / math.sqrt(6), 0], atol=1e-6)


def test_a_rare_word_weighs_more_than_a_common_one() -> None:
    near = likeness(title=["green tea", "black tea", "white tea", "green cup"])
    assert near[0, 3] > near[0, 1] > 0


def test_the_price_is_one_of_its_quantiles() -> None:
    x = item_features(pa.table({"price": np.arange(160.0)})).toarray()
    assert set(np.unique(x)) == {0.0, 1.0} and (x.sum(1) == 1).all()
    assert x.shape[1] == module.PRICE_BINS and (x.sum(0) == 10).all()
    assert (np.diff(x.argmax(1)) >= 0).all()


def test_unknown_and_empty_brands_make_nothing_alike() -> None:
    near = likeness(category=["A", "B", "C", "D"], brand=[None, None, "", " "])
    np.testing.assert_allclose(near, np.eye(4), atol=1e-6)


def test_known_brands_do() -> None:
    near = likeness(category=["A", "B"], brand=["x", "x "])
    assert near[0, 1] == pytest.approx(0.5)


def test_labels_with_too_many_values_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_LABELS", 3)
    names = [f"maker {k}" for k in range(4)]
    assert item_features(pa.table({"category": ["A"] * 4, "maker": names})).shape[1] == 1
    assert item_features(pa.table({"category": ["A"] * 4, "maker": [*names[:3], names[0]]})).shape[1] == 4


@pytest.mark.parametrize(
    "columns",
    [
        {"item_id": ["1", "2"]},
        {"item_id": ["1", "2"], "count": [3, 4], "first_time": [1, 2], "last_time": [5, 6]},
        {"title": ["", ""]},
        {"title": ["a", "?"]},
        {"category": ["", None]},
        {"price": pa.array([math.nan, math.nan])},
        {"price": pa.array([None, None], pa.float64())},
        {"price": ["cheap", "dear"]},
        {"tags": [["a"], ["b"]], "flag": [True, False], "stock": [1, 2]},
    ],
)
def test_a_catalogue_that_says_nothing_gives_one_blank_column(columns: dict[str, object]) -> None:
    x = item_features(pa.table(columns))
    assert x.shape == (2, 1) and x.nnz == 0


def test_odd_columns_do_no_harm() -> None:
    plain = {"title": ["red case", "blue case"], "brand": ["x", "y"]}
    odd = {name: pa.array(values).dictionary_encode() for name, values in plain.items()}
    large = {name: pa.array(values, pa.large_string()) for name, values in plain.items()}
    chunked = {name: pa.chunked_array([values[:1], values[1:]]) for name, values in plain.items()}
    expected = item_features(pa.table(plain)).toarray()
    for table in (odd, large, chunked, {**plain, "tags": [["a"], ["b"]], "stock": [1, 2]}):
        np.testing.assert_array_equal(item_features(pa.table(table)).toarray(), expected)


def test_infinite_prices_are_unknown() -> None:
    x = item_features(pa.table({"price": [math.inf, 2.0, -math.inf]})).toarray()
    assert x.sum(1).tolist() == [0, 1, 0]
