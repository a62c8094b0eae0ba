"""Ridge regression of what follows on what else follows: the strongest of the plain parts on list-like graphs.

Each column j of the arcs is predicted from all other columns, with weights shared by all rows of

    R = [A; Aᵀ; V_1; V_1ᵀ; …] :     min ‖R - R B‖² + λ‖B‖²  with B_jj = 0
    B = I - P diag(P)⁻¹ ,  P = (RᵀR + λI)⁻¹ ,     score(i → j) = (A B)_ij

(Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019, equation 8; the rows beyond A are
ours). On graphs of more than 12,000 nodes P is made from the k largest singular values s and right vectors v
of R, which leaves an inner product again: with f = s² / (s² + λ),

    score(i → j) = Σ_k (A v_k)_i f_k v_jk / (1 - Σ_k f_k v_jk²)      for j that i has no arc to.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.linalg import get_lapack_funcs
from scipy.sparse.linalg import svds

from thence.base.rng import generator
from thence.encode.baseline.matrix import DENSE_NODES
from thence.graph import Arcs, DiGraph
from thence.rerank.walks import Candidates

WIDE = 256


class Ridge:
    """Ridge regression over a graph's relations, of the main relation's columns.

    Args:
        graph: the graph.
        penalty: λ, in arcs.
        symmetric: regress A + Aᵀ on itself instead: what is joined, whichever way.
        dense_nodes: above so many nodes the singular vectors are used.
        seed: of their start vector.

    Example:
        >>> from thence.base.ids import IdMap
        >>> arcs = Arcs.from_pairs([0, 0, 1, 1, 2], [3, 4, 3, 4, 3], num_nodes=5)  # 2 leads to 3, as 0 and 1
        >>> ridge = Ridge(DiGraph(IdMap("abcde"), {"bought_after": arcs}), penalty=1.0)
        >>> at = np.array([2]), np.array([0, 2]), np.array([0, 4])
        >>> ridge.values(at).round(2).tolist()  # so 4 follows 2 as well
        [0.0, 0.5]
    """

    def __init__(
        self,
        graph: DiGraph,
        penalty: float = 100.0,
        *,
        symmetric: bool = False,
        dense_nodes: int = DENSE_NODES,
        seed: int = 0,
    ) -> None:
        adjacency = _ones(graph.main)
        if symmetric:
            self._asked = (adjacency + adjacency.T).minimum(1).tocsr()
            rows = self._asked
        else:
            self._asked = adjacency
            rows = _stacked(graph)
        small = graph.num_nodes <= max(dense_nodes, 2)
        self._small = small
        if small:
            self._weights = _weights(rows, penalty)
        else:
            self._source, self._target = _vectors(self._asked, rows, penalty, seed)

    def rows(self, sources: np.ndarray) -> np.ndarray:
        """``[len(sources), num_nodes]`` float32 values of the arcs from each source."""
        if self._small:
            return np.asarray(self._asked[sources] @ self._weights, np.float32)
        return self._source[sources] @ self._target.T

    def values(self, at: Candidates) -> np.ndarray:
        """``[ptr[B]]`` float32 values at candidates."""
        sources, ptr, nodes = at
        out = np.empty(len(nodes), np.float32)
        for begin in range(0, len(sources), 256):
            some = sources[begin : begin + 256]
            rows = self.rows(some) if self._small else None
            for row, source in enumerate(some):
                part = slice(ptr[begin + row], ptr[begin + row + 1])
                out[part] = (
                    self._target[nodes[part]] @ self._source[source] if rows is None else rows[row, nodes[part]]
                )
        return out


def _ones(arcs: Arcs) -> Any:
    matrix: Any = arcs.matrix()
    matrix.data = np.ones(arcs.num_arcs, np.float32)
    return matrix


def _stacked(graph: DiGraph) -> Any:
    sides = []
    for arcs in graph.relations.values():
        matrix = _ones(arcs)
        sides += [matrix, matrix.T] if arcs.directed else [matrix]
    return sp.csr_matrix(sp.vstack(sides))


def _weights(rows: Any, penalty: float) -> np.ndarray:
    """B, by the Cholesky inverse of the dense Gram matrix."""
    gram = np.asfortranarray((rows.T @ rows).toarray(), np.float32)
    gram[np.diag_indices_from(gram)] += penalty
    factorise, invert = get_lapack_funcs(("potrf", "potri"), (gram,))
    inverse: Any = invert(factorise(gram, lower=1, overwrite_a=1)[0], lower=1, overwrite_c=1)[0]
    inverse = np.tril(inverse)
    inverse += np.tril(inverse, -1).T
    inverse /= -np.diag(inverse).copy()[None, :]
    inverse[np.diag_indices_from(inverse)] = 0
    return np.ascontiguousarray(inverse)


def _vectors(asked: Any, rows: Any, penalty: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Source and target vectors whose inner product is the score."""
    start = generator(seed, "ridge").standard_normal(min(rows.shape))
    parts: Any = svds(rows, k=min(WIDE, min(rows.shape) - 1), v0=start)
    values, right = parts[1], parts[2].T
    keep = values**2 / (values**2 + penalty)
    spare = np.maximum(1 - (right**2) @ keep, 1e-3)
    source = (asked @ right) * keep
    return source.astype(np.float32), (right / spare[:, None]).astype(np.float32)
