"""Lessons of baskets against counting by hand."""

from __future__ import annotations

import numpy as np
import pytest

from thence.base.ids import IdMap
from thence.graph import Arcs
from thence.rerank.timely_lessons import gained, pointed


def test_what_was_gained_is_the_difference_over_the_earlier_nodes() -> None:
    early, late = IdMap(["a", "b", "c"]), IdMap(["b", "new", "c", "a"])
    before = Arcs.from_pairs([0, 1], [1, 2], num_nodes=3, weight=[2.0, 1.0])  # a → b twice, b → c once
    after = Arcs.from_pairs([3, 0, 2, 1], [0, 2, 3, 0], num_nodes=4, weight=[5.0, 1.0, 4.0, 7.0])
    found = gained(before, after, early, late)
    assert sorted(zip(*found.pairs.tolist(), found.weight.tolist(), strict=True)) == [(0, 1, 3.0), (2, 0, 4.0)]
    nothing = gained(before, before, early, early)
    assert nothing.num_arcs == 0 and nothing.num_nodes == 3
    empty = Arcs.from_pairs([], [], num_nodes=3)
    assert gained(empty, before, early, early).num_arcs == 2


def test_pairs_point_where_their_kinds_follow() -> None:
    """By the formula, pair by pair; what is even both ways, as within a kind, teaches nothing."""
    rng = np.random.default_rng(3)
    kind = np.array([-1, 0, 0, 1, 1, 2, 2, 3])
    n = len(kind)
    some = np.argwhere((rng.random((n, n)) < 0.5) & ~np.eye(n, dtype=bool)).T
    followed = Arcs.from_pairs(*some, num_nodes=n, weight=rng.integers(1, 5, some.shape[1]))
    every = np.argwhere(~np.eye(n, dtype=bool)).T
    pairs = Arcs.from_pairs(*every, num_nodes=n, weight=np.arange(every.shape[1]) + 1.0)
    count = {}
    for i, j, w in zip(*followed.pairs.tolist(), followed.weight.tolist(), strict=True):
        count[kind[i], kind[j]] = count.get((kind[i], kind[j]), 0) + w
    kept = {
        (i, j)
        for i, j in zip(*every.tolist(), strict=True)
        if count.get((kind[i], kind[j]), 0) > count.get((kind[j], kind[i]), 0)
    }
    found = pointed(pairs, followed, kind)
    assert set(zip(*found.pairs.tolist(), strict=True)) == kept and len(kept) > 5
    assert all((j, i) not in kept for i, j in kept)
    at = pairs.positions(*found.pairs)
    np.testing.assert_array_equal(found.weight, pairs.weight[at])


@pytest.mark.parametrize("kind", [np.full(3, -1), np.zeros(3, np.int64)])
def test_where_there_is_one_kind_nothing_points_anywhere(kind: np.ndarray) -> None:
    arcs = Arcs.from_pairs([0, 1], [1, 2], num_nodes=3)
    assert pointed(arcs, arcs, kind).num_arcs == 0
