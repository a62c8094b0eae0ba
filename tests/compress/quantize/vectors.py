"""Embeddings to quantize: vectors in clusters, with sizes, means and dimensions as unequal as real ones."""

from __future__ import annotations

import numpy as np

from thence.base.ids import IdMap
from thence.encode import Embeddings


def clustered(num: int = 600, dim: int = 32, seed: int = 0, bias: bool = True) -> Embeddings:
    """Sources and targets around 12 centres; roles differ in size, dimensions by a factor of a hundred."""
    random = np.random.default_rng(seed)
    own = random.integers(0, 12, num)
    gain = np.geomspace(0.1, 10, dim)
    sides = []
    for factor in (gain, 1 / gain):
        centres = random.normal(size=(12, dim))
        norms = random.lognormal(0, 0.3, (num, 1))
        vectors = (centres[own] + 0.7 * random.normal(size=(num, dim))) * norms + 0.5
        sides.append((vectors * factor).astype(np.float32))
    added = random.normal(size=num).astype(np.float32) if bias else None
    return Embeddings(IdMap(map(str, range(num))), *sides, bias=added)


def exact_scores(source: np.ndarray, target: np.ndarray, bias: np.ndarray | None) -> np.ndarray:
    """The formula, one number at a time in float64."""
    found = np.zeros((len(source), len(target)))
    for i, own in enumerate(source.astype(np.float64)):
        for j, other in enumerate(target.astype(np.float64)):
            found[i, j] = sum(a * b for a, b in zip(own, other, strict=True))
    return found if bias is None else found + bias
