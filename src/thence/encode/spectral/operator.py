"""Large matrices that are never written out: sparse ones, products of two thin ones, and walks.

Each answers three questions: its product with a dense matrix, that of its transpose, and a few of its rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import scipy.sparse as sp

from thence.graph.sample.aggregate import aggregate


class Operator(Protocol):
    """An ``[n, n]`` matrix, known by what it does."""

    def times(self, dense: np.ndarray) -> np.ndarray:
        """The product ``[n, d]`` with a dense ``[n, d]``."""
        ...

    def back(self, dense: np.ndarray) -> np.ndarray:
        """The product ``[n, d]`` of the transpose with a dense ``[n, d]``."""
        ...

    def rows(self, nodes: np.ndarray) -> np.ndarray:
        """Rows ``[len(nodes), n]`` float32."""
        ...

    def turned(self) -> Operator:
        """The transpose."""
        ...


@dataclass(frozen=True, eq=False)
class SparseOperator:
    """A sparse matrix.

    Example:
        >>> one = SparseOperator(sp.csr_matrix([[0.0, 2.0], [0.0, 0.0]]))
        >>> one.times(np.eye(2, dtype=np.float32)).tolist(), one.back(np.ones((2, 1), np.float32)).tolist()
        ([[0.0, 2.0], [0.0, 0.0]], [[0.0], [2.0]])
    """

    matrix: Any
    threads: int = 1

    def times(self, dense: np.ndarray) -> np.ndarray:
        """The product ``[n, d]``."""
        return multiply(self._rows, dense, self.threads)

    def back(self, dense: np.ndarray) -> np.ndarray:
        """The product of the transpose ``[n, d]``."""
        return multiply(self._columns, dense, self.threads)

    def rows(self, nodes: np.ndarray) -> np.ndarray:
        """Rows ``[len(nodes), n]``."""
        return self._rows[nodes].toarray()

    def turned(self) -> SparseOperator:
        """The transpose."""
        return SparseOperator(self.matrix.T, self.threads)

    @cached_property
    def _rows(self) -> Any:
        return sp.csr_matrix(self.matrix, dtype=np.float32)

    @cached_property
    def _columns(self) -> Any:
        return sp.csr_matrix(self.matrix.T, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class LowRank:
    """``left @ right.T`` of two thin matrices ``[n, k]``.

    Example:
        >>> LowRank(np.array([[2.0], [0.0]]), np.array([[0.0], [3.0]])).times(np.eye(2)).tolist()
        [[0.0, 6.0], [0.0, 0.0]]
    """

    left: np.ndarray
    right: np.ndarray

    def times(self, dense: np.ndarray) -> np.ndarray:
        """The product ``[n, d]``."""
        return self.left @ (self.right.T @ dense)

    def back(self, dense: np.ndarray) -> np.ndarray:
        """The product of the transpose ``[n, d]``."""
        return self.right @ (self.left.T @ dense)

    def rows(self, nodes: np.ndarray) -> np.ndarray:
        """Rows ``[len(nodes), n]``."""
        return self.left[nodes] @ self.right.T

    def turned(self) -> LowRank:
        """The transpose."""
        return LowRank(self.right, self.left)


@dataclass(frozen=True, eq=False)
class Walks:
    """Walks of 1 … T steps, ``Σ_t a_t Pᵗ``; with α (1 - α)^(t - 1) personalised PageRank without its start.

    Args:
        step: P, a sparse matrix whose rows are chances of the next node.
        share: ``a_1 … a_T``.

    Example:
        >>> path = sp.csr_matrix([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
        >>> Walks(SparseOperator(path), (0.5, 0.25)).rows(np.array([0])).tolist()
        [[0.0, 0.5, 0.25]]
    """

    step: SparseOperator
    share: tuple[float, ...]

    def times(self, dense: np.ndarray) -> np.ndarray:
        """The product ``[n, d]``."""
        return self._sum(self.step.times, dense)

    def back(self, dense: np.ndarray) -> np.ndarray:
        """The product of the transpose ``[n, d]``."""
        return self._sum(self.step.back, dense)

    def rows(self, nodes: np.ndarray) -> np.ndarray:
        """Rows ``[len(nodes), n]``."""
        start = np.zeros((self.step.matrix.shape[0], len(nodes)), np.float32)
        start[nodes, np.arange(len(nodes))] = 1.0
        return np.ascontiguousarray(self.back(start).T)

    def turned(self) -> Walks:
        """The transpose."""
        return Walks(self.step.turned(), self.share)

    def _sum(self, step: Any, dense: np.ndarray) -> np.ndarray:
        total = np.zeros_like(dense, dtype=np.float32)
        for share in self.share:
            dense = step(dense)
            total += np.float32(share) * dense
        return total


@dataclass(frozen=True, eq=False)
class Chain:
    """A product of sparse matrices, taken one after another and never multiplied out.

    Example:
        >>> turn = SparseOperator(sp.csr_matrix([[0.0, 1.0], [1.0, 0.0]]))
        >>> Chain((turn, turn)).rows(np.array([0])).tolist()
        [[1.0, 0.0]]
    """

    factors: tuple[SparseOperator, ...]

    def times(self, dense: np.ndarray) -> np.ndarray:
        """The product ``[n, d]``."""
        for factor in reversed(self.factors):
            dense = factor.times(dense)
        return dense

    def back(self, dense: np.ndarray) -> np.ndarray:
        """The product of the transpose ``[n, d]``."""
        for factor in self.factors:
            dense = factor.back(dense)
        return dense

    def rows(self, nodes: np.ndarray) -> np.ndarray:
        """Rows ``[len(nodes), n]``."""
        rest = np.ascontiguousarray(self.factors[0].rows(nodes).T)
        for factor in self.factors[1:]:
            rest = factor.back(rest)
        return np.ascontiguousarray(rest.T)

    def turned(self) -> Chain:
        """The transpose."""
        return Chain(tuple(factor.turned() for factor in reversed(self.factors)))


def multiply(matrix: Any, dense: np.ndarray, threads: int = 1) -> np.ndarray:
    """A CSR matrix ``[m, n]`` times a dense ``[n, d]``: ``[m, d]`` float32."""
    wide = np.ascontiguousarray(dense, np.float32)
    return aggregate(matrix.indptr, matrix.indices, matrix.data, wide, threads=threads)
