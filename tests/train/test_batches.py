"""Batches: what is in one, how sources are drawn, and that sampled sums are unbiased."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.encode.graphs import dense, graph_of, random_graph, weighted_graph

from thence.base.errors import DataError
from thence.graph import Arcs
from thence.train.batches import BatchSampler, rows_of


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.integers(0, 9), st.integers(1, 12), st.sampled_from([1.0, 1.5]))
def test_a_batch_holds_all_arcs_of_its_sources(seed: int, candidates: int, size: int, power: float) -> None:
    graph = random_graph(num_nodes=10, num_arcs=25, seed=seed)
    sampler = BatchSampler(graph.main, batch_size=size, weight_power=power, candidates=candidates, seed=seed)
    batch, matrix = sampler.batch(3), dense(graph)
    alive = int((matrix.sum(1) > 0).sum())
    assert len(batch.sources) == min(size, alive) == len(np.unique(batch.sources))
    got = {(int(batch.sources[r]), int(t)) for r, t in zip(batch.row, batch.targets, strict=True)}
    assert got == {(i, j) for i in batch.sources.tolist() for j in np.flatnonzero(matrix[i]).tolist()}
    pairs = graph.main.pairs[:, batch.position]
    np.testing.assert_array_equal(pairs, [batch.sources[batch.row], batch.targets])
    assert (np.diff(batch.candidates) > 0).all()
    np.testing.assert_array_equal(batch.candidates[batch.column], batch.targets)
    weight = matrix[batch.sources[batch.row], batch.targets] ** power
    total = (matrix[batch.sources] ** power).sum(1)[batch.row]
    np.testing.assert_allclose(batch.share, weight / total, rtol=1e-6)


def test_without_candidates_everybody_stands_with_weight_one() -> None:
    batch = BatchSampler(weighted_graph().main).batch(0)
    assert batch.candidates.tolist() == list(range(7)) and not batch.log_weight.any()


def test_the_seed_and_the_step_and_nothing_else_give_the_batch() -> None:
    def drawn(seed: int, step: int) -> list[list[float]]:
        sampler = BatchSampler(random_graph().main, batch_size=3, candidates=4, seed=seed)
        sampler.batch(99)
        batch = sampler.batch(step)
        return [batch.sources.tolist(), batch.candidates.tolist(), batch.log_weight.tolist()]

    assert drawn(1, 5) == drawn(1, 5)
    assert drawn(1, 5) != drawn(1, 6) and drawn(1, 5) != drawn(2, 5)


@pytest.mark.parametrize(("power", "expected"), [(1.0, [0.7, 0.2, 0.1]), (0.0, [1 / 3] * 3)])
def test_a_source_is_drawn_by_a_power_of_its_weight(power: float, expected: list[float]) -> None:
    """One source a batch: by hand the chances are 7 : 2 : 1; nodes without arcs are never drawn."""
    graph = graph_of([(0, 3, 3.0), (0, 4, 4.0), (1, 3, 2.0), (2, 3, 1.0)], 6)
    sampler = BatchSampler(graph.main, batch_size=1, source_power=power)
    counts = np.bincount([sampler.batch(step).sources[0] for step in range(3000)], minlength=6)
    assert not counts[3:].any()
    np.testing.assert_allclose(counts[:3] / 3000, expected, atol=4 * np.sqrt(0.25 / 3000))


def test_the_sampled_denominator_is_unbiased() -> None:
    """Σ over the sample of exp(score + log weight) is, over many draws, the sum over all nodes."""
    graph = random_graph(num_nodes=12, num_arcs=30, seed=4)
    sampler = BatchSampler(graph.main, batch_size=2, candidates=6, seed=1)
    exponentials = np.exp(np.random.default_rng(0).normal(size=12))
    sums = []
    for step in range(4000):
        batch = sampler.batch(step)
        sums.append((exponentials[batch.candidates] * np.exp(batch.log_weight)).sum())
    error = np.std(sums) / np.sqrt(len(sums))
    assert abs(np.mean(sums) - exponentials.sum()) < 4 * error < 0.05 * exponentials.sum()


def test_each_node_is_counted_once_on_average() -> None:
    """The same for each node alone, which a wrong correction for popular nodes would break."""
    graph = graph_of([(i, 5, 1.0) for i in range(5)] + [(5, 0, 1.0)], 8)
    sampler = BatchSampler(graph.main, batch_size=1, candidates=4, seed=2)
    total, steps = np.zeros(8), 6000
    for step in range(steps):
        batch = sampler.batch(step)
        total[batch.candidates] += np.exp(batch.log_weight)
    np.testing.assert_allclose(total / steps, np.ones(8), atol=0.12)


def test_one_who_is_there_only_as_a_target_does_not_count() -> None:
    graph = graph_of([(0, 1, 1.0), (0, 2, 1.0), (0, 3, 1.0)], 40)
    batch = BatchSampler(graph.main, candidates=2).batch(0)
    drawn = batch.log_weight > -np.inf
    assert set(batch.candidates[~drawn]) <= {1, 2, 3} and drawn.sum() <= 2


def test_rows_of_nodes_without_arcs_are_empty() -> None:
    row, position = rows_of(weighted_graph().main, np.array([5, 2, 6]))
    assert row.tolist() == [1] and weighted_graph().main.targets[position].tolist() == [3]


@pytest.mark.parametrize("weights", [[1.0, -1.0], [0.0, 0.0]])
def test_weights_that_cannot_be_shares_are_refused(weights: list[float]) -> None:
    with pytest.raises(DataError, match="above 0"):
        BatchSampler(Arcs.from_pairs([0, 1], [1, 2], num_nodes=3, weight=weights))
