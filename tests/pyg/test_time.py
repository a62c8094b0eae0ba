"""Time: nothing later than a seed's time reaches it, whether nodes or arcs have times."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.pyg.graphs import shop
from torch_geometric.data import Data
from torch_geometric.loader import NodeLoader

from thence.base.errors import ConfigError, DataError
from thence.pyg import LinkNeighborLoader, NeighborLoader, neighbor_sampler, sides
from thence.pyg.latest import Latest


def moving() -> Data:
    """6 nodes, 30 arcs, a time each."""
    draw = np.random.default_rng(1)
    edge_index = torch.from_numpy(draw.integers(0, 6, (2, 30)))
    return Data(edge_index=edge_index, edge_time=torch.from_numpy(draw.integers(0, 20, 30)), num_nodes=6)


def trees(data: Data, seed: int, until: int, hops: int) -> list[int]:
    """Arcs of a seed's neighbourhood until a time: places in edge_index, one hop after the other."""
    frontier, known, arcs = {seed}, {seed}, []
    for _ in range(hops):
        found = [
            at
            for at, (_, target) in enumerate(data.edge_index.t().tolist())
            if target in frontier and data.edge_time[at] <= until
        ]
        arcs += found
        frontier = {int(data.edge_index[0, at]) for at in found} - known
        known |= frontier
    return arcs


def test_arcs_later_than_their_seed_are_not_seen() -> None:
    data = moving()
    seeds, times = torch.tensor([0, 0, 3, 5]), torch.tensor([4, 15, 9, -1])
    loader = NeighborLoader(
        data, [-1, -1], input_nodes=seeds, input_time=times, time_attr="edge_time", batch_size=4
    )
    batch = next(iter(loader))
    assert torch.equal(batch.seed_time, times)
    for at in range(4):
        mine = batch.batch[batch.edge_index[1]] == at
        assert sorted(batch.e_id[mine].tolist()) == sorted(trees(data, int(seeds[at]), int(times[at]), 2))
    assert (batch.edge_time <= times[batch.batch[batch.edge_index[1]]]).all()
    assert batch.n_id[:4].tolist() == seeds.tolist() and batch.batch[:4].tolist() == [0, 1, 2, 3]


def test_nodes_later_than_their_seed_are_not_seen_and_seeds_know_their_own_time() -> None:
    data = shop()
    draw = torch.Generator().manual_seed(0)
    data["user"].moment = torch.randint(10, (30,), generator=draw)
    data["item"].moment = torch.randint(10, (20,), generator=draw)
    sampler = neighbor_sampler(data, [-1, -1], time_attr="moment")
    for asked in (None, torch.arange(20)):
        loader = NodeLoader(data, sampler, input_nodes=("item", None), input_time=asked, batch_size=20)
        batch = next(iter(loader))
        times = data["item"].moment if asked is None else asked
        for node_type in ("user", "item"):
            store = batch[node_type]
            later = store.moment > times[store.batch]
            assert not later[store.batch_size if node_type == "item" else 0 :].any()
        source, target = data["item", "links", "item"].edge_index
        for seed in range(20):
            seen = {int(s) for s, t in zip(source, target, strict=True) if t == seed}
            seen = {s for s in seen if data["item"].moment[s] <= times[seed]} | {seed}
            first = batch["item"].num_sampled_nodes[0] + batch["item"].num_sampled_nodes[1]
            mine = batch["item"].batch[:first] == seed
            assert set(batch["item"].n_id[:first][mine].tolist()) == seen


def test_the_latest_strategy_takes_the_last_that_were_there() -> None:
    data = moving()
    seeds, times = torch.arange(6), torch.full((6,), 12)
    loader = NeighborLoader(
        data,
        [2],
        input_nodes=seeds,
        input_time=times,
        time_attr="edge_time",
        temporal_strategy="last",
        batch_size=6,
    )
    batch = next(iter(loader))
    for seed in range(6):
        there = trees(data, seed, 12, 1)
        expected = sorted(there, key=lambda at: (int(data.edge_time[at]), at))[-2:]
        mine = batch.batch[batch.edge_index[1]] == seed
        assert batch.e_id[mine].tolist() == expected


@given(st.data())
@settings(max_examples=40)
def test_the_latest_of_all_are_all_that_were_there(data) -> None:
    times = data.draw(st.lists(st.integers(-3, 3), max_size=8))
    until = data.draw(st.integers(-4, 4))
    graph = Data(
        edge_index=torch.tensor([[1] * len(times), [0] * len(times)], dtype=torch.int64).reshape(2, -1),
        edge_time=torch.tensor(times, dtype=torch.int64),
        num_nodes=2,
    )
    read = sides(graph, time_attr="edge_time")
    for most in (None, 3, 0):
        sample = Latest(read, {"arcs": [most]}).sample([0], times=np.array([until]))
        there = sorted((time, at) for at, time in enumerate(times) if time <= until)
        expected = there if most is None else there[len(there) - most if most < len(there) else 0 :]
        assert sample.position.tolist() == [at for _, at in expected]


def test_links_with_times() -> None:
    data = moving()
    for negatives in (None, "binary", {"mode": "triplet", "amount": 2}):
        loader = LinkNeighborLoader(
            data,
            [-1],
            edge_label_index=data.edge_index[:, :8],
            edge_label_time=data.edge_time[:8] - 1,
            time_attr="edge_time",
            neg_sampling=negatives,
            batch_size=4,
        )
        for number, batch in enumerate(loader):
            times = data.edge_time[number * 4 : number * 4 + 4] - 1
            assert batch.num_edges and (batch.edge_time <= times[batch.batch[batch.edge_index[1]]]).all()
            if negatives is None:
                pairs = batch.n_id[batch.edge_label_index]
                assert torch.equal(pairs, data.edge_index[:, number * 4 : number * 4 + 4])


def test_times_that_are_missing_or_too_many_are_refused() -> None:
    data = moving()
    with pytest.raises(ConfigError, match="seeds have no times"):
        next(iter(NodeLoader(data, neighbor_sampler(data, [1], time_attr="edge_time"), batch_size=2)))
    with pytest.raises(ConfigError, match="not drawn by weight"):
        data.heavy = torch.ones(30)
        NeighborLoader(data, [1], time_attr="edge_time", temporal_strategy="last", weight_attr="heavy")
    with pytest.raises(ConfigError, match="arcs to sample from have times"):
        plain = neighbor_sampler(data, [1])
        loader = LinkNeighborLoader(
            data, [1], edge_label_time=data.edge_time, time_attr="edge_time", neighbor_sampler=plain
        )
        next(iter(loader))
    with pytest.raises(ConfigError, match="negatives among nodes with times"):
        data.moment = torch.arange(6)
        sampler = neighbor_sampler(data, [1], time_attr="moment")
        loader = LinkNeighborLoader(data, [1], neg_sampling="binary", neighbor_sampler=sampler)
        next(iter(loader))
    with pytest.raises(DataError, match="each seed needs a time"):
        Latest(sides(data, time_attr="edge_time"), {"arcs": [1]}).sample([0])
