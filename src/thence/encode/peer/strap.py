"""STRAP: dual embeddings from personalised PageRank, seen from both ends of an arc.

    M_ij = max(0, log((π_i(j) + π'_j(i)) / δ)) ,   M ≈ U Σ Vᵀ ,   source = U √Σ ,  target = V √Σ

π_i(j) is the chance that a walk along the arcs from i ends at j, and π'_j(i) the chance that a walk against
them from j ends at i (the PageRank of the turned graph, transposed), both by backward push to δ/2. What is
nearer than δ is kept, so M is sparse.

(Yin and Wei, "Scalable graph embeddings via sparse transpose proximities", KDD 2019, section 3.)
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from thence.base.errors import ConfigError
from thence.encode.embeddings import Embeddings
from thence.encode.known import check_fittable
from thence.encode.peer.low_rank import low_rank
from thence.graph import Arcs, DiGraph
from thence.graph.walk import contributions

CHUNK = 1024
"""Targets whose rows are held at once as float64."""


def strap(graph: DiGraph, dim: int = 128, alpha: float = 0.5, delta: float = 1e-4, seed: int = 0) -> Embeddings:
    """Dual embeddings from the transpose proximity of the main relation.

    Args:
        graph: the graph.
        dim: how many singular vectors; all there are when it is larger.
        alpha: the chance that a walk stops at each step.
        delta: what is less near counts as not near at all; the smaller, the more entries M has.
        seed: of the iteration that finds the singular vectors of more than 512 nodes.

    Raises:
        ConfigError: a setting is out of range.
        FitError: the graph has no arcs.

    Example:
        >>> from thence.base.ids import IdMap
        >>> from thence.graph import Arcs
        >>> arcs = Arcs.from_pairs([0, 1], [1, 2], num_nodes=3)
        >>> scores = strap(DiGraph(IdMap("abc"), {"bought_after": arcs}), dim=3, delta=0.01).scores([0])
        >>> (np.exp(scores) * 0.01).round(2).tolist()  # 1/2 + 1, 1/4 + 1/2, 1/4 + 1/4
        [[1.5, 0.75, 0.5]]
    """
    if not 0 < delta < 1:
        raise ConfigError(f"delta={delta}", fix="It lies between 0 and 1.")
    check_fittable(graph)
    u, values, vt = low_rank(transpose_proximity(graph.main, alpha, delta), dim, seed)
    root = np.sqrt(np.maximum(values, 0))
    return Embeddings(
        graph.ids, u * root, vt.T * root, info={"encoder": "strap", "alpha": alpha, "delta": delta}
    )


def transpose_proximity(arcs: Arcs, alpha: float, delta: float) -> sp.csr_matrix:
    """The matrix M ``[num_nodes, num_nodes]`` float32, without its zeros.

    Args:
        arcs: the relation; walks choose an arc by its weight.
        alpha: the chance that a walk stops at each step.
        delta: the threshold.
    """
    near: Any = _ends(arcs, alpha, delta / 2).T.tocsr() + _ends(arcs.reversed(), alpha, delta / 2)
    near.data = np.maximum(np.log(near.data / np.float32(delta)), 0)
    near.eliminate_zeros()
    return near


def _ends(arcs: Arcs, alpha: float, epsilon: float) -> Any:
    """``[num_nodes, num_nodes]``: entry (t, v) is the chance that a walk from v ends at t."""
    even = bool((arcs.weight == arcs.weight[0]).all())
    parts = []
    for at in range(0, arcs.num_nodes, CHUNK):
        targets = np.arange(at, min(at + CHUNK, arcs.num_nodes))
        found = contributions(arcs, targets, alpha, epsilon, weight=None if even else "weight", threads=1)
        parts.append(found.matrix().astype(np.float32))
    return sp.vstack(parts, format="csr")
