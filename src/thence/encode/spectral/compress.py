"""From weighted parts to dual embeddings: the best thin factors of their sum.

Each row of F = Σ_p diag(w_p) P_p is scaled to length one before it is factored and scaled back afterwards, so
that sources with few arcs are fitted as well as those with many.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from thence.base.rng import generator
from thence.encode.spectral.factor import thin
from thence.encode.spectral.operator import Operator

PROBES = 64


def compress(
    parts: Mapping[str, Operator], share: np.ndarray, dim: int, *, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Source and target vectors ``[n, dim]`` whose inner products are near the weighted sum of the parts.

    Args:
        parts: operators ``[n, n]`` by name.
        share: ``[parts, n]`` weight of each part for each source.
        dim: length of the vectors; at most n.
        seed: of the random projection.

    Example:
        >>> from thence.encode.spectral.operator import LowRank
        >>> one = LowRank(np.array([[1.0], [2.0]], np.float32), np.array([[0.0], [3.0]], np.float32))
        >>> source, target = compress({"one": one}, np.ones((1, 2), np.float32), 1)
        >>> (source @ target.T).round(3).tolist()
        [[0.0, 3.0], [0.0, 6.0]]
    """
    num_nodes = share.shape[1]

    def times(dense: np.ndarray) -> np.ndarray:
        total = np.zeros_like(dense)
        for weight, part in zip(share, parts.values(), strict=True):
            total += weight[:, None] * part.times(dense)
        return total

    def back(dense: np.ndarray) -> np.ndarray:
        total = np.zeros_like(dense)
        for weight, part in zip(share, parts.values(), strict=True):
            total += part.back(weight[:, None] * dense)
        return total

    probes = generator(seed, "probes").standard_normal((num_nodes, PROBES)).astype(np.float32)
    length = np.sqrt((times(probes) ** 2).mean(axis=1))
    length = np.where(length > 0, np.maximum(length, 1e-6), 1.0)[:, None]
    source, target = thin(
        lambda x: times(x) / length, lambda x: back(x / length), num_nodes, min(dim, num_nodes), seed=seed
    )
    return (source * length).astype(np.float32), target.astype(np.float32)
