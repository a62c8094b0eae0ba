"""Workers: the same batches whoever draws them, new draws in each epoch, and files that are not copied."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from tests.pyg.graphs import odd, shop
from torch_geometric.loader import LinkLoader, NodeLoader
from torch_geometric.sampler import NodeSamplerInput

from thence.base.errors import ArtifactError
from thence.base.ids import IdMap
from thence.graph import Arcs, DiGraph
from thence.graph.sample import FanOut
from thence.graph.sample.labor import Labor
from thence.pyg import NeighborLoader, Sampler, neighbor_sampler, to_pyg
from thence.pyg.carry import packed, unpacked


@pytest.mark.parametrize("per_worker", [False, True])
def test_workers_give_what_the_main_process_gives_where_nothing_is_drawn(per_worker) -> None:
    data = shop()
    sampler = neighbor_sampler(data, [-1, -1])
    options = {"input_nodes": ("item", None), "batch_size": 7, "filter_per_worker": per_worker}
    alone = list(NodeLoader(data, sampler, **options))
    together = list(NodeLoader(data, sampler, num_workers=2, **options))
    assert len(alone) == len(together) == 3
    for one, other in zip(alone, together, strict=True):
        for edge_type in data.edge_types:
            assert torch.equal(one[edge_type].edge_index, other[edge_type].edge_index)
            assert torch.equal(one[edge_type].e_id, other[edge_type].e_id)
        assert torch.equal(one["item"].x, other["item"].x)


def test_workers_draw_anew_in_each_epoch_and_again_with_the_loader_s_generator() -> None:
    data = shop()

    def epochs(seed: int) -> list[list[list[int]]]:
        loader = NeighborLoader(
            data,
            [1, 1],
            input_nodes=("item", None),
            batch_size=5,
            num_workers=2,
            generator=torch.Generator().manual_seed(seed),
        )
        return [[batch["user"].n_id.tolist() for batch in loader] for _ in range(2)]

    first = epochs(0)
    assert first == epochs(0) != epochs(1)
    assert first[0] != first[1]
    assert len({tuple(nodes) for nodes in first[0]}) == 4  # no two workers draw alike


def test_links_come_from_workers_too() -> None:
    data = odd()
    loader = LinkLoader(
        data, neighbor_sampler(data, [2]), neg_sampling="binary", batch_size=4, num_workers=1, shuffle=True
    )
    for batch in loader:
        num = int(batch.edge_label.sum())
        pairs = batch.n_id[batch.edge_label_index[:, :num]]
        assert torch.equal(pairs, data.edge_index[:, batch.input_id])


@pytest.mark.slow
def test_workers_that_start_from_nothing() -> None:
    data = odd()
    sampler = neighbor_sampler(data, [-1, -1])
    alone = list(NodeLoader(data, sampler, batch_size=4))
    loader = NodeLoader(data, sampler, batch_size=4, num_workers=1, multiprocessing_context="spawn")
    for one, other in zip(alone, loader, strict=True):
        assert torch.equal(one.edge_index, other.edge_index) and torch.equal(one.e_id, other.e_id)


@pytest.fixture(scope="module")
def graph(tmp_path_factory) -> DiGraph:
    """A graph on disk, opened: 2,000 nodes, 60,000 arcs or so, some 2 MB."""
    draw = np.random.default_rng(0)
    pairs = np.unique(draw.integers(0, 2000, (60_000, 2)), axis=0)
    source, target = pairs[pairs[:, 0] != pairs[:, 1]].T
    arcs = Arcs.from_pairs(source, target, num_nodes=2000, weight=1 + draw.random(len(source)))
    folder = tmp_path_factory.mktemp("graph") / "graph"
    DiGraph(IdMap([f"{at:04}" for at in range(2000)]), {"follows": arcs}).save(folder)
    return DiGraph.load(folder)


@pytest.mark.parametrize("make", [FanOut, Labor])
def test_a_mapped_graph_is_not_copied_to_another_process(graph, make) -> None:
    data = to_pyg(graph, arcs=False)
    sampler = Sampler(make(graph, [3, 2], direction="into", seed=1), data)
    sent = pickle.dumps(sampler)
    assert len(sent) < 20_000 < graph.main.targets.nbytes / 5
    arrived = pickle.loads(sent)  # noqa: S301
    neighbors = arrived._sampler.sample([0]).sides[0].neighbors
    assert isinstance(neighbors, np.memmap) and str(neighbors.filename) == str(graph.main.sources.filename)
    index = NodeSamplerInput(None, torch.arange(50))
    for _ in range(2):
        one, other = sampler.sample_from_nodes(index), arrived.sample_from_nodes(index)
        assert torch.equal(one.node, other.node) and torch.equal(one.edge, other.edge)
        assert torch.equal(one.row, other.row)


def test_a_mapped_graph_works_without_edge_index(graph) -> None:
    data = to_pyg(graph, arcs=False)
    assert data.edge_index.shape == (2, 0)
    sampler = Sampler(FanOut(graph, [2], direction="into"), data)
    batch = next(iter(NodeLoader(data, sampler, batch_size=64)))
    assert torch.equal(batch.n_id[batch.edge_index], torch.from_numpy(graph.main.pairs[:, batch.e_id.numpy()]))


def test_what_is_packed_comes_back_as_it_was(graph, tmp_path) -> None:
    np.save(tmp_path / "a.npy", np.arange(100).reshape(10, 10))
    mapped = np.load(tmp_path / "a.npy", mmap_mode="r")
    view = np.asarray(mapped)
    plain = np.arange(4)
    thing = {"rows": [mapped[3:7], view[9]], "columns": (mapped[:, 2], plain), "arcs": graph.main}
    small = packed(thing)
    assert small["columns"][1] is plain
    assert small["columns"][0] is thing["columns"][0]  # a column cannot be mapped
    assert len(pickle.dumps(small)) < 5000
    back = unpacked(pickle.loads(pickle.dumps(small)))  # noqa: S301
    for old, new in zip((*thing["rows"], *thing["columns"]), (*back["rows"], *back["columns"]), strict=True):
        assert np.array_equal(old, new)
    assert np.array_equal(back["arcs"].pairs, graph.main.pairs)
    (tmp_path / "a.npy").unlink()
    with pytest.raises(ArtifactError, match="cannot be opened again"):
        unpacked(small)


def test_what_stands_in_two_places_still_does_and_files_that_may_change_are_copied(tmp_path) -> None:
    np.save(tmp_path / "a.npy", np.arange(10))
    writable = np.load(tmp_path / "a.npy", mmap_mode="r+")
    private = np.load(tmp_path / "a.npy", mmap_mode="c")
    assert packed([writable, private])[0] is writable and packed([private])[0] is private
    arcs = Arcs.from_pairs([0], [1], num_nodes=2)
    one, other = packed([arcs, arcs])
    assert one is other is not arcs
    again: list = []
    assert packed([again, again]) == [[], []]
