"""Counting: how often j came with i, plainly, and discounted by how popular j is."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from thence.encode.baseline.matrix import MatrixScorer
from thence.encode.baseline.popularity import received
from thence.graph import DiGraph


def counts(graph: DiGraph) -> MatrixScorer:
    """score(i → j) = w_ij.

    Example:
        >>> from thence.base.ids import IdMap
        >>> from thence.graph import Arcs
        >>> arcs = Arcs.from_pairs([0, 0], [1, 2], num_nodes=3, weight=[3.0, 5.0])
        >>> counts(DiGraph(IdMap("abc"), {"bought_after": arcs})).scores([0]).tolist()
        [[0.0, 3.0, 5.0]]
    """
    return MatrixScorer(graph.ids, graph.main.matrix())


def lift(graph: DiGraph, power: float = 0.5) -> MatrixScorer:
    """score(i → j) = w_ij / (Σ_k w_kj)^power: between the count (power 0) and the lift (power 1).

    Args:
        graph: the graph.
        power: how strongly popular targets are discounted.
    """
    return MatrixScorer(graph.ids, discounted(graph, power))


def discounted(graph: DiGraph, power: float) -> sp.csr_matrix:
    """The main relation's matrix with each column divided by its weight to a power."""
    discount = np.maximum(received(graph), 1e-12) ** -power
    return sp.csr_matrix(graph.main.matrix() @ sp.diags(discount.astype(np.float32)))
