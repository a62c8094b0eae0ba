"""DAEMON and the BLADE-style encoder: their equations in loops, and which way they look."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import torch
from tests.encode.graphs import graph_of, random_graph, reversed_graph

from thence.base.errors import ConfigError, FitError
from thence.encode.features import item_features
from thence.encode.neighborhood import Neighborhood
from thence.encode.peer.blade import BladeConfig, BladeEncoder, ablation
from thence.encode.peer.daemon import DaemonConfig, DaemonEncoder, beside_of
from thence.graph import Arcs, DiGraph
from thence.train.arc_batches import ArcSampler
from thence.train.fit import scorer_of

ALL = (99, 99)


def two_relations(nodes: pa.Table | None = None) -> DiGraph:
    """A main relation and a directed second one among ten nodes; node 9 has no main arc."""
    main = random_graph(9, 25, seed=1).main
    viewed = random_graph(10, 20, seed=2).main
    return graph_of([(i, j, 1.0) for i, j in main.pairs.T], 10, nodes, viewed=viewed)


def literal(x: np.ndarray, weights: list[np.ndarray], main: Arcs, viewed: Arcs | None) -> list[np.ndarray]:
    """Algorithm 1, node by node and neighbour by neighbour."""
    source, target = x, x
    for w in weights:
        rows = []
        for u in range(len(x)):
            bought = sum((target[v] @ w for v in main.out(u)), np.zeros(w.shape[1]))
            sold = sum((source[v] @ w for v in main.into(u)), np.zeros(w.shape[1]))
            s, t = np.maximum(bought, 0), np.maximum(sold, 0)
            if viewed is not None:
                s = s + np.maximum(sum((source[v] @ w for v in viewed.out(u)), 0 * bought), 0)
                t = t + np.maximum(sum((target[v] @ w for v in viewed.into(u)), 0 * sold), 0)
            rows.append([s / max(np.linalg.norm(s), 1e-12), t / max(np.linalg.norm(t), 1e-12)])
        source, target = (np.array([row[role] for row in rows]) for role in (0, 1))
    return [source, target]


def output(encoder: torch.nn.Module) -> list[np.ndarray]:
    with torch.no_grad():
        return [part.numpy() for part in encoder()]


def weights_of(encoder: DaemonEncoder | BladeEncoder) -> list[np.ndarray]:
    return [weight.detach().double().numpy() for weight in encoder.layers.weight]


@pytest.mark.parametrize("catalogue", [False, True])
def test_daemon_is_its_algorithm(catalogue: bool) -> None:
    nodes = pa.table({"title": [f"thing {k % 4} {k % 3}" for k in range(10)]}) if catalogue else None
    graph = two_relations(nodes)
    encoder = DaemonEncoder(graph, DaemonConfig(dim=6, fan_outs=(99, 99, 99)))
    x = item_features(nodes).toarray() if nodes is not None else encoder.noise.double().numpy()
    source, target, bias = output(encoder)
    expected = literal(x, weights_of(encoder), graph.main, graph["viewed"])
    np.testing.assert_allclose(source, expected[0], atol=1e-5)
    np.testing.assert_allclose(target, expected[1], atol=1e-5)
    assert not bias.any() and np.abs(source).max() > 0.1


def test_blade_on_all_neighbours_is_the_same_algorithm_on_one_relation() -> None:
    graph = two_relations()
    near = Neighborhood("uniform", fan_out=99, combine="sum")
    encoder = BladeEncoder(graph, BladeConfig(dim=6, layers=2, neighborhood=near))
    expected = literal(encoder.start.double().numpy(), weights_of(encoder), graph.main, None)
    for ours, theirs in zip(output(encoder)[:2], expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    assert [name for name, p in encoder.named_parameters() if p.requires_grad] == [
        "layers.weight.0",
        "layers.weight.1",
    ]


@pytest.mark.parametrize("make", ["daemon", "blade"])
def test_turning_every_arc_round_exchanges_the_roles(make: str) -> None:
    graph = two_relations()
    if make == "daemon":
        pair = [DaemonEncoder(g, DaemonConfig(dim=6, fan_outs=ALL)) for g in (graph, reversed_graph(graph))]
    else:
        near = Neighborhood("weighted", fan_out=99)
        config = BladeConfig(dim=6, layers=2, neighborhood=near)
        pair = [BladeEncoder(g, config) for g in (graph, reversed_graph(graph))]
    (source, target, _), (source_back, target_back, _) = (output(encoder) for encoder in pair)
    np.testing.assert_allclose(source, target_back, atol=1e-6)
    np.testing.assert_allclose(target, source_back, atol=1e-6)
    assert np.abs(source - target).max() > 0.1  # a mutant without direction has one embedding


def test_sources_look_at_targets_and_never_back() -> None:
    """In 0 → 1 → 2 one layer tells 0 of 1 as a target, and 2 of 1 as a source; 2 leads nowhere."""
    graph = graph_of([(0, 1, 1.0), (1, 2, 1.0)], 3)
    config = DaemonConfig(dim=16, fan_outs=(5,), inputs="learned")
    encoder = DaemonEncoder(graph, config)
    source, target, _ = encoder()
    source[0].sum().backward(retain_graph=True)
    assert encoder.free.grad is not None
    assert encoder.free.grad.abs().sum(1).nonzero().ravel().tolist() == [
        3 + 1
    ]  # node 1 in its role as a target
    encoder.free.grad = None
    target[2].sum().backward()
    assert encoder.free.grad is not None
    assert encoder.free.grad.abs().sum(1).nonzero().ravel().tolist() == [1]  # node 1 in its role as a source
    assert not source[2].any() and not target[0].any()


@pytest.mark.parametrize("inputs", ["given", "learned"])
@pytest.mark.parametrize("catalogue", [False, True])
def test_around_a_batch_everything_is_as_over_the_whole_graph(inputs: str, catalogue: bool) -> None:
    nodes = pa.table({"title": [f"thing {k % 4} {k % 3}" for k in range(10)]}) if catalogue else None
    graph = two_relations(nodes)
    settings: dict = {"dim": 6, "fan_outs": ALL, "inputs": inputs, "self_term": True}
    settings |= {"temperature": 0.5, "bias": True}
    whole, sampled = (DaemonEncoder(graph, DaemonConfig(**settings, sampled=s)) for s in (False, True))
    assert whole.around is None
    batch = ArcSampler(graph.main, beside_of(graph), batch_size=5, negatives=2, shared=3).batch(0)
    source, target, bias, renamed = sampled.around(batch)
    full = whole()
    for side, ours, theirs in (
        (source, renamed.sources, batch.sources),
        (target, renamed.targets, batch.targets),
        (target, renamed.negatives, batch.negatives),
        (source, renamed.beside, batch.beside),
    ):
        expected = full[0] if side is source else full[1]
        torch.testing.assert_close(side[ours], expected[theirs], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(bias[renamed.shared], full[2][batch.shared])
    for ours, theirs in zip(output(sampled.eval()), output(whole.eval()), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_gradients_around_a_batch_touch_its_neighbourhood_only() -> None:
    graph = graph_of([(0, 1, 1.0), (1, 2, 1.0), (3, 4, 1.0)], 5)
    encoder = DaemonEncoder(graph, DaemonConfig(dim=8, fan_outs=(5,), inputs="learned", sampled=True))
    sampler = ArcSampler(graph.main, batch_size=3, negatives=0, both_roles=False)
    source, target, _, batch = encoder.around(sampler.batch(0))
    (source[batch.sources[0]] @ target[batch.targets[0]]).backward()
    grad = encoder.free.grad
    assert grad is not None and grad.is_sparse and encoder.row_sparse == ("free",)
    assert set(grad.coalesce().indices()[0].tolist()) <= set(range(10))


def test_training_draws_afresh_and_evaluation_does_not() -> None:
    graph = random_graph(30, 300)
    for encoder in (
        DaemonEncoder(graph, DaemonConfig(dim=8, fan_outs=(2, 2))),
        BladeEncoder(graph, BladeConfig(dim=8, layers=1, neighborhood=Neighborhood("adaptive", fan_out=2))),
    ):
        first, second = output(encoder)[0], output(encoder)[0]
        assert np.abs(first - second).max() > 1e-3
        encoder.eval()
        np.testing.assert_array_equal(output(encoder)[0], output(encoder)[0])
        assert int(encoder.draws) == 2  # part of the state, so that a resumed run draws on


def test_scores_are_cosines_over_the_temperature() -> None:
    graph = random_graph(12, 40)
    plain, sharp = (DaemonEncoder(graph, DaemonConfig(fan_outs=ALL, temperature=t)) for t in (None, 0.1))
    scores = scorer_of(plain, graph).scores(np.arange(12))
    assert np.abs(scores).max() <= 1 + 1e-5
    np.testing.assert_allclose(scorer_of(sharp, graph).scores(np.arange(12)), 10 * scores, rtol=1e-4)


def test_the_relation_beside_is_the_undirected_one_if_there_is_one() -> None:
    main = Arcs.from_pairs([0], [1], num_nodes=3)
    directed, both = (
        Arcs.from_pairs([0], [2], num_nodes=3),
        Arcs.from_pairs([0, 2], [2, 0], num_nodes=3, directed=False),
    )
    graph = graph_of([(0, 1, 1.0)], 3, None, second=directed, viewed=both)
    assert beside_of(graph) is both
    assert beside_of(graph_of([(0, 1, 1.0)], 3, None, second=directed)) is directed
    assert beside_of(DiGraph(graph.ids, {"main": main})) is None


def test_all_of_it_moves_with_the_module() -> None:
    for encoder in (DaemonEncoder(two_relations()), BladeEncoder(two_relations())):
        encoder.to("meta")
        assert {value.device.type for value in (*encoder.parameters(), *encoder.buffers())} == {"meta"}


def test_what_makes_no_sense_is_refused() -> None:
    for encoder in (DaemonEncoder, BladeEncoder):
        with pytest.raises(FitError, match="no arcs"):
            encoder(graph_of([], 3))
    for wrong in ({"dim": 0}, {"fan_outs": ()}, {"temperature": -1.0}, {"inputs": "none"}):
        with pytest.raises(ConfigError):
            DaemonConfig(**wrong)
    with pytest.raises(ConfigError, match="uniform"):
        DaemonConfig(sampled=True, kind="adaptive")
    for wrong in ({"layers": 0}, {"inputs": "given"}):
        with pytest.raises(ConfigError):
            BladeConfig(**wrong)
    assert ablation("radius").neighborhood == Neighborhood("radius", fan_out=20, least=10, combine="sum")
