"""Walks over relations, along their arcs or against them: what most parts of the re-ranker count.

A step over relation r from i to j has the weight

    m_ij = w_ij / ( (Σ_k w_ik)^from · (Σ_k w_kj)^to ) ,

or 1 where only arcs are counted. A walk is a sequence of steps, and its value at i → j the sum over all its
ways from i to j of the product of weights: with A the arcs of the main relation, A Aᵀ A counts the targets of
those that lead where i leads (item-item CF), Aᵀ A what the nodes that lead to i lead to as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import scipy.sparse as sp

from thence.graph import Arcs, DiGraph
from thence.rerank.kernel import walk_top, walk_values

HALF = 0.5


@dataclass(frozen=True)
class Step:
    """One step of a walk.

    Args:
        relation: over whose arcs.
        against: from targets to sources.
        damp: powers of the sums at the node it leaves and the node it reaches; None counts arcs.
    """

    relation: str
    against: bool = False
    damp: tuple[float, float] | None = (HALF, HALF)


Walk = tuple[Step, ...]
Candidates = tuple[np.ndarray, np.ndarray, np.ndarray]
"""``sources`` [B], ``ptr`` [B + 1] and ``nodes`` [ptr[B]]: the candidates of each source."""


class Walker:
    """Values of walks over one graph at candidates; keeps the matrices of the steps that it has taken.

    Args:
        graph: the graph.

    Example:
        >>> from thence.base.ids import IdMap
        >>> arcs = Arcs.from_pairs([0, 1, 1], [2, 2, 3], num_nodes=4)  # 0 and 1 lead to 2, 1 leads to 3
        >>> walker = Walker(DiGraph(IdMap("abcd"), {"bought_after": arcs}))
        >>> out, into = Step("bought_after", damp=None), Step("bought_after", against=True, damp=None)
        >>> where = np.array([0]), np.array([0, 2]), np.array([2, 3])
        >>> walker.values((out, into, out), where).tolist()  # from 0 back over 2: to 2 twice, to 3 once
        [2.0, 1.0]
    """

    def __init__(self, graph: DiGraph) -> None:
        self.graph = graph
        self._rows = cache(self._make)

    def values(self, walk: Walk, at: Candidates) -> np.ndarray:
        """``[ptr[B]]`` float32, the value of a walk of at least two steps at candidates."""
        sources, ptr, nodes = at
        steps = tuple(self._rows(step) for step in walk[:-1])
        return walk_values(steps, self._rows(walk[-1]), self._rows(turned(walk[-1])), sources, ptr, nodes)

    def top(self, walk: Walk, sources: np.ndarray, k: int) -> np.ndarray:
        """``[B, k]`` int32, the nodes of largest value from each source, -1 where fewer are reached."""
        return walk_top(tuple(self._rows(step) for step in walk), np.asarray(sources, np.int64), k)

    def _make(self, step: Step) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        arcs = self.graph.relations[step.relation]
        matrix = stepping(arcs, (step.damp or (0, 0))[:: -1 if step.against else 1], count=step.damp is None)
        return kernel_rows(sp.csr_matrix(matrix.T) if step.against else matrix)


def turned(step: Step) -> Step:
    """The transposed step: entry (j, i) instead of (i, j)."""
    damp = None if step.damp is None else (step.damp[1], step.damp[0])
    return Step(step.relation, not step.against, damp)


def stepping(arcs: Arcs, damp: Sequence[float], *, count: bool = False) -> Any:
    """The matrix of a step along the arcs, ``[num_nodes, num_nodes]`` float32; weights below 0 count as 0."""
    matrix: Any = arcs.matrix().astype(np.float64)
    matrix.data = np.ones(arcs.num_arcs) if count else np.maximum(matrix.data, 0)
    if count:
        return matrix.astype(np.float32)
    left, right = (np.maximum(np.asarray(matrix.sum(axis=axis)).ravel(), 1e-12) for axis in (1, 0))
    scaled = sp.diags(left ** -damp[0]) @ matrix @ sp.diags(right ** -damp[1])
    return sp.csr_matrix(scaled, dtype=np.float32)


def kernel_rows(matrix: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A sparse matrix as the kernels take it: ``indptr`` int64, ``indices`` int32, ``data`` float32."""
    rows = sp.csr_matrix(matrix)
    return (
        np.array(rows.indptr, np.int64),
        np.array(rows.indices, np.int32),
        np.array(rows.data, np.float32),
    )
