"""What a graph is like, in figures: size, direction, degrees, and how many nodes have no arcs."""

from __future__ import annotations

from typing import Any

import numpy as np

from thence.graph.arcs import Arcs
from thence.graph.digraph import DiGraph


def graph_stats(graph: DiGraph) -> dict[str, Any]:
    """Figures of a graph and of each of its relations, JSON-able.

    Returns:
        ``nodes``; ``cold_share``, nodes without any arc; and by relation ``arcs``, ``one_way_share``,
        ``clear_share`` (arcs whose asymmetry is at least 2 standard errors), the largest and
        the median degrees, and ``degrees``: how many nodes have an out-degree (in-degree) of 0, 1, 2-3, 4-7, ….

    Example:
        >>> from thence.base.ids import IdMap
        >>> graph = DiGraph(IdMap("abc"), {"bought_after": Arcs.from_pairs([0, 0], [1, 2], num_nodes=3)})
        >>> stats = graph_stats(graph)
        >>> stats["relations"]["bought_after"]["degrees"]["out"]
        {'0': 2, '2-3': 1}
    """
    touched = np.zeros(graph.num_nodes, bool)
    for arcs in graph.relations.values():
        touched |= (arcs.out_degree + arcs.in_degree) > 0
    return {
        "nodes": graph.num_nodes,
        "cold_share": float(1 - touched.mean()) if graph.num_nodes else 0.0,
        "relations": {name: _relation(arcs) for name, arcs in graph.relations.items()},
    }


def _relation(arcs: Arcs) -> dict[str, Any]:
    asymmetry = arcs.values.get("asymmetry")
    return {
        "arcs": arcs.num_arcs,
        "directed": arcs.directed,
        "one_way_share": arcs.one_way_share,
        "clear_share": float((asymmetry >= 2).mean()) if asymmetry is not None and arcs.num_arcs else 0.0,
        "out_degree": _summary(arcs.out_degree),
        "in_degree": _summary(arcs.in_degree),
        "degrees": {"out": histogram(arcs.out_degree), "in": histogram(arcs.in_degree)},
    }


def _summary(degree: np.ndarray) -> dict[str, float]:
    if not len(degree):
        return {"mean": 0.0, "median": 0.0, "max": 0.0}
    return {"mean": float(degree.mean()), "median": float(np.median(degree)), "max": float(degree.max())}


def histogram(degree: np.ndarray) -> dict[str, int]:
    """How many nodes have a degree of 0, 1, 2-3, 4-7, … (empty bins left out).

    Example:
        >>> histogram(np.array([0, 1, 3, 9, 9]))
        {'0': 1, '1': 1, '2-3': 1, '8-15': 2}
    """
    bins = np.where(degree > 0, np.floor(np.log2(np.maximum(degree, 1))).astype(int) + 1, 0)
    found = {}
    for b, n in zip(*np.unique(bins, return_counts=True), strict=True):
        low, high = (0, 0) if b == 0 else (2 ** (int(b) - 1), 2 ** int(b) - 1)
        found[str(low) if low == high else f"{low}-{high}"] = int(n)
    return found
