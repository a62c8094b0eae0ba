"""The largest singular triplets of anything that can be multiplied with, by iteration on a subspace.

    X ← orth(M orth(Mᵀ X)), some rounds;   M ≈ (M X) Xᵀ ,   SVD of M X gives the triplets

It repeats itself exactly, works on matrices of low rank, on which Lanczos breaks down, and takes two products a
round. Small matrices are decomposed whole. (Halko, Martinsson, Tropp, "Finding structure with randomness",
SIAM Review 2011, algorithms 4.4 and 5.1.)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from thence.base.errors import ConfigError
from thence.base.rng import generator

DENSE_NODES, ROUNDS, SPARE = 512, 8, 16


def low_rank(
    matrix: Any, dim: int, seed: int = 0, *, rounds: int = ROUNDS
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The ``dim`` largest singular values with their vectors, the largest first.

    Args:
        matrix: ``[n, m]`` with ``shape``, ``T``, and ``@`` for dense blocks: sparse, dense, or an operator.
        dim: how many; all there are when it is larger.
        seed: of the first subspace.
        rounds: of the iteration; the error of a value falls with (its ratio to the first one that is left
            out)^(4 · rounds).

    Returns:
        u ``[n, dim]``, the values ``[dim]`` and vᵀ ``[dim, m]``, float32.

    Raises:
        ConfigError: ``dim`` is below 1.

    Example:
        >>> u, values, vt = low_rank(np.diag([1.0, 3.0, 2.0]), 2)
        >>> values.tolist(), np.abs(u @ np.diag(values) @ vt).round(3).tolist()
        ([3.0, 2.0], [[0.0, 0.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, 2.0]])
    """
    if dim < 1:
        raise ConfigError(f"dim={dim}", fix="Give at least one singular vector.")
    rows, columns = matrix.shape
    if max(rows, columns) <= DENSE_NODES:
        whole = np.asarray(matrix @ np.eye(columns))
        return _first(np.linalg.svd(whole, full_matrices=False), dim)
    width = min(dim + max(SPARE, dim // 4), rows, columns)
    block = generator(seed, "low rank").standard_normal((columns, width)).astype(np.float32)
    block = np.linalg.qr(block)[0]
    for _ in range(rounds):
        left = np.linalg.qr(_product(matrix, block))[0]
        block = np.linalg.qr(_product(matrix.T, left))[0]
    u, values, wt = np.linalg.svd(_product(matrix, block), full_matrices=False)
    return _first((u, values, wt @ block.T), dim)


def _product(matrix: Any, block: np.ndarray) -> np.ndarray:
    return np.asarray(matrix @ block, dtype=np.float32)


def _first(triplets: Any, dim: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    u, values, vt = (np.asarray(part, np.float32) for part in triplets)
    return u[:, :dim], values[:dim], vt[:dim]
