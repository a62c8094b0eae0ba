"""Ids: out and back is the identity, and whatever is not one-to-one is refused."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thence.base.errors import ConfigError, DataError
from thence.base.ids import IdMap

TEXT = st.text(st.characters(codec="utf-8"))
DISTINCT = st.lists(TEXT, unique=True)


@given(DISTINCT)
def test_out_and_back_is_the_identity(names: list[str]) -> None:
    ids = IdMap(names)
    assert len(ids) == len(names)
    assert ids.decode(np.arange(len(names))) == names
    assert ids.encode(pa.array(names, pa.string())).tolist() == list(range(len(names)))
    assert [ids.index(name) for name in names] == list(range(len(names)))
    assert all(name in ids for name in names)


@given(DISTINCT, st.lists(TEXT))
def test_strangers_are_marked_or_refused(names: list[str], others: list[str]) -> None:
    ids = IdMap(names)
    place = {name: i for i, name in enumerate(names)}
    expected = [place.get(other, -1) for other in others]
    asked = pa.array(others, pa.string())
    assert ids.encode(asked, missing="mark").tolist() == expected
    if -1 in expected:
        first = others[expected.index(-1)]
        with pytest.raises(DataError) as caught:
            ids.encode(asked)
        assert f"{expected.count(-1)} unknown ids, the first {first!r}" in str(caught.value)
        with pytest.raises(DataError, match="is unknown"):
            ids.index(first)
    else:
        assert ids.encode(asked).tolist() == expected


@given(st.lists(TEXT, min_size=1, unique=True), st.data())
def test_an_id_that_stands_twice_is_named(names: list[str], data: st.DataObject) -> None:
    twice = data.draw(st.sampled_from(names))
    with pytest.raises(DataError) as caught:
        IdMap(data.draw(st.permutations([*names, twice])))
    assert f"id {twice!r} stands more than once" in str(caught.value)


def test_null_ids_are_refused() -> None:
    with pytest.raises(DataError, match="an id is null"):
        IdMap(pa.array(["a", None]))


def test_every_arrow_form_of_text_will_do() -> None:
    forms = [
        pa.array(["a", "b"], pa.large_string()),
        pa.chunked_array([["a"], ["b"]]),
        pa.chunked_array([[], ["a", "b"]], pa.string()),
        pa.array(["a", "b"]).dictionary_encode(),
        pa.array(["a", "b"], pa.string_view()),
    ]
    for form in forms:
        ids = IdMap(form)
        assert ids == IdMap(["a", "b"])
        assert ids.encode(form).tolist() == [0, 1]


def test_ints_are_ids_by_their_digits() -> None:
    ids = IdMap(pa.array([10, 7]))
    assert ids.decode([0, 1]) == ["10", "7"]
    assert ids.encode([7, 10]).tolist() == [1, 0]
    assert ids.encode(np.array([7, 10])).tolist() == [1, 0]


def test_nothing_at_all() -> None:
    ids = IdMap([])
    assert repr(ids) == "IdMap(0 ids)"
    assert ids.encode([]).tolist() == []
    assert ids.encode(["x"], missing="mark").tolist() == [-1]
    assert ids.decode([]) == []


@pytest.mark.parametrize("code", [-1, 2])
def test_codes_out_of_range_are_refused(code: int) -> None:
    with pytest.raises(DataError, match=f"node {code} is out of range"):
        IdMap(["a", "b"]).decode([0, code])


def test_a_way_to_treat_strangers_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigError, match="missing='drop'"):
        IdMap(["a"]).encode(["b"], missing="drop")


def test_null_among_the_asked_is_a_stranger() -> None:
    assert IdMap(["a"]).encode(pa.array(["a", None]), missing="mark").tolist() == [0, -1]
