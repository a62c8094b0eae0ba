"""Encoders, losses and loaders that lose the direction must not pass for right.

Each fact is a function of an implementation: the real one keeps it, every mutant breaks it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from tests.encode.graphs import graph_of, random_graph
from tests.worlds import cycle_graph
from torch import Tensor

from thence.encode import Scorer
from thence.encode.dual import DualConfig, DualEncoder
from thence.encode.loss import reverse_loss
from thence.encode.propagate import neighborhoods
from thence.graph import Arcs, DiGraph
from thence.train import TrainConfig, fit
from thence.train.batches import Batch, BatchSampler
from thence.train.objective import SoftmaxObjective

Output = tuple[Tensor, Tensor, Tensor]
Forward = Callable[[DualEncoder], Output]
Neighborhoods = Callable[..., tuple]
ReverseLoss = Callable[[Tensor, Tensor, Tensor], Tensor]
Sampler = Callable[[Arcs], BatchSampler]
Train = Callable[[DiGraph], Scorer]
LONG = TrainConfig(steps=60, learning_rate=0.05)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


# ---- the facts


def an_encoder_looks_along_the_arcs(forward: Forward) -> None:
    """On 0 → 1 → 2 the source of 1 sees itself and the target of 2, its target itself and the source of 0."""
    encoder = DualEncoder(graph_of([(0, 1, 1.0), (1, 2, 1.0)], 3), DualConfig(dim=2, layers=1))
    roles = dict(zip(("source", "target"), forward(encoder)[:2], strict=True))
    seen = {role: rows_seen(vectors[1].sum(), encoder) for role, vectors in roles.items()}
    assert seen == {"source": ([1], [2]), "target": ([0], [1])}


def rows_seen(value: Tensor, encoder: DualEncoder) -> tuple[list[int], list[int]]:
    """Rows of the free source and target vectors on which a value depends."""
    free = (encoder.free_source, encoder.free_target)
    grads = torch.autograd.grad(value, free, retain_graph=True, allow_unused=True)
    first, second = ([] if grad is None else grad.abs().sum(1).nonzero().ravel().tolist() for grad in grads)
    return first, second


def neighborhoods_look_both_ways(look: Neighborhoods) -> None:
    """``out`` has an entry for every arc, ``into`` one for every arc seen from its target."""
    arcs = random_graph(num_nodes=8, num_arcs=20, seed=1).main
    out, into = look(arcs, fan_out=99)
    stands = np.zeros((8, 8), bool)
    stands[arcs.pairs[0], arcs.pairs[1]] = True
    np.testing.assert_array_equal(out.toarray() > 0, stands)
    np.testing.assert_array_equal(into.toarray() > 0, stands.T)


def the_reverse_term_lifts_arcs_above_reverses(loss: ReverseLoss) -> None:
    """Following its gradient widens the gap between an arc and its reverse."""
    forward, backward = torch.zeros(3, requires_grad=True), torch.zeros(3, requires_grad=True)
    up, down = torch.autograd.grad(loss(forward, backward, torch.ones(3)), (forward, backward))
    assert (up < 0).all() and (down > 0).all()


def a_batch_follows_the_arcs(make: Sampler) -> None:
    """Every pair of a batch is an arc, and every arc of its sources is there, with its share."""
    arcs = random_graph(num_nodes=9, num_arcs=24, seed=3).main
    for step in range(3):
        batch = make(arcs).batch(step)
        source = batch.sources[batch.row]
        assert arcs.contains(source, batch.targets).all()
        assert len(batch.row) == arcs.out_degree[batch.sources].sum()
        np.testing.assert_allclose(np.bincount(batch.row, weights=batch.share), 1.0, rtol=1e-6)


def a_sampled_sum_stands_for_the_whole(make: Sampler) -> None:
    """The mean over many batches of exp(log weight) is one at every node, popular or not."""
    arcs = Arcs.from_pairs([0, 1, 2, 3, 4], [4, 4, 4, 4, 0], num_nodes=10)
    sampler, steps, total = make(arcs), 1500, np.zeros(10)
    for step in range(steps):
        batch = sampler.batch(step)
        total[batch.candidates] += np.exp(batch.log_weight)
    np.testing.assert_allclose(total / steps, np.ones(10), atol=0.25)


def training_learns_which_way_a_cycle_turns(train: Train) -> None:
    """On 0 → 1 → … → 0 the next node stands first and the one before does not lead the rest."""
    graph = cycle_graph(7)
    forward, backward = train(graph).scores(np.arange(7)), train(graph).scores_into(np.arange(7))
    for node in range(7):
        forward[node, node] = backward[node, node] = -np.inf
        assert forward[node].argmax() == (node + 1) % 7
        assert backward[node].argmax() == (node - 1) % 7


def the_objective_widens_the_gap(train: Callable[[DiGraph, float], Scorer]) -> None:
    """With the reverse term arcs stand farther above their reverses than without it."""
    graph = cycle_graph(7)
    source, target = graph.main.pairs

    def gap(weight: float) -> float:
        scores = train(graph, weight).scores(np.arange(7))
        return float((scores[source, target] - scores[target, source]).mean())

    assert gap(2.0) > gap(0.0)


# ---- the real things and their mutants


def real_forward(encoder: DualEncoder) -> Output:
    return encoder()


def swapped(encoder: DualEncoder) -> Output:
    source, target, bias = encoder()
    return target, source, bias


def only_sources(encoder: DualEncoder) -> Output:
    source, _, bias = encoder()
    return source, source, bias


def only_targets(encoder: DualEncoder) -> Output:
    _, target, bias = encoder()
    return target, target, bias


def out_for_both(arcs: Arcs, *, fan_out: int) -> tuple:
    out, _ = neighborhoods(arcs, fan_out=fan_out)
    return out, out


def into_and_out(arcs: Arcs, *, fan_out: int) -> tuple:
    out, into = neighborhoods(arcs, fan_out=fan_out)
    return into, out


def undirected(arcs: Arcs, *, fan_out: int) -> tuple:
    out, into = neighborhoods(arcs, fan_out=fan_out)
    return out + into, out + into


def with_neighborhoods(look: Neighborhoods, monkeypatch: pytest.MonkeyPatch) -> Forward:
    """The encoder's forward pass with another propagation; encoders made from now on use it."""
    monkeypatch.setattr("thence.encode.dual.neighborhoods", look)
    return real_forward


