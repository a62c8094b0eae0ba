"""Going on from a trained encoder: rows find their way back by name, and going on is training on."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from tests.encode.graphs import phone_case_graph, random_graph, weighted_graph
from torch import nn

from thence.base.errors import ArtifactError, ConfigError
from thence.base.ids import IdMap
from thence.encode.dual import DualConfig, DualEncoder
from thence.encode.embeddings import Embeddings
from thence.encode.features import feature_names, item_features
from thence.graph import Arcs, DiGraph
from thence.train import TrainConfig, fit
from thence.train.fit import scorer_of
from thence.train.warm import Kept, keep_encoder, kept_encoder, warm_start

CONFIG = DualConfig(dim=4)
STEPS = TrainConfig(steps=6, batch_size=4, learning_rate=0.05)


def trained(graph: DiGraph, config: DualConfig = CONFIG) -> DualEncoder:
    model = DualEncoder(graph, config)
    fit(graph, STEPS, encoder=model)
    return model


def kept(tmp_path: Path, model: nn.Module, graph: DiGraph, settings: dict | None = None) -> Kept:
    keep_encoder(tmp_path / "encoder", model, graph, asdict(CONFIG) if settings is None else settings)
    return kept_encoder(tmp_path / "encoder")


def relabelled(graph: DiGraph, order: np.ndarray) -> DiGraph:
    """The same graph with its nodes in another order."""
    place = np.argsort(order)
    relations = {}
    for name, arcs in graph.relations.items():
        source, target = place[arcs.pairs]
        relations[name] = Arcs.from_pairs(source, target, num_nodes=len(order), weight=arcs.weight)
    nodes = None if graph.nodes is None else graph.nodes.take(pa.array(order))
    return DiGraph(IdMap(graph.ids.decode(order)), relations, nodes)


def by_id(embeddings: Embeddings) -> dict[str, tuple]:
    names = embeddings.ids.decode(np.arange(len(embeddings.ids)))
    rows = zip(embeddings.source, embeddings.target, embeddings.bias, strict=True)  # type: ignore[arg-type]
    return dict(zip(names, rows, strict=True))


def same(ours: Embeddings, theirs: Embeddings) -> bool:
    return all(np.array_equal(getattr(ours, n), getattr(theirs, n)) for n in ("source", "target", "bias"))


@pytest.mark.parametrize("graph", [weighted_graph(), phone_case_graph()], ids=["plain", "catalogue"])
def test_on_the_same_graph_nothing_is_lost(graph: DiGraph, tmp_path: Path) -> None:
    model = trained(graph)
    again = DualEncoder(graph, CONFIG, seed=5)
    assert warm_start(again, graph, kept(tmp_path, model, graph), asdict(CONFIG)) == graph.num_nodes
    assert same(scorer_of(again, graph), scorer_of(model, graph))


@pytest.mark.parametrize("graph", [weighted_graph(), phone_case_graph()], ids=["plain", "catalogue"])
def test_in_another_order_every_id_keeps_what_it_had(graph: DiGraph, tmp_path: Path) -> None:
    model = trained(graph)
    turned = relabelled(graph, np.random.default_rng(0).permutation(graph.num_nodes))
    again = DualEncoder(turned, CONFIG, seed=5)
    warm_start(again, turned, kept(tmp_path, model, graph), asdict(CONFIG))
    before, after = by_id(scorer_of(model, graph)), by_id(scorer_of(again, turned))
    for name, rows in before.items():
        for old, new in zip(rows, after[name], strict=True):
            np.testing.assert_allclose(new, old, atol=1e-5)


def test_going_on_is_training_on_from_these_parameters(tmp_path: Path) -> None:
    """The literal way: the same module, a fresh optimizer, the same steps."""
    graph = weighted_graph()
    model = trained(graph)
    start = kept(tmp_path, model, graph)
    again = DualEncoder(graph, CONFIG, seed=5)
    warm_start(again, graph, start, asdict(CONFIG))
    on = replace(STEPS, seed=3)
    assert same(fit(graph, on, encoder=again), fit(graph, on, encoder=model))


def test_a_new_node_starts_among_its_like() -> None:
    """A new n leads where a and b lead, and c leads to it and to a: it starts as a and b, and as a."""
    ids = ["a", "b", "c", "x", "n"]
    arcs = [(0, 3), (1, 3), (2, 0), (4, 3), (2, 4)]
    new = DiGraph(IdMap(ids), {"r": Arcs.from_pairs(*zip(*arcs, strict=True), num_nodes=5)})  # type: ignore[arg-type]
    old = DiGraph(IdMap(ids[:4]), {"r": Arcs.from_pairs(*zip(*arcs[:3], strict=True), num_nodes=4)})  # type: ignore[arg-type]
    first, second = DualEncoder(old, CONFIG), DualEncoder(new, CONFIG, seed=7)
    with torch.no_grad():
        first.bias += torch.tensor([0.5, 0.5, 0.5, 9.0])
    own_start = second.bias.detach().clone()
    start = Kept(
        old.ids,
        IdMap([]),
        {name: value.numpy(force=True) for name, value in first.state_dict().items()},
        "DualEncoder",
        {},
        ("r",),
        {},
    )
    warm_start(second, new, start, {})
    source, target = first.free_source.detach(), first.free_target.detach()
    torch.testing.assert_close(second.free_source[4].detach(), (source[0] + source[1]) / 2)
    torch.testing.assert_close(second.free_target[4].detach(), target[0])
    shift = np.median(first.bias.detach().numpy() - own_start[:4].numpy())
    assert second.bias[4].item() == pytest.approx(own_start[4].item() + shift)
    assert second.bias[:4].tolist() == first.bias.tolist()


def test_a_new_node_without_like_ones_starts_at_zero(tmp_path: Path) -> None:
    old = random_graph(5, 8)
    pairs = np.concatenate([old.main.pairs, [[5, 6], [6, 5]]], axis=1)
    new = DiGraph(IdMap([f"n{k}" for k in range(7)]), {"bought_after": Arcs.from_pairs(*pairs, num_nodes=7)})
    model = DualEncoder(new, CONFIG)
    assert warm_start(model, new, kept(tmp_path, trained(old), old), asdict(CONFIG)) == 5
    assert not model.free_source[5:].any() and not model.free_target[5:].any()
    assert model.free_source[:5].abs().sum(1).all()


def test_features_are_known_by_their_names(tmp_path: Path) -> None:
    old = phone_case_graph()
    assert old.nodes is not None
    names = feature_names(old.nodes)
    assert len(set(names)) == len(names) == item_features(old.nodes).shape[1]
    fewer = old.nodes.slice(1)
    kept_names = [name for name in feature_names(fewer) if not name.startswith("price=")]
    assert set(kept_names) < set(names)
    model = trained(old)
    order = np.array([1, 2, 3, 4])
    new = DiGraph(
        IdMap(old.ids.decode(order)),
        {"bought_after": Arcs.from_pairs([0, 1], [1, 2], num_nodes=4)},
        fewer,
    )
    second = DualEncoder(new, CONFIG, seed=3)
    warm_start(second, new, kept(tmp_path, model, old), asdict(CONFIG))
    for row, name in enumerate(feature_names(fewer)):
        expected = model.feature_target[names.index(name)] if name in names else torch.zeros(4)
        assert torch.equal(second.feature_target[row], expected), name


def test_an_encoder_that_says_nothing_of_its_rows_is_carried_by_node(tmp_path: Path) -> None:
    class Plain(nn.Module):
        def __init__(self, num_nodes: int) -> None:
            super().__init__()
            self.vectors = nn.Parameter(torch.arange(num_nodes * 2.0).reshape(-1, 2))
            self.scale = nn.Parameter(torch.ones(3))

    old, new = weighted_graph(), relabelled(weighted_graph(), np.arange(7)[::-1])
    model = Plain(7)
    with torch.no_grad():
        model.scale += 1
    second = Plain(7)
    warm_start(second, new, kept(tmp_path, model, old, {}), {})
    assert torch.equal(second.vectors, model.vectors.flip(0)) and second.scale.tolist() == [2.0, 2.0, 2.0]


def test_another_encoder_is_refused(tmp_path: Path) -> None:
    graph = weighted_graph()
    start = kept(tmp_path, trained(graph), graph)
    other = DualConfig(dim=8)
    with pytest.raises(ConfigError, match="dim=4, asked for is dim=8"):
        warm_start(DualEncoder(graph, other), graph, start, asdict(other))
    two = graph.with_relation("viewed", graph.main)
    with pytest.raises(ConfigError, match="relations bought_after, the graph bought_after, viewed"):
        warm_start(DualEncoder(two, CONFIG), two, start, asdict(CONFIG))
    with pytest.raises(ConfigError, match="is a DualEncoder, asked for is a Linear"):
        warm_start(nn.Linear(2, 2), graph, start, asdict(CONFIG))
    strangers = DiGraph(IdMap([f"s{k}" for k in range(7)]), graph.relations)
    with pytest.raises(ConfigError, match="knows none"):
        warm_start(DualEncoder(strangers, CONFIG), strangers, start, asdict(CONFIG))


def test_a_torn_encoder_is_refused(tmp_path: Path) -> None:
    graph = weighted_graph()
    assert "DualEncoder, 7 nodes, 0 features" in repr(kept(tmp_path, trained(graph), graph))
    path = tmp_path / "encoder" / "state.safetensors"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(ArtifactError):
        kept_encoder(tmp_path / "encoder")
