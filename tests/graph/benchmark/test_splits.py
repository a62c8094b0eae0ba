"""Splits that are drawn: shares, classes, and what cannot be divided."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thence.base.errors import ConfigError
from thence.graph.benchmark import class_split, random_split

LABELS = st.lists(st.integers(-1, 3), min_size=1, max_size=60).map(np.array)


@given(LABELS, st.integers(0, 5))
def test_a_random_split_deals_every_known_label_once(y: np.ndarray, seed: int) -> None:
    split = random_split(y, seed=seed)
    assert sorted(np.concatenate([*split.values()])) == np.flatnonzero(y >= 0).tolist()
    for label in range(4):
        count = (y == label).sum()
        assert abs((y[split["train"]] == label).sum() - count / 2) <= 0.5
        assert abs((y[split["test"]] == label).sum() - count / 4) <= 0.5
    again = random_split(y, seed=seed)
    assert all(np.array_equal(split[part], again[part]) for part in split)


def test_values_are_dealt_as_one_class() -> None:
    y = np.append(np.arange(8, dtype=np.float32), np.nan)
    assert [len(rows) for rows in random_split(y).values()] == [4, 2, 2]
    assert 8 not in np.concatenate([*random_split(y).values()])


def test_another_seed_draws_another_split() -> None:
    y = np.arange(60) % 3
    assert not np.array_equal(random_split(y, seed=0)["train"], random_split(y, seed=1)["train"])
    few = [class_split(y, per_class=5, valid=10, test=20, seed=seed)["train"] for seed in (0, 0, 1)]
    assert np.array_equal(few[0], few[1]) and not np.array_equal(few[0], few[2])


def test_few_labels_of_each_class() -> None:
    y = np.array([0] * 30 + [1] * 30 + [2] * 3 + [-1] * 5)
    split = class_split(y, per_class=4, valid=10, test=20)
    assert np.bincount(y[split["train"]]).tolist() == [4, 4, 3]
    assert len(split["valid"]) == 10 and len(split["test"]) == 20
    together = np.concatenate([*split.values()])
    assert len(np.unique(together)) == len(together) and (y[together] >= 0).all()
    assert len(class_split(y, per_class=4, valid=10, test=1000)["test"]) == 63 - 11 - 10


def test_what_cannot_be_divided_is_refused() -> None:
    for train, valid in ((0.0, 0.5), (0.5, 0.5), (0.5, -0.1)):
        with pytest.raises(ConfigError):
            random_split(np.zeros(4, int), train=train, valid=valid)
    with pytest.raises(ConfigError, match="2 labels are left for 2"):
        class_split(np.array([0, 0, 1, 1]), per_class=1, valid=2)
