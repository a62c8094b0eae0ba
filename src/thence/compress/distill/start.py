"""Where a student starts: the ridge regression of the teacher's vectors on latent words, leaving each one out.

With Z ``[n, r]`` the latent words of products that have arcs and Y what the teacher says of them,

    W = (ZᵀZ + λI)⁻¹ Zᵀ (Y − ȳ) ,      ŷ(z) = ȳ + z W

A cold product is one that the teacher has not seen, so λ is chosen as if each product in turn were cold. No
model is fitted again for that: with H = Z (ZᵀZ + λI)⁻¹ Zᵀ, what is predicted for product i without it is

    ŷ₋ᵢ = (ŷᵢ − hᵢᵢ yᵢ) / (1 − hᵢᵢ)        (ȳ is kept)

A product also leads to products of like words, whatever else the teacher knows, so a second score stands beside
the first, α ⟨z_u, z_v⟩; its share α is chosen in the same way. Both choices are judged on Y = A, the arcs.

References:
    Hastie, Tibshirani, Friedman, "The elements of statistical learning", 2nd ed., equation 7.64.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from thence.base.rng import generator

STRENGTHS = (0.3, 1.0, 3.0, 10.0)
SHARES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8)
ANCHORS, K = 1000, 10


@dataclass(frozen=True, eq=False)
class Start:
    """A linear student.

    Args:
        weight: ``[r, 2 d + 1]`` float32: to source, target and bias.
        offset: ``[2 d + 1]`` float32.
        share: α, what likeness of words counts.
        strength: λ.
        value: HitRate@10 of the arcs of products left out.
    """

    weight: np.ndarray
    offset: np.ndarray
    share: float
    strength: float
    value: float


def ridge(x: np.ndarray, y: np.ndarray, strength: float) -> tuple[np.ndarray, np.ndarray]:
    """The weights and the offset of a ridge regression; the offset is y's mean and is not shrunk.

    Example:
        >>> weight, offset = ridge(np.array([[1.0], [-1.0]]), np.array([[3.0], [1.0]]), 0.0)
        >>> weight.tolist(), offset.tolist()
        ([[1.0]], [2.0])
    """
    mean = y.mean(axis=0)
    gram = x.T @ x + strength * np.eye(x.shape[1], dtype=x.dtype)
    return np.linalg.solve(gram, x.T @ (y - mean)), mean


def left_out(x: np.ndarray, y: np.ndarray, strength: float) -> np.ndarray:
    """What a ridge regression predicts for each row when that row is left out, by the formula above.

    Example:
        >>> x, y = np.array([[1.0], [2.0], [2.0]]), np.array([[1.0], [3.0], [5.0]])
        >>> left_out(x, y, 1.0)[0].round(4).tolist()  # by hand: 3 + 1 · (2 · 0 + 2 · 2) / (4 + 4 + 1)
        [3.4444]
    """
    weight, mean = ridge(x, y, strength)
    gram = x.T @ x + strength * np.eye(x.shape[1], dtype=x.dtype)
    lever = np.einsum("ij,ij->i", x, np.linalg.solve(gram, x.T).T)[:, None]
    return mean + (x @ weight - lever * (y - mean)) / np.maximum(1 - lever, 1e-6)


def start(
    words: np.ndarray, taught: np.ndarray, arcs: Any, *, shared: int, seed: int = 0, fixed: Start | None = None
) -> Start:
    """The linear student whose settings serve products left out best.

    Args:
        words: ``[n, r]`` latent words of the products with arcs.
        taught: ``[n, 2 d + 1]`` the teacher's source, target and bias of each.
        arcs: ``[n, n]`` sparse, the arcs among them.
        shared: the first columns of ``words`` that likeness is measured by.
        seed: of the products that are left out to judge by.
        fixed: take its settings instead of choosing.
    """
    if fixed is not None:
        weight, offset = ridge(words, taught, fixed.strength)
        return Start(weight, offset, fixed.share, fixed.strength, fixed.value)
    dim = taught.shape[1] // 2
    leads = np.flatnonzero(np.diff(arcs.indptr) > 0)
    judged = np.sort(generator(seed, "start").choice(leads, min(ANCHORS, len(leads)), replace=False))
    right = arcs[judged].toarray() > 0
    like = words[judged, :shared] @ words[:, :shared].T
    best: tuple[float, float, float] | None = None
    for strength in STRENGTHS:
        scores = _arcs_left_out(words, arcs, judged, strength)
        for share in SHARES:
            value = hit_share(scores + share * like, right, judged)
            if best is None or value > best[0]:
                best = (value, strength, share)
    assert best is not None  # there are settings
    weight, offset = ridge(words, taught, best[1])
    known = (taught[judged, :dim] @ taught[:, dim : 2 * dim].T)[right]  # what an arc is to the teacher
    return Start(weight, offset, best[2] * abs(float(known.mean())), best[1], best[0])


def _arcs_left_out(words: np.ndarray, arcs: Any, judged: np.ndarray, strength: float) -> np.ndarray:
    """``[J, n]``: the arcs of some products as all others tell them, which is :func:`left_out` with Y = A.

    The teacher's own vectors are no judge of that: those of targets know every product's arcs.
    """
    gram = words.T @ words + strength * np.eye(words.shape[1], dtype=words.dtype)
    smooth = words[judged] @ np.linalg.solve(gram, words.T)
    lever = smooth[np.arange(len(judged)), judged][:, None]
    mean = np.asarray(arcs.mean(axis=0), np.float32).ravel()
    told = np.asarray(smooth @ arcs) - smooth.sum(axis=1, keepdims=True) * mean
    return mean + (told - lever * (arcs[judged].toarray() - mean)) / np.maximum(1 - lever, 1e-6)


def hit_share(scores: np.ndarray, right: np.ndarray, own: np.ndarray, k: int = K) -> float:
    """Share of the right ones that are among the k highest scores of their row; HitRate@k of arcs.

    Args:
        scores: ``[B, n]``.
        right: ``[B, n]`` bool.
        own: ``[B]`` column of each row that is no candidate.
        k: length of a list.

    Example:
        >>> hit_share(np.array([[9.0, 3.0, 2.0]]), np.array([[False, True, True]]), np.array([0]), k=1)
        0.5
    """
    scores = scores.copy()
    scores[np.arange(len(scores)), own] = -np.inf
    k = min(k, scores.shape[1] - 1)
    if k < 1:
        return 0.0
    top = np.argpartition(-scores, k - 1, axis=1)[:, :k]
    return float(np.take_along_axis(right, top, 1).sum() / max(right.sum(), 1))
