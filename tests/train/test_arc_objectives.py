"""Batches of arcs, and what DAEMON, BLADE's manner and the pair softmax make of them, written as loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from tests.encode.graphs import graph_of, random_graph

from thence.base.errors import ConfigError
from thence.graph import Arcs
from thence.train.arc_batches import ArcSampler
from thence.train.blade_objective import BladeObjective
from thence.train.daemon_objective import DaemonObjective
from thence.train.pair_softmax_objective import PairSoftmaxObjective
from thence.train.recipes import RECIPES, fit_recipe

GRAPH = random_graph(12, 40)
BESIDE = random_graph(12, 20, seed=5).main


def embeddings(seed: int = 0) -> list[torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    source, target = (torch.randn(12, 4, generator=draw, dtype=torch.float64) / 2 for _ in range(2))
    return [source, target, torch.randn(12, generator=draw, dtype=torch.float64) / 4]


def score(i: int, j: int) -> float:
    source, target, bias = embeddings()
    return float(source[i] @ target[j] + bias[j])


def minus_log_sigma(x: float) -> float:
    return math.log(1 + math.exp(-x))


def test_an_epoch_holds_every_arc_and_the_next_one_another_order() -> None:
    sampler = ArcSampler(GRAPH.main, BESIDE, batch_size=7, negatives=2, shared=3)
    assert sampler.steps_per_epoch == 6
    epochs = [[sampler.batch(6 * epoch + at) for at in range(6)] for epoch in range(2)]
    for batches in epochs:
        assert set(np.concatenate([b.position for b in batches])) == set(range(40))
    assert epochs[0][0].position.tolist() != epochs[1][0].position.tolist()
    pairs = sum(b.beside.shape[1] for batches in epochs for b in batches)
    assert abs(pairs - 12 * 7 * 20 / 40) <= 12  # as large a part of the second relation
    for batch in epochs[0]:
        np.testing.assert_array_equal(GRAPH.main.pairs[:, batch.position], [batch.sources, batch.targets])
        assert BESIDE.contains(*batch.beside).all()
        assert (batch.one_way == ~GRAPH.main.contains(batch.targets, batch.sources)).all()


def test_the_same_step_is_the_same_batch() -> None:
    first, again = (ArcSampler(GRAPH.main, BESIDE, batch_size=7, shared=3, seed=4).batch(9) for _ in range(2))
    for name in ("position", "negatives", "shared", "beside"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))


def test_a_batch_knows_which_roles_it_needs() -> None:
    arcs = Arcs.from_pairs([0, 1], [2, 3], num_nodes=9)
    one, both = (
        ArcSampler(arcs, batch_size=2, negatives=0, both_roles=both).batch(0) for both in (False, True)
    )
    assert [part.tolist() for part in one.needs()] == [[0, 1], [2, 3]]
    assert [part.tolist() for part in both.needs()] == [[0, 1, 2, 3], [0, 1, 2, 3]]
    assert one.renamed(np.array([0, 1, 2, 3])).targets.tolist() == [2, 3]


@pytest.mark.parametrize("wrong", [{"batch_size": 0}, {"negatives": -1}, {"shared": -1}])
def test_counts_out_of_range_are_refused(wrong: dict) -> None:
    with pytest.raises(ConfigError):
        ArcSampler(GRAPH.main, **wrong)


def test_daemons_objective_is_equation_2_over_the_batch() -> None:
    source, target, bias = embeddings()
    batch = ArcSampler(GRAPH.main, BESIDE, batch_size=9, negatives=2).batch(1)
    total = 0.0
    for e, (i, j) in enumerate(zip(batch.sources, batch.targets, strict=True)):
        total += minus_log_sigma(score(i, j))
        total += sum(minus_log_sigma(1 - score(i, z)) for z in batch.negatives[e])
        if not GRAPH.main.contains([j], [i])[0]:
            total += minus_log_sigma(score(i, j)) + minus_log_sigma(1 - score(j, i))
    for i, j in batch.beside.T:
        total += minus_log_sigma(float(source[i] @ source[j])) + minus_log_sigma(float(target[i] @ target[j]))
    ours = DaemonObjective(None)(source, target, bias, batch)
    assert ours.item() == pytest.approx(total / 9)


def test_blades_objective_weighs_by_degrees() -> None:
    arcs = GRAPH.main
    batch = ArcSampler(arcs, batch_size=9).batch(1)

    def e(i: int, j: int) -> float:
        return float(len(arcs.out(i)) * len(arcs.into(j)))

    mean = np.mean([e(i, j) for i, j in arcs.pairs.T])
    total = 0.0
    for place, (i, j) in enumerate(zip(batch.sources, batch.targets, strict=True)):
        back = e(j, i) if arcs.contains([j], [i])[0] else 0.0
        weight, excess = e(i, j) / mean, max(0.0, e(i, j) - back) / mean
        total += (weight + excess) * minus_log_sigma(score(i, j)) + excess * minus_log_sigma(1 - score(j, i))
        total += minus_log_sigma(1 - score(i, batch.negatives[place, 0]))
    ours = BladeObjective(arcs, None)(*embeddings(), batch)
    assert ours.item() == pytest.approx(total / 9, rel=1e-6)


def test_the_pair_softmax_corrects_for_popularity_and_spares_known_arcs() -> None:
    arcs = GRAPH.main
    batch = ArcSampler(arcs, BESIDE, batch_size=9, shared=4).batch(1)
    candidates = [*batch.targets, *batch.shared]
    expected = {j: 9 * len(arcs.into(j)) / 40 + 4 / 12 for j in range(12)}
    total = 0.0
    for b, (i, j) in enumerate(zip(batch.sources, batch.targets, strict=True)):
        corrected = {c: score(i, z) - math.log(expected[z]) for c, z in enumerate(candidates)}
        kept = [c for c, z in enumerate(candidates) if c == b or (z != i and z not in arcs.out(i))]
        total += math.log(sum(math.exp(corrected[c]) for c in kept)) - corrected[b]
        assert candidates[b] == j
    objective = PairSoftmaxObjective(arcs, None)
    assert objective(*embeddings(), batch).item() == pytest.approx(total / 9)
    renamed = batch.renamed(np.arange(12))
    assert objective(*embeddings(), renamed).item() == pytest.approx(total / 9)


def test_the_further_terms_of_the_pair_softmax() -> None:
    source, target, bias = embeddings()
    arcs, batch = GRAPH.main, ArcSampler(GRAPH.main, BESIDE, batch_size=9, shared=4).batch(1)
    plain = PairSoftmaxObjective(arcs, None)(source, target, bias, batch)
    reverses = [
        minus_log_sigma(1 - score(j, i))
        for i, j in zip(batch.sources, batch.targets, strict=True)
        if not arcs.contains([j], [i])[0]
    ]
    more = PairSoftmaxObjective(arcs, None, reversed_weight=0.5)(source, target, bias, batch)
    assert more.item() - plain.item() == pytest.approx(0.5 * np.mean(reverses))
    pairs = [
        minus_log_sigma(float(source[i] @ source[j])) + minus_log_sigma(float(target[i] @ target[j]))
        for i, j in batch.beside.T
    ]
    more = PairSoftmaxObjective(arcs, None, beside_weight=0.5)(source, target, bias, batch)
    assert more.item() - plain.item() == pytest.approx(0.5 * np.mean(pairs))


@pytest.mark.parametrize("name", ["daemon_tuned", "blade_tuned"])
def test_what_is_tuned_learns_which_way_the_arcs_lead(name: str) -> None:
    """Four communities of six; each leads into the next and is never led into by it."""
    rng = np.random.default_rng(0)
    pairs = [(i, j) for i in range(24) for j in range(24) if (i // 6 + 1) % 4 == j // 6 and rng.random() < 0.6]
    graph = graph_of([(i, j, 1.0) for i, j in pairs], 24)
    settings = {"fan_outs": (4,)} if name == "daemon_tuned" else {"layers": 1}
    train = {"steps": 40, "batch_size": 64}
    found = fit_recipe(name, graph, train=train, settings={**RECIPES[name].grid[0], **settings, "dim": 16})
    scores = found.scores(np.arange(24))
    held_out = [
        (i, j) for i in range(24) for j in range(24) if (i // 6 + 1) % 4 == j // 6 and (i, j) not in set(pairs)
    ]
    assert np.mean([scores[i, j] > scores[j, i] for i, j in held_out]) > 0.8


@pytest.mark.parametrize("name", ["daemon", "blade"])
def test_what_is_published_trains(name: str) -> None:
    found = fit_recipe(name, GRAPH, train={"steps": 2, "batch_size": 8})
    assert np.abs(found.scores(np.arange(12))).max() <= 1 + 1e-5
