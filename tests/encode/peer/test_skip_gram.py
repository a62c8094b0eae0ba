"""APP and NERD: walks and gradients against plain loops, and the optimum that is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tests.encode.graphs import dense, graph_of, weighted_graph

from thence.base.errors import FitError
from thence.encode.peer.app import app
from thence.encode.peer.kernel.ends import ends
from thence.encode.peer.kernel.sgns import sgns
from thence.encode.peer.nerd import nerd
from thence.graph.walk.kernel.steps import running_sums


def test_walks_end_where_page_rank_says() -> None:
    """Shares of many ends against the solved chances, the start's own stop left out; node 5 has no arcs."""
    arcs, alpha = weighted_graph().main, 0.4
    a = dense(weighted_graph())
    sums = running_sums(arcs.indptr, arcs.weight)
    for start in (0, 3):
        starts = np.full(40_000, start, np.int32)
        found = ends(arcs.indptr, arcs.targets, sums, starts, alpha, np.uint64(7))
        share = np.bincount(found, minlength=7) / len(found)
        leaves = a.sum(1)
        walk = a / np.where(leaves > 0, leaves, 1.0)[:, None]
        stop = np.where(leaves > 0, alpha, 1.0)
        expected = walk[start] @ np.linalg.inv(np.eye(7) - (1 - stop)[:, None] * walk) * stop
        np.testing.assert_allclose(share, expected, atol=0.01)
    assert ends(arcs.indptr, arcs.targets, sums, np.array([5], np.int32), alpha, np.uint64(0)).tolist() == [-1]


def climb(own: np.ndarray, other: np.ndarray, pairs: list[list[int]], noise: list[float]) -> None:
    drawn = np.cumsum(np.asarray(noise, np.float64))
    sgns(own, other, np.array(pairs, np.int32), drawn, 1, np.array([0.1, 0.1]), np.uint64(1))


def test_one_pair_moves_as_the_gradient_says() -> None:
    """Two nodes, and noise is always the first one."""
    own = np.array([[0.2, -0.1], [0.4, 0.3]], np.float32)
    other = np.array([[0.5, 0.1], [-0.3, 0.6]], np.float32)
    x, noise, positive = own[0].astype(float), other[0].astype(float), other[1].astype(float)
    climb(own, other, [[0], [1]], [1.0, 0.0])
    up, down = (label - 1 / (1 + math.exp(-x @ y)) for label, y in ((1, positive), (0, noise)))
    np.testing.assert_allclose(other, [noise + 0.1 * down * x, positive + 0.1 * up * x], rtol=1e-5)
    np.testing.assert_allclose(own[0], x + 0.1 * (up * positive + down * noise), rtol=1e-5)
    assert own[1].tolist() == np.array([0.4, 0.3], np.float32).tolist()


def test_noise_that_is_the_pair_itself_is_left_out() -> None:
    own, other = np.ones((1, 1), np.float32), np.zeros((2, 1), np.float32)
    climb(own, other, [[0], [1]], [0.0, 1.0])
    assert other[:, 0].tolist() == pytest.approx([0.0, 0.05])


def test_noise_falls_in_proportion_to_its_weight() -> None:
    """With tiny steps every push down is rate / 2 long, so pushes can be counted."""
    own, other, num, rate = np.ones((4, 1), np.float32), np.zeros((4, 1), np.float32), 3000, 1e-6
    noise = np.cumsum([5.0, 1.0, 0.0, 3.0])
    sgns(own, other, np.zeros((2, num), np.int32), noise, 2, np.full(2, rate), np.uint64(3))
    draws = -other[:, 0] / (rate / 2)
    assert draws[2] == 0 and draws[0] == pytest.approx(-num, rel=1e-2)
    assert draws[1] == pytest.approx(2 * num / 9, rel=0.1) and draws[3] == pytest.approx(2 * num / 3, rel=0.1)


def test_pairs_without_an_end_are_left_out() -> None:
    own, other = np.ones((2, 1), np.float32), np.zeros((2, 1), np.float32)
    climb(own, other, [[0, -1], [-1, 1]], [1.0, 1.0])
    assert own.tolist() == [[1.0], [1.0]] and not other.any()


def test_app_finds_how_much_likelier_than_noise_each_end_is() -> None:
    """0 → {1, 2} three to one. Noise is even over 3 nodes, less what falls on the pair itself: 1 - π of it."""
    graph = graph_of([(0, 1, 3.0), (0, 2, 1.0)], 3)
    scores = app(graph, dim=8, walks=5_000, negatives=2).scores([0, 1])
    expected = np.log([0.75 / 0.25 * 3, 0.25 / 0.75 * 3])
    np.testing.assert_allclose(scores[0, 1:], expected, atol=0.2)
    assert scores[0, 0] < -2 and not scores[1].any()


def test_nerd_leads_from_a_source_to_what_sources_like_it_lead_to() -> None:
    """0 and 1 share target 2, only 1 leads to 3 as well; 4 leads to 5: walks of two hops join 0 with 3."""
    graph = graph_of([(0, 2, 1.0), (1, 2, 1.0), (1, 3, 1.0), (4, 5, 1.0)], 6)
    near, far = nerd(graph, dim=8, hops=2, walks=300), nerd(graph, dim=8, hops=1, walks=300)
    for scorer in (near, far):
        assert scorer.scores([0])[0].argmax() == 2
    assert near.scores([0])[0, 3] > far.scores([0])[0, 3] + 0.5
    assert near.scores([0])[0, 3] > near.scores([0])[0, 5] + 1


@pytest.mark.parametrize("method", [app, nerd])
def test_a_seed_makes_all_of_it_and_another_seed_something_else(method) -> None:
    graph = weighted_graph()
    one, same, other = (method(graph, dim=4, walks=5, seed=seed).source for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("method", [app, nerd])
def test_vectors_that_grow_beyond_all_bounds_are_refused(method) -> None:
    with pytest.raises(FitError, match="beyond all bounds"):
        method(weighted_graph(), dim=4, walks=200, rate=1e30)
