"""DUPLEX against its formulas written out in complex numbers and loops, and its sense of direction."""

from __future__ import annotations

import cmath
import math
from typing import Any

import numpy as np
import pytest
import torch
from tests.contract import scorers
from tests.encode.graphs import dense, graph_of, phone_case_graph, random_graph, reversed_graph, small_graphs
from tests.worlds import one_way_communities

from thence.base.errors import ConfigError, FitError
from thence.encode import Embeddings, Scorer
from thence.encode.features import item_features
from thence.encode.peer import duplex as module
from thence.encode.peer.decode import DecodedScorer
from thence.encode.peer.duplex import Attention, Duplex, Ties, as_inner_product
from thence.graph import Arcs, DiGraph
from thence.train.duplex_objective import duplex_loss, pair_kinds
from thence.train.recipes import fit_recipe

VALUES = (1j, -1j, 1.0, 0.0)


def attended(layer: Attention, graph: DiGraph, hidden: np.ndarray, *, signed: bool) -> np.ndarray:
    """One layer, node by node."""
    weight, attend, bias = (p.detach().numpy().astype(float) for p in (layer.weight, layer.attend, layer.bias))
    a, x = dense(graph) > 0, hidden @ weight
    out = np.zeros_like(x)
    for i in range(len(a)):
        around = [j for j in range(len(a)) if i == j or a[i, j] or a[j, i]]
        logits = [attend[0] @ x[j] + attend[1] @ x[i] for j in around]
        powers = [math.exp(value if value > 0 else 0.2 * value) for value in logits]
        for j, power in zip(around, powers, strict=True):
            sign = 1.0 if i == j or not signed else float(a[j, i]) - float(a[i, j])
            out[i] += sign * power / sum(powers) * x[j]
    return out + bias


@pytest.mark.parametrize("layers", [2, 3])
@pytest.mark.parametrize("make", [random_graph, phone_case_graph])
def test_layers_by_their_formulas(make: Any, layers: int) -> None:
    graph = make()
    model: Any = Duplex(graph, dim=3, layers=layers).eval()
    for parameter in model.parameters():
        if parameter.dim() == 1:
            torch.nn.init.constant_(parameter, 0.1)
    amplitude = phase = np.eye(graph.num_nodes) if graph.nodes is None else item_features(graph.nodes).toarray()
    for k in range(layers):
        a = attended(model.amplitude[k], graph, amplitude, signed=False)
        theta = attended(model.phase[k], graph, phase, signed=True)
        if k == layers - 2:
            a += attended(model.across[0], graph, phase, signed=False)
            theta += attended(model.across[1], graph, amplitude, signed=True)
        last = k == layers - 1
        amplitude, phase = (a, theta) if last else (np.maximum(a, 0), np.maximum(theta, 0))
    with torch.no_grad():
        source, target, bias = model()
    np.testing.assert_allclose(source.numpy(), np.concatenate([amplitude, phase], axis=1), atol=1e-4)
    assert source is target and not bias.any()


def complex_product(u: np.ndarray, v: np.ndarray) -> complex:
    """Σ z_i · conj(z_j) of vectors [a, θ]."""
    d = len(u) // 2
    return sum(cmath.rect(u[k], u[d + k]) * cmath.rect(v[k], v[d + k]).conjugate() for k in range(d))


def shares(product: complex) -> list[float]:
    powers = [math.exp(-abs(product - value)) for value in VALUES]
    return [power / sum(powers) for power in powers]


def test_scores_and_loss_by_their_formulas() -> None:
    draw = np.random.default_rng(0)
    u, v = draw.normal(size=(2, 8, 6)).astype(np.float32)
    kinds = np.arange(8) % 4
    scores = module.HermitianDecoder()(torch.from_numpy(u), torch.from_numpy(v)).numpy()
    expected = 0.0
    for k in range(8):
        share = shares(complex_product(u[k], v[k]))
        arc = share[0] + share[2]
        assert math.isclose(scores[k], math.log(arc / (1 - arc)), abs_tol=1e-4)
        tied = 1 / (1 + math.exp(-float(u[k, :3] @ v[k, :3])))
        expected -= math.log(share[kinds[k]]) + 0.3 * math.log(tied if kinds[k] < 3 else 1 - tied)
    loss = duplex_loss(torch.from_numpy(u), torch.from_numpy(v), torch.from_numpy(kinds))
    assert math.isclose(loss.item(), expected / 8, abs_tol=1e-4)
    turned = torch.tensor([1, 0, 2, 3])[torch.from_numpy(kinds)]  # the same pairs from their other ends
    assert math.isclose(
        duplex_loss(torch.from_numpy(v), torch.from_numpy(u), turned).item(), loss.item(), abs_tol=1e-5
    )
    source, target = as_inner_product(torch.from_numpy(np.concatenate([u, v])))
    for k in range(8):
        product = complex_product(u[k], v[k])
        assert math.isclose(float(source[k] @ target[8 + k]), product.real + product.imag, abs_tol=1e-4)


