"""Truncated SVD of the adjacency: the best low-rank dual embeddings in the least-squares sense.

A ≈ U Σ Vᵀ ,  source = U √Σ ,  target = V √Σ ,     A = w / ( (Σ_j w_ij)^out_power (Σ_i w_ij)^in_power )
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import svds

from thence.base.errors import ConfigError
from thence.base.rng import generator
from thence.encode.embeddings import Embeddings
from thence.encode.known import check_fittable
from thence.graph import DiGraph

DENSE_NODES = 512


def svd(
    graph: DiGraph, dim: int = 128, out_power: float = 0.0, in_power: float = 0.0, seed: int = 0
) -> Embeddings:
    """Dual embeddings from the singular vectors of the main relation.

    Args:
        graph: the graph.
        dim: how many singular vectors; all there are when it is larger.
        out_power: how strongly rows are divided by their weight.
        in_power: how strongly columns are divided by theirs.
        seed: of the start vector of the iteration that graphs of more than 512 nodes need.

    Raises:
        ConfigError: ``dim`` is below 1.
        FitError: the graph has no arcs.

    Example:
        >>> from thence.base.ids import IdMap
        >>> from thence.graph import Arcs
        >>> arcs = Arcs.from_pairs([0, 1], [2, 3], num_nodes=4, weight=[2.0, 1.0])
        >>> svd(DiGraph(IdMap("abcd"), {"bought_after": arcs}), dim=2).scores([0]).round(2).tolist()
        [[0.0, 0.0, 2.0, 0.0]]
    """
    if dim < 1:
        raise ConfigError(f"dim={dim}", fix="Give at least one singular vector.")
    check_fittable(graph)
    adjacency = graph.main.matrix()
    left = np.maximum(np.asarray(adjacency.sum(axis=1)).ravel(), 1e-12) ** -out_power
    right = np.maximum(np.asarray(adjacency.sum(axis=0)).ravel(), 1e-12) ** -in_power
    scaled = sp.csr_matrix(sp.diags(left) @ adjacency @ sp.diags(right), dtype=np.float32)
    u, values, vt = _factors(scaled, dim, seed)
    root = np.sqrt(np.maximum(values, 0))
    return Embeddings(graph.ids, u * root, vt.T * root)


def _factors(matrix: Any, dim: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The largest singular triplets.

    Small matrices are decomposed whole: on those of low rank the iteration for large ones breaks down and
    starts anew from numbers that no seed governs.
    """
    num_nodes = matrix.shape[0]
    if num_nodes <= DENSE_NODES:
        u, values, vt = np.linalg.svd(matrix.toarray(), full_matrices=False)
        return u[:, :dim], values[:dim], vt[:dim]
    start = generator(seed, "svd").standard_normal(num_nodes)
    factors: Any = svds(matrix, k=min(dim, num_nodes - 1), v0=start)
    return factors
