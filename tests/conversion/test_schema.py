"""Columns by name become the features that a model was fitted on, or are refused; vectors join by id."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from thence.base.errors import ConfigError, DataError
from thence.base.ids import IdMap
from thence.conversion.dense import with_embeddings, with_vectors
from thence.conversion.exposures import NEVER, Exposures
from thence.conversion.features import Features
from thence.conversion.learn import LearnConfig
from thence.conversion.model import ConversionModel
from thence.conversion.net import NetConfig
from thence.conversion.schema import Schema
from thence.conversion.sources.hashing import describe
from thence.encode.embeddings import Embeddings
from thence.events.clock import DAY, HOUR

SCHEMA = Schema(("colour", "item", "hour", "price"), (50, 60, 24), ("text", "integer", "code"))
GOOD = {"colour": ["red", None], "item": [7, None], "hour": [0, 23], "price": [1.5, None]}


def test_columns_are_hashed_as_readers_hash_them() -> None:
    found = SCHEMA.features(dict(reversed(GOOD.items())))
    read = describe({name: GOOD[name] for name in ("colour", "item")}, buckets={"colour": 50, "item": 60})
    np.testing.assert_array_equal(found.codes[:, :2], read.codes)
    assert found.codes[:, 2].tolist() == [0, 23] and found.names == SCHEMA.names
    np.testing.assert_array_equal(found.numbers, [[1.5], [np.nan]])
    SCHEMA.check(found)
    arrow = SCHEMA.features({name: pa.array(column) for name, column in GOOD.items()})
    np.testing.assert_array_equal(arrow.codes, found.codes)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"color": [1, 2]}, r"knows no column 'color'.*'colour'"),
        ({"colour": [1, 2]}, "'colour' holds int64, strings are wanted"),
        ({"item": ["7", "8"]}, "'item' holds string, integers are wanted"),
        ({"item": [0.5, 1.0]}, "'item' holds double, integers are wanted"),
        ({"colour": ["red", 1]}, "'colour' holds values of several types"),
        ({"colour": [["red"], ["blue"]]}, "'colour' holds list"),
        ({"hour": [0, 24]}, "'hour' has codes outside 0 … 23"),
        ({"hour": [0, None]}, "'hour' holds codes and cannot be null"),
        ({"price": ["1", "2"]}, "'price' holds string, numbers are wanted"),
        ({"price": [True, False]}, "'price' holds bool, numbers are wanted"),
        ({"price": [1.0, 1e300]}, "'price' holds an infinite number"),
        ({"price": [1.0]}, "differ in length"),
        ({"item": [1, 2**80]}, "'item' holds values of several types"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(change: dict[str, list], said: str) -> None:
    with pytest.raises(DataError, match=said):
        SCHEMA.features({**GOOD, **change})


def test_a_missing_column_is_named() -> None:
    with pytest.raises(DataError, match=r"columns \['price'\] are missing.*null"):
        SCHEMA.features({name: GOOD[name] for name in ("colour", "item", "hour")})


def test_a_schema_that_does_not_fit_together_is_refused() -> None:
    with pytest.raises(DataError, match="same name"):
        Schema(("a", "a"), (2, 2), ("any", "any"))
    with pytest.raises(DataError, match="kind 'words'"):
        Schema(("a",), (2,), ("words",))
    with pytest.raises(DataError, match="1 buckets and 0 kinds"):
        Schema(("a",), (2,), ())


def test_vectors_join_by_id_and_a_model_learns_from_them() -> None:
    """What converts is told by the vector alone; unknown items have their own rate."""
    count = 3000
    item = np.array(["a", "b", "new"])[np.arange(count) % 3]
    time = np.arange(count) * HOUR // 10
    ends = np.where(item == "a", time + HOUR, NEVER)
    table = Embeddings(IdMap(["b", "a"]), np.zeros((2, 2)), np.array([[-1.0, 0.5], [1.0, 0.5]]))
    features = Features(np.zeros((count, 0)), np.zeros((count, 1)), (), ("zero",))
    plain = Exposures.make(time, ends, window=DAY, features=features)
    shown = with_embeddings(plain, item.tolist(), table)
    assert shown.features.names == ("zero", "item embedding 0", "item embedding 1")
    np.testing.assert_array_equal(shown.features.numbers[0], [0.0, 1.0, 0.5])
    assert np.isnan(shown.features.numbers[2, 1:]).all()
    other = with_embeddings(plain, item.tolist(), table, role="source", name="from")
    assert (other.features.numbers[:2] == 0).all() and other.features.names[1] == "from embedding 0"
    learn = LearnConfig(200, 0.1, passes=8)
    model = ConversionModel("wait", net=NetConfig("logistic"), learn=learn).fit(shown)
    assert model.predict_proba(shown.features[:3])[:, 1].round(1).tolist() == [1.0, 0.0, 0.0]


def test_vectors_that_do_not_fit_are_refused() -> None:
    shown, known = Exposures.make([0, 1], [5, NEVER], window=50), IdMap(["a"])
    table = Embeddings(known, np.zeros((1, 2)), np.zeros((1, 2)))
    with pytest.raises(DataError, match="1 ids for 2 exposures"):
        with_embeddings(shown, ["a"], table)
    with pytest.raises(DataError, match="no exposure has an id"):
        with_embeddings(shown, ["A", None], table)
    with pytest.raises(ConfigError, match="source or target"):
        with_embeddings(shown, ["a", "a"], table, role="both")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="for 1 ids"):
        with_vectors(shown, ["a", "a"], known, np.zeros((2, 2)))
