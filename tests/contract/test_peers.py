"""Published methods without a training loop keep the contract of scorers, and know which way arcs point."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from tests.contract import scorers
from tests.encode.graphs import reversed_graph, small_graphs

from thence.base.errors import FitError
from thence.base.ids import IdMap
from thence.encode import Embeddings
from thence.encode.peer import PEER_GRIDS, PEERS
from thence.graph import Arcs, DiGraph

GRAPHS = ("cycle", "phone and case", "one-way communities", "isolated nodes")
SWAPPED = ("hope", "strap")
QUICK = {"app": {"dim": 16}, "nerd": {"dim": 16, "walks": 50}}


@cache
def graph_named(name: str) -> DiGraph:
    return small_graphs()[name]


def maker(name: str) -> scorers.Make:
    return lambda graph: PEERS[name](graph, **QUICK.get(name, {}))


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("name", PEERS)
def test_the_contract_is_kept(name: str, graph: str) -> None:
    scorers.keeps_the_contract(maker(name), graph_named(graph))


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("name", SWAPPED)
def test_turning_all_arcs_round_swaps_the_questions(name: str, graph: str) -> None:
    """With every singular vector kept: equal singular values leave open which are cut off."""
    forward = graph_named(graph)

    def make(graph: DiGraph) -> Embeddings:
        return PEERS[name](graph, dim=graph.num_nodes)  # type: ignore[return-value]

    scorers.turning_arcs_round_swaps_the_questions(make, forward, reversed_graph(forward))


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("name", PEERS)
def test_turning_all_arcs_round_changes_the_answers(name: str, graph: str) -> None:
    forward = graph_named(graph)
    scorers.turning_arcs_round_changes_the_answers(maker(name), forward, reversed_graph(forward))


def knows_direction(make: scorers.Make) -> bool:
    """On communities whose arcs lead one way, nearly every arc outscores its reverse."""
    graph = graph_named("one-way communities")
    scores = make(graph).scores(np.arange(graph.num_nodes))
    source, target = graph.main.pairs[:, graph.main.one_way]
    return bool((scores[source, target] > scores[target, source] + 1e-6).mean() > 0.9)


@pytest.mark.parametrize("name", PEERS)
def test_an_arc_outscores_its_reverse(name: str) -> None:
    assert knows_direction(maker(name))


@pytest.mark.parametrize("name", PEERS)
def test_a_mutant_that_drops_direction_is_caught(name: str) -> None:
    def without_direction(graph: DiGraph) -> Embeddings:
        matrix = graph.main.matrix()
        both = (matrix + matrix.T).tocoo()
        arcs = Arcs.from_pairs(both.row, both.col, num_nodes=graph.num_nodes, weight=both.data)
        return maker(name)(DiGraph(graph.ids, {"both": arcs}))  # type: ignore[return-value]

    assert not knows_direction(without_direction)


@pytest.mark.parametrize("name", PEERS)
def test_a_graph_without_arcs_is_refused(name: str) -> None:
    graph = DiGraph(IdMap("abc"), {"bought_after": Arcs.from_pairs([], [], num_nodes=3)})
    with pytest.raises(FitError, match="no arcs"):
        PEERS[name](graph)


@pytest.mark.parametrize("name", PEERS)
def test_a_node_without_arcs_gets_no_popular_list(name: str) -> None:
    """Nodes 5 and 6 have no arcs: as sources they say the same of every node that has any."""
    scores = maker(name)(graph_named("isolated nodes")).scores([5, 6])
    assert np.ptp(scores[:, :5]) < 1e-6


@pytest.mark.parametrize("name", PEER_GRIDS)
def test_every_setting_of_the_grids_is_one_of_its_method(name: str) -> None:
    assert name in PEERS
    graph = graph_named("phone and case")
    for setting in PEER_GRIDS[name]:
        quick = {key: value for key, value in setting.items() if key != "walks"}
        if "walks" in setting:
            quick["walks"] = 2
        assert PEERS[name](graph, **quick).ids == graph.ids
