"""What a sampler reads is what stands in edge_index, arc by arc."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.pyg.graphs import BUYS, LINKS, odd, shop
from torch_geometric import EdgeIndex
from torch_geometric.data import Data, HeteroData

from thence.base.errors import ConfigError, DataError
from thence.graph.sample.side import Side
from thence.pyg import sides
from thence.pyg.space import Space


def listed(side: Side) -> list[tuple[int, int, int]]:
    """(node that looks, neighbour, place in edge_index) of every entry."""
    looks = np.repeat(np.arange(side.num_nodes), side.degree)
    places = side.positions(np.arange(len(side.neighbors)))
    return list(zip(looks.tolist(), side.neighbors.tolist(), places.tolist(), strict=True))


@pytest.mark.parametrize("direction", ["into", "out"])
def test_every_arc_stands_in_its_row_once_loops_and_repeats_included(direction) -> None:
    data = odd()
    side = sides(data, direction=direction)["arcs"]
    expected = [
        (target, source, at) if direction == "into" else (source, target, at)
        for at, (source, target) in enumerate(data.edge_index.t().tolist())
    ]
    assert sorted(listed(side)) == sorted(expected)
    assert side.indptr.dtype == side.neighbors.dtype == np.int32


def test_arcs_that_are_sorted_stay_where_they_are() -> None:
    data = odd()
    for direction, end in (("into", 1), ("out", 0)):
        order = torch.argsort(data.edge_index[end], stable=True)
        ordered = Data(edge_index=data.edge_index[:, order], num_nodes=8)
        side, moved = sides(ordered, direction=direction)["arcs"], sides(data, direction=direction)["arcs"]
        assert side.order is None and moved.order is not None
        assert np.array_equal(moved.order, order.numpy())
        assert np.array_equal(side.neighbors, moved.neighbors) and np.array_equal(side.indptr, moved.indptr)


def test_types_stand_one_after_the_other_and_rows_of_other_types_are_empty() -> None:
    data = shop()
    read = sides(data)
    assert list(read) == ["user__buys__item", "item__bought__user", "item__links__item"]
    users, items = 30, 20
    pairs = data[BUYS].edge_index.t().tolist()
    expected = [(users + target, source, at) for at, (source, target) in enumerate(pairs)]
    assert sorted(listed(read["user__buys__item"])) == sorted(expected)
    assert read["user__buys__item"].degree[:users].sum() == 0
    links = data[LINKS].edge_index.t().tolist()
    expected = [(users + target, users + source, at) for at, (source, target) in enumerate(links)]
    assert sorted(listed(read["item__links__item"])) == sorted(expected)
    assert all(side.num_nodes == users + items for side in read.values())


def test_weights_and_times_go_with_their_arcs() -> None:
    data = odd()
    num = data.num_edges
    data.heavy = torch.rand(num, generator=torch.Generator().manual_seed(0))
    data.moment = torch.arange(num) * 10 - 40
    side = sides(data, weight_attr="heavy", time_attr="moment")["arcs"]
    assert side.order is not None and side.weight is not None and side.time is not None
    assert np.array_equal(side.weight, data.heavy.numpy()[side.order])
    assert np.array_equal(side.time, data.moment.numpy()[side.order])
    del data.moment
    data.moment = torch.arange(8) * 100
    side = sides(data, time_attr="moment")["arcs"]
    assert side.time is not None and np.array_equal(side.time, side.neighbors * 100)


def test_edge_types_without_the_attribute_weigh_one_and_were_always_there() -> None:
    data = shop()
    data[BUYS].heavy = torch.full((80,), 3.0)
    data["user"].moment = torch.arange(30)
    read = sides(data, weight_attr="heavy", time_attr="moment")
    assert {name: set(side.weight.tolist()) for name, side in read.items()} == {
        "user__buys__item": {3.0},
        "item__bought__user": {1.0},
        "item__links__item": {1.0},
    }
    buys, links = read["user__buys__item"], read["item__links__item"]
    assert np.array_equal(buys.time, buys.neighbors)
    assert set(links.time.tolist()) == {np.iinfo(np.int64).min}


def test_other_ways_to_hold_arcs() -> None:
    data = odd()
    plain = sides(data)["arcs"]
    index = EdgeIndex(data.edge_index, sparse_size=(8, 8))
    again = sides(Data(edge_index=index, num_nodes=8))["arcs"]
    assert listed(plain) == listed(again)
    none = sides(Data(num_nodes=3))["arcs"]
    assert none.num_nodes == 3 and len(none.neighbors) == 0
    small = sides(Data(edge_index=data.edge_index.int(), num_nodes=8))["arcs"]
    assert listed(plain) == listed(small)


def wrong(**attributes) -> Data:
    return Data(edge_index=torch.tensor([[0, 1], [1, 2]]), num_nodes=3, **attributes)


@pytest.mark.parametrize(
    ("data", "asked", "said"),
    [
        (Data(edge_index=torch.tensor([[0], [3]]), num_nodes=3), {}, "node 3 of edge_index is out of range"),
        (Data(edge_index=torch.tensor([[-1], [2]]), num_nodes=3), {}, "node -1 of edge_index is out of range"),
        (Data(edge_index=torch.zeros(3, 2).long(), num_nodes=3), {}, r"shape \[3, 2\]"),
        (Data(edge_index=torch.zeros(2, 2), num_nodes=3), {}, "edge_index is float32"),
        (Data(adj_t=torch.eye(3).to_sparse(), num_nodes=3), {}, "arcs are in adj_t"),
        (wrong(), {"weight_attr": "w"}, "no edge type has an attribute 'w'"),
        (wrong(w=torch.tensor([1.0, float("nan")])), {"weight_attr": "w"}, "not finite"),
        (wrong(w=torch.tensor([1.0, -1.0])), {"weight_attr": "w"}, "negative"),
        (wrong(w=torch.ones(5)), {"weight_attr": "w"}, "for 2 arcs"),
        (wrong(), {"time_attr": "t"}, "neither nodes nor arcs have an attribute 't'"),
        (wrong(t=torch.ones(2)), {"time_attr": "t"}, "'t' is float32"),
    ],
)
def test_what_makes_no_sense_is_refused(data, asked, said) -> None:
    with pytest.raises(DataError, match=said):
        sides(data, **asked)


def test_settings_and_types_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ConfigError, match="no direction 'in'"):
        sides(odd(), direction="in")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="neither Data nor HeteroData"):
        sides([1])  # type: ignore[arg-type]
    data = HeteroData()
    data["user"].num_nodes = 2
    data["user", "buys", "itme"].edge_index = torch.tensor([[0], [0]])
    with pytest.raises(DataError, match="no nodes of type 'itme'"):
        sides(data)
    both = shop()
    both["user"].t, both[BUYS].t = torch.arange(30), torch.arange(80)
    with pytest.raises(DataError, match="both nodes and arcs have"):
        sides(both, time_attr="t")
    with pytest.raises(DataError, match=r"no nodes of type 'users'. Did you mean 'user'"):
        Space.of(both).place("users", np.array([0]))
