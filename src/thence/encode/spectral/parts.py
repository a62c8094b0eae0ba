"""The parts of a score: what each way of looking at a graph says of every possible arc.

With A the main relation, a source's profile is its row in X = [A, ω Aᵀ, ω R, ω Rᵀ, …, features] over all
relations R, a target's its row in Y = [Aᵀ, ω A, …]. Products with alike profiles lead to alike targets:

    like sources     K (K + λ)⁻¹ A ,        K = X Xᵀ = U Σ² Uᵀ ,  so U Σ²/(Σ² + λ) (Uᵀ A)
    like targets     A K' (K' + λ)⁻¹ D⁻¹ ,  K' = Y Yᵀ ,  D = 1 - diag
    like both        K (K + λ)⁻¹ A K' (K' + λ)⁻¹
    ridge            A · B ,  B the item-item ridge regression of A's columns on one another, diagonal zero

each for several λ, beside what needs no likeness: the reverse arcs, arcs of the other relations and their
reverses, and walks along the arcs. All are kept as thin factors or sparse matrices (``operator.py``).

References:
    Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019 (the ridge with zero diagonal; its
    zero diagonal is here the column scale 1/D, which ranks what is not known yet alike).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from thence.encode.features import item_features
from thence.encode.spectral.factor import left_vectors
from thence.encode.spectral.operator import Chain, LowRank, Operator, SparseOperator, Walks, multiply
from thence.graph import Arcs, DiGraph

CEILING = 0.95
Factors = tuple[np.ndarray, np.ndarray, float]


@dataclass(frozen=True)
class PartsConfig:
    """How the parts are made.

    Args:
        rank: factors that a likeness keeps (fewer on smaller graphs).
        ridge: λ of the likenesses, in units of the mean squared length of a profile.
        beside: ω, the weight of all but the main relation in a profile.
        features: weight of the catalogue features in a profile; 0 leaves them out.
        weight_power: arcs count by weight^power.
        damp: arcs are divided by (out-weight of the source · in-weight of the target)^damp.
        stop: α of the walks: the chance to stop after each step.
        steps: longest walk.
        threads: to multiply with.
    """

    rank: int = 512
    ridge: tuple[float, ...] = (0.5, 2.0, 8.0)
    beside: float = 0.7
    features: float = 1.0
    weight_power: float = 0.5
    damp: float = 0.25
    stop: float = 0.4
    steps: int = 4
    threads: int = 1


def make_parts(graph: DiGraph, config: PartsConfig, *, seed: int = 0) -> dict[str, Operator]:
    """All parts of a graph, by name.

    Args:
        graph: what is known; its main relation is what the score is of.
        config: settings.
        seed: of the random projections.

    Example:
        >>> from thence.base.ids import IdMap
        >>> arcs = Arcs.from_pairs([0, 1, 1], [2, 2, 3], num_nodes=4)  # 0 is like 1, which leads to 3
        >>> parts = make_parts(DiGraph(IdMap("abcd"), {"bought_after": arcs}), PartsConfig(damp=0))
        >>> row = parts["like sources 2"].rows(np.array([0]))[0]
        >>> bool(row[3] > 0), float(parts["reverse"].rows(np.array([2]))[0, 0])
        (True, 1.0)
    """
    main = weighted(graph.main, config)
    others = [weighted(arcs, config) for arcs in list(graph.relations.values())[1:]]
    features: Any = None
    if graph.nodes is not None and config.features:
        features = (
            config.features * np.sqrt(main.multiply(main).sum() / len(graph.ids)) * item_features(graph.nodes)
        )
    sides = [config.beside * matrix for other in others for matrix in (other, other.T)]
    extra = [*sides, features] if features is not None else sides
    before = _factors(sp.hstack([main, config.beside * main.T, *extra]), config, seed)
    after = _factors(sp.hstack([main.T, config.beside * main, *extra]), config, seed)
    parts: dict[str, Operator] = dict(_like_sources(main, before, config))
    parts |= dict(_like_targets(main, after, config))
    parts |= dict(_like_both(main, before, after, config))
    parts |= dict(_ridge(main, config, seed))
    a, unit, unit_in = (SparseOperator(m, config.threads) for m in (main, _unit(main), _unit(main.T)))
    unit_t, unit_in_t = (SparseOperator(m.matrix.T, config.threads) for m in (unit, unit_in))
    parts["near sources"] = Chain((unit, unit_t, a))
    parts["near targets"] = Chain((a, unit_in, unit_in_t))
    parts["reverse"] = SparseOperator(main.T, config.threads)
    for name, other, arcs in zip(
        list(graph.relations)[1:], others, list(graph.relations.values())[1:], strict=True
    ):
        parts[name] = SparseOperator(other, config.threads)
        step = SparseOperator(_chance(other), config.threads)
        parts[f"{name}, then"], parts[f"then {name}"] = Chain((step, a)), Chain((a, step))
        if arcs.directed:
            parts[f"{name} reversed"] = SparseOperator(other.T, config.threads)
    shares = tuple(config.stop * (1 - config.stop) ** t for t in range(config.steps))
    for name, matrix in (("walks", main), ("walks either way", main + main.T)):
        parts[name] = Walks(SparseOperator(_chance(matrix), config.threads), shares)
    return parts


def _chance(matrix: Any) -> Any:
    """Rows scaled to sum to one."""
    return sp.csr_matrix(sp.diags(1 / np.maximum(np.asarray(matrix.sum(axis=1)).ravel(), 1e-12)) @ matrix)


def _unit(matrix: Any) -> Any:
    """Rows scaled to length one."""
    matrix = sp.csr_matrix(matrix)
    length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return sp.csr_matrix(sp.diags(1 / np.maximum(length, 1e-12)) @ matrix)


def weighted(arcs: Arcs, config: PartsConfig) -> Any:
    """A relation's matrix with weights to a power, damped by the degrees of both ends."""
    matrix = arcs.matrix()
    matrix.data = np.maximum(matrix.data, 0) ** config.weight_power
    if not config.damp:
        return matrix
    left, right = (
        np.maximum(np.asarray(matrix.sum(axis=axis)).ravel(), 1e-12) ** -config.damp for axis in (1, 0)
    )
    return sp.csr_matrix(sp.diags(left) @ matrix @ sp.diags(right))


