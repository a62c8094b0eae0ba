"""Neighbourhoods by degree: budgets, chances and reach, each by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.samplers import hub_graph

from thence.base.errors import ConfigError, DataError
from thence.graph.arcs import Arcs
from thence.graph.sample import Direction, Side, side_of
from thence.graph.sample.adaptive import Adaptive, Reach

STEPS = 1500


def distances(arcs: Arcs, start: int, direction: Direction) -> dict[int, int]:
    """Steps from one node to every other that it reaches."""
    found, edge = {start: 0}, [start]
    while edge:
        edge = [v for u in edge for v in (arcs.out(u) if direction == "out" else arcs.into(u)).tolist()]
        edge = [v for v in dict.fromkeys(edge) if v not in found]
        found |= {v: max(found.values()) + 1 for v in edge}
    return found


@pytest.mark.parametrize("direction", ["out", "into"])
def test_neighbours_are_drawn_by_their_score(direction: Direction) -> None:
    """One of a row's neighbours: with chance e / Σ e, e = d_out(source) · d_in(target)."""
    arcs = hub_graph() if direction == "out" else hub_graph().reversed()
    sampler = Adaptive(arcs, [1], direction=direction, reach=None)
    drawn = [int(sampler.sample([0], step=step).nodes[1]) for step in range(STEPS)]
    other = arcs.in_degree if direction == "out" else arcs.out_degree
    row = arcs.out(0) if direction == "out" else arcs.into(0)
    expected = STEPS * other[row] / other[row].sum()
    seen = np.bincount(drawn, minlength=40)[row]
    assert ((seen - expected) ** 2 / expected).sum() < 67  # chi-square, 35 degrees of freedom: p = .001


def test_switched_off_it_draws_uniformly_and_with_a_weight_by_it() -> None:
    arcs = hub_graph()
    weight = arcs.weight[:36].astype(float)
    score = arcs.in_degree[1:37] * weight
    ways: list[tuple[dict[str, Any], np.ndarray]] = [
        ({"by_score": False}, np.ones(36)),
        ({"by_score": False, "weight": "weight"}, weight),
        ({"weight": "weight"}, score),
    ]
    for settings, by in ways:
        sampler = Adaptive(arcs, [1], reach=None, **settings)
        drawn = [int(sampler.sample([0], step=step).nodes[1]) for step in range(STEPS)]
        expected = STEPS * by / by.sum()
        seen = np.bincount(drawn, minlength=40)[1:37]
        assert ((seen - expected) ** 2 / expected).sum() < 67


def test_budgets_grow_with_the_degree_as_the_law_has_it() -> None:
    rng = np.random.default_rng(0)
    degree = np.minimum(rng.zipf(2.0, 500), 400)
    target = np.concatenate([rng.choice(500, d, replace=False) for d in degree])
    side = Side(np.concatenate([[0], np.cumsum(degree)]), target.astype(np.int32))
    sampler = Adaptive(side, [20], least=4, by_score=False, reach=None)
    law = sampler.laws[0][0]
    assert law is not None and abs(law.alpha - 2) < 0.2 and law.num_nodes == 500
    budget = 4 + np.rint(16 * (1 - law.survival(degree)))
    sample = sampler.sample(np.arange(500))
    assert np.array_equal(np.bincount(sample.row, minlength=500), np.minimum(budget, degree))
    assert budget.min() == 4 and budget.max() == 20 and len(np.unique(budget)) > 5


