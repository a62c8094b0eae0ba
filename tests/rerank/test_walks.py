"""Walks are matrix products, read off at pairs."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from tests.encode.graphs import random_graph
from tests.rerank.shop import shop

from thence.graph import DiGraph
from thence.rerank.kernel import ranks_within
from thence.rerank.walks import Step, Walker, turned

MAIN = "bought_after"
EVERY = (np.arange(42), np.arange(0, 42 * 43, 42), np.tile(np.arange(42, dtype=np.int32), 42))


def dense(graph: DiGraph, step: Step) -> np.ndarray:
    """A step's matrix by its formula, entry by entry."""
    arcs = graph.relations[step.relation]
    w = np.zeros((graph.num_nodes,) * 2)
    w[tuple(arcs.pairs)] = arcs.weight
    if step.against:
        w = w.T
    if step.damp is None:
        return (w > 0) * 1.0
    left, right = np.maximum(w.sum(1), 1e-12), np.maximum(w.sum(0), 1e-12)
    return w / left[:, None] ** step.damp[0] / right[None, :] ** step.damp[1]


@pytest.mark.parametrize("damp", [None, (0.5, 0.5), (1.0, 0.0), (0.2, 0.7)])
@pytest.mark.parametrize(
    "sides", list(product([False, True], repeat=2)) + list(product([False, True], repeat=3))
)
def test_a_walk_is_the_product_of_its_steps(sides: tuple[bool, ...], damp: tuple | None) -> None:
    graph = shop()
    walk = tuple(Step(MAIN, side, damp) for side in sides)
    expected = np.linalg.multi_dot([dense(graph, step) for step in walk])
    found = Walker(graph).values(walk, EVERY).reshape(42, 42)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_few_candidates_are_reached_backward_and_many_forward_with_the_same_values() -> None:
    graph = random_graph(12, 60)
    walk = (Step(MAIN), Step(MAIN, True), Step(MAIN))
    whole = Walker(graph).values(walk, (np.arange(12), np.arange(0, 145, 12), np.tile(np.arange(12), 12)))
    for source in range(12):
        for target in range(12):
            one = Walker(graph).values(walk, (np.array([source]), np.array([0, 1]), np.array([target])))
            np.testing.assert_allclose(one, whole[source * 12 + target], rtol=1e-5)


def test_a_step_turned_twice_is_itself_and_once_the_transpose() -> None:
    step = Step(MAIN, True, (0.2, 0.7))
    assert turned(turned(step)) == step
    np.testing.assert_allclose(dense(shop(), turned(step)), dense(shop(), step).T)


def test_the_top_of_a_walk_is_its_largest_values() -> None:
    graph = shop()
    walk = (Step(MAIN), Step(MAIN, True))
    values = dense(graph, walk[0]) @ dense(graph, walk[1])
    for source, row in enumerate(Walker(graph).top(walk, np.arange(42), 5)):
        kept = row[row >= 0]
        assert len(set(kept.tolist())) == len(kept) == min(5, (values[source] > 0).sum())
        largest = np.sort(values[source])[::-1][: len(kept)]
        np.testing.assert_allclose(np.sort(values[source][kept])[::-1], largest, rtol=1e-5)


def test_places_count_from_the_largest_inside_each_source() -> None:
    values = np.array([1.0, 3.0, 2.0, 5.0, 5.0], np.float32)
    assert ranks_within(values, np.array([0, 3, 5])).tolist() == [2.0, 0.0, 1.0, 0.0, 1.0]
