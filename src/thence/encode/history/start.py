"""Where learned history vectors start: a factorisation of which items stand near each other in sessions.

C_ij = Σ 1 / distance over all places at most ``window`` apart
D^-½ (C + Cᵀ) D^-½ ≈ U Σ Vᵀ ,   e_i = U_i √Σ / ‖·‖
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.utils.extmath import randomized_svd

from thence.base.rng import derive_seed, generator
from thence.encode.history.plain import co_occurrence
from thence.events.datasets.sessions import Sessions


def nearby_vectors(sessions: Sessions, dim: int, *, window: int = 4, seed: int = 0) -> np.ndarray:
    """Unit vectors ``[num_items, dim]`` float32; items that met none get random ones.

    Args:
        sessions: what was observed.
        dim: length of each vector.
        window: how far two items of a session may stand apart to count as near.
        seed: of the factorisation's start and of random vectors.

    Example:
        >>> from thence.base.ids import IdMap
        >>> vectors = nearby_vectors(Sessions.of(IdMap("abcdef"), [[0, 1, 2], [3, 4, 5]]), dim=2)
        >>> near = vectors @ vectors.T
        >>> bool(near[0, 1] > 0.9), bool(near[0, 3] < 0.1)
        (True, True)
    """
    num = len(sessions.ids)
    near: Any = co_occurrence(sessions, window=window, before=1.0).matrix
    degree = np.asarray(near.sum(axis=1)).ravel() + 1.0
    scale = sp.diags(degree**-0.5)
    rank = min(dim, num)
    solve: Any = randomized_svd
    left, values, _ = solve(
        sp.csr_matrix(scale @ near @ scale), rank, n_iter=4, random_state=derive_seed(seed, "nearby") % 2**32
    )
    vectors = np.zeros((num, dim))
    vectors[:, :rank] = left * np.sqrt(values)
    length = np.linalg.norm(vectors, axis=1)
    lost = length < 1e-9
    vectors[lost] = generator(seed, "lost").normal(size=(int(lost.sum()), dim))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
