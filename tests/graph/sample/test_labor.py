"""LABOR draws by one number a node: its draws, chances, variance and savings against their formulas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.samplers import hub_graph

from thence.base.errors import ConfigError, DataError
from thence.graph.arcs import Arcs
from thence.graph.sample import FanOut, Side, side_of
from thence.graph.sample.kernel.hash import key_of
from thence.graph.sample.kernel.labor import factor, numbers
from thence.graph.sample.labor import Labor

STEPS = 2500


def bipartite(rows: int, columns: int, degree: int, seed: int = 0) -> Arcs:
    """Each of some rows looks at ``degree`` random columns."""
    rng = np.random.default_rng(seed)
    target = np.concatenate([rows + rng.choice(columns, degree, replace=False) for _ in range(rows)])
    return Arcs.from_pairs(np.repeat(np.arange(rows), degree), target, num_nodes=rows + columns)


def number_of(num_nodes: int, step: int) -> np.ndarray:
    """r_t of every node in the first hop of a step."""
    number = np.empty(num_nodes)
    numbers(key_of(0, step, 0), np.arange(num_nodes), number)
    return number


def row_sums(sampler: Labor | FanOut, side: Side, x: np.ndarray, seeds: list[int]) -> np.ndarray:
    """``[STEPS, len(seeds)]``: the estimated mean of x over each seed's row, step by step."""
    sums = np.empty((STEPS, len(seeds)))
    for step in range(STEPS):
        sample = sampler.sample(seeds, step=step)
        part = sample.group(0)
        value = sample.scale[part] * x[sample.nodes[sample.column[part]]]
        sums[step] = np.bincount(sample.row[part], value, len(seeds))[sample.seeds]
    return sums / side.degree[seeds]


@pytest.mark.parametrize("step", range(3))
def test_a_row_draws_exactly_the_nodes_whose_number_is_below_k_over_d(step: int) -> None:
    arcs, number = bipartite(20, 30, 12), number_of(50, step)
    sample = Labor(arcs, [4]).sample(np.arange(20), step=step)
    for row in range(20):
        drawn = sample.nodes[sample.column[sample.row == row]]
        assert sorted(drawn) == [t for t in arcs.out(row) if number[t] < 4 / 12]
    assert np.allclose(sample.scale, 3)


@pytest.mark.parametrize("step", range(3))
def test_the_exact_form_draws_the_k_smallest_numbers(step: int) -> None:
    arcs, number = bipartite(20, 30, 12), number_of(50, step)
    sample = Labor(arcs, [4], exact=True).sample(np.arange(20), step=step)
    for row in range(20):
        drawn = sample.nodes[sample.column[sample.row == row]]
        assert sorted(drawn) == sorted(sorted(arcs.out(row), key=lambda t: number[t])[:4])


def test_a_weighted_row_solves_for_its_own_factor() -> None:
    arcs, number = hub_graph(), number_of(40, 5)
    weight = dict(zip(arcs.out(0).tolist(), arcs.weight[:36].astype(float).tolist(), strict=True))
    low, high = 0.0, 10.0
    for _ in range(60):
        c = (low + high) / 2
        low, high = (c, high) if sum(min(1, c * w) for w in weight.values()) < 6 else (low, c)
    sample = Labor(arcs, [6], weight="weight").sample([0], step=5)
    drawn = sample.nodes[sample.column].tolist()
    assert drawn == [t for t in weight if number[t] < low * weight[t]]
    assert np.allclose(sample.scale, [1 / min(1, low * weight[t]) for t in drawn])
    exact = Labor(arcs, [6], weight="weight", exact=True).sample([0], step=5)
    ranked = sorted(weight, key=lambda t: number[t] / weight[t])
    assert sorted(exact.nodes[exact.column].tolist()) == sorted(ranked[:6])
    last = number[ranked[6]] / weight[ranked[6]]
    chance = [min(1, last * weight[t]) for t in exact.nodes[exact.column].tolist()]
    assert np.allclose(exact.scale, 1 / np.array(chance))


def test_a_row_draws_alike_whoever_else_is_in_the_batch() -> None:
    arcs = bipartite(20, 30, 12)
    whole, alone = (Labor(arcs, [4]).sample(seeds, step=2) for seeds in (np.arange(20), [7]))
    assert sorted(whole.entry[whole.row == 7]) == sorted(alone.entry)


def test_relations_and_hops() -> None:
    """Relations of one hop draw a shared neighbour together; another hop draws anew."""
    arcs = bipartite(1, 40, 40)
    sample = Labor({"one": arcs, "two": arcs}, [5]).sample([0])
    assert np.array_equal(sample.column[sample.group(0, 0)], sample.column[sample.group(0, 1)])
    star = Side(np.array([0, 1, 41]), np.concatenate([[1], np.arange(2, 42)]).astype(np.int32))
    star = Side(np.append(star.indptr, [41] * 40), star.neighbors)
    first = Labor(star, [5]).sample([1])
    second = Labor(star, [5, 5]).sample([0])
    assert set(first.nodes[first.column]) != set(second.nodes[second.column[second.group(1)]])


sizes = st.lists(st.floats(0.01, 100), min_size=2, max_size=30)


@given(sizes, st.integers(1, 29), st.booleans())
def test_the_factor_solves_its_equation(size: list[float], most: int, inverse: bool) -> None:
    a = np.array(size, np.float32)
    c = factor(0, len(a), a, most, inverse)
    chance = np.minimum(1, c * a.astype(np.float64))
    if len(a) <= most:
        assert np.allclose(chance, 1)
    elif inverse:
        assert np.isclose((1 / chance).sum(), len(a) ** 2 / most, rtol=1e-4)
    else:
        assert np.isclose(chance.sum(), most, rtol=1e-4)


