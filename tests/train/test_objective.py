"""The objective against a double loop over sources and nodes, exact and sampled."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from tests.encode.graphs import dense, graph_of, random_graph
from torch import Tensor

from thence.graph import DiGraph
from thence.train.batches import Batch, BatchSampler
from thence.train.objective import SoftmaxObjective


def vectors(num_nodes: int, dim: int = 3, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    shapes = ((num_nodes, dim), (num_nodes, dim), (num_nodes,))
    source, target, bias = (torch.randn(*shape, generator=generator, dtype=torch.float64) for shape in shapes)
    return source, target, bias


def literal(graph: DiGraph, power: float, reverse_weight: float, trusted: Callable[[int, int], bool]) -> float:
    """The loss over all sources of a graph, arc by arc; nobody is a candidate for itself."""
    source, target, bias = (part.numpy() for part in vectors(graph.num_nodes))
    x = source @ target.T + bias
    weight, nodes = dense(graph) ** power * (dense(graph) > 0), range(graph.num_nodes)
    sources = [i for i in nodes if weight[i].any()]
    softmax = reverse = mass = 0.0
    for i in sources:
        denominator = sum(math.exp(x[i, c]) for c in nodes if c != i)
        for j in nodes:
            if weight[i, j]:
                share = weight[i, j] / weight[i].sum()
                softmax -= share * (x[i, j] - math.log(denominator))
                if trusted(i, j):
                    reverse += share * math.log(1 + math.exp(x[j, i] - x[i, j]))
                    mass += share
    return softmax / len(sources) + reverse_weight * (reverse / mass if mass else 0.0)


@pytest.mark.parametrize("power", [1.0, 1.3])
@pytest.mark.parametrize("reverse_weight", [0.0, 0.5])
def test_the_objective_is_its_formula(power: float, reverse_weight: float) -> None:
    graph = random_graph(num_nodes=9, num_arcs=30, seed=6)
    matrix = dense(graph)
    batch = BatchSampler(graph.main, weight_power=power).batch(0)
    ours = SoftmaxObjective(graph.main, reverse_weight)(*vectors(9), batch)
    one_way = literal(graph, power, reverse_weight, lambda i, j: not matrix[j, i])
    assert ours.item() == pytest.approx(one_way, rel=1e-9)


def test_where_the_asymmetry_is_known_it_says_which_arcs_are_trusted() -> None:
    graph = graph_of([(0, 1, 5.0), (1, 0, 2.0), (1, 2, 1.0), (2, 3, 1.0)], 4)
    z = {(0, 1): 3.0, (1, 0): -3.0, (1, 2): 1.9, (2, 3): 2.0}
    known = graph.main.with_value("asymmetry", np.array([z[i, j] for i, j in graph.main.pairs.T.tolist()]))
    batch = BatchSampler(known).batch(0)
    ours = SoftmaxObjective(known, 1.0)(*vectors(4), batch).item()
    assert ours == pytest.approx(literal(graph, 1.0, 1.0, lambda i, j: z[i, j] >= 2.0), rel=1e-9)


def with_full_candidates(batch: Batch, num_nodes: int) -> bool:
    return batch.candidates.tolist() == list(range(num_nodes)) and not batch.log_weight.any()


def test_sampling_everybody_is_exact() -> None:
    """A sample that holds each node as often as expected gives the full loss to the bit of rounding."""
    graph = random_graph(num_nodes=9, num_arcs=30, seed=6)
    full = BatchSampler(graph.main).batch(0)
    assert with_full_candidates(full, 9)
    exact = SoftmaxObjective(graph.main, 0.3)(*vectors(9), full).item()
    many = BatchSampler(graph.main, candidates=400_000).batch(0)
    assert np.abs(many.log_weight).max() < 0.03
    assert SoftmaxObjective(graph.main, 0.3)(*vectors(9), many).item() == pytest.approx(exact, rel=1e-2)


@pytest.mark.parametrize("step", range(4))
def test_in_a_sample_own_targets_count_once_and_those_of_others_only_as_drawn(step: int) -> None:
    """The sampled loss, source by source, with the weights read off the batch."""
    graph = random_graph(num_nodes=12, num_arcs=30, seed=5)
    batch = BatchSampler(graph.main, batch_size=4, candidates=5).batch(step)
    source, target, bias = (part.numpy() for part in vectors(12))
    x, matrix = source @ target.T + bias, dense(graph)
    drawn = dict(zip(batch.candidates.tolist(), np.exp(batch.log_weight), strict=True))
    total = 0.0
    for i in batch.sources.tolist():
        weights = {c: 1.0 if matrix[i, c] else weight for c, weight in drawn.items() if c != i}
        denominator = sum(weight * math.exp(x[i, c]) for c, weight in weights.items())
        for j in np.flatnonzero(matrix[i]):
            total -= matrix[i, j] / matrix[i].sum() * (x[i, j] - math.log(denominator))
    ours = SoftmaxObjective(graph.main)(*vectors(12), batch).item()
    assert ours == pytest.approx(total / len(batch.sources), rel=1e-6)


def test_the_sampled_loss_leads_the_same_way_on_average() -> None:
    """The mean gradient over many sampled batches points where the full one does."""
    graph = random_graph(num_nodes=12, num_arcs=30, seed=5)
    goal = SoftmaxObjective(graph.main)

    def gradient(batch: Batch) -> Tensor:
        source, target, bias = (part.requires_grad_() for part in vectors(12))
        (grad,) = torch.autograd.grad(goal(source, target, bias, batch), source)
        return grad.flatten()

    exact = gradient(BatchSampler(graph.main).batch(0))
    sampler = BatchSampler(graph.main, candidates=8)
    mean = torch.stack([gradient(sampler.batch(step)) for step in range(600)]).mean(0)
    assert torch.cosine_similarity(exact, mean, dim=0) > 0.98


def test_a_source_is_no_candidate_for_itself() -> None:
    """The only source is node 0, so its own target vector could matter through its score for itself alone."""
    graph = graph_of([(0, 1, 1.0)], 4)
    source, target, bias = vectors(4)
    batch = BatchSampler(graph.main).batch(0)
    before = SoftmaxObjective(graph.main)(source, target, bias, batch)
    target[0] = 30.0 * source[0]
    assert SoftmaxObjective(graph.main)(source, target, bias, batch) == before
    target[3] = 30.0 * source[0]
    assert SoftmaxObjective(graph.main)(source, target, bias, batch) > before