def wrong_sign(forward: Tensor, backward: Tensor, weight: Tensor) -> Tensor:
    return reverse_loss(backward, forward, weight)


def symmetric_loss(forward: Tensor, backward: Tensor, weight: Tensor) -> Tensor:
    return reverse_loss(forward, backward, weight) + reverse_loss(backward, forward, weight)


def real_sampler(arcs: Arcs) -> BatchSampler:
    return BatchSampler(arcs, batch_size=4, candidates=6, source_power=0.0)


def arcs_reversed(arcs: Arcs) -> BatchSampler:
    return real_sampler(arcs.reversed())


def arcs_both_ways(arcs: Arcs) -> BatchSampler:
    pairs = np.unique(np.concatenate([arcs.pairs, arcs.pairs[::-1]], axis=1), axis=1)
    return real_sampler(Arcs.from_pairs(*pairs, num_nodes=arcs.num_nodes))


class Uncorrected(BatchSampler):
    """Forgets that popular nodes are drawn more often."""

    def batch(self, step: int) -> Batch:
        batch = super().batch(step)
        batch.log_weight[batch.log_weight > -np.inf] = 0.0
        return batch


def uncorrected(arcs: Arcs) -> BatchSampler:
    return Uncorrected(arcs, batch_size=4, candidates=6, source_power=0.0)


class Encoder(DualEncoder):
    """An encoder whose output a mutant may change."""

    change: Forward = staticmethod(lambda encoder: DualEncoder.forward(encoder))

    def forward(self) -> Output:
        changed = type(self).change
        plain = _Plain(self)
        return changed(plain)  # type: ignore[arg-type]


class _Plain:
    """The unchanged forward pass of an encoder, called as the encoder is."""

    def __init__(self, encoder: DualEncoder) -> None:
        self.encoder = encoder

    def __call__(self) -> Output:
        return DualEncoder.forward(self.encoder)


