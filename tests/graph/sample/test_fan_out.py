"""Fan-out: chances against enumeration, times, relations, trees, wrong settings."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from thence.base.errors import ConfigError, DataError
from thence.base.ids import IdMap
from thence.graph.arcs import Arcs
from thence.graph.digraph import DiGraph
from thence.graph.sample import FanOut, Side

STEPS = 4000


def star(weights: list[float], **values: list[int]) -> Arcs:
    """Node 0 leads to as many nodes as there are weights."""
    targets = np.arange(1, len(weights) + 1)
    zeros = np.zeros(len(weights), np.int64)
    return Arcs.from_pairs(zeros, targets, num_nodes=len(weights) + 1, weight=weights, values=values)


def chances_one_by_one(weights: list[float], most: int) -> np.ndarray:
    """The chance of each entry when entries are drawn one after another by weight: every order, added up."""
    chance, total = np.zeros(len(weights)), sum(weights)
    for order in permutations(range(len(weights)), most):
        left, probability = total, 1.0
        for pick in order:
            probability *= weights[pick] / left
            left -= weights[pick]
        chance[list(order)] += probability
    return chance


def how_often(sampler: FanOut, num: int, steps: int = STEPS) -> np.ndarray:
    seen = np.zeros(num)
    for step in range(steps):
        seen[sampler.sample([0], step=step).position] += 1
    return seen / steps


def test_every_set_of_uniform_draws_is_equally_likely() -> None:
    sampler, sets = FanOut(star([1.0] * 5), [2]), {}
    for step in range(STEPS):
        drawn = tuple(sorted(sampler.sample([0], step=step).position.tolist()))
        sets[drawn] = sets.get(drawn, 0) + 1
    assert len(sets) == 10
    expected = STEPS / 10
    assert sum((seen - expected) ** 2 / expected for seen in sets.values()) < 27.9  # chi², 9 degrees, p = .001


@pytest.mark.parametrize("most", [1, 2, 3])
def test_weighted_draws_have_the_chances_of_drawing_one_by_one(most: int) -> None:
    weights = [5.0, 1.0, 0.5, 2.0, 0.25]
    seen = how_often(FanOut(star(weights), [most], weight="weight"), len(weights))
    expected = chances_one_by_one(weights, most)
    assert (np.abs(seen - expected) < 4.5 * np.sqrt(expected * (1 - expected) / STEPS) + 1e-9).all()


@pytest.mark.parametrize("heavy", [[8.0, 4.0, 2.0], [500.0, 30.0, 0.1]])  # with the second, repeats abound
def test_long_rows_are_drawn_with_the_chances_of_the_first_arrivals(heavy: list[float]) -> None:
    weights = np.array(heavy + [0.02] * 60)
    arrival = np.random.default_rng(0).exponential(size=(100_000, len(weights))) / weights
    first = np.argpartition(arrival, 3, axis=1)[:, :3]
    expected = np.bincount(first.ravel(), minlength=len(weights)) / len(arrival)
    seen = how_often(FanOut(star(weights.tolist()), [3], weight="weight"), len(weights))
    light = slice(3, None)
    for mine, theirs in ((seen[:3], expected[:3]), (seen[light].mean(), expected[light].mean())):
        assert (np.abs(mine - theirs) < 5 * np.sqrt(theirs * (1 - theirs) / STEPS) + 1e-3).all()


def test_weight_zero_is_never_drawn() -> None:
    for weights in ([0.0, 1.0, 0.0, 2.0], [0.0] * 40 + [1.0, 2.0]):
        seen = how_often(FanOut(star(weights), [3], weight="weight"), len(weights), steps=100)
        assert (seen == (np.array(weights) > 0)).all()
    assert FanOut(star([0.0, 0.0]), [1], weight="weight").sample([0]).num_arcs == 0


def test_nothing_later_than_a_seeds_time_is_seen_from_any_hop() -> None:
    times = [30, 10, 20, 40]  # of 0→1, 0→2, 1→3, 2→3
    arcs = Arcs.from_pairs([0, 0, 1, 2], [1, 2, 3, 3], num_nodes=4, values={"last_time": times})
    sampler = FanOut(arcs, [None, None], time="last_time")
    seen = {}
    for until in (9, 10, 30, 40):
        sample = sampler.sample([0], times=np.array([until]))
        seen[until] = sorted(zip(sample.nodes[sample.row], sample.nodes[sample.column], strict=True))
    assert seen == {9: [], 10: [(0, 2)], 30: [(0, 1), (0, 2), (1, 3)], 40: [(0, 1), (0, 2), (1, 3), (2, 3)]}
    both = sampler.sample([0, 0], times=np.array([10, 40]))
    assert [int((both.tree == tree).sum()) for tree in (0, 1)] == [2, 4]
    assert (arcs.values["last_time"][both.position] <= np.array([10, 40])[both.tree[both.row]]).all()


def test_times_that_are_missing_superfluous_or_too_few_are_refused() -> None:
    arcs = star([1.0, 1.0], last_time=[1, 2])
    timed, plain = FanOut(arcs, [1], time="last_time"), FanOut(arcs, [1])
    for sampler, times in (
        (timed, None),
        (plain, np.array([1])),
        (timed, np.array([1, 2])),
        (timed, np.array([1.5])),
    ):
        with pytest.raises(DataError):
            sampler.sample([0], times=times)
    with pytest.raises(DataError, match="no value 'when'"):
        FanOut(arcs, [1], time="when")


def test_a_trees_draw_does_not_depend_on_the_other_seeds() -> None:
    rng = np.random.default_rng(0)
    pairs = np.unique(rng.integers(0, 60, (900, 2)), axis=0)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    sampler = FanOut(Arcs.from_pairs(*pairs.T, num_nodes=60), [4, 3], trees=True)
    alone, among = sampler.sample([7], step=5), sampler.sample([3, 7, 11], step=5)
    mine = among.tree[among.row] == 1
    assert np.array_equal(alone.entry, among.entry[mine])
    assert among.tree[among.seeds].tolist() == [0, 1, 2]


def test_several_relations_hop_by_hop() -> None:
    graph = DiGraph(
        IdMap("abcd"),
        {
            "after": Arcs.from_pairs([0, 1], [1, 2], num_nodes=4),
            "like": Arcs.from_pairs([0, 3, 1, 3], [3, 0, 3, 1], num_nodes=4, directed=False),
        },
    )
    sample = FanOut(graph, {"after": [1, 1], "like": [1, 0]}).sample([0])
    assert sample.num_relations == 2 and sample.num_hops == 2
    assert sample.nodes.tolist() == [0, 1, 3, 2]
    groups = [sample.position[sample.group(hop, relation)].tolist() for hop in (0, 1) for relation in (0, 1)]
    assert groups == [[0], [0], [1], []]
    turned = FanOut(graph["after"], [1, 1], direction=["out", "into"]).sample([0])
    assert turned.nodes.tolist() == [0, 1] and turned.column.tolist() == [1, 0]


@pytest.mark.parametrize("fan_out", [[-1], [1.5], [True], ["3"], {"nothing": [1]}, {"a": [1], "b": [1, 2]}])
def test_wrong_fan_outs_are_refused(fan_out: object) -> None:
    relations = {"a": star([1.0]), "b": star([2.0])}
    with pytest.raises(ConfigError):
        FanOut(relations, fan_out)  # type: ignore[arg-type]


def test_wrong_graphs_are_refused() -> None:
    with pytest.raises(DataError, match="same nodes"):
        FanOut({"a": star([1.0]), "b": star([1.0, 1.0])}, [1])
    with pytest.raises(DataError, match="negative or not finite"):
        FanOut(star([1.0, -1.0]), [1], weight="weight")
    nan = Side(np.array([0, 1]), np.array([0]), weight=np.array([np.nan], np.float32))
    with pytest.raises(DataError, match="negative or not finite"):
        FanOut(nan, [1], weight="weight")
    for indptr, neighbors in (([0, 2], [0]), ([1, 1], [0]), ([0, 1], [5]), ([0, 1], [-1]), ([0, 2, 1], [0])):
        with pytest.raises(DataError):
            FanOut(Side(np.array(indptr), np.array(neighbors)), [1])
    with pytest.raises(ConfigError, match="no direction"):
        FanOut(star([1.0]), [1], direction="sideways")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="directions"):
        FanOut(star([1.0]), [1], direction=["out", "into"])


def test_a_whole_graph_as_seeds_makes_the_table_grow() -> None:
    rng = np.random.default_rng(1)
    pairs = np.unique(rng.integers(0, 30_000, (90_000, 2)), axis=0)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    arcs = Arcs.from_pairs(*pairs.T, num_nodes=30_000)
    sample = FanOut(arcs, [None]).sample(np.arange(29_999, -1, -1))
    assert sample.num_nodes == 30_000 and sample.num_arcs == arcs.num_arcs
    looks, seen = sample.nodes[sample.row], sample.nodes[sample.column]
    assert set(zip(looks.tolist(), seen.tolist(), strict=True)) == set(zip(*arcs.pairs.tolist(), strict=True))
