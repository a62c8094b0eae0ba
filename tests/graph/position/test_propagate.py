"""Propagated random features: the literal product, what the statistics tend to, and the signs themselves."""

from __future__ import annotations

import numpy as np
import pytest
from tests.graph.position.literal import walks
from tests.graph.position.worlds import cycle, drawn, names, path

from thence.base.errors import ConfigError
from thence.graph import Arcs
from thence.graph.position import propagate
from thence.graph.position.keys import node_keys, signs


def products(arcs: Arcs, weighted: bool = False) -> dict[str, np.ndarray]:
    """P_w of the words of at most two steps."""
    out, into = walks(arcs, weighted)
    steps = {"out": out, "in": into}
    found = {"own": np.eye(arcs.num_nodes), **steps}
    return found | {f"{a} {b}": steps[a] @ steps[b] for a in steps for b in steps}


@pytest.mark.parametrize("weight", [None, "weight"])
def test_rows_are_the_products_with_the_signs(weight: str | None) -> None:
    arcs = drawn(50, 200)
    found = propagate(arcs, channels=8, form="rows", weight=weight, seed=3)
    z, by_word = found.blocks["propagate.own"], products(arcs, weight is not None)
    assert set(np.unique(z)) == {-1.0, 1.0}
    for name in ("propagate.out", "propagate.in"):
        wanted = np.hstack([by_word[word] @ z for word in found.info["words"][name]])
        np.testing.assert_allclose(found.blocks[name], wanted, atol=1e-5)


@pytest.mark.parametrize("weight", [None, "weight"])
def test_statistics_are_moments_of_the_rows_and_tend_to_chances_of_meeting(weight: str | None) -> None:
    arcs, channels = drawn(50, 200), 4_096
    found = propagate(arcs, channels=channels, weight=weight)
    rows = propagate(arcs, channels=channels, form="rows", weight=weight)
    by_word = products(arcs, weight is not None)
    z = rows.blocks["propagate.own"].astype(float)
    for name, columns in found.info["words"].items():
        for at, column in enumerate(columns):
            v, w = column.split("·")
            moment = np.mean((by_word[v] @ z) * (by_word[w] @ z), axis=1)
            np.testing.assert_allclose(found.blocks[name][:, at], moment, atol=1e-5, err_msg=column)
            limit = np.sum(by_word[v] * by_word[w], axis=1)
            spread = np.sqrt(2 * np.sum(by_word[v] ** 2, axis=1) * np.sum(by_word[w] ** 2, axis=1) / channels)
            assert (np.abs(moment - limit) < 5 * spread + 1e-6).all(), column


def test_every_pair_of_words_stands_once() -> None:
    found = propagate(cycle(4), hops=2, channels=4)
    told = [frozenset(column.split("·")) for columns in found.info["words"].values() for column in columns]
    assert len(told) == len(set(told)) == 7 * 8 // 2 - 1  # all but own·own, which is 1
    assert found.info["words"]["propagate.both"] == ["out·in", "out out·in in", "out in·in out"]


def test_statistics_of_a_path_by_hand() -> None:
    found = propagate(path(3), hops=1, channels=64)
    told = dict(zip(found.info["words"]["propagate.out"], found.blocks["propagate.out"].T, strict=True))
    assert told["out·out"].tolist() == [1, 1, 0]  # one target, one target, none
    assert np.abs(found.blocks["propagate.both"][1, 0]) < 0.4  # target and source of the middle are strangers


def test_channels_are_the_same_however_many_travel_together() -> None:
    arcs = drawn(40, 100)
    rows = propagate(arcs, channels=70, form="rows").blocks["propagate.own"]
    fewer = propagate(arcs, channels=33, form="rows").blocks["propagate.own"]
    np.testing.assert_array_equal(rows[:, :33], fewer)
    keys = node_keys(None, 40)
    np.testing.assert_array_equal(signs(keys, 5, 0, "propagate", first=62), rows[:, 62:67])


def test_signs_are_fair_and_independent() -> None:
    z = signs(node_keys(None, 4_000), 96, 0, "x")
    assert abs(z.mean()) < 0.01
    assert np.abs(z.T @ z / len(z) - np.eye(96)).max() < 0.1
    other = signs(node_keys(None, 4_000), 96, 0, "y")
    assert abs((z * other).mean()) < 0.01 and abs((z * signs(node_keys(None, 4_000), 96, 1, "x")).mean()) < 0.01


def test_signs_hang_on_ids() -> None:
    keys = node_keys(names(30), 30)
    np.testing.assert_array_equal(node_keys(names(50), 50)[:30], keys)
    assert len(set(keys.tolist())) == 30
    sliced = type(names(3)).opened(names(30).array[10:20], ascending=False)
    np.testing.assert_array_equal(node_keys(sliced, 10), keys[10:20])


def test_what_is_refused() -> None:
    for wrong in ({"hops": 0}, {"channels": 0}, {"form": "mean"}):
        with pytest.raises(ConfigError):
            propagate(cycle(3), **wrong)
