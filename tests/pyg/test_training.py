"""The three ways in which PyG's documentation trains on neighbourhoods, with another import and no more."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.pyg.graphs import communities
from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.data import Data, HeteroData
from torch_geometric.nn import SAGEConv, to_hetero

from thence.pyg import LinkNeighborLoader, NeighborLoader


class Sage(nn.Module):
    def __init__(self, inside: int | tuple, hidden: int, outside: int) -> None:
        super().__init__()
        self.first = SAGEConv(inside, hidden)
        self.second = SAGEConv(hidden if isinstance(inside, int) else (hidden, hidden), outside)

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        return self.second(self.first(x, edge_index).relu(), edge_index)


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def test_nodes_are_classified() -> None:
    data = communities()
    model = Sage(8, 16, 3)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    loader = NeighborLoader(
        data, num_neighbors=[5, 5], batch_size=32, input_nodes=data.train_mask, shuffle=True
    )
    losses = []
    for _ in range(6):
        total = 0.0
        for batch in loader:
            optimizer.zero_grad()
            out = model(batch.x, batch.edge_index)[: batch.batch_size]
            loss = functional.cross_entropy(out, batch.y[: batch.batch_size])
            loss.backward()
            optimizer.step()
            total += float(loss.detach())
        losses.append(total)
    assert losses[-1] < 0.6 * losses[0]
    right = total = 0
    with torch.no_grad():
        for batch in NeighborLoader(data, [-1, -1], input_nodes=~data.train_mask, batch_size=64):
            out = model(batch.x, batch.edge_index)[: batch.batch_size].argmax(1)
            right += int((out == batch.y[: batch.batch_size]).sum())
            total += batch.batch_size
    assert total == 90 and right / total > 0.7  # a third by chance


def auc(score: Tensor, label: Tensor) -> float:
    above = score[label > 0][:, None] > score[label == 0][None, :]
    return float(above.float().mean())


def test_links_are_predicted() -> None:
    data = communities()
    order = torch.randperm(data.num_edges)
    held, kept = data.edge_index[:, order[:100]], data.edge_index[:, order[100:]]
    graph = Data(x=data.x, edge_index=kept)
    model = Sage(8, 16, 8)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    loader = LinkNeighborLoader(
        graph, [8, 4], edge_label_index=kept, neg_sampling="binary", batch_size=128, shuffle=True
    )
    losses = []
    for _ in range(6):
        total = 0.0
        for batch in loader:
            optimizer.zero_grad()
            source, target = model(batch.x, batch.edge_index)[batch.edge_label_index]
            loss = functional.binary_cross_entropy_with_logits((source * target).sum(1), batch.edge_label)
            loss.backward()
            optimizer.step()
            total += float(loss.detach())
        losses.append(total)
    assert losses[-1] < 0.95 * losses[0]
    test = LinkNeighborLoader(
        graph, [-1, -1], edge_label_index=held, neg_sampling=("binary", 4), batch_size=100
    )
    with torch.no_grad():
        batch = next(iter(test))
        source, target = model(batch.x, batch.edge_index)[batch.edge_label_index]
        assert auc((source * target).sum(1), batch.edge_label) > 0.7


def test_several_types_are_learned_from() -> None:
    draw = np.random.default_rng(0)
    kind, taste = draw.integers(0, 2, 60), draw.integers(0, 2, 80)
    chance = np.where(taste[:, None] == kind[None, :], 0.15, 0.02)
    users, items = np.nonzero(draw.random((80, 60)) < chance)
    data = HeteroData()
    data["user"].x = torch.from_numpy((draw.normal(size=(80, 4)) + taste[:, None]).astype(np.float32))
    data["item"].x = torch.from_numpy(draw.normal(size=(60, 6)).astype(np.float32))  # says nothing of its kind
    data["item"].y = torch.from_numpy(kind)
    data["user", "buys", "item"].edge_index = torch.from_numpy(np.stack([users, items]))
    data["item", "rev_buys", "user"].edge_index = torch.from_numpy(np.stack([items, users]))
    model = to_hetero(Sage((-1, -1), 16, 2), data.metadata(), aggr="sum")
    train, test = torch.arange(60) < 40, torch.arange(60) >= 40
    loader = NeighborLoader(
        data,
        num_neighbors={edge_type: [6, 4] for edge_type in data.edge_types},
        batch_size=20,
        input_nodes=("item", train),
        shuffle=True,
    )
    with torch.no_grad():
        batch = next(iter(loader))
        model(batch.x_dict, batch.edge_index_dict)  # makes the lazy layers
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    losses = []
    for _ in range(15):
        total = 0.0
        for batch in loader:
            optimizer.zero_grad()
            size = batch["item"].batch_size
            out = model(batch.x_dict, batch.edge_index_dict)["item"][:size]
            loss = functional.cross_entropy(out, batch["item"].y[:size])
            loss.backward()
            optimizer.step()
            total += float(loss.detach())
        losses.append(total)
    assert losses[-1] < 0.5 * losses[0]
    with torch.no_grad():
        batch = next(iter(NeighborLoader(data, [-1, -1], input_nodes=("item", test), batch_size=20)))
        out = model(batch.x_dict, batch.edge_index_dict)["item"][:20].argmax(1)
        assert float((out == batch["item"].y[:20]).float().mean()) > 0.75
