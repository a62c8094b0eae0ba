"""Slices hold what they say; coverage, popularity bias and concentration have the values known by hand."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thence.base.errors import ConfigError, DataError
from thence.evaluate.beyond import beyond_accuracy, gini
from thence.evaluate.cases import Cases, arc_cases
from thence.evaluate.slices import degree_buckets, slices
from thence.graph.arcs import Arcs


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.integers(1, 6))
def test_buckets_part_the_cases_in_order_of_degree(degree, num):
    size = len(degree)
    cases = Cases.make(np.arange(size), np.full(size, size), num_nodes=size + 1)
    parts = degree_buckets(cases.with_degree(np.array([*degree, 0.0])), num)
    assert 1 <= len(parts) <= num
    assert (sum(part.keep.astype(int) for part in parts) == 1).all()
    held = [np.array(degree)[part.keep] for part in parts]
    assert all(low.max() < high.min() for low, high in itertools.pairwise(held))


def test_terciles_count_queries_and_not_cases():
    source = [0, 1, 2, 3, 4, 5, *([5] * 50)]
    cases = Cases.make(source, [6] * len(source), num_nodes=7)
    parts = {part.name: part for part in slices(cases.with_degree(np.arange(7.0)))}
    assert [int(parts[f"{name}_degree"].keep.sum()) for name in ("low", "mid", "high")] == [2, 2, 52]


def test_slices_of_a_graph():
    known = Arcs.from_pairs([0, 0, 0, 1, 1, 2], [1, 2, 3, 2, 3, 3], num_nodes=6)
    test = Arcs.from_pairs([1, 2, 2, 4], [0, 0, 5, 0], num_nodes=6)
    parts = {part.name: part.keep.tolist() for part in slices(arc_cases(test, known))}
    assert parts["one_way"] == [False, False, True, True]
    assert parts["cold"] == [False, False, True, False]
    assert parts["cold_source"] == [False, False, False, True]


def test_no_buckets_are_refused():
    with pytest.raises(ConfigError):
        degree_buckets(Cases.make([0], [1], num_nodes=2), 0)
    assert degree_buckets(Cases.make([], [], num_nodes=2), 3) == []


def test_lists_of_everything_and_lists_of_the_head():
    popularity = np.arange(10.0)
    everything = np.arange(10).reshape(5, 2)
    found = beyond_accuracy(everything, popularity, 2)
    assert (found.coverage, found.popularity, found.gini, found.filled) == (1, 0.5, 0, 1)
    head = beyond_accuracy(np.full((5, 1), 9), popularity, 1)
    assert (head.coverage, head.popularity, head.gini) == pytest.approx((0.1, 0.95, 0.9))


def test_empty_places_are_not_counted():
    found = beyond_accuracy(np.array([[3, -1], [-1, -1]]), np.ones(4), 2)
    assert (found.coverage, found.popularity, found.filled) == (0.25, 0.5, 0.25)
    none = beyond_accuracy(np.full((2, 2), -1), np.ones(4), 2)
    assert none.coverage == 0 and np.isnan(none.popularity)
    with pytest.raises(DataError, match="length 2"):
        beyond_accuracy(np.full((2, 2), -1), np.ones(4), 3)


@given(st.lists(st.integers(0, 20), min_size=2, max_size=12).filter(any))
def test_gini_is_half_the_mean_difference_over_the_mean(counts):
    c = np.array(counts, float)
    literal = np.abs(c[:, None] - c[None, :]).mean() / (2 * c.mean())
    assert gini(c) == pytest.approx(literal)
