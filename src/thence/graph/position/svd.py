"""Source and target roles from the singular vectors of the damped adjacency.

M = (D_out + r)^-½ A (D_in + r)^-½ ≈ U Σ Vᵀ with the ``k`` largest singular values and r the mean degree,
without which every small component would have a singular value of 1 of its own. Node i as a source is U_i
Σ^½, as a target V_i Σ^½, so that ⟨source role of i, target role of j⟩ ≈ M_ij. Singular pairs are eigenvectors
of the matrix [0 M; Mᵀ 0], which the filtered subspaces of :mod:`thence.graph.position.filtered` find.

References:
    Rohe, Qin & Yu, "Co-clustering directed graphs to discover asymmetries and directional communities", PNAS
    113, 2016 (arXiv 1204.2296), on M and on U as sending and V as receiving role;
    Hussain, Zaki & Subramanian, "Global self-attention as a replacement for graph convolution", KDD 2022 (arXiv
    2108.03348), section 3.3 (singular vectors as positions); Golub & Van Loan, "Matrix computations", section
    8.6.1 (the doubled matrix).
"""

from __future__ import annotations

import numpy as np

from thence.base.rng import generator
from thence.graph.arcs import Arcs
from thence.graph.check import position_type
from thence.graph.position.filtered import Hermitian, largest
from thence.graph.position.found import Found
from thence.graph.position.operators import Rows, damped
from thence.graph.position.spectrum import Solve

DENSE = 256


def svd(
    arcs: Arcs,
    *,
    k: int = 16,
    tolerance: float = 1e-4,
    rounds: int = 40,
    weight: str | None = None,
    seed: int = 0,
) -> Found:
    """Source and target roles of each node, signs chosen so that Σ u³ + Σ v³ is positive.

    Args:
        arcs: the relation.
        k: how many singular values; beyond the number of nodes columns are zeros.
        tolerance: the largest residual of a singular pair, for graphs of more than :data:`DENSE` nodes.
        rounds: filters at most; what they reach is returned, and ``info["converged"]`` tells.
        weight: the value by which arcs count; all alike when not given.
        seed: of the start.

    Returns:
        ``svd.out`` (as source) and ``svd.in`` (as target), each ``[num_nodes, k]``, scaled by √num_nodes;
        ``info["singular_values"]``. Vectors of equal singular values are determined up to a rotation alone.

    Raises:
        ConfigError: a setting is out of range.
        DataError: there is no such value, or it is negative or not finite for some arc.

    Example:
        >>> found = svd(Arcs.from_pairs([0], [1], num_nodes=2), k=1)
        >>> (found.blocks["svd.out"] @ found.blocks["svd.in"].T / 2).astype(float).round(6).tolist()  # r = 1/2
        [[0.0, 0.666667], [0.0, 0.0]]
    """
    how = Solve(k, None, tolerance, rounds, seed=seed)
    n = arcs.num_nodes
    ridge = float((arcs.values[weight].sum() if weight else arcs.num_arcs) / max(n, 1))
    out, into = damped(arcs, "out", weight, ridge), damped(arcs, "into", weight, ridge)
    info: dict = {"k": k, "tolerance": tolerance, "weight": weight, "ridge": ridge, "fallback": None}
    if n <= max(DENSE, how.k + how.guard):
        u, values, vt = np.linalg.svd(out.matrix().toarray().astype(np.float64))
        v, residual = vt.T, 0.0
    else:
        rng = generator(seed, "position", "svd", n)
        limits = {"tolerance": tolerance, "rounds": rounds, "guard": how.guard}
        solved = largest(Hermitian(_doubled(out, into)), k, rng=rng, **limits)
        values, residual = np.maximum(solved.values, 0), float(solved.residual[:k].max())
        u, v = np.sqrt(2) * solved.vectors[:n], np.sqrt(2) * solved.vectors[n:]
    u, v, values = u[:, :k], v[:, :k], values[:k]
    sign = np.where((u**3).sum(axis=0) + (v**3).sum(axis=0) < 0, -1.0, 1.0)
    scale = sign * np.sqrt(values * n)
    blocks = {"svd.out": np.zeros((n, k), np.float32), "svd.in": np.zeros((n, k), np.float32)}
    for name, vectors in (("svd.out", u), ("svd.in", v)):
        blocks[name][:, : len(values)] = vectors * scale
    info |= {"singular_values": values.tolist(), "residual": residual, "converged": residual <= tolerance}
    if not info["converged"]:
        info["fallback"] = f"the block as it stood after {rounds} rounds"
    return Found(blocks, info)


def _doubled(matrix: Rows, transposed: Rows) -> Rows:
    """[0 M; Mᵀ 0]."""
    n, size = matrix.num_nodes, len(matrix.neighbors)
    below = transposed.indptr[1:].astype(np.int64) + size
    return Rows(
        np.concatenate([matrix.indptr, below]).astype(position_type(2 * size)),
        np.concatenate([matrix.neighbors + np.int32(n), transposed.neighbors]),
        np.concatenate([matrix.weight, transposed.weight]),
    )