@pytest.mark.parametrize("direction", ["out", "into"])
def test_what_is_far_is_reached_along_the_arcs_within_the_radius(direction: Direction) -> None:
    rng = np.random.default_rng(3)
    pairs = np.unique(rng.integers(0, 60, (2, 150)), axis=1)
    arcs = Arcs.from_pairs(*pairs[:, pairs[0] != pairs[1]], num_nodes=60)
    sampler = Adaptive(arcs, [8], direction=direction, reach=Reach(radius=3, walks=50))
    sample, degree = sampler.sample(np.arange(60)), side_of(arcs, direction).degree
    for node in range(60):
        mine = sample.row == node
        far, near = mine & (sample.entry < 0), mine & (sample.entry >= 0)
        steps = distances(arcs, node, direction)
        assert near.sum() == min(8, degree[node]) and mine.sum() <= 8
        assert {steps[v] for v in sample.nodes[sample.column[near]].tolist()} <= {1}
        assert {steps[v] for v in sample.nodes[sample.column[far]].tolist()} <= {2, 3}
        if far.any():
            assert degree[node] < 8 and np.isclose(sample.scale[far].sum(), 1)
            assert (np.diff(sample.scale[far]) <= 0).all()  # most visited first
    assert (sample.entry < 0).sum() > 60
    second = Adaptive(arcs, [8], direction=direction, reach=Reach(radius=2)).sample([0, 1, 2, 3])
    for node in range(4):
        far = (sample.row == node) & (sample.entry < 0)
        steps = distances(arcs, node, direction)
        reached = second.nodes[second.column[(second.row == node) & (second.entry < 0)]]
        assert {steps[v] for v in reached.tolist()} <= {2} and far.any()


def test_visits_are_the_share_that_walks_give() -> None:
    """0 → 1, then 2 with chance 3/4 and 3 with 1/4 (weights): shares near these."""
    arcs = Arcs.from_pairs([0, 1, 1], [1, 2, 3], num_nodes=4, weight=[1, 3, 1])
    sampler = Adaptive(
        arcs, [3], weight="weight", by_score=False, reach=Reach(radius=2, walks=4000, length=2, restart=0)
    )
    sample = sampler.sample([0])
    share = dict(zip(sample.nodes[sample.column].tolist(), sample.scale.tolist(), strict=True))
    assert sample.entry.tolist() == [0, -1, -1] and share[1] == 1
    assert abs(share[2] - 0.75) < 0.04 and np.isclose(share[2] + share[3], 1)


def test_the_radius_is_the_least_that_fills_the_budget() -> None:
    """On a ring the mean degree is 1, so the whole radius is needed; a hub needs none."""
    ring = Arcs.from_pairs(np.arange(20), (np.arange(20) + 1) % 20, num_nodes=20)
    sample = Adaptive(ring, [9], reach=Reach(radius=5, length=5, restart=0)).sample([3])
    assert sample.nodes.tolist() == [3, 4, 5, 6, 7, 8]
    arcs = hub_graph()
    assert (Adaptive(arcs, [30]).sample([0]).entry >= 0).all()
    sampler = Adaptive(arcs, [6], reach=Reach(radius=4))
    rows, law = sampler._hops[0][0], sampler.laws[0][0]
    assert law is not None
    mean = law.mean(36)
    for degree in (1, 2, 3, 5):
        least = next(r for r in range(1, 9) if degree * mean ** (r - 1) >= 6)
        assert rows.radius(np.array([degree]), np.array([6])).tolist() == [min(least, 4)]


def test_nodes_without_arcs_stay_alone_and_dead_ends_end() -> None:
    chain = Arcs.from_pairs([0, 1], [1, 2], num_nodes=4)
    sample = Adaptive(chain, [5, 5]).sample([3, 2, 1])
    assert sample.nodes.tolist() == [3, 2, 1] and sample.entry.tolist() == [1]


@pytest.mark.parametrize(
    "settings",
    [{"fan_out": [-1]}, {"fan_out": [None]}, {"least": -1}, {"least": 4}, {"direction": ["out"] * 2}],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        Adaptive(hub_graph(), **({"fan_out": [3]} | settings))


@pytest.mark.parametrize(
    "settings", [{"radius": 1}, {"walks": 0}, {"length": 1}, {"restart": 1.0}, {"restart": -0.1}]
)
def test_a_reach_that_makes_no_sense_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        Reach(**settings)


def test_data_that_makes_no_sense_is_refused() -> None:
    wrong = Side(np.array([0, 1]), np.zeros(1, np.int32), weight=np.array([np.nan], np.float32))
    with pytest.raises(DataError):
        Adaptive(wrong, [1])
    with pytest.raises(DataError):
        Adaptive(hub_graph(), [1]).sample([0], times=np.array([0]))
