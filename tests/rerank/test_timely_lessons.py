"""Lessons of baskets against counting by hand."""

from __future__ import annotations

import numpy as np
import pytest

from thence.base.errors import DataError
from thence.base.ids import IdMap
from thence.events.worlds import World, WorldConfig, simulate
from thence.graph import Arcs
from thence.graph.build import GraphConfig, build_graph
from thence.rerank.learn import RerankConfig
from thence.rerank.timely import Known
from thence.rerank.timely_lessons import gained, lesson_arcs, pointed
from thence.rerank.timely_teach import lesson_examples


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


@pytest.fixture(scope="module")
def world() -> World:
    return simulate(WorldConfig(items=400, customers=6_000), seed=3)


@pytest.fixture(scope="module")
def clocks(world: World) -> tuple[Known, Known]:
    split = world.log.split(0.1, 0.1)
    config = GraphConfig(relations=("bought_after", "same_basket"), min_count=1, min_support=1)
    return Known(build_graph(split.train, config), split.train), Known(
        build_graph(split.known, config), split.known
    )


@pytest.fixture(scope="module")
def lesson(clocks: tuple[Known, Known]) -> tuple[Arcs, Arcs]:
    return lesson_arcs(*clocks)


def true_share(world: World, known: Known, arcs: Arcs) -> float:
    """How much of the weight of arcs is on arcs of the truth."""
    truth, place = world.truth, world.truth.ids.encode(known.graph.ids.array)
    size = len(truth.ids)
    true = np.isin(place[arcs.pairs[0]] * size + place[arcs.pairs[1]], truth.arcs[0] * size + truth.arcs[1])
    return float(arcs.weight[true].sum() / arcs.weight.sum())


def test_a_lesson_is_far_truer_than_the_log_and_also_of_upgrades(
    world: World, clocks: tuple[Known, Known], lesson: tuple[Arcs, Arcs]
) -> None:
    (before, now), (after, against) = clocks, lesson
    weeks = gained(
        before.graph.relations["bought_after"],
        now.graph.relations["bought_after"],
        before.graph.ids,
        now.graph.ids,
    )
    said, plain = true_share(world, before, after), true_share(world, before, weeks)
    assert said > 0.5 > 2 * plain
    assert true_share(world, before, against) < said / 2
    truth, place = world.truth, before.graph.ids.encode(world.truth.ids.array, missing="mark")
    upgrades = place[truth.arcs[:, truth.kind == 2]]
    upgrades = upgrades[:, (upgrades >= 0).all(axis=0)]
    assert after.contains(*upgrades).any()  # never in one basket, and both are of one kind


def test_what_counts_against_is_shown_as_examples_that_did_not_come(
    clocks: tuple[Known, Known], lesson: tuple[Arcs, Arcs]
) -> None:
    before, (after, against) = clocks[0], lesson
    after = after.select(after.pairs[0] < 60)
    config = RerankConfig(candidates=20, negatives=0.5)
    plain = lesson_examples(before.then(after), config)
    both = lesson_examples(before.then(after, against), config)
    assert both.label.sum() == plain.label.sum() and len(both.label) > len(plain.label)
    assert both.weight[both.label].sum() == pytest.approx(plain.weight[plain.label].sum())
    assert both.weight[~both.label].sum() > plain.weight[~plain.label].sum()


def test_a_lesson_wants_both_relations(clocks: tuple[Known, Known]) -> None:
    before, now = clocks
    poor = Known(build_graph(before.log, GraphConfig(relations=("same_basket",), min_count=1)), before.log)
    with pytest.raises(DataError, match="bought_after"):
        lesson_arcs(poor, now)
