"""Small graphs for the tests of encoders and training, and plain loops over them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from tests.worlds import PHONE_CASE_FIRST_AFTER, cycle_graph, one_way_communities, phone_case_tables

from thence.base.ids import IdMap
from thence.graph import Arcs, DiGraph


def graph_of(
    arcs: list[tuple[int, int, float]], num_nodes: int, nodes: pa.Table | None = None, **relations: Arcs
) -> DiGraph:
    """A graph whose main relation has these (source, target, weight)."""
    source, target, weight = ([arc[k] for arc in arcs] for k in range(3))
    main = Arcs.from_pairs(source, target, num_nodes=num_nodes, weight=weight)
    ids = IdMap([f"n{k}" for k in range(num_nodes)])
    return DiGraph(ids, {"bought_after": main, **relations}, nodes)


def weighted_graph() -> DiGraph:
    """Seven nodes with weights, arcs both ways between 0 and 1, and two nodes (5, 6) without any."""
    arcs = [(0, 1, 5.0), (1, 0, 2.0), (0, 2, 3.0), (1, 2, 1.0), (2, 3, 4.0), (3, 4, 2.0), (4, 2, 1.5)]
    return graph_of(arcs, 7)


def random_graph(num_nodes: int = 12, num_arcs: int = 40, seed: int = 0) -> DiGraph:
    """Distinct random arcs with random weights."""
    rng = np.random.default_rng(seed)
    pairs = [(i, j) for i in range(num_nodes) for j in range(num_nodes) if i != j]
    chosen = rng.choice(len(pairs), num_arcs, replace=False)
    return graph_of([(*pairs[k], float(rng.integers(1, 9))) for k in chosen], num_nodes)


def phone_case_graph() -> DiGraph:
    """The phone-and-case world as its facts say it: five arcs, a catalogue, and a cover that nobody bought."""
    nodes = phone_case_tables()[1]
    ids = IdMap(nodes["item_id"])
    source, target = (ids.encode([pair[side] for pair in PHONE_CASE_FIRST_AFTER]) for side in (0, 1))
    weight = [float(count) for count in PHONE_CASE_FIRST_AFTER.values()]
    arcs = Arcs.from_pairs(source, target, num_nodes=len(ids), weight=weight)
    return DiGraph(ids, {"bought_after": arcs}, nodes)


def small_graphs() -> dict[str, DiGraph]:
    """Every graph that the contract of scorers is checked on."""
    return {
        "cycle": cycle_graph(),
        "phone and case": phone_case_graph(),
        "one-way communities": one_way_communities()[0],
        "isolated nodes": weighted_graph(),
    }


def reversed_graph(graph: DiGraph) -> DiGraph:
    """The same nodes with every arc of every relation turned round."""
    return DiGraph(graph.ids, {name: arcs.reversed() for name, arcs in graph.relations.items()}, graph.nodes)


def dense(graph: DiGraph) -> np.ndarray:
    """The main relation as a dense float64 matrix, filled arc by arc."""
    matrix = np.zeros((graph.num_nodes, graph.num_nodes))
    for (i, j), weight in zip(graph.main.pairs.T, graph.main.weight, strict=True):
        matrix[i, j] = weight
    return matrix
