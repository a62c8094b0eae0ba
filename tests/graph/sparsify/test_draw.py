"""Sparsifiers that draw: expected weights by enumeration of all draws, resistances by a pseudo-inverse."""

import itertools
import sys

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.graph.partition.graphs import cliques, relations, scale_free

from thence.base.errors import ConfigError, DataError
from thence.graph import Arcs
from thence.graph.check import check_stored
from thence.graph.sparsify import draw, leverage, sample_resistance, structure, uniform
from thence.graph.sparsify.draw import chances, units_of

UNIFORM = sys.modules["thence.graph.sparsify.uniform"]


class Fixed:
    """A generator whose one draw is given."""

    def __init__(self, draw):
        self.draw = draw

    def __call__(self, *_names):
        return self

    def random(self, _count):
        return self.draw

    def choice(self, items, size, replace):
        assert not replace and size == len(self.draw)
        return items[list(self.draw)]


def dense_resistance(arcs):
    """R of each arc by the pseudo-inverse of the dense Laplacian."""
    laplacian = np.zeros((arcs.num_nodes, arcs.num_nodes))
    for u, v, w in zip(*arcs.pairs.tolist(), arcs.weight.tolist(), strict=True):
        laplacian[[u, v], [u, v]] += w
        laplacian[[u, v], [v, u]] -= w
    inverse = np.linalg.pinv(laplacian, hermitian=True)
    u, v = arcs.pairs
    return inverse[u, u] + inverse[v, v] - 2 * inverse[u, v]


def weights_in(arcs, after):
    """``[num_arcs]`` weights after, 0 where an arc was dropped."""
    at = after.positions(*arcs.pairs)
    return np.where(at >= 0, after.weight.astype(float)[at] if after.num_arcs else 0.0, 0.0)


@settings(max_examples=20)
@given(relations(nodes=(2, 3)), st.floats(0.05, 1), st.booleans())
def test_uniform_weights_are_right_on_average_over_all_samples(arcs, share, keep):
    unit, count = units_of(arcs)
    assume(arcs.num_arcs and count <= 8)
    sure = np.unique(unit[structure(arcs)]) if keep else []
    free = count - len(sure)
    assume(share * count > len(sure) or not free)
    size = max(round(share * count - len(sure)), 1) if free else 0
    total, draws = np.zeros(arcs.num_arcs), 0
    for picked in itertools.combinations(range(free), size):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(UNIFORM, "generator", Fixed(picked))
            after = uniform(arcs, share, keep_structure=keep)
        check_stored(after)
        total, draws = total + weights_in(arcs, after), draws + 1
    np.testing.assert_allclose(total / draws, arcs.weight, rtol=1e-6)


@settings(max_examples=20)
@given(relations(nodes=(2, 3)), st.floats(0.05, 1), st.booleans(), st.sampled_from(["degree", "projection"]))
def test_resistance_weights_are_right_on_average_over_all_draws(arcs, share, keep, estimate):
    unit, count = units_of(arcs)
    assume(0 < count <= 7)
    sure = len(np.unique(unit[structure(arcs)])) if keep else 0
    assume(share * count > sure or sure == count)
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(draw, "generator", Fixed(np.full(count, 0.5)))
        patch.setattr("thence.graph.sparsify.resistance.drawn", lambda _arcs, chance, *_: seen.append(chance))
        sample_resistance(arcs, share, estimate=estimate, projections=8, keep_structure=keep)
    chance = seen[0]
    weighted = np.bincount(unit, arcs.weight, minlength=count) > 0
    assert (chance[weighted] > 0).all() and chance.max() <= 1
    total = np.zeros(arcs.num_arcs)
    for hit in itertools.product([False, True], repeat=count):
        hit = np.array(hit)
        probability = np.where(hit, chance, 1 - chance).prod()
        if not probability:
            continue
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(draw, "generator", Fixed(np.where(hit, 0.0, 1.0 - 1e-16)))
            after = draw.drawn(arcs, chance, 0, "resistance")
        total += probability * weights_in(arcs, after)
    np.testing.assert_allclose(total, arcs.weight, rtol=1e-6)


@settings(max_examples=60)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=12), st.floats(0.1, 12))
def test_chances_are_cut_off_at_one_and_add_up(score, budget):
    score = np.array(score, float)
    found = chances(score, budget)
    if budget >= (score > 0).sum():
        assert found.tolist() == (score > 0).tolist()
        return
    low, high = 0.0, 1e9
    for _ in range(200):
        c = (low + high) / 2
        low, high = (c, high) if np.minimum(1, c * score).sum() < budget else (low, c)
    np.testing.assert_allclose(found, np.minimum(1, high * score), atol=1e-9)
    assert found.sum() == pytest.approx(budget)


@settings(max_examples=12)
@given(relations(nodes=(2, 8)))
def test_projected_leverage_is_near_the_pseudo_inverse(arcs):
    weighted = arcs.weight > 0
    exact = arcs.weight * dense_resistance(arcs)
    found = leverage(arcs, estimate="projection", projections=400)
    assert (np.abs(found - exact)[weighted] <= 6 * np.sqrt(2 / 400) * exact[weighted] + 1e-3).all()
    cheap = leverage(arcs)
    assert ((cheap > 0) == weighted).all()


