"""Splits share no arc, lose none, keep their shares, and keep a pair together where they promise it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thence.base.errors import ConfigError
from thence.graph.arcs import Arcs
from thence.graph.split import TEST, TRAIN, VALID, split_arcs, split_nodes


@st.composite
def graphs(draw, directed=True):
    num_nodes = draw(st.integers(2, 12))
    ordered = [(u, v) for u in range(num_nodes) for v in range(num_nodes) if u != v]
    pairs = draw(st.lists(st.sampled_from(ordered), unique=True))
    if not directed:
        pairs = sorted({pair for u, v in pairs for pair in ((u, v), (v, u))})
    source, target = [u for u, _ in pairs], [v for _, v in pairs]
    weight = [float(10 * u + v) for u, v in pairs]
    return Arcs.from_pairs(source, target, num_nodes=num_nodes, weight=weight, directed=directed)


def arc_set(arcs):
    return {(u, v, w) for (u, v), w in zip(arcs.pairs.T.tolist(), arcs.weight.tolist(), strict=True)}


@settings(deadline=None)
@given(graphs(), st.integers(0, 5), st.booleans())
def test_parts_are_disjoint_and_whole_and_keep_weights(arcs, seed, leak_free):
    split = split_arcs(arcs, (0.6, 0.1, 0.3), seed, leak_free=leak_free)
    parts = [arc_set(part) for part in (split.train, split.valid, split.test)]
    assert sum(map(len, parts)) == arcs.num_arcs
    assert set.union(*parts) == arc_set(arcs)


@settings(deadline=None)
@given(graphs(), st.integers(0, 5))
def test_sizes_of_a_random_split_are_the_rounded_shares(arcs, seed):
    split = split_arcs(arcs, (0.75, 0.05, 0.20), seed)
    first, second = np.rint(0.75 * arcs.num_arcs), np.rint(0.80 * arcs.num_arcs)
    assert [split.train.num_arcs, split.valid.num_arcs] == [first, second - first]


@settings(deadline=None)
@given(graphs(), st.integers(0, 5))
def test_leak_free_keeps_both_directions_on_one_side(arcs, seed):
    split = split_arcs(arcs, (0.5, 0.2, 0.3), seed, leak_free=True)
    for part in (split.train, split.valid, split.test):
        source, target = part.pairs
        both = arcs.contains(target, source)
        assert part.contains(target, source).tolist() == both.tolist()
    assert abs(split.train.num_arcs - 0.5 * arcs.num_arcs) <= 1.5


@settings(deadline=None)
@given(graphs(directed=False), st.integers(0, 5))
def test_an_undirected_relation_stays_undirected(arcs, seed):
    split = split_arcs(arcs, (0.5, 0.2, 0.3), seed)
    assert not split.train.directed
    assert not split.train.contains(*split.test.pairs[::-1]).any()


def test_a_random_split_of_reciprocal_arcs_leaks_and_a_leak_free_one_does_not():
    pairs = [(u, v) for u in range(20) for v in range(20) if u != v]
    arcs = Arcs.from_pairs([u for u, _ in pairs], [v for _, v in pairs], num_nodes=20)
    leaky, tight = split_arcs(arcs, seed=3), split_arcs(arcs, seed=3, leak_free=True)
    assert 0.6 < leaky.train.contains(*leaky.test.pairs[::-1]).mean() < 0.9
    assert not tight.train.contains(*tight.test.pairs[::-1]).any()


def test_same_seed_same_split_and_another_seed_another():
    arcs = Arcs.from_pairs(np.arange(99), np.arange(1, 100), num_nodes=100)
    one, again, other = (split_arcs(arcs, seed=seed) for seed in (1, 1, 2))
    assert arc_set(one.test) == arc_set(again.test) != arc_set(other.test)


@settings(deadline=None)
@given(graphs(), st.integers(0, 5))
def test_cold_nodes_are_touched_by_no_train_arc(arcs, seed):
    split = split_nodes(arcs, (0.6, 0.1, 0.3), seed)
    for part, name in ((split.train, TRAIN), (split.valid, VALID), (split.test, TEST)):
        worst = split.part[part.pairs].max(axis=0)
        assert (worst == name).all()
    whole = split.train.num_arcs + split.valid.num_arcs + split.test.num_arcs
    assert whole == arcs.num_arcs
    assert len(split.nodes(TRAIN)) == np.rint(0.6 * arcs.num_nodes)


@pytest.mark.parametrize("fractions", [(0.5, 0.5, 0.5), (1.2, -0.2, 0.0), (0.5, 0.5)])
def test_shares_that_do_not_add_up_are_refused(fractions):
    arcs = Arcs.from_pairs([0], [1], num_nodes=2)
    for split in (split_arcs, split_nodes):
        with pytest.raises(ConfigError, match="three shares"):
            split(arcs, fractions)
