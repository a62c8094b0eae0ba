"""The encoder: its equations literally, who is placed by features alone, and where it refuses."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import torch
from tests.encode.graphs import graph_of, phone_case_graph, weighted_graph
from tests.worlds import cycle_graph

from thence.base.errors import ConfigError, FitError
from thence.encode.dual import DualConfig, DualEncoder
from thence.encode.features import item_features
from thence.encode.propagate import neighborhoods
from thence.graph import Arcs, DiGraph


def output(encoder: DualEncoder) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    with torch.no_grad():
        source, target, bias = (part.numpy() for part in encoder())
    return source, target, bias


def three_relations() -> DiGraph:
    """Two directed relations and an undirected one, with a catalogue."""
    nodes = pa.table({"title": [f"thing {k % 3}" for k in range(5)], "brand": ["x", "y", "x", None, "y"]})
    after = Arcs.from_pairs([0, 1, 3], [2, 3, 0], num_nodes=5, weight=[1.0, 2.0, 3.0])
    alike = Arcs.from_pairs([0, 1, 1, 2], [1, 0, 2, 1], num_nodes=5, directed=False)
    return graph_of([(0, 1, 3.0), (1, 2, 1.0), (0, 2, 2.0)], 5, nodes, after=after, alike=alike)


def test_the_encoder_is_its_equations() -> None:
    """Two layers over three relations, written out with dense matrices."""
    graph = three_relations()
    encoder = DualEncoder(graph, DualConfig(dim=4, layers=2, fan_out=2), seed=5)
    with torch.no_grad():
        for share in (encoder.directed_share, encoder.undirected_share):
            share.uniform_(-1, 1, generator=torch.Generator().manual_seed(1))
    p = {name: value.detach().double().numpy() for name, value in encoder.named_parameters()}
    assert graph.nodes is not None
    x = item_features(graph.nodes).toarray()
    alive = np.array([1, 1, 1, 1, 0])[:, None]
    s = alive * p["free_source"] + x @ p["feature_source"]
    t = alive * p["free_target"] + x @ p["feature_target"]
    matrices = [[m.toarray() for m in neighborhoods(arcs, fan_out=2)] for arcs in graph.relations.values()]
    (out_0, in_0), (out_1, in_1), (beside, _) = matrices
    a, c = p["directed_share"], p["undirected_share"]
    for k in range(2):
        s, t = (
            s + a[k, 0, 0] * out_0 @ t + a[k, 0, 1] * out_1 @ t + c[k, 0, 0] * beside @ s,
            t + a[k, 1, 0] * in_0 @ s + a[k, 1, 1] * in_1 @ s + c[k, 1, 0] * beside @ t,
        )
    source, target, bias = output(encoder)
    np.testing.assert_allclose(source, s, atol=1e-5)
    np.testing.assert_allclose(target, t, atol=1e-5)
    np.testing.assert_allclose(bias, np.log1p([0, 3, 3, 0, 0]), atol=1e-6)  # the main relation's weight


def test_without_layers_nothing_but_the_start_is_left() -> None:
    encoder = DualEncoder(cycle_graph(), DualConfig(dim=3, layers=0))
    source, target, _ = output(encoder)
    np.testing.assert_array_equal(source, encoder.free_source.detach().numpy())
    np.testing.assert_array_equal(target, encoder.free_target.detach().numpy())


def cold_catalogue() -> DiGraph:
    """Node 3 is cold and says of itself what node 1 does; node 4 is cold and like nobody."""
    nodes = pa.table(
        {
            "title": ["phone", "red case", "tea", "red case", "boat"],
            "category": ["P", "P > C", "T", "P > C", "B"],
        }
    )
    return graph_of([(0, 1, 2.0), (2, 0, 1.0)], 5, nodes)


def test_a_cold_item_like_a_warm_one_has_its_embedding_when_free_vectors_are_off() -> None:
    encoder = DualEncoder(cold_catalogue(), DualConfig(dim=4, layers=0, free_vectors=False))
    for vectors in output(encoder)[:2]:
        np.testing.assert_array_equal(vectors[3], vectors[1])
        assert not np.allclose(vectors[3], vectors[4])


def test_a_node_without_arcs_is_placed_by_its_features_only() -> None:
    encoder = DualEncoder(cold_catalogue(), DualConfig(dim=4, layers=2))
    before = output(encoder)
    with torch.no_grad():
        encoder.free_source += 1.0
        encoder.free_target -= 1.0
    after = output(encoder)
    for role in (0, 1):
        np.testing.assert_array_equal(after[role][3:], before[role][3:])
        assert (after[role][:3] != before[role][:3]).any(axis=1).all()
        assert (before[role][3:] != 0).any()


def test_a_node_without_arcs_and_features_is_nowhere() -> None:
    source, target, bias = output(DualEncoder(weighted_graph(), DualConfig(dim=4)))
    assert not source[5:].any() and not target[5:].any() and not bias[5:].any()


def test_an_arc_of_any_relation_brings_a_node_to_life() -> None:
    beside = Arcs.from_pairs([2, 3], [3, 2], num_nodes=5, directed=False)
    encoder = DualEncoder(graph_of([(0, 1, 1.0)], 5, None, alike=beside), DualConfig(dim=2))
    assert encoder.alive.ravel().tolist() == [1, 1, 1, 1, 0]


def test_the_seed_and_nothing_else_gives_the_start_values() -> None:
    graph = cycle_graph()
    torch.rand(3)  # draws of others change nothing
    same, other = DualEncoder(graph, seed=4), DualEncoder(graph, seed=5)
    for name, value in DualEncoder(graph, seed=4).state_dict().items():
        assert torch.equal(value, same.state_dict()[name])
    assert not torch.equal(same.free_source, other.free_source)
    assert not torch.equal(same.free_source, same.free_target)


def test_all_of_it_moves_with_the_module() -> None:
    encoder = DualEncoder(phone_case_graph(), DualConfig(dim=2)).to("meta")
    assert {value.device.type for value in (*encoder.parameters(), *encoder.buffers())} == {"meta"}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_gives_the_same_embeddings() -> None:
    encoder = DualEncoder(three_relations(), DualConfig(dim=8, layers=2))
    here = output(encoder)
    with torch.no_grad():
        there = [part.cpu().numpy() for part in encoder.to("cuda")()]
    for ours, theirs in zip(here, there, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_a_graph_without_arcs_is_refused() -> None:
    with pytest.raises(FitError, match="no arcs"):
        DualEncoder(graph_of([], 3))


@pytest.mark.parametrize("setting", [{"dim": 0}, {"layers": -1}, {"fan_out": 0}])
def test_settings_out_of_range_are_refused(setting: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="out of range"):
        DualConfig(**setting)
