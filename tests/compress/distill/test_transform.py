"""A product by itself gives the row that it has in its catalogue, and bad products are refused."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thence.base.errors import ArtifactError, DataError
from thence.compress import ItemTransform
from thence.compress.distill.transform import _WORD, _words

CATALOGUE = pa.table(
    {
        "item_id": ["1", "2", "3", "4"],
        "title": ["Red case, small", "Blue case", "Phone phone phone", None],
        "category": ["Phones > Cases", "Phones > Cases", "Phones", ""],
        "price": [3.0, 4.0, 300.0, None],
        "brand": ["Karan", " Karan ", "Lovex", ""],
        "count": [9, 8, 7, 0],
        "tags": pa.array(
            [[("soft", 2.0)], [], [("new", 1.0), ("soft", 1.0)], None], pa.map_(pa.string(), pa.float64())
        ),
    }
)
TRANSFORM = ItemTransform.fit(CATALOGUE)


def test_rows_have_unit_length_or_are_zero() -> None:
    rows = TRANSFORM.rows(CATALOGUE).toarray()
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), [1, 1, 1, 0], rtol=1e-6)


def test_words_are_weighted_as_the_formula_says() -> None:
    row = dict(zip(*TRANSFORM.row({"title": "phone case phone"}), strict=True))
    at = TRANSFORM.entries["title"]
    phone = (1 + math.log(2)) * (math.log(5 / 2) + 1)  # in one of four titles, twice in this one
    case = math.log(5 / 3) + 1
    assert math.isclose(row[at["phone"]] / row[at["case"]], phone / case, rel_tol=1e-5)


def test_a_product_by_itself_is_what_it_is_in_the_table() -> None:
    together = TRANSFORM.rows(CATALOGUE).toarray()
    for at, product in enumerate(CATALOGUE.to_pylist()):
        np.testing.assert_array_equal(TRANSFORM.rows(product).toarray()[0], together[at])
        alone = np.zeros(TRANSFORM.num_features, np.float32)
        columns, values = TRANSFORM.row(product)
        alone[columns] = values
        np.testing.assert_array_equal(alone, together[at])


def test_how_often_something_was_bought_is_no_feature() -> None:
    assert set(TRANSFORM.kinds) == {"title", "category", "price", "brand", "tags"}
    product = {"title": "case", "count": 10**6, "item_id": "x"}
    assert TRANSFORM.row(product)[0].tolist() == TRANSFORM.row({"title": "case"})[0].tolist()


def test_words_written_otherwise_and_unknown_ones() -> None:
    assert TRANSFORM.row({"title": "CASE!"})[0].tolist() == TRANSFORM.row({"title": "case"})[0].tolist()
    assert len(TRANSFORM.row({"title": "umbrella", "category": "Rain"})[0]) == 0
    shared = set(TRANSFORM.row({"category": "Phones > Chargers"})[0]) & set(
        TRANSFORM.row({"category": "Phones"})[0]
    )
    assert shared  # the level above is known


def test_the_vocabulary_comes_back_as_it_was() -> None:
    again = ItemTransform.restored(TRANSFORM.table(), TRANSFORM.described())
    np.testing.assert_array_equal(again.rows(CATALOGUE).toarray(), TRANSFORM.rows(CATALOGUE).toarray())
    twice = pa.concat_tables([TRANSFORM.table(), TRANSFORM.table()])
    with pytest.raises(ArtifactError, match="no place"):
        ItemTransform.restored(twice, TRANSFORM.described())


@pytest.mark.parametrize(
    ("product", "what"),
    [
        ({"titel": "case"}, "Did you mean 'title'"),
        ({"title": 3}, "title is 3"),
        ({"price": "cheap"}, "price is 'cheap'"),
        ({"tags": 1.0}, "tags is 1.0"),
        ("case", "a product is 'case'"),
    ],
)
def test_what_is_no_product_is_refused(product: object, what: str) -> None:
    with pytest.raises(DataError, match=what):
        TRANSFORM.row(product)  # type: ignore[arg-type]


@given(st.text(alphabet=st.characters(max_codepoint=0x250), max_size=40))
def test_words_are_what_the_pattern_finds_whatever_the_alphabet(text: str) -> None:
    assert _words(text) == _WORD.findall(text.lower())


def test_a_catalogue_that_says_nothing_is_refused() -> None:
    with pytest.raises(DataError, match="says nothing"):
        ItemTransform.fit(pa.table({"item_id": ["1"], "count": [3]}))


def test_rare_entries_and_words_can_be_left_out() -> None:
    few = ItemTransform.fit(CATALOGUE, min_count=2)
    assert set(few.entries["title"]) == {"case"}
    one = ItemTransform.fit(CATALOGUE, max_words=1)
    assert set(one.entries["title"]) == {"case"}  # the most frequent