def test_the_loss_has_a_slope_where_vectors_vanish() -> None:
    vectors = torch.zeros(4, 6, requires_grad=True)
    duplex_loss(vectors, vectors, torch.arange(4)).backward()
    assert torch.isfinite(vectors.grad if vectors.grad is not None else torch.tensor(torch.nan)).all()


def test_kinds_of_pairs_by_looking_both_ways() -> None:
    graph = random_graph()
    a, n = dense(graph) > 0, graph.num_nodes
    source, target = (side.ravel() for side in np.indices((n, n)))
    expected = [
        {(1, 0): 0, (0, 1): 1, (1, 1): 2, (0, 0): 3}[int(a[i, j]), int(a[j, i])]
        for i, j in zip(source, target, strict=True)
    ]
    assert pair_kinds(graph.main, source, target).tolist() == expected and set(expected) == {0, 1, 2, 3}


def trained(graph: DiGraph, **settings: object) -> Embeddings | DecodedScorer:
    few = {"steps": 40, "learning_rate": 0.02}
    return fit_recipe("duplex", graph, train=few, settings={"dim": 8, "layers": 2, **settings}, seed=1)


def knows_direction(scorer: Scorer, graph: DiGraph) -> bool:
    scores = scorer.scores(np.arange(graph.num_nodes))
    source, target = graph.main.pairs[:, graph.main.one_way]
    return bool((scores[source, target] > scores[target, source] + 1e-4).mean() > 0.9)


@pytest.mark.parametrize("decoder", module.DECODERS)
def test_an_arc_outscores_its_reverse_unless_direction_is_dropped(
    decoder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = one_way_communities()[0]
    scorer = trained(graph, decoder=decoder)
    assert knows_direction(scorer, graph)
    assert isinstance(scorer, Embeddings if decoder == "inner" else DecodedScorer)
    matrix = graph.main.matrix()
    both = (matrix + matrix.T).tocoo()
    arcs = Arcs.from_pairs(both.row, both.col, num_nodes=graph.num_nodes)
    assert not knows_direction(trained(DiGraph(graph.ids, {"both": arcs}), decoder=decoder), graph)
    real = module.hermitian
    monkeypatch.setattr(module, "hermitian", lambda s, t: (real(s, t)[0], real(s, t)[1].abs()))
    if decoder == "classes":
        assert not knows_direction(scorer, graph)


def test_turning_all_arcs_round_turns_the_phases() -> None:
    """Signs of the ties alone tell direction: without them a graph and its reverse are the same to it."""
    graph = random_graph(num_nodes=20, num_arcs=50)
    ties = [Ties(arcs) for arcs in (graph.main, reversed_graph(graph).main)]
    own = ties[0].node == ties[0].other
    assert torch.equal(ties[0].node, ties[1].node) and torch.equal(ties[0].other, ties[1].other)
    assert torch.equal(ties[0].sign[~own], -ties[1].sign[~own]) and bool((ties[0].sign[own] == 1).all())


@pytest.mark.parametrize("decoder", module.DECODERS)
@pytest.mark.parametrize("graph", ["cycle", "phone and case", "isolated nodes"])
def test_the_contract_is_kept(graph: str, decoder: str) -> None:
    def make(graph: DiGraph) -> Scorer:
        return fit_recipe("duplex", graph, train={"steps": 2}, settings={"dim": 4, "decoder": decoder})

    scorers.keeps_the_contract(make, small_graphs()[graph])


def test_same_seed_same_scores_and_all_of_it_moves_with_the_module() -> None:
    graph = phone_case_graph()
    once, again, other = (
        fit_recipe("duplex", graph, train={"steps": 3}, settings={"dim": 4}, seed=seed).scores([0])
        for seed in (2, 2, 3)
    )
    np.testing.assert_array_equal(once, again)
    assert not np.array_equal(once, other)
    model = Duplex(graph, dim=4).to("meta")
    assert {value.device.type for value in (*model.parameters(), *model.buffers())} == {"meta"}


def test_wrong_graphs_and_settings_are_refused() -> None:
    with pytest.raises(FitError, match="no arcs"):
        Duplex(graph_of([], 3))
    for wrong in ({"dim": 0}, {"layers": 1}, {"decoder": "classes4"}):
        with pytest.raises(ConfigError):
            Duplex(random_graph(), **wrong)  # type: ignore[arg-type]
