"""Errors: what, where, and what to do, in one sentence each."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thence.base.errors import ArtifactError, ConfigError, DataError, FitError, ThenceError, nearest


@pytest.mark.parametrize("kind", [ArtifactError, ConfigError, DataError, FitError])
def test_what_where_and_what_to_do(kind: type[ThenceError]) -> None:
    error = kind("the price is negative", where="row 7", fix="Drop it.")
    assert (error.what, error.where, error.fix) == ("the price is negative", "row 7", "Drop it.")
    assert str(error) == "the price is negative (in row 7). Drop it."
    assert str(kind("a loss is NaN")) == "a loss is NaN"
    assert str(kind("no rows", where="a.csv")) == "no rows (in a.csv)"
    assert str(kind("no rows", fix="Add some.")) == "no rows. Add some."
    assert issubclass(kind, ThenceError)


def test_an_error_survives_a_copy() -> None:
    error = copy.copy(DataError("no rows", where="a.csv", fix="Add some."))
    assert str(error) == "no rows (in a.csv). Add some."


@given(st.lists(st.text(min_size=1), min_size=1, unique=True))
def test_a_known_name_is_its_own_nearest(names: list[str]) -> None:
    assert all(nearest(name, names) == f"Did you mean {name!r}?" for name in names)


def test_long_lists_are_cut() -> None:
    hint = nearest("zzz", [f"name{i:02}" for i in range(20)])
    assert hint.startswith("Known: name00, name01,") and hint.endswith("name11, ….")


def test_nothing_known() -> None:
    assert nearest("x", []) == "None is known."
