"""The figures of a graph that can be counted by hand."""

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.graph.test_digraph import example
from tests.worlds import cycle_graph, one_way_communities

from thence.base.ids import IdMap
from thence.graph.arcs import Arcs
from thence.graph.digraph import DiGraph
from thence.graph.stats import graph_stats, histogram


def test_the_example_by_hand():
    graph = example()
    main = graph.main.with_value("asymmetry", np.array([2.0, 1.9, -5.0], np.float32))
    stats = graph_stats(graph.with_relation("bought_after", main))
    assert stats["nodes"] == 4 and stats["cold_share"] == 0.25  # tea
    figures = stats["relations"]["bought_after"]
    assert figures["arcs"] == 3 and figures["directed"]
    assert figures["one_way_share"] == 1 / 3  # phone → charger
    assert figures["clear_share"] == 1 / 3
    assert figures["out_degree"] == {"mean": 0.75, "median": 0.5, "max": 2.0}
    assert figures["degrees"] == {"out": {"0": 2, "1": 1, "2-3": 1}, "in": {"0": 1, "1": 3}}
    assert (
        stats["relations"]["co_viewed"]["one_way_share"] == 0
        and not stats["relations"]["co_viewed"]["directed"]
    )
    json.dumps(stats)


def test_a_cycle_and_a_chain_are_one_way():
    cycle = graph_stats(cycle_graph(6))
    assert cycle["cold_share"] == 0 and cycle["relations"]["bought_after"]["one_way_share"] == 1
    chain = graph_stats(one_way_communities(3, 8)[0])["relations"]["bought_after"]
    assert chain["arcs"] == 128 and chain["degrees"] == {
        "out": {"0": 8, "8-15": 16},
        "in": {"0": 8, "8-15": 16},
    }


def test_a_graph_without_arcs_or_nodes_has_figures_too():
    for num_nodes in (0, 3):
        arcs = Arcs.from_pairs([], [], num_nodes=num_nodes)
        stats = graph_stats(DiGraph(IdMap(map(str, range(num_nodes))), {"r": arcs}))
        assert stats["cold_share"] == (1.0 if num_nodes else 0.0)
        assert stats["relations"]["r"]["one_way_share"] == 0 == stats["relations"]["r"]["clear_share"]


@given(st.lists(st.integers(0, 2**40)))
def test_a_histogram_counts_every_node_in_the_bin_that_names_it(degrees):
    bins = histogram(np.array(degrees, np.int64))
    assert sum(bins.values()) == len(degrees)
    for name, count in bins.items():
        low, high = (int(part) for part in (name.split("-") * 2)[:2])
        assert count == sum(low <= degree <= high for degree in degrees)
