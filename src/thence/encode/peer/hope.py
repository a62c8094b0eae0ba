"""HOPE: dual embeddings from the Katz proximity, the weighted count of all walks from one node to another.

    S = Σ_{t ≥ 1} βᵗ Aᵗ = (I - βA)⁻¹ βA ,   S ≈ U Σ Vᵀ ,   source = U √Σ ,  target = V √Σ

with β = decay / ρ(A), ρ the spectral radius, so that the sum converges. S itself is never formed: a product
with it is a sum of sparse products, the terms of the series, until they are too small to matter.

(Ou, Cui, Pei, Zhang, Zhu, "Asymmetric transitivity preserving graph embedding", KDD 2016, section 4 with
M_g = I - βA, M_l = βA.)
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from thence.base.errors import ConfigError, FitError
from thence.encode.embeddings import Embeddings
from thence.encode.known import check_fittable
from thence.encode.peer.low_rank import low_rank
from thence.graph import DiGraph

TOLERANCE, MOST_TERMS, GROWTH = 1e-6, 2_000, 100


def hope(graph: DiGraph, dim: int = 128, decay: float = 0.5, seed: int = 0) -> Embeddings:
    """Dual embeddings from the Katz proximity of the main relation.

    Args:
        graph: the graph.
        dim: how many singular vectors; all there are when it is larger.
        decay: β in units of 1 / ρ(A), below 1; the larger, the more long walks count.
        seed: of the iteration that finds the singular vectors of more than 512 nodes.

    Raises:
        ConfigError: ``decay`` is not between 0 and 1, or ``dim`` below 1.
        FitError: the graph has no arcs.

    Example:
        >>> from thence.base.ids import IdMap
        >>> from thence.graph import Arcs
        >>> arcs = Arcs.from_pairs([0, 1, 2], [1, 2, 0], num_nodes=3)  # a cycle: ρ = 1, β = 1/2
        >>> (hope(DiGraph(IdMap("abc"), {"bought_after": arcs}), dim=3).scores([0]) * 7).round(3)
        array([[1., 4., 2.]], dtype=float32)
    """
    if not 0 < decay < 1:
        raise ConfigError(f"decay={decay}", fix="It lies between 0 and 1.")
    check_fittable(graph)
    adjacency = graph.main.matrix()
    beta = decay / _scale(adjacency)
    u, values, vt = low_rank(Katz(sp.csr_matrix(adjacency * beta)), dim, seed)
    root = np.sqrt(np.maximum(values, 0))
    return Embeddings(graph.ids, u * root, vt.T * root, info={"encoder": "hope", "beta": beta})


class Katz:
    """S = Σ_{t ≥ 1} Mᵗ as something that dense blocks are multiplied with.

    Args:
        step: M = βA, ``[n, n]`` sparse, of spectral radius below 1.

    Example:
        >>> (Katz(sp.csr_matrix([[0.0, 0.5], [0.0, 0.5]])) @ np.eye(2)).round(4).tolist()
        [[0.0, 1.0], [0.0, 1.0]]
    """

    def __init__(self, step: Any) -> None:
        self._step, self.shape = step, step.shape

    @property
    def T(self) -> Katz:  # noqa: N802 - as matrices have it
        """Its transpose."""
        return Katz(sp.csr_matrix(self._step.T))

    def __matmul__(self, block: np.ndarray) -> np.ndarray:
        """The product with a dense block ``[n, d]``.

        Raises:
            FitError: the series does not converge.
        """
        term = self._step @ block
        total, size = np.array(term), float(np.linalg.norm(term))
        for _ in range(MOST_TERMS):
            term = self._step @ term
            total += term
            last, size = size, float(np.linalg.norm(term))
            if size <= last and size <= TOLERANCE * float(np.linalg.norm(total)):
                return total
        raise FitError("the Katz series does not converge", fix="Lower decay.")


def _scale(adjacency: Any) -> float:
    """ρ(A); of a graph without cycles, whose ρ is 0, the largest singular value instead: any β would do."""
    radius = spectral_radius(adjacency)
    return radius if radius > 0 else float(low_rank(adjacency, 1)[1][0])


def spectral_radius(matrix: Any, steps: int = GROWTH) -> float:
    """The spectral radius of a matrix without negative entries, from how fast its powers grow.

        ρ = lim (‖A^2k 1‖ / ‖A^k 1‖)^(1/k)

    It is 0 when there is no cycle of at most 2 · ``steps`` arcs, nor a path so long.

    Example:
        >>> round(spectral_radius(sp.csr_matrix([[0.0, 4.0], [1.0, 0.0]])), 6)  # eigenvalues 2 and -2
        2.0
        >>> spectral_radius(sp.csr_matrix([[0.0, 1.0], [0.0, 0.0]]))
        0.0
    """
    mass, logs = np.ones(matrix.shape[0]), []
    for _ in range(2 * steps):
        mass = matrix @ mass
        grown = float(np.linalg.norm(mass))
        if grown == 0:
            return 0.0
        logs.append(np.log(grown))
        mass = mass / grown
    return float(np.exp(np.mean(logs[steps:])))
