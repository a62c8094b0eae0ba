"""What one step sees: all, or a share that is dealt anew each round."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from thence.base.rng import generator
from thence.encode.layer.view import View
from thence.graph import Arcs
from thence.graph.labelled import LabelledGraph


@dataclass(frozen=True)
class Batch:
    """A part of a graph, or some of several graphs.

    Args:
        nodes: ``[m]`` the nodes, ascending.
        view: their arcs, the nodes numbered anew.
        rows: rows of ``y`` that are told.
        places: where they stand among what is told of this batch.
    """

    nodes: np.ndarray
    view: View
    rows: np.ndarray
    places: np.ndarray


def dealt(total: int, batch: int, seed: int, step: int) -> np.ndarray:
    """Rows of one step: a round deals all of them into equal parts, at most ``batch`` large.

    Example:
        >>> sorted([*dealt(5, 3, 0, 0), *dealt(5, 3, 0, 1)]) == [0, 1, 2, 3, 4]
        True
    """
    parts = -(-total // batch) if batch else 1
    if parts <= 1:
        return np.arange(total)
    turn, part = divmod(step, parts)
    return np.sort(generator(seed, "deal", turn).permutation(total)[part::parts])


def batch_of(graph: LabelledGraph, size: int, seed: int, step: int) -> Batch:
    """The batch of one step: whole graphs where there are several, nodes at random where there is one.

    Args:
        graph: the graph, with a split to train on.
        size: how many graphs or nodes.
        seed: of the dealing.
        step: which step.
    """
    train = graph.part("train")
    if graph.graph_of is None:
        nodes = dealt(graph.arcs.num_nodes, size, seed, step)
    else:
        of = train if graph.told == "graphs" else np.unique(graph.graph_of[train])
        nodes = np.flatnonzero(np.isin(graph.graph_of, of[dealt(len(of), size, seed, step)]))
    view, graphs = _inside(graph, nodes)
    rows = np.intersect1d(nodes if graph.told == "nodes" else graphs, train)
    return Batch(nodes, view, rows, np.searchsorted(nodes if graph.told == "nodes" else graphs, rows))


def _inside(graph: LabelledGraph, nodes: np.ndarray) -> tuple[View, np.ndarray]:
    """The arcs between some nodes, and the graphs that these are of."""
    whole: Any = graph.arcs.matrix()
    part = sp.coo_matrix(whole[nodes][:, nodes])
    arcs = Arcs.from_pairs(part.row, part.col, num_nodes=len(nodes), weight=part.data)
    if graph.graph_of is None:
        return View(arcs), np.zeros(1, np.int64)
    graphs, of = np.unique(graph.graph_of[nodes], return_inverse=True)
    return View(arcs, of), graphs
