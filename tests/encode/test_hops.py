"""Means over neighbourhoods: both ways against dense algebra, and the plan against what it is told."""

from __future__ import annotations

import numpy as np
import pytest

from thence.base.errors import ConfigError, DataError
from thence.encode.hops import hop_means, plan, shares
from thence.graph.arcs import Arcs
from thence.graph.sample import Side, side_of
from thence.graph.sample.aggregate import aggregate


def random_arcs(num_nodes: int, num_arcs: int, seed: int = 0) -> Arcs:
    rng = np.random.default_rng(seed)
    pairs = np.unique(rng.integers(0, num_nodes, (num_arcs, 2)), axis=0)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    return Arcs.from_pairs(*pairs.T, num_nodes=num_nodes, weight=rng.random(len(pairs)) + 0.1)


def dense_means(arcs: Arcs, direction: str) -> np.ndarray:
    matrix = arcs.matrix().toarray()
    matrix = matrix if direction == "out" else matrix.T
    return matrix / np.maximum(matrix.sum(1, keepdims=True), 1e-12)


@pytest.mark.parametrize("direction", ["out", "into"])
@pytest.mark.parametrize("how", ["whole", "sampled"])
def test_all_neighbours_give_the_dense_product(direction: str, how: str) -> None:
    arcs = random_arcs(60, 400)
    x = np.random.default_rng(1).normal(size=(60, 5)).astype(np.float32)
    seeds = np.array([3, 59, 0, 3])
    side = side_of(arcs, direction, weight="weight")  # type: ignore[arg-type]
    found = hop_means(side, x, seeds, [None, None, None], how=how)  # type: ignore[arg-type]
    P = dense_means(arcs, direction)
    np.testing.assert_allclose(found, (P @ P @ P @ x)[seeds], rtol=2e-4, atol=1e-6)
    other = dense_means(arcs, "into" if direction == "out" else "out")
    assert np.abs(found - (other @ other @ other @ x)[seeds]).max() > 0.01  # the mutant that turns arcs round


def test_drawn_neighbours_have_the_right_expectation() -> None:
    arcs = random_arcs(40, 500, seed=2)
    side = side_of(arcs, "out", weight="weight")
    x = np.random.default_rng(3).normal(size=(40, 3)).astype(np.float32)
    seeds = np.arange(8)
    draws = np.stack([hop_means(side, x, seeds, [3, 3], how="sampled", seed=seed) for seed in range(600)])
    P = dense_means(arcs, "out")
    error = draws.std(axis=0) / np.sqrt(len(draws))
    assert (np.abs(draws.mean(axis=0) - (P @ P @ x)[seeds]) < 4.5 * error).all()


def test_threads_do_not_change_a_bit() -> None:
    rng = np.random.default_rng(4)
    indptr = np.concatenate([[0], np.cumsum(rng.integers(0, 40, 9000))])
    neighbors, weight = rng.integers(0, 500, indptr[-1]), rng.random(indptr[-1]).astype(np.float32)
    x = rng.normal(size=(500, 7)).astype(np.float32)
    one, two = (aggregate(indptr, neighbors, weight, x, threads=threads) for threads in (1, 2))
    assert np.array_equal(one, two)
    literal = np.zeros((9000, 7))
    np.add.at(
        literal, np.repeat(np.arange(9000), np.diff(indptr)), weight[:, None] * x[neighbors].astype(float)
    )
    np.testing.assert_allclose(one, literal, rtol=1e-4, atol=1e-5)


def test_shares_of_a_row_sum_to_one_where_it_has_weight() -> None:
    side = Side(np.array([0, 2, 3, 3]), np.array([1, 2, 0]), weight=np.array([1, 3, 0], np.float32))
    assert shares(side).tolist() == [0.25, 0.75, 0.0]


def test_the_plan_counts_arcs_and_prefers_few_seeds_on_large_graphs() -> None:
    side = side_of(random_arcs(20_000, 200_000, seed=5), "out")
    few, many = plan(side, 100, [3, 3], 32), plan(side, 20_000, [10, 10], 32)
    assert (few.how, many.how) == ("sampled", "whole")
    assert few.sampled < few.whole and many.whole < many.sampled
    assert 0.8 < few.arcs / (100 * (3 + 9)) <= 1.0
    nothing = Side(np.array([0]), np.array([], np.int32))
    assert hop_means(nothing, np.empty((0, 2), np.float32), np.array([], np.int64), [2]).shape == (0, 2)


def test_wrong_input_is_refused() -> None:
    side = side_of(random_arcs(10, 30), "out")
    x = np.ones((10, 2), np.float32)
    with pytest.raises(DataError, match="one row a node"):
        hop_means(side, x[:9], np.array([0]), [1])
    with pytest.raises(DataError, match="out of range"):
        hop_means(side, x, np.array([10]), [1])
    with pytest.raises(ConfigError, match="no way"):
        hop_means(side, x, np.array([0]), [1], how="quick")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="fan-out"):
        hop_means(side, x, np.array([0]), [-2])