def test_means_vary_as_the_formulas_say() -> None:
    """Exact form: as FanOut, (1/k - 1/d) S². Poisson form: (1/k - 1/d) · mean of x²."""
    arcs = bipartite(3, 40, 25, seed=1)
    side, x = side_of(arcs), np.random.default_rng(2).normal(1, 1, 43)
    values = np.array([x[arcs.out(row)] for row in range(3)])
    spread = (1 / 5 - 1 / 25) * np.stack([values.var(axis=1, ddof=1), (values**2).mean(axis=1)])
    error = 5 * np.sqrt(2 / STEPS)
    for sampler, expected in (
        (FanOut(arcs, [5]), spread[0]),
        (Labor(arcs, [5], exact=True), spread[0]),
        (Labor(arcs, [5]), spread[1]),
    ):
        means = row_sums(sampler, side, x, [0, 1, 2])
        assert (np.abs(means.var(axis=0) / expected - 1) < error).all()
        assert (np.abs(means.mean(axis=0) - values.mean(axis=1)) < 5 * np.sqrt(expected / STEPS)).all()


@pytest.mark.parametrize("rounds", [1, 3])
def test_importance_keeps_the_variance_of_a_constant(rounds: int) -> None:
    arcs = bipartite(8, 40, 25, seed=3)
    means = row_sums(Labor(arcs, [5], importance=rounds), side_of(arcs), np.ones(48), list(range(8)))
    assert (np.abs(means.var(axis=0) / (1 / 5 - 1 / 25) - 1) < 5 * np.sqrt(3 / STEPS)).all()
    assert (np.abs(means.mean(axis=0) - 1) < 5 * np.sqrt((1 / 5 - 1 / 25) / STEPS)).all()


def test_importance_meets_fewer_nodes_round_by_round() -> None:
    rng = np.random.default_rng(0)
    popular = (rng.random(40 * 60) ** 3 * 200).astype(int)
    pairs = np.unique(np.stack([np.repeat(np.arange(40), 60), 40 + popular]), axis=1)
    arcs = Arcs.from_pairs(*pairs, num_nodes=240)
    means = []
    for rounds in (0, 1, 2, 6):
        sampler = Labor(arcs, [5], importance=rounds)
        met = [sampler.sample(np.arange(40), step=step).num_nodes for step in range(300)]
        means.append(np.mean(met))
    assert means[0] > means[1] > means[2] > means[3]


def test_the_number_of_nodes_is_what_the_paper_expects() -> None:
    """E|T| = Σ_t min(1, max over s → t of k / d_s); FanOut's is Σ_t 1 - Π (1 - k / d_s)."""
    arcs, seeds = bipartite(60, 300, 100), np.arange(60)
    seen = np.bincount(arcs.targets, minlength=360)[60:]
    labor, ours = 0.1 * np.count_nonzero(seen), Labor(arcs, [10])
    peer, theirs = (1 - 0.9**seen).sum(), FanOut(arcs, [10])
    met = np.array([[s.sample(seeds, step=i).num_nodes - 60 for s in (ours, theirs)] for i in range(400)])
    error = met.std(axis=0) / np.sqrt(400)
    assert (np.abs(met.mean(axis=0) - [labor, peer]) < 5 * error).all()
    assert peer / labor > 8


def test_weight_zero_is_never_drawn_and_k_counts_the_others() -> None:
    weight = np.array([0, 1, 0, 2, 3, 0], np.float32)
    side = Side(np.array([0, 6, 6]), np.zeros(6, np.int32) + 1, weight=weight)
    for most in (2, 3, None):
        sampler = Labor(side, [most])
        drawn = np.concatenate([sampler.sample([0], step=step).entry for step in range(50)])
        assert set(drawn) == {1, 3, 4}
    assert Labor(side, [0]).sample([0]).num_arcs == 0


def test_a_fan_out_of_none_reads_all_and_of_zero_nothing() -> None:
    arcs = hub_graph()
    for importance in (0, 1):
        assert Labor(arcs, [None], importance=importance).sample([0]).num_arcs == 36
        assert Labor(arcs, [0], importance=importance).sample([0]).num_arcs == 0
    assert Labor(arcs, [None], exact=True).sample([0]).num_arcs == 36


@pytest.mark.parametrize(
    "settings", [{"fan_out": [-1]}, {"importance": -1}, {"importance": 1.5}, {"direction": ["out", "into"]}]
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        Labor(hub_graph(), **({"fan_out": [2]} | settings))


def test_data_that_makes_no_sense_is_refused() -> None:
    twice = Side(np.array([0, 2, 2]), np.array([1, 1], np.int32))
    with pytest.raises(DataError, match="stands twice"):
        Labor(twice, [1], exact=True)
    assert Labor(Side(np.array([0, 2, 2]), np.array([1, 0], np.int32)), [1], exact=True).num_nodes == 2
    for weight in (np.nan, -1, np.inf):
        wrong = Side(twice.indptr, twice.neighbors, weight=np.array([1, weight], np.float32))
        with pytest.raises(DataError, match="weight"):
            Labor(wrong, [1])
    with pytest.raises(ConfigError, match="do not go together"):
        Labor(hub_graph(), [2], weight="weight", importance=1)
    with pytest.raises(DataError, match="no times"):
        Labor(hub_graph(), [2]).sample([0], times=np.array([0]))
