"""Binary cross-entropy on arcs against its formula, and pairs that are what they are called."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.encode.graphs import graph_of, random_graph

from thence.base.errors import ConfigError
from thence.encode.dual_decoded import DualDecoded, arc_folds
from thence.encode.peer.decode import HadamardMLP
from thence.graph import Arcs
from thence.train.arc_objective import ArcObjective, PairSampler, arc_loss


def test_the_loss_is_cross_entropy_on_both_sides() -> None:
    scores = torch.tensor([2.0, -1.0, 0.5, 3.0, -2.0])
    p = 1 / (1 + np.exp(-scores.numpy()))
    expected = -np.log(p[:2]).mean() - np.log(1 - p[2:]).mean()
    assert arc_loss(scores, 2).item() == pytest.approx(expected, rel=1e-5)


def test_the_objective_decodes_arcs_and_absent_pairs_with_the_targets_bias() -> None:
    graph = random_graph()
    sampler, draw = PairSampler(graph.main, negatives=2), torch.Generator().manual_seed(0)
    source, target, bias = (torch.randn(*shape, generator=draw) for shape in ((12, 3), (12, 3), (12,)))
    batch, decoder = sampler.batch(4), HadamardMLP(3).eval()
    x = decoder(source[batch.source], target[batch.target]) + bias[batch.target]
    loss = ArcObjective(sampler, decoder)(source, target, bias, batch)
    assert loss.item() == pytest.approx(arc_loss(x, 40).item(), rel=1e-6)
    plain = (source[batch.source] * target[batch.target]).sum(1) + bias[batch.target]
    assert ArcObjective(sampler)(source, target, bias, batch).item() == pytest.approx(
        arc_loss(plain, 40).item()
    )


def test_arcs_are_arcs_and_absent_pairs_are_not() -> None:
    arcs = random_graph().main
    sampler = PairSampler(arcs, batch_size=15, negatives=3, seed=2)
    seen = set()
    for step in range(40):
        batch = sampler.batch(step)
        drawn = list(zip(batch.source[:15].tolist(), batch.target[:15].tolist(), strict=True))
        assert len(set(drawn)) == 15 and arcs.contains(batch.source[:15], batch.target[:15]).all()
        assert not arcs.contains(batch.source[15:], batch.target[15:]).any() and len(batch.source) == 60
        assert (batch.source != batch.target).all()
        seen.update(drawn)
    assert len(seen) == arcs.num_arcs
    again = PairSampler(arcs, batch_size=15, negatives=3, seed=2).batch(7)
    np.testing.assert_array_equal(sampler.batch(7).target, again.target)


def test_a_full_graph_has_no_absent_pairs_and_still_a_loss() -> None:
    full = Arcs.from_pairs([0, 0, 1, 1, 2, 2], [1, 2, 0, 2, 0, 1], num_nodes=3)
    batch = PairSampler(full).batch(0)
    assert len(batch.source) == batch.num_arcs == 6
    assert torch.isfinite(arc_loss(torch.zeros(6), 6))


def test_parts_take_turns_and_the_batch_names_its_own() -> None:
    graph = random_graph()
    encoder = DualDecoded(graph, dim=2, folds=3)
    goal = ArcObjective(PairSampler(graph.main)).of(encoder)
    assert goal.decoder is encoder.decoder
    learned = []
    for step in range(3):
        batch = goal.sampler.batch(step)
        at = graph.main.positions(batch.source[: batch.num_arcs], batch.target[: batch.num_arcs])
        assert batch.fold == step and (encoder.fold[at] == step).all()
        learned += at.tolist()
    assert sorted(learned) == list(range(graph.main.num_arcs))
    assert ArcObjective(PairSampler(graph.main)).of(DualDecoded(graph, folds=0)).sampler.fold is None


def test_both_arcs_of_a_pair_fall_into_one_part_and_parts_are_even() -> None:
    arcs = random_graph(num_nodes=12, num_arcs=90).main
    part = arc_folds(arcs, 4, seed=1)
    reverse = arcs.reverse_at
    np.testing.assert_array_equal(part[reverse >= 0], part[reverse[reverse >= 0]])
    single = graph_of([(i, i + 1, 1.0) for i in range(20)], 21).main
    assert np.bincount(arc_folds(single, 4, seed=0)).tolist() == [5, 5, 5, 5]


def test_counts_below_one_are_refused() -> None:
    with pytest.raises(ConfigError):
        PairSampler(random_graph().main, negatives=0)
