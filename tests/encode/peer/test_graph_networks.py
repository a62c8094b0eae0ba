"""Directed graph neural networks of others against their formulas written out, and their sense of direction."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from tests.encode.graphs import dense, graph_of, phone_case_graph, random_graph, reversed_graph
from tests.worlds import one_way_communities
from torch import nn

from thence.base.errors import ConfigError, FitError
from thence.encode import Embeddings
from thence.encode.dual_decoded import DualDecoded
from thence.encode.features import item_features
from thence.encode.peer.decode import DecodedScorer
from thence.encode.peer.digae import DiGAE
from thence.encode.peer.dir_gnn import DirGNN
from thence.encode.peer.magnet import MagNet
from thence.encode.peer.sdgae import SDGAE
from thence.graph import Arcs, DiGraph
from thence.train.recipes import fit_recipe

NAMES = ("dual_decoded", "digae", "sdgae", "magnet", "dir_gnn")
ENCODERS = {"dual_decoded": DualDecoded, "digae": DiGAE, "sdgae": SDGAE, "magnet": MagNet, "dir_gnn": DirGNN}
LATE = {"dual_decoded", "sdgae", "digae", "dir_gnn"}


def parts(model: nn.Module) -> dict[str, np.ndarray]:
    return {name: value.detach().numpy().astype(np.float64) for name, value in model.named_parameters()}


def output(model: nn.Module) -> tuple[np.ndarray, np.ndarray]:
    model.eval()
    with torch.no_grad():
        source, target, bias = model()
    assert not bias.any()
    return source.numpy(), target.numpy()


def damped(graph: DiGraph, out_power: float, in_power: float, *, loops: bool) -> np.ndarray:
    a = (dense(graph) > 0).astype(float) + (np.eye(graph.num_nodes) if loops else 0.0)
    left, right = (np.maximum(a.sum(axis), 1.0) ** -power for axis, power in ((1, out_power), (0, in_power)))
    return left[:, None] * a * right


def words(graph: DiGraph) -> np.ndarray:
    return np.eye(graph.num_nodes) if graph.nodes is None else item_features(graph.nodes).toarray()


GRAPHS: dict[str, Callable[[], DiGraph]] = {"random": random_graph, "features": phone_case_graph}


@pytest.fixture(params=GRAPHS)
def graph(request: pytest.FixtureRequest) -> DiGraph:
    return GRAPHS[request.param]()


def started(p: dict[str, np.ndarray], x: np.ndarray, name: str) -> np.ndarray:
    return x @ p[f"{name}.weight"] + p[f"{name}.bias"]


@pytest.mark.parametrize("make", [partial(SDGAE, rounds=3), partial(DualDecoded, rounds=3, folds=2)])
def test_sdgae_passes_vectors_on_by_its_formula(make: Callable[..., nn.Module], graph: DiGraph) -> None:
    model = make(graph, dim=4)
    with torch.no_grad():
        model.get_parameter("share").copy_(torch.tensor([[0.5, 1.0], [1.5, 0.2], [0.3, 0.7]]))
    p, a, x = parts(model), damped(graph, 0.5, 0.5, loops=True), words(graph)
    s, t = started(p, x, "from_source"), started(p, x, "from_target")
    for w in p["share"]:
        s, t = s + w[0] * a @ t, t + w[1] * a.T @ s
    for got, expected in zip(output(model), (s, t), strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-5)


@pytest.mark.parametrize("layers", [1, 2])
def test_digae_by_its_formula(layers: int, graph: DiGraph) -> None:
    model = DiGAE(graph, dim=3, layers=layers, alpha=0.2, beta=0.7)
    p, a, x = parts(model), damped(graph, 0.7, 0.2, loops=True), words(graph)
    s, t = started(p, x, "from_source"), started(p, x, "from_target")
    if layers == 2:
        hidden_source, hidden_target = np.maximum(a @ t, 0), np.maximum(a.T @ s, 0)
        s = hidden_source @ p["second.0.weight"].T + p["second.0.bias"]
        t = hidden_target @ p["second.1.weight"].T + p["second.1.bias"]
    for got, expected in zip(output(model), (a @ t, a.T @ s), strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-5)


@pytest.mark.parametrize("jump", ["cat", "max"])
def test_dir_gnn_by_its_formula(jump: str, graph: DiGraph) -> None:
    model = DirGNN(graph, dim=3, alpha=0.3, jump=jump)
    p, a, x = parts(model), damped(graph, 0.5, 0.5, loops=False), words(graph)
    along, against = started(p, x, "first_out"), started(p, x, "first_in")
    first = np.maximum(0.3 * a @ along + 0.7 * a.T @ against, 0)
    along, against = (first @ p[f"more.{k}.weight"].T + p[f"more.{k}.bias"] for k in (0, 1))
    second = np.maximum(0.3 * a @ along + 0.7 * a.T @ against, 0)
    joined = np.concatenate([first, second], axis=1) if jump == "cat" else np.maximum(first, second)
    expected = joined @ p["last.weight"].T + p["last.bias"]
    for got in output(model):
        np.testing.assert_allclose(got, expected, atol=1e-5)


@pytest.mark.parametrize("order", [1, 2])
def test_magnet_by_its_formula_in_complex_numbers(order: int, graph: DiGraph) -> None:
    model = MagNet(graph, dim=3, order=order, q=0.15)
    a = (dense(graph) > 0).astype(float)
    both = (a + a.T) / 2
    degree = np.maximum(both.sum(1), 1e-12) ** -0.5
    laplacian = np.eye(len(a)) - degree[:, None] * both * degree * np.exp(2j * np.pi * 0.15 * (a - a.T))
    scaled = laplacian - np.eye(len(a))
    polynomials = [np.eye(len(a)), scaled, 2 * scaled @ scaled - np.eye(len(a))][: order + 1]
    z: Any = words(graph) * (1 + 1j)
    for k in (0, 1):
        weights, bias = (getattr(model, side)[k].detach().numpy() for side in ("weights", "biases"))
        z = sum(t @ z @ w for t, w in zip(polynomials, weights, strict=True)) + bias * (1 + 1j)
        z = np.where(z.real >= 0, z, 0)
    source, target = output(model)
    np.testing.assert_allclose(source, np.concatenate([z.real, z.imag], axis=1), atol=1e-5)
    np.testing.assert_array_equal(source, target)


def trained(name: str, graph: DiGraph, **settings: object) -> Embeddings | DecodedScorer:
    few = {"steps": 60, "learning_rate": 0.02}
    return fit_recipe(name, graph, train=few, settings={"dim": 16, **settings}, seed=1)


def knows_direction(scorer: Embeddings | DecodedScorer, graph: DiGraph) -> bool:
    scores = scorer.scores(np.arange(graph.num_nodes))
    source, target = graph.main.pairs[:, graph.main.one_way]
    return bool((scores[source, target] > scores[target, source] + 1e-4).mean() > 0.9)


@pytest.mark.parametrize("name", NAMES)
def test_an_arc_outscores_its_reverse_unless_direction_is_dropped(name: str) -> None:
    graph = one_way_communities()[0]
    assert knows_direction(trained(name, graph), graph)
    matrix = graph.main.matrix()
    both = (matrix + matrix.T).tocoo()
    arcs = Arcs.from_pairs(both.row, both.col, num_nodes=graph.num_nodes)
    assert not knows_direction(trained(name, DiGraph(graph.ids, {"both": arcs})), graph)


def test_without_phases_magnet_and_with_products_dir_gnn_forget_direction() -> None:
    graph = random_graph(num_nodes=20, num_arcs=50)
    turned = reversed_graph(graph)
    np.testing.assert_allclose(
        output(MagNet(graph, q=0.0, dim=4))[0], output(MagNet(turned, q=0.0, dim=4))[0], atol=1e-6
    )
    assert not np.allclose(output(MagNet(graph, q=0.2, dim=4))[0], output(MagNet(turned, q=0.2, dim=4))[0])
    scores = trained("dir_gnn", graph, decoder="hadamard").scores(np.arange(20))
    np.testing.assert_allclose(scores, scores.T, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_same_scores_and_all_of_it_moves_with_the_module(name: str) -> None:
    graph = phone_case_graph()
    once, again, other = (
        fit_recipe(name, graph, train={"steps": 3}, settings={"dim": 4}, seed=seed).scores([0])
        for seed in (2, 2, 3)
    )
    np.testing.assert_array_equal(once, again)
    assert not np.array_equal(once, other)
    model = ENCODERS[name](graph, dim=4).to("meta")
    assert {value.device.type for value in (*model.parameters(), *model.buffers())} == {"meta"}


def test_arcs_of_a_hidden_part_do_not_reach_the_messages() -> None:
    graph = random_graph(num_nodes=14, num_arcs=40)
    model = DualDecoded(graph, dim=4, folds=4)
    for part in range(4):
        rest = DiGraph(graph.ids, {"rest": graph.main.select(model.fold != part)})
        alone = DualDecoded(rest, dim=4, folds=0)
        alone.load_state_dict(model.state_dict(), strict=False)
        with torch.no_grad():
            for got, expected in zip(model.without(part), alone(), strict=True):
                np.testing.assert_allclose(got, expected, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_wrong_graphs_and_settings_are_refused(name: str) -> None:
    with pytest.raises(FitError, match="no arcs"):
        ENCODERS[name](graph_of([], 3))
    with pytest.raises(ConfigError):
        ENCODERS[name](random_graph(), dim=0)
