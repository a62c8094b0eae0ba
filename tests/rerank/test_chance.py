"""What is more than chance: expected counts by hand, the posterior by a second formula, and calibration."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from thence.graph import Arcs
from thence.rerank.chance import Mixture, expected, fit_mixture, log_count, sure_arcs, wider_kinds


def test_a_count_of_a_gamma_rate_is_negative_binomial() -> None:
    seen, by_chance = np.arange(12.0), np.linspace(0.1, 3.0, 12)
    shape, rate = 1.7, 0.4
    want = stats.nbinom.logpmf(seen, shape, rate / (rate + by_chance))
    np.testing.assert_allclose(log_count(seen, by_chance, shape, rate), want, rtol=1e-9)


def test_expected_counts_follow_the_formula_pair_by_pair() -> None:
    rng = np.random.default_rng(1)
    n = 9
    kind = np.array([-1, 0, 0, 1, 1, 1, 2, 2, -1])
    pairs = np.argwhere((rng.random((n, n)) < 0.6) & ~np.eye(n, dtype=bool)).T
    arcs = Arcs.from_pairs(*pairs, num_nodes=n, weight=rng.integers(1, 6, pairs.shape[1]))
    rows = list(zip(*arcs.pairs.tolist(), arcs.weight.tolist(), strict=True))
    for (i, j, _), got in zip(rows, expected(arcs, kind), strict=True):
        out = sum(w for a, _, w in rows if a == i)
        into = sum(w for _, b, w in rows if b == j)
        between = sum(w for a, b, w in rows if kind[a] == kind[i] and kind[b] == kind[j])
        led = sum(w for a, _, w in rows if kind[a] == kind[i])
        followed = sum(w for _, b, w in rows if kind[b] == kind[j])
        assert got == pytest.approx(out * into * between / (led * followed))
    assert expected(arcs, np.full(n, -1)).sum() > 0  # without kinds all nodes are of one


@pytest.fixture(scope="module")
def world() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs that are seen: one in fifty truly belongs together, fifteen times as often as by chance."""
    rng = np.random.default_rng(4)
    by_chance, led = rng.exponential(0.2, 60_000) + 0.01, rng.random(60_000) < 0.02
    rate = np.where(led, rng.gamma(2.0, 7.5, 60_000), rng.gamma(8.0, 1 / 8, 60_000))
    seen = rng.poisson(rate * by_chance)
    there = seen > 0
    return seen[there], by_chance[there], led[there]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_how_sure_it_is_is_how_often_it_is_so(world: tuple[np.ndarray, ...], seed: int) -> None:
    """Calibrated whatever pairs are drawn: the likelihood of a freer mixture has tops that are not."""
    seen, by_chance, led = world
    sure = fit_mixture(seen, by_chance, seed=seed).sure(seen, by_chance)
    for low, high in ((0.0, 0.2), (0.2, 0.6), (0.6, 1.01)):
        some = (sure >= low) & (sure < high)
        assert some.sum() > 50
        assert led[some].mean() == pytest.approx(sure[some].mean(), abs=0.12)


def test_more_sightings_are_surer_and_more_chance_is_less_sure() -> None:
    one = Mixture((8.0, 8.0), (2.0, 0.2), 0.01)
    assert (np.diff(one.sure(np.arange(1.0, 20), np.full(19, 0.5))) > 0).all()
    assert (np.diff(one.sure(np.full(19, 4.0), np.linspace(0.1, 3, 19))) < 0).all()


def test_arcs_keep_their_pairs_and_none_is_none() -> None:
    arcs = Arcs.from_pairs([0, 0, 1], [1, 2, 2], num_nodes=3, weight=[9.0, 1.0, 1.0])
    found = sure_arcs(arcs, np.zeros(3, np.int64))
    assert (found.pairs == arcs.pairs).all() and ((found.weight >= 0) & (found.weight <= 1)).all()
    assert sure_arcs(Arcs.from_pairs([], [], num_nodes=2), np.zeros(2, np.int64)).num_arcs == 0


def test_kinds_are_wider_by_one_level() -> None:
    table = pa.table({"category": ["a > b > c", "a > b > d", "a > e > c", "f", None]})
    code = wider_kinds(table, 5)
    assert code[0] == code[1] and len(set(code.tolist())) == 4
    assert wider_kinds(None, 3).tolist() == wider_kinds(pa.table({"x": [1, 2, 3]}), 3).tolist() == [0, 0, 0]
