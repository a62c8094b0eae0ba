"""Graphs of PyG and back: arcs, values, attributes, ids and types survive."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.pyg.graphs import odd, shop
from torch_geometric.data import Data, HeteroData
from torch_geometric.loader import NodeLoader

from thence.base.errors import ConfigError, DataError
from thence.base.ids import IdMap
from thence.graph import Arcs, DiGraph
from thence.pyg import from_pyg, neighbor_sampler, to_pyg


def same(one: DiGraph, other: DiGraph) -> bool:
    if one.ids != other.ids or list(one.relations) != list(other.relations):
        return False
    for name, arcs in one.relations.items():
        again = other[name]
        if not np.array_equal(arcs.pairs, again.pairs) or set(arcs.values) != set(again.values):
            return False
        if not all(np.array_equal(array, again.values[value]) for value, array in arcs.values.items()):
            return False
        if any(array.dtype != again.values[value].dtype for value, array in arcs.values.items()):
            return False
    return one.nodes is None if other.nodes is None else other.nodes.equals(one.nodes)


@st.composite
def relations(draw: st.DrawFn, num: int) -> Arcs:
    node = st.integers(0, num - 1)
    pair = st.tuples(node, node).filter(lambda pair: pair[0] != pair[1])
    pairs = draw(st.sets(pair, max_size=15)) if num > 1 else set()
    source, target = np.array(sorted(pairs), np.int64).reshape(-1, 2).T
    count = len(source)
    values = {
        "support": np.array(draw(st.lists(st.integers(1, 9), min_size=count, max_size=count)), np.int32),
        "last_time": np.arange(count, dtype=np.int64) * 10**12,
    }
    weight = draw(st.lists(st.floats(-9, 9, width=32), min_size=count, max_size=count))
    kept = values if draw(st.booleans()) else {}
    return Arcs.from_pairs(source, target, num_nodes=num, weight=np.array(weight, np.float32), values=kept)


@st.composite
def graphs(draw: st.DrawFn) -> DiGraph:
    num = draw(st.integers(1, 7))
    names = draw(st.sets(st.sampled_from(["bought_after", "same_basket", "co_viewed"]), min_size=1))
    ids = draw(st.sets(st.text("abc/é", min_size=1, max_size=4), min_size=num, max_size=num))
    known = {name: draw(relations(num)) for name in sorted(names)}
    table = None
    if draw(st.booleans()):
        price = draw(st.lists(st.floats(0, 99, width=32), min_size=num, max_size=num))
        table = pa.table(
            {
                "item_id": sorted(ids),
                "count": pa.array(range(num), pa.int64()),
                "price": pa.array(np.array(price, np.float32)),
                "new": pa.array([at % 2 == 0 for at in range(num)]),
            }
        )
    return DiGraph(IdMap(sorted(ids)), known, table)


@given(graphs())
@settings(max_examples=40)
def test_a_graph_comes_back_as_it_was(graph: DiGraph) -> None:
    data = to_pyg(graph)
    assert isinstance(data, HeteroData) == (len(graph.relations) > 1)
    data.validate()
    back = from_pyg(data, relation=next(iter(graph.relations)))
    assert same(graph, back)
    assert same(graph, from_pyg(to_pyg(graph, hetero=True)))


def arcs_of(store) -> dict:
    """Attributes of each arc, by its ends."""
    pairs = [tuple(pair) for pair in store.edge_index.t().tolist()]
    keys = [key for key in store.keys() if key.startswith("edge_") and key != "edge_index"]  # noqa: SIM118
    return {pair: {key: store[key][at].tolist() for key in keys} for at, pair in enumerate(pairs)}


def tidied(data: HeteroData) -> HeteroData:
    for edge_type in data.edge_types:
        source, target = data[edge_type].edge_index
        _, first = np.unique((source * 1000 + target).numpy(), return_index=True)
        keep = torch.zeros(len(source), dtype=torch.bool)
        keep[torch.from_numpy(first)] = True
        keep &= torch.tensor(edge_type[0] != edge_type[2]) | (source != target)
        data[edge_type].edge_index = data[edge_type].edge_index[:, keep]
        data[edge_type].edge_attr = torch.rand(int(keep.sum()), 2)
        data[edge_type].edge_weight = torch.rand(int(keep.sum()))
    return data


def test_types_come_back_as_they_were() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        data = tidied(shop())
    data["user"].y = torch.arange(30) % 4
    data["item"].train_mask = torch.arange(20) < 5
    data["item"].ids = [f"sku-{at}" for at in range(20)]
    graph = from_pyg(data)
    graph.check()
    assert graph.ids.array.to_pylist()[29:31] == ["user/29", "item/sku-0"]
    assert list(graph.relations) == ["buys", "bought", "links"]
    back = to_pyg(graph)
    assert back.metadata() == data.metadata()
    for edge_type in data.edge_types:
        want, got = arcs_of(data[edge_type]), arcs_of(back[edge_type])
        for pair in want:
            want[pair]["edge_weight"] = pytest.approx(want[pair]["edge_weight"])
        assert want == got
    for node_type in data.node_types:
        for key in ("x", "y", "train_mask"):
            assert (key in data[node_type]) == (key in back[node_type])
            if key in data[node_type]:
                assert torch.equal(data[node_type][key], back[node_type][key])
    assert back["item"].ids.array.to_pylist() == data["item"].ids
    assert same(graph, from_pyg(back))


def test_edge_types_of_one_name_go_by_their_full_names() -> None:
    data = HeteroData()
    data["a"].num_nodes, data["b"].num_nodes = 2, 2
    data["a", "to", "b"].edge_index = torch.tensor([[0], [1]])
    data["b", "to", "a"].edge_index = torch.tensor([[0], [0]])
    graph = from_pyg(data)
    assert list(graph.relations) == ["a-to-b", "b-to-a"]
    assert graph["a-to-b"].pairs.tolist() == [[0], [3]] and graph["b-to-a"].pairs.tolist() == [[2], [0]]
    back = to_pyg(graph)
    assert back["b", "to", "a"].edge_index.tolist() == [[0], [0]]
    changed = graph.with_relation("other", graph.main)
    with pytest.raises(DataError, match="no longer the one that came from PyG"):
        to_pyg(changed)
    assert to_pyg(changed, hetero=True).node_types == ["item"]


def test_loops_and_repeats_are_an_error_unless_told() -> None:
    data = odd()
    with pytest.raises(DataError, match="from a node to itself"):
        from_pyg(data)
    with pytest.raises(DataError, match="stand again"):
        from_pyg(data, loops="drop")
    data.edge_weight = torch.arange(13.0)
    summed = from_pyg(data, loops="drop", duplicates="sum").main
    pairs = data.edge_index.t().tolist()
    expected: dict = {}
    for at, (source, target) in enumerate(pairs):
        if source != target:
            expected[source, target] = expected.get((source, target), 0) + at
    assert dict(zip(map(tuple, summed.pairs.T.tolist()), summed.weight.tolist(), strict=True)) == expected
    first = from_pyg(data, loops="drop", duplicates="drop").main
    assert first.weight.tolist() == first.values["attr_0"].tolist()
    assert (first.positions([1], [0]) >= 0).all()


def test_columns_become_attributes_and_features() -> None:
    table = pa.table(
        {
            "item_id": ["a", "b", "c"],
            "price": pa.array([1.5, None, 3.0]),
            "title": ["A", "B", "C"],
            "stock": pa.array([3, 4, 5], pa.uint16()),
            "since": pa.array([1, 2, 3], pa.timestamp("s")),
        }
    )
    arcs = Arcs.from_pairs([0, 1], [1, 2], num_nodes=3)
    graph = DiGraph(IdMap(["a", "b", "c"]), {"r": arcs}, table)
    data = to_pyg(graph)
    assert data.price.isnan().tolist() == [False, True, False] and data.stock.tolist() == [3, 4, 5]
    assert data.since.tolist() == [1_000_000, 2_000_000, 3_000_000] and "title" not in data
    data = to_pyg(graph, x=["stock", "price"])
    assert data.x.tolist()[0] == [3.0, 1.5] and "price" not in data
    with pytest.raises(DataError, match=r"no column 'prise'. Did you mean 'price'"):
        to_pyg(graph, x=["prise"])
    with pytest.raises(DataError, match="'title' holds string, not numbers"):
        to_pyg(graph, x=["title"])
    odd_name = DiGraph(graph.ids, {"r": arcs}, table.append_column("batch", pa.array([1, 2, 3])))
    with pytest.raises(DataError, match="PyG has a use for that name"):
        to_pyg(odd_name)


def test_as_many_nodes_as_arcs_leave_no_doubt_which_is_which() -> None:
    table = pa.table({"item_id": ["a", "b"], "price": [1.0, 2.0]})
    arcs = Arcs.from_pairs([0, 1], [1, 0], num_nodes=2, values={"support": np.array([7, 8])})
    graph = DiGraph(IdMap(["a", "b"]), {"arcs": arcs}, table)
    data = to_pyg(graph)
    assert data.is_node_attr("price") and data.is_edge_attr("edge_support")
    assert same(graph, from_pyg(data))
    renamed = DiGraph(graph.ids, {"arcs": arcs}, table.rename_columns(["item_id", "edge"]))
    with pytest.raises(DataError, match="column 'edge'"):
        to_pyg(renamed)


def test_what_comes_from_thence_can_be_loaded_with_its_ids() -> None:
    graph = from_pyg(odd(), loops="drop", duplicates="drop")
    data = to_pyg(graph)
    batch = next(iter(NodeLoader(data, neighbor_sampler(data, [-1]), input_nodes=[0], batch_size=1)))
    assert batch.ids.decode(batch.n_id.numpy()) == [str(node) for node in batch.n_id.tolist()]
    assert np.array_equal(graph.main.pairs[:, batch.e_id.numpy()], batch.n_id[batch.edge_index].numpy())


def test_relations_without_direction() -> None:
    data = Data(edge_index=torch.tensor([[0, 1], [1, 0]]), num_nodes=2)
    assert not from_pyg(data, directed=False).main.directed and from_pyg(data).main.directed
    data = Data(edge_index=torch.tensor([[0], [1]]), num_nodes=2)
    with pytest.raises(DataError, match="lacks its reverse"):
        from_pyg(data, directed=False)


def test_what_makes_no_sense_is_refused() -> None:
    def pair(**attributes) -> Data:
        return Data(edge_index=torch.tensor([[0, 1], [1, 2]]), num_nodes=3, **attributes)

    with pytest.raises(DataError, match="node 3 is out of range"):
        from_pyg(Data(edge_index=torch.tensor([[0], [3]]), num_nodes=3))
    with pytest.raises(DataError, match="weight is not finite"):
        from_pyg(pair(edge_weight=torch.tensor([1.0, float("nan")])))
    with pytest.raises(DataError, match=r"shape \[2, 1, 1\]"):
        from_pyg(pair(edge_attr=torch.ones(2, 1, 1)))
    with pytest.raises(DataError, match="two attributes of arcs are called 'weight'"):
        from_pyg(pair(edge_weight=torch.ones(2), weight=torch.ones(2)))
    with pytest.raises(DataError, match="2 ids for 3 nodes"):
        from_pyg(pair(ids=["a", "b"]))
    with pytest.raises(DataError, match="stands more than once"):
        from_pyg(pair(ids=["a", "b", "a"]))
    with pytest.raises(ConfigError, match="duplicates='mean'"):
        from_pyg(pair(), duplicates="mean")  # type: ignore[arg-type]
    two = to_pyg(from_pyg(shop(), loops="drop", duplicates="drop"))
    with pytest.raises(DataError, match="a Data holds one relation"):
        to_pyg(from_pyg(two), hetero=False)


# A conversion that turns arcs round is caught


def check_direction(there, back) -> None:
    data = Data(edge_index=torch.tensor([[0, 1], [1, 2]]), num_nodes=3)
    graph = there(data)
    assert graph.main.out(0).tolist() == [1] and graph.main.into(2).tolist() == [1]
    assert back(graph).edge_index.tolist() == data.edge_index.tolist()


def test_direction_mutants_die() -> None:
    check_direction(from_pyg, to_pyg)

    def turned(data: Data) -> DiGraph:
        return from_pyg(Data(edge_index=data.edge_index.flip(0), num_nodes=3))

    def turned_back(graph: DiGraph) -> Data:
        return to_pyg(DiGraph(graph.ids, {"arcs": graph.main.reversed()}))

    for mutant in ((turned, to_pyg), (from_pyg, turned_back), (turned, turned_back)):
        with pytest.raises(AssertionError):
            check_direction(*mutant)