def _factors(profile: Any, config: PartsConfig, seed: int) -> Factors:
    """Left singular vectors and squared singular values of profiles, and their mean squared length."""
    rows, columns = sp.csr_matrix(profile, dtype=np.float32), sp.csr_matrix(profile.T, dtype=np.float32)
    rank = min(config.rank, *profile.shape)
    left, values = left_vectors(
        lambda x: multiply(rows, x, config.threads),
        lambda x: multiply(columns, x, config.threads),
        profile.shape[1],
        rank,
        seed=seed,
    )
    return left, values**2, float(profile.multiply(profile).sum() / max(profile.shape[0], 1))


def _like_sources(main: Any, factors: Factors, config: PartsConfig) -> Iterator[tuple[str, Operator]]:
    left, squares, length = factors
    led = multiply(sp.csr_matrix(main.T), left, config.threads)
    for ridge in config.ridge:
        yield f"like sources {ridge:g}", LowRank(left * (squares / (squares + ridge * length)), led)


def _like_targets(main: Any, factors: Factors, config: PartsConfig) -> Iterator[tuple[str, Operator]]:
    left, squares, length = factors
    led = multiply(main, left, config.threads)
    for ridge in config.ridge:
        kept = squares / (squares + ridge * length)
        yield f"like targets {ridge:g}", LowRank(led * kept, left / _rest(left, kept)[:, None])


def _like_both(
    main: Any, before: Factors, after: Factors, config: PartsConfig
) -> Iterator[tuple[str, Operator]]:
    left, squares, length = before
    right, others, far = after
    core = left.T @ multiply(main, right, config.threads)
    for ridge in config.ridge[-1:]:
        kept, kept_too = squares / (squares + ridge * length), others / (others + ridge * far)
        yield f"like both {ridge:g}", LowRank((left * kept) @ core, right * kept_too)


def _ridge(main: Any, config: PartsConfig, seed: int) -> Iterator[tuple[str, Operator]]:
    left, squares, length = _factors(main, config, seed)
    root = np.sqrt(np.maximum(squares, 1e-12))
    right = multiply(sp.csr_matrix(main.T), left, config.threads) / root
    for ridge in config.ridge:
        kept = squares / (squares + ridge * length)
        yield f"ridge {ridge:g}", LowRank(left * (root * kept), right / _rest(right, kept)[:, None])


def _rest(vectors: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """1 - the diagonal of a smoother ``V diag(kept) Vᵀ``, away from 0."""
    return 1 - np.minimum((vectors**2) @ kept, CEILING)
