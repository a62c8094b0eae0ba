"""Truncated SVD of the adjacency: the best low-rank dual embeddings in the least-squares sense.

A ≈ U Σ Vᵀ ,  source = U √Σ ,  target = V √Σ ,     A = w / ( (Σ_j w_ij)^out_power (Σ_i w_ij)^in_power )
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import svds

from thence.base.errors import FitError
from thence.base.rng import generator
from thence.encode.embeddings import Embeddings
from thence.graph import DiGraph


def svd(
    graph: DiGraph, dim: int = 128, out_power: float = 0.0, in_power: float = 0.0, seed: int = 0
) -> Embeddings:
    """Dual embeddings from the singular vectors of the main relation.

    Args:
        graph: the graph.
        dim: how many singular vectors; at most ``num_nodes - 1``.
        out_power: how strongly rows are divided by their weight.
        in_power: how strongly columns are divided by theirs.
        seed: of the start vector.

    Raises:
        FitError: the graph has fewer than three nodes or no arcs.

    Example:
        >>> from thence.base.ids import IdMap
        >>> from thence.graph import Arcs
        >>> arcs = Arcs.from_pairs([0, 1], [2, 3], num_nodes=4, weight=[2.0, 1.0])
        >>> svd(DiGraph(IdMap("abcd"), {"bought_after": arcs}), dim=2).scores([0]).round(2).tolist()
        [[0.0, 0.0, 2.0, 0.0]]
    """
    if graph.num_nodes < 3 or graph.main.num_arcs == 0:
        raise FitError(
            "too small a graph for an SVD", where=repr(graph), fix="Give at least 3 nodes and an arc."
        )
    adjacency = graph.main.matrix()
    left = np.maximum(np.asarray(adjacency.sum(axis=1)).ravel(), 1e-12) ** -out_power
    right = np.maximum(np.asarray(adjacency.sum(axis=0)).ravel(), 1e-12) ** -in_power
    scaled = sp.csr_matrix(sp.diags(left) @ adjacency @ sp.diags(right))
    start = generator(seed, "svd").standard_normal(graph.num_nodes)
    factors: Any = svds(scaled.astype(np.float32), k=min(dim, graph.num_nodes - 1), v0=start)
    u, values, vt = factors
    root = np.sqrt(np.maximum(values, 0))
    return Embeddings(graph.ids, u * root, vt.T * root)