def test_the_degree_bound_stands_below_twice_the_resistance():
    """R ≥ ½ (1/d_u + 1/d_v) in every graph (Lovász 1993, corollary 3.3)."""
    for seed in range(5):
        arcs = scale_free(60, 400, seed)
        exact = arcs.weight * dense_resistance(arcs)
        assert (leverage(arcs) <= 2 * exact * (1 + 1e-6)).all()


def test_leverages_add_up_to_the_edges_of_a_spanning_forest():
    arcs = scale_free(200, 900)
    exact = arcs.weight * dense_resistance(arcs)
    nodes = len(np.unique(arcs.pairs))
    assert exact.sum() == pytest.approx(nodes - 1)  # one component: Foster's theorem
    assert leverage(arcs, estimate="projection", projections=64).sum() == pytest.approx(nodes - 1, rel=0.03)


def test_a_bridge_is_kept_and_its_weight_left_alone():
    arcs = cliques(12, 2).select(
        np.flatnonzero(~((cliques(12, 2).pairs[0] >= 12) & (cliques(12, 2).pairs[1] < 12)))
    )
    at = int(arcs.positions([0], [12])[0])
    assert leverage(arcs, estimate="projection")[at] == pytest.approx(1.0, abs=1e-3)
    for seed in range(5):
        after = sample_resistance(arcs, 0.3, estimate="projection", seed=seed)
        kept = after.positions([0], [12])
        assert kept[0] >= 0 and after.weight[kept[0]] == 1
    assert not all(uniform(arcs, 0.3, seed=seed).contains([0], [12])[0] for seed in range(5))


def test_the_expected_share_is_kept():
    arcs = scale_free(500, 8_000)
    for estimate in ("degree", "projection"):
        after = sample_resistance(arcs, 0.25, estimate=estimate, projections=16, seed=1)
        spread = np.sqrt(0.25 * arcs.num_arcs)
        assert abs(after.num_arcs - 0.25 * arcs.num_arcs) < 4 * spread
        held = sample_resistance(arcs, 0.5, estimate=estimate, projections=16, keep_structure=True)
        assert held.contains(*arcs.pairs[:, structure(arcs)]).all()
        assert abs(held.num_arcs - 0.5 * arcs.num_arcs) < 4 * np.sqrt(0.5 * arcs.num_arcs)
    assert uniform(arcs, 0.25).num_arcs == round(0.25 * arcs.num_arcs)
    assert set(np.unique(uniform(arcs, 0.25, reweight=False).weight)) <= set(np.unique(arcs.weight))
    assert uniform(arcs, 1.0).weight.tolist() == arcs.weight.tolist()


@pytest.mark.parametrize("sparsify", [uniform, sample_resistance])
def test_draws_depend_on_the_seed_alone_and_pairs_stay_together(sparsify):
    arcs = scale_free(100, 700)
    both = np.unique(np.concatenate([arcs.pairs, arcs.pairs[::-1]], axis=1), axis=1)
    pairs = Arcs.from_pairs(*both, num_nodes=100, directed=False)
    for whole in (arcs, pairs):
        one, two, other = (sparsify(whole, 0.5, seed=seed) for seed in (1, 1, 2))
        assert one.pairs.tolist() == two.pairs.tolist() != other.pairs.tolist()
        check_stored(one)
    for empty in (0, 4):
        assert sparsify(Arcs.from_pairs([], [], num_nodes=empty), 0.5, keep_structure=True).num_arcs == 0


def raw(weight):
    """Arcs whose weights were not checked when they were made."""
    arcs = Arcs.from_pairs([0, 1], [1, 2], num_nodes=3)
    fields = ("indptr", "targets", "in_indptr", "sources", "in_order")
    stored = {name: getattr(arcs, name) for name in fields}
    return Arcs(**stored, values={"weight": np.array(weight, np.float32)})


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: uniform(raw([1, 1]), -0.1), ConfigError, "share is -0.1"),
        (lambda: uniform(raw([1, 1]), 1.5), ConfigError, "share is 1.5"),
        (lambda: uniform(raw([1, 1]), "half"), ConfigError, "share is 'half'"),
        (lambda: uniform(raw([1, 1]), 0.5, keep_structure=True), None, ""),
        (lambda: sample_resistance(raw([1, np.nan]), 0.5), DataError, "weight of an arc is nan"),
        (lambda: sample_resistance(raw([1, -2]), 0.5), DataError, "weight of an arc is -2"),
        (lambda: sample_resistance(raw([1, 1]), 0.0), ConfigError, "share is 0.0"),
        (lambda: leverage(raw([1, 1]), estimate="degrees"), ConfigError, "Did you mean 'degree'"),
        (lambda: leverage(raw([1, 1]), projections=0), ConfigError, "projections=0"),
        (lambda: uniform(cliques(4, 1), 0.1, keep_structure=True), ConfigError, "spanning structure alone"),
    ],
)
def test_what_cannot_be_asked_is_refused(call, error, message):
    if error is None:
        assert call().num_arcs == 2  # all is structure
        return
    with pytest.raises(error, match=message):
        call()
