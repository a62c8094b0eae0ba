"""Reorder: the same graph with its nodes numbered anew, so that what is used together lies together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

import numpy as np
import pyarrow as pa

from thence.base.errors import ConfigError, DataError, nearest
from thence.base.ids import IdMap
from thence.graph.arcs import Arcs
from thence.graph.check import node_array
from thence.graph.digraph import DiGraph
from thence.graph.reorder.community import community_order
from thence.graph.reorder.order import bfs_order, degree_order, rcm_order

By = Literal["degree", "community", "bfs", "rcm"]
G = TypeVar("G", DiGraph, Arcs)
ORDERS = {"degree": degree_order, "bfs": bfs_order, "rcm": rcm_order}


@dataclass(frozen=True, eq=False, repr=False)
class Reordered(Generic[G]):
    """A graph with its nodes in another order, and the way there and back.

    Args:
        graph: the graph, or the relation, in the new ints.
        order: ``[num_nodes]`` int64, the old int of each new one: ``features[order]`` are the features of the
            new graph.
        place: ``[num_nodes]`` int64, the new int of each old one.
    """

    graph: G
    order: np.ndarray
    place: np.ndarray

    def __repr__(self) -> str:
        """One line with the counts."""
        return f"Reordered({self.graph!r})"


def reorder(graph: G, by: By = "community", *, seed: int = 0) -> Reordered[G]:
    """Number the nodes anew by what the main relation says.

    Args:
        graph: a graph, whose relations, ids and node table all follow, or one relation.
        by: ``community``: nodes of a community together; ``degree``: nodes of most arcs first; ``bfs``: in the
            order of a breadth-first search; ``rcm``: reverse Cuthill-McKee.
        seed: of ``community``.

    Raises:
        ConfigError: there is no such order.

    Example:
        >>> arcs = Arcs.from_pairs([0, 1], [2, 2], num_nodes=3)
        >>> new = reorder(DiGraph(IdMap(["phone", "tablet", "case"]), {"bought_after": arcs}), "degree")
        >>> new.graph.ids.array.to_pylist(), new.graph.main.pairs.tolist(), new.place.tolist()
        (['case', 'phone', 'tablet'], [[1, 2], [0, 0]], [1, 2, 0])
    """
    arcs = graph.main if isinstance(graph, DiGraph) else graph
    if by == "community":
        order = community_order(arcs, seed=seed)
    elif by in ORDERS:
        order = ORDERS[by](arcs)
    else:
        raise ConfigError(f"unknown order {by!r}", fix=nearest(str(by), [*ORDERS, "community"]))
    return relabel(graph, order)


def relabel(graph: G, order: np.ndarray) -> Reordered[G]:
    """Number the nodes anew in an order of one's own.

    Args:
        graph: a graph or one relation.
        order: ``[num_nodes]`` ints, each node once.

    Raises:
        DataError: a node is missing or stands twice.
    """
    order = node_array(order, "order").astype(np.int64)
    place = np.full(graph.num_nodes, -1, np.int64)
    if len(order) == graph.num_nodes and (not len(order) or 0 <= order.min() <= order.max() < len(order)):
        place[order] = np.arange(len(order))
    if len(order) != graph.num_nodes or (place < 0).any():
        raise DataError("the order does not hold each node once", where=repr(graph))
    if isinstance(graph, Arcs):
        return Reordered(_arcs(graph, place), order, place)
    relations = {name: _arcs(arcs, place) for name, arcs in graph.relations.items()}
    take = pa.array(order)
    nodes = None if graph.nodes is None else graph.nodes.take(take)
    return Reordered(DiGraph(IdMap(graph.ids.array.take(take)), relations, nodes, graph.info), order, place)


def _arcs(arcs: Arcs, place: np.ndarray) -> Arcs:
    source, target = place[arcs.pairs]
    return Arcs.from_pairs(source, target, num_nodes=arcs.num_nodes, values=arcs.values, directed=arcs.directed)