def trainer(change: Forward = real_forward, sampler: Sampler = BatchSampler) -> Train:
    """Training with a changed encoder or sampler."""

    def train(graph: DiGraph) -> Scorer:
        model = type("Changed", (Encoder,), {"change": staticmethod(change)})(graph, DualConfig(dim=8))
        goal = SoftmaxObjective(graph.main, 0.1, sampler=sampler(graph.main))
        return fit(graph, LONG, encoder=model, objective=goal)

    return train


def real_training(graph: DiGraph) -> Scorer:
    return fit(graph, LONG, encoder=DualEncoder(graph, DualConfig(dim=8)))


def loader_without_direction(graph: DiGraph) -> Scorer:
    pairs = np.unique(np.concatenate([graph.main.pairs, graph.main.pairs[::-1]], axis=1), axis=1)
    both = Arcs.from_pairs(*pairs, num_nodes=graph.num_nodes)
    return real_training(graph.with_relation("bought_after", both))


def loader_turned_round(graph: DiGraph) -> Scorer:
    return real_training(graph.with_relation("bought_after", graph.main.reversed()))


def trained_with_reverse_weight(graph: DiGraph, weight: float) -> Scorer:
    goal = SoftmaxObjective(graph.main, weight)
    return fit(graph, TrainConfig(steps=20), encoder=DualEncoder(graph, DualConfig(dim=8)), objective=goal)


REAL: list[tuple[Callable, object]] = [
    (an_encoder_looks_along_the_arcs, real_forward),
    (neighborhoods_look_both_ways, neighborhoods),
    (the_reverse_term_lifts_arcs_above_reverses, reverse_loss),
    (a_batch_follows_the_arcs, real_sampler),
    (a_sampled_sum_stands_for_the_whole, real_sampler),
    (training_learns_which_way_a_cycle_turns, real_training),
    (training_learns_which_way_a_cycle_turns, trainer()),
    (the_objective_widens_the_gap, trained_with_reverse_weight),
]
MUTANTS: list[tuple[Callable, object]] = [
    (an_encoder_looks_along_the_arcs, swapped),
    (an_encoder_looks_along_the_arcs, only_sources),
    (an_encoder_looks_along_the_arcs, only_targets),
    (neighborhoods_look_both_ways, out_for_both),
    (neighborhoods_look_both_ways, into_and_out),
    (neighborhoods_look_both_ways, undirected),
    (the_reverse_term_lifts_arcs_above_reverses, wrong_sign),
    (the_reverse_term_lifts_arcs_above_reverses, symmetric_loss),
    (a_batch_follows_the_arcs, arcs_reversed),
    (a_batch_follows_the_arcs, arcs_both_ways),
    (a_sampled_sum_stands_for_the_whole, uncorrected),
    (training_learns_which_way_a_cycle_turns, trainer(only_sources)),
    (training_learns_which_way_a_cycle_turns, trainer(only_targets)),
    (training_learns_which_way_a_cycle_turns, trainer(sampler=lambda arcs: BatchSampler(arcs.reversed()))),
    (training_learns_which_way_a_cycle_turns, loader_without_direction),
    (training_learns_which_way_a_cycle_turns, loader_turned_round),
]


def name(value: object) -> str:
    return getattr(value, "__name__", "")


@pytest.mark.parametrize(("fact", "implementation"), REAL, ids=name)
def test_the_real_one_keeps_the_fact(fact: Callable, implementation: object) -> None:
    fact(implementation)


@pytest.mark.parametrize(("fact", "mutant"), MUTANTS, ids=name)
def test_the_mutant_dies(fact: Callable, mutant: object) -> None:
    with pytest.raises(AssertionError):
        fact(mutant)


@pytest.mark.parametrize("look", [out_for_both, into_and_out, undirected], ids=name)
def test_an_encoder_with_a_mutant_propagation_dies(
    look: Neighborhoods, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_encoder_looks_along_the_arcs(with_neighborhoods(neighborhoods, monkeypatch))
    with pytest.raises(AssertionError):
        an_encoder_looks_along_the_arcs(with_neighborhoods(look, monkeypatch))


def test_training_with_the_wrong_sign_narrows_the_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("thence.train.objective.reverse_loss", wrong_sign)
    with pytest.raises(AssertionError):
        the_objective_widens_the_gap(trained_with_reverse_weight)
