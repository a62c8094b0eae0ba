"""Popularity: every source is followed by the nodes that most arcs lead to."""

from __future__ import annotations

import numpy as np

from thence.encode.embeddings import Embeddings
from thence.graph import DiGraph


def popularity(graph: DiGraph) -> Embeddings:
    """score(i → j) = Σ_k w_kj, the weight that leads to j: embeddings that are nothing but bias.

    Example:
        >>> from thence.base.ids import IdMap
        >>> from thence.graph import Arcs
        >>> arcs = Arcs.from_pairs([0, 1, 0], [2, 2, 1], num_nodes=3)
        >>> popularity(DiGraph(IdMap("abc"), {"bought_after": arcs})).scores([1]).tolist()
        [[0.0, 1.0, 2.0]]
    """
    blank = np.zeros((graph.num_nodes, 1), np.float32)
    return Embeddings(graph.ids, blank, blank, received(graph))


def received(graph: DiGraph) -> np.ndarray:
    """``[num_nodes]`` weight that leads to each node in the main relation."""
    return np.bincount(graph.main.targets, weights=graph.main.weight, minlength=graph.num_nodes)
