"""With all neighbours a batch gives what the whole graph gives: nothing is missing, nothing is turned round."""

from __future__ import annotations

import pytest
import torch
from tests.pyg.graphs import odd, shop
from torch import Tensor, nn
from torch_geometric.nn import GCNConv, HeteroConv, SAGEConv, to_hetero
from torch_geometric.utils import trim_to_layer

from thence.pyg import NeighborLoader


class Sage(nn.Module):
    """Two layers."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = SAGEConv((-1, -1), 6), SAGEConv((-1, -1), 4)

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        return self.second(self.first(x, edge_index).relu(), edge_index)


class Trimming(Sage):
    """Two layers; trimmed to what each needs where counts are given."""

    def forward(self, x: Tensor, edge_index: Tensor, nodes: list | None = None, arcs: list | None = None):
        x = self.first(x, edge_index).relu()
        if nodes is not None:
            x, edge_index, _ = trim_to_layer(1, nodes, arcs, x, edge_index)
        return self.second(x, edge_index)


def seeded(make):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return make()


@pytest.mark.parametrize("trim", [False, True])
@torch.no_grad()
def test_one_type(trim) -> None:
    data, model = odd(), seeded(Trimming)
    whole = seeded(lambda: model(data.x, data.edge_index))
    for batch in NeighborLoader(data, [-1, -1], batch_size=3):
        counts = (batch.num_sampled_nodes, batch.num_sampled_edges) if trim else ()
        out = model(batch.x, batch.edge_index, *counts)[: batch.batch_size]
        assert torch.allclose(out, whole[batch.n_id[: batch.batch_size]], atol=1e-5)


@torch.no_grad()
def test_seeds_that_come_twice() -> None:
    data, model = odd(), seeded(Sage)
    whole, seeds = seeded(lambda: model(data.x, data.edge_index)), torch.tensor([0, 2, 0, 6, 2, 2])
    for fan_out in ([-1, -1], [-1, -1, -1]):
        batch = next(iter(NeighborLoader(data, fan_out, input_nodes=seeds, batch_size=6)))
        out = model(batch.x, batch.edge_index)[:6]
        assert torch.allclose(out, whole[seeds], atol=1e-5)


@torch.no_grad()
def test_seeds_of_several_types_that_come_twice() -> None:
    data, seeds = shop(), torch.tensor([4, 4, 0, 19, 4, 0])
    model = seeded(lambda: Trimmed(data.edge_types))
    whole = seeded(lambda: model(data.x_dict, data.edge_index_dict))["item"]
    batch = next(iter(NeighborLoader(data, [-1, -1], input_nodes=("item", seeds), batch_size=6)))
    counts = (batch.num_sampled_nodes_dict, batch.num_sampled_edges_dict)
    for given in ((), counts):
        out = model(batch.x_dict, batch.edge_index_dict, *given)["item"][:6]
        assert torch.allclose(out, whole[seeds], atol=1e-5)


@torch.no_grad()
def test_disjoint_and_induced_batches() -> None:
    data, model = odd(), seeded(Sage)
    whole = seeded(lambda: model(data.x, data.edge_index))
    for asked in ({"disjoint": True}, {"subgraph_type": "induced"}):
        for batch in NeighborLoader(data, [-1, -1], batch_size=4, **asked):
            out = model(batch.x, batch.edge_index)[: batch.batch_size]
            assert torch.allclose(out, whole[batch.n_id[: batch.batch_size]], atol=1e-5)


@torch.no_grad()
def test_weights_of_arcs() -> None:
    data = odd()
    data.edge_weight = torch.rand(data.num_edges, generator=torch.Generator().manual_seed(1))
    layer = seeded(lambda: GCNConv(2, 3, normalize=False))
    whole = layer(data.x, data.edge_index, data.edge_weight)
    for batch in NeighborLoader(data, [-1], batch_size=2):
        out = layer(batch.x, batch.edge_index, batch.edge_weight)[: batch.batch_size]
        assert torch.allclose(out, whole[batch.n_id[: batch.batch_size]], atol=1e-5)


@pytest.mark.parametrize("input_type", ["user", "item"])
@torch.no_grad()
def test_several_types(input_type) -> None:
    data = shop()
    model = seeded(lambda: to_hetero(Sage(), data.metadata()))
    whole = seeded(lambda: model(data.x_dict, data.edge_index_dict))[input_type]
    for batch in NeighborLoader(data, [-1, -1], input_nodes=(input_type, None), batch_size=7):
        size = batch[input_type].batch_size
        out = model(batch.x_dict, batch.edge_index_dict)[input_type][:size]
        assert torch.allclose(out, whole[batch[input_type].n_id[:size]], atol=1e-5)


class Trimmed(nn.Module):
    """Two layers over several types, trimmed."""

    def __init__(self, edge_types: list) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            HeteroConv({edge_type: SAGEConv((-1, -1), 4) for edge_type in edge_types}, aggr="sum")
            for _ in range(2)
        )

    def forward(self, x: dict, edge_index: dict, nodes: dict | None = None, arcs: dict | None = None) -> dict:
        for at, layer in enumerate(self.layers):
            if nodes is not None:
                x, edge_index, _ = trim_to_layer(at, nodes, arcs, x, edge_index)
            x = layer(x, edge_index)
        return x


@torch.no_grad()
def test_several_types_trimmed() -> None:
    data = shop()
    model = seeded(lambda: Trimmed(data.edge_types))
    whole = seeded(lambda: model(data.x_dict, data.edge_index_dict))["item"]
    for batch in NeighborLoader(data, [-1, -1], input_nodes=("item", None), batch_size=6):
        size = batch["item"].batch_size
        counts = (batch.num_sampled_nodes_dict, batch.num_sampled_edges_dict)
        out = model(batch.x_dict, batch.edge_index_dict, *counts)["item"][:size]
        assert torch.allclose(out, whole[batch["item"].n_id[:size]], atol=1e-5)


@torch.no_grad()
def test_sums_by_scale_are_right_on_average() -> None:
    data = odd()
    whole = torch.zeros(8, 2).index_add_(0, data.edge_index[1], data.x[data.edge_index[0]])
    loader = NeighborLoader(data, [2], batch_size=8)
    total, rounds = torch.zeros(8, 2), 600
    for _ in range(rounds):
        for batch in loader:
            messages = batch.x[batch.edge_index[0]] * batch.scale[:, None]
            total += torch.zeros(batch.num_nodes, 2).index_add_(0, batch.edge_index[1], messages)[:8]
    assert torch.allclose(total / rounds, whole, rtol=0.1, atol=0.1)
