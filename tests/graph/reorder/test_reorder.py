"""Reordering: the graph stays the same graph, and what belongs together comes to lie together."""

import numpy as np
import pyarrow as pa
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.graph.partition.graphs import cliques, relations, rows, scale_free

from thence.base.errors import ConfigError, DataError
from thence.base.ids import IdMap
from thence.graph import Arcs, DiGraph
from thence.graph.check import check_stored
from thence.graph.reorder import relabel, reorder
from thence.graph.reorder.community import communities, community_order

ORDERS = ("degree", "community", "bfs", "rcm")
quick = settings(max_examples=60)


@quick
@given(relations(), st.sampled_from(ORDERS), st.integers(0, 3))
def test_the_graph_is_isomorphic(arcs, by, seed):
    new = reorder(arcs, by, seed=seed)
    check_stored(new.graph)
    assert sorted(new.order.tolist()) == list(range(arcs.num_nodes))
    assert new.place[new.order].tolist() == list(range(arcs.num_nodes))
    names = sorted(arcs.values)
    values = (new.graph.values[name].tolist() for name in names)
    back = set(zip(*new.order[new.graph.pairs].tolist(), *values, strict=True))
    assert back == rows(arcs) and new.graph.directed == arcs.directed
    again = relabel(new.graph, new.place)
    assert rows(again.graph) == rows(arcs) and again.order.tolist() == new.place.tolist()


@pytest.mark.parametrize("by", ORDERS)
def test_ids_nodes_and_all_relations_move_along(by):
    first = scale_free(60, 300)
    second = Arcs.from_pairs([0, 7], [7, 0], num_nodes=60, directed=False)
    names = [f"item {node}" for node in range(60)]
    nodes = pa.table({"item_id": names, "count": list(range(60))})
    graph = DiGraph(IdMap(names), {"next": first, "like": second}, nodes, {"made": "here"})
    new = reorder(graph, by).graph
    assert new.info == graph.info and new.nodes is not None
    assert new.nodes["item_id"].to_pylist() == new.ids.array.to_pylist()
    assert new.nodes["count"].to_pylist() == [names.index(name) for name in new.ids.array.to_pylist()]
    for name, arcs in graph.relations.items():
        old_pairs, new_pairs = (
            {(ids[u], ids[v], w) for u, v, w in zip(*a.pairs.tolist(), a.weight.tolist(), strict=True)}
            for a, ids in ((arcs, names), (new[name], new.ids.array.to_pylist()))
        )
        assert old_pairs == new_pairs and new[name].directed == arcs.directed


def shuffled(arcs, seed=0):
    return relabel(arcs, np.random.default_rng(seed).permutation(arcs.num_nodes)).graph


def test_cliques_whose_nodes_were_shuffled_come_together():
    whole = shuffled(cliques(20, 30))
    new = reorder(whole, "community")
    clique = np.sort(np.arange(600).reshape(30, 20), axis=1)
    old = np.random.default_rng(0).permutation(600)  # node i of the shuffled graph was node old[i]
    runs = np.sort(old[new.order].reshape(30, 20), axis=1)
    assert sorted(map(tuple, runs.tolist())) == sorted(map(tuple, clique.tolist()))


@pytest.mark.parametrize("by", ["community", "bfs", "rcm"])
def test_arcs_become_shorter(by):
    arcs = shuffled(scale_free(2_000, 8_000))
    source, target = reorder(arcs, by).graph.pairs
    before = np.abs(arcs.pairs[0] - arcs.pairs[1])
    assert np.median(np.abs(source - target)) < np.median(before) / 2


def test_degrees_fall_and_ties_stay_in_order():
    arcs = scale_free(200, 900)
    new = reorder(arcs, "degree")
    degree = (new.graph.out_degree + new.graph.in_degree).tolist()
    assert degree == sorted(degree, reverse=True)
    assert all(new.order[i] < new.order[i + 1] for i in range(199) if degree[i] == degree[i + 1])


def test_breadth_first_goes_by_distance_and_ends_with_the_lonely():
    arcs = scale_free(300, 700)
    order = reorder(arcs, "bfs").order
    links = sp.csr_matrix(arcs.matrix() + arcs.matrix().T)
    distance = sp.csgraph.shortest_path(links, directed=False, unweighted=True, indices=int(order[0]))[order]
    reached = distance[np.isfinite(distance)]
    assert (np.diff(reached) >= 0).all() and np.isinf(distance[len(reached) :]).all()
    lonely = (arcs.out_degree + arcs.in_degree)[order] == 0
    assert lonely.any() and (np.diff(lonely.astype(int)) >= 0).all()


@quick
@given(relations(nodes=(1, 9)), st.integers(1, 4), st.integers(0, 3))
def test_no_community_is_larger_than_its_bound(arcs, most, seed):
    links = arcs.matrix() + arcs.matrix().T
    matrix = sp.csr_matrix(links, dtype=np.int64)
    label = communities(matrix, np.ones(arcs.num_nodes, np.int64), most, seed)
    assert np.bincount(label).max() <= most
    assert np.unique(label).tolist() == list(range(label.max() + 1))


def test_the_order_depends_on_the_seed_alone():
    arcs = scale_free(500, 3_000)
    assert community_order(arcs, seed=1).tolist() == community_order(arcs, seed=1).tolist()
    assert community_order(arcs, seed=1).tolist() != community_order(arcs, seed=2).tolist()


@pytest.mark.parametrize("order", [[0, 1], [0, 1, 1], [0, 1, 3], [-1, 0, 1], [0, 1, 2, 3], [0.0, 1.0, 2.0]])
def test_what_is_no_order_is_refused(order):
    with pytest.raises(DataError):
        relabel(Arcs.from_pairs([0], [1], num_nodes=3), np.array(order))


def test_an_unknown_order_is_refused():
    with pytest.raises(ConfigError, match="Did you mean 'community'"):
        reorder(Arcs.from_pairs([0], [1], num_nodes=3), "comunity")
