"""Graphs of networkx and scipy: the direction stays, weights stay, nothing is lost unseen."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pyarrow as pa
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from thence.base.errors import ConfigError, DataError
from thence.base.ids import IdMap
from thence.graph.arcs import Arcs
from thence.graph.convert import from_networkx, from_scipy, tidy, to_networkx, to_scipy
from thence.graph.digraph import DiGraph

Counted = dict[tuple[str, str], float]


def weights(graph: DiGraph, relation: str | None = None) -> Counted:
    arcs = graph.main if relation is None else graph[relation]
    ids = graph.ids.array.to_pylist()
    rows = zip(*arcs.pairs.tolist(), arcs.weight.tolist(), strict=True)
    return {(ids[source], ids[target]): weight for source, target, weight in rows}


@st.composite
def pairs(draw: st.DrawFn) -> tuple[int, dict[tuple[int, int], float]]:
    num = draw(st.integers(1, 8))
    node = st.integers(0, num - 1)
    pair = st.tuples(node, node).filter(lambda pair: pair[0] != pair[1])
    weight = st.integers(-8, 8).map(lambda eighths: eighths / 8)
    return num, draw(st.dictionaries(pair, weight, max_size=20)) if num > 1 else {}


@given(pairs())
@settings(max_examples=60, deadline=None)
def test_networkx_there_and_back(drawn: tuple[int, dict[tuple[int, int], float]]) -> None:
    num, weighted = drawn
    made = nx.DiGraph()
    made.add_nodes_from(range(num))
    made.add_weighted_edges_from((source, target, weight) for (source, target), weight in weighted.items())
    graph = from_networkx(made)
    assert graph.ids.array.to_pylist() == [str(node) for node in range(num)]
    assert weights(graph) == {(str(s), str(t)): weight for (s, t), weight in weighted.items()}
    back = to_networkx(graph)
    assert nx.utils.graphs_equal(back, nx.relabel_nodes(made, str))
    again = from_networkx(back)
    assert again.ids == graph.ids and weights(again) == weights(graph)


@given(pairs())
@settings(max_examples=60, deadline=None)
def test_scipy_there_and_back(drawn: tuple[int, dict[tuple[int, int], float]]) -> None:
    num, weighted = drawn
    source, target = np.array(list(weighted), np.int64).reshape(-1, 2).T
    data = np.array(list(weighted.values()), np.float32)
    for kind in (sp.coo_matrix, sp.csr_matrix, sp.csc_matrix, sp.csr_array):
        matrix = kind(sp.coo_matrix((data, (source, target)), shape=(num, num)))
        graph = from_scipy(matrix)
        assert weights(graph) == {(str(s), str(t)): weight for (s, t), weight in weighted.items()}
        assert np.array_equal(to_scipy(graph).toarray(), matrix.toarray())


def test_a_graph_without_direction_becomes_both_directions() -> None:
    made = nx.Graph()
    made.add_edge("b", "a", weight=2.0)
    made.add_edge("a", "c", weight=3.0)
    graph = from_networkx(made)
    assert not graph.main.directed
    expected = {("b", "a"): 2.0, ("a", "b"): 2.0, ("a", "c"): 3.0, ("c", "a"): 3.0}
    assert weights(graph) == expected
    assert type(to_networkx(graph)) is nx.Graph
    assert nx.utils.graphs_equal(to_networkx(graph), made)


def test_names_order_and_attributes_of_nodes_are_kept() -> None:
    made = nx.DiGraph()
    made.add_node("zebra", price=2.5, title="Z")
    made.add_node("ant", price=1.0)
    made.add_edge("zebra", "ant", weight=4, kind=7)
    graph = from_networkx(made, values=["kind"], relation="eats")
    assert graph.ids.array.to_pylist() == ["zebra", "ant"]
    assert graph.nodes is not None and graph.nodes.to_pydict() == {
        "item_id": ["zebra", "ant"],
        "price": [2.5, 1.0],
        "title": ["Z", None],
    }
    assert graph["eats"].values["kind"].tolist() == [7] and graph["eats"].weight.tolist() == [4.0]
    graph.check()
    back = to_networkx(graph, "eats")
    assert back.nodes["zebra"] == {"price": 2.5, "title": "Z"}
    assert back.edges["zebra", "ant"] == {"weight": 4.0, "kind": 7}


def test_an_edge_without_weight_weighs_one_and_weights_can_be_ignored() -> None:
    made = nx.DiGraph([(0, 1), (1, 2)])
    made.edges[0, 1]["weight"] = 5
    assert weights(from_networkx(made)) == {("0", "1"): 5.0, ("1", "2"): 1.0}
    assert weights(from_networkx(made, weight=None)) == {("0", "1"): 1.0, ("1", "2"): 1.0}


@pytest.mark.parametrize("kind", [nx.MultiDiGraph, nx.MultiGraph])
def test_parallel_edges_are_an_error_unless_told(kind: type) -> None:
    made = kind()
    made.add_edge("a", "b", weight=1.0)
    made.add_edge("b", "c", weight=9.0)
    made.add_edge("a", "b", weight=3.0)
    with pytest.raises(DataError, match=r"1 arcs stand again, the first 0 → 1.*duplicates='sum'"):
        from_networkx(made)
    assert weights(from_networkx(made, duplicates="sum"))["a", "b"] == 4.0
    assert weights(from_networkx(made, duplicates="drop"))["a", "b"] == 1.0


def test_parallel_edges_of_both_spellings_agree_in_both_directions() -> None:
    made = nx.MultiGraph()
    made.add_edge("a", "b", weight=1.0)
    made.add_edge("b", "a", weight=3.0)
    assert weights(from_networkx(made, duplicates="sum")) == {("a", "b"): 4.0, ("b", "a"): 4.0}
    assert weights(from_networkx(made, duplicates="drop")) == {("a", "b"): 1.0, ("b", "a"): 1.0}


def test_loops_are_an_error_unless_told() -> None:
    made = nx.DiGraph([("a", "a"), ("a", "b")])
    with pytest.raises(DataError, match=r"1 arcs lead from a node to itself.*loops='drop'"):
        from_networkx(made)
    assert weights(from_networkx(made, loops="drop")) == {("a", "b"): 1.0}
    with pytest.raises(DataError, match="itself"):
        from_scipy(sp.eye(2, format="csr"))
    assert from_scipy(sp.eye(2, format="csr"), loops="drop").main.num_arcs == 0


def test_sums_add_what_counts_and_keep_what_does_not() -> None:
    values = {
        "weight": np.array([1.0, 2.0, 4.0], np.float32),
        "support": np.array([1, 2, 4], np.int32),
        "last_time": np.array([9, 3, 5]),
        "lift": np.array([0.5, 7.0, 1.5], np.float32),
    }
    source, target, summed = tidy(np.array([3, 0, 3]), np.array([1, 2, 1]), values, duplicates="sum")
    assert (source.tolist(), target.tolist()) == ([3, 0], [1, 2])
    assert {name: array.tolist() for name, array in summed.items()} == {
        "weight": [5.0, 2.0],
        "support": [5, 2],
        "last_time": [9, 3],
        "lift": [0.5, 7.0],
    }


def test_stored_zeros_are_arcs_and_entries_that_stand_twice_add_up() -> None:
    zero = sp.coo_matrix((np.array([0.0, 2.0]), ([0, 1], [1, 0])), shape=(2, 2))
    assert weights(from_scipy(zero)) == {("0", "1"): 0.0, ("1", "0"): 2.0}
    clean = zero.tocsr()
    clean.eliminate_zeros()
    assert weights(from_scipy(clean)) == {("1", "0"): 2.0}
    twice = sp.coo_matrix((np.array([1.0, 2.5]), ([0, 0], [1, 1])), shape=(2, 2))
    assert weights(from_scipy(twice)) == {("0", "1"): 3.5}


def test_a_symmetric_matrix_may_have_no_direction_and_another_may_not() -> None:
    symmetric = sp.csr_matrix(np.array([[0, 2], [2, 0]]))
    assert not from_scipy(symmetric, directed=False).main.directed
    with pytest.raises(DataError, match="lacks its reverse"):
        from_scipy(sp.csr_matrix(np.array([[0, 2], [0, 0]])), directed=False)


def test_what_is_no_graph_is_refused() -> None:
    with pytest.raises(DataError, match="square"):
        from_scipy(sp.csr_matrix((2, 3)))
    with pytest.raises(DataError, match="not finite"):
        from_scipy(sp.csr_matrix(np.array([[0, np.nan], [0, 0]])))
    with pytest.raises(DataError, match="real numbers"):
        from_scipy(sp.csr_matrix(np.array([[0, 1j], [0, 0]])))
    with pytest.raises(DataError, match="2 nodes, the graph 1"):
        from_scipy(sp.csr_matrix((2, 2)), ids=["a"])
    with pytest.raises(DataError, match="not finite"):
        from_networkx(nx.DiGraph([(0, 1, {"weight": float("inf")})]))
    with pytest.raises(DataError, match="'weight' is not a number"):
        from_networkx(nx.DiGraph([(0, 1, {"weight": "heavy"})]))
    with pytest.raises(DataError, match="'kind' is not a number for every edge"):
        from_networkx(nx.DiGraph([(0, 1, {"kind": 1}), (1, 2)]), values=["kind"])
    with pytest.raises(DataError, match=r"stands more than once.*relabel"):
        from_networkx(nx.DiGraph([(1, "1")]))
    mixed = nx.DiGraph()
    mixed.add_node(0, price=1)
    mixed.add_node(1, price="dear")
    with pytest.raises(DataError, match="several types"):
        from_networkx(mixed)
    with pytest.raises(ConfigError, match="loops='ignore'"):
        from_scipy(sp.csr_matrix((2, 2)), loops="ignore")  # type: ignore[arg-type]
    graph = from_scipy(sp.csr_matrix((2, 2)))
    with pytest.raises(DataError, match=r"no value 'wieght'. Did you mean 'weight'"):
        to_scipy(graph, value="wieght")
    with pytest.raises(DataError, match="no relation"):
        to_networkx(graph, "other")


# A conversion that turns arcs round is caught

ONE_WAY = [("phone", "case"), ("case", "film"), ("phone", "film")]


def check_direction(convert) -> None:
    graph = convert(nx.DiGraph(ONE_WAY))
    ids = graph.ids.array.to_pylist()
    assert {(ids[s], ids[t]) for s, t in graph.main.pairs.T.tolist()} == set(ONE_WAY)
    assert graph.main.one_way_share == 1.0


def test_direction_mutants_die() -> None:
    check_direction(from_networkx)
    check_direction(lambda made: from_scipy(nx.to_scipy_sparse_array(made), ids=made.nodes))
    check_direction(lambda made: from_networkx(to_networkx(from_networkx(made))))

    def turned(made: nx.DiGraph) -> DiGraph:
        graph = from_networkx(made)
        return graph.with_relation("arcs", graph.main.reversed())

    mutants = (
        lambda made: from_networkx(made.reverse()),
        lambda made: from_networkx(made.to_undirected()),
        lambda made: from_scipy(nx.to_scipy_sparse_array(made).T, ids=made.nodes),
        turned,
    )
    for mutant in mutants:
        with pytest.raises(AssertionError):
            check_direction(mutant)


def test_tables_of_a_graph_reach_networkx() -> None:
    arcs = Arcs.from_pairs([0], [1], num_nodes=2, values={"support": np.array([3])})
    table = pa.table({"item_id": ["a", "b"], "price": [1.0, 2.0]})
    made = to_networkx(DiGraph(IdMap(["a", "b"]), {"r": arcs}, table))
    assert dict(made.nodes(data=True)) == {"a": {"price": 1.0}, "b": {"price": 2.0}}
    assert list(made.edges(data=True)) == [("a", "b", {"support": 3, "weight": 1.0})]
