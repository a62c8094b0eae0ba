"""A scorer whose scores are a sparse matrix, and products of dense rows with a sparse matrix."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike

from thence.base.ids import IdMap

DENSE_NODES, DENSE_SHARE = 12_000, 0.01


@dataclass(frozen=True, eq=False)
class MatrixScorer:
    """Scores read off a matrix: entry (i, j) is the score of i → j, absent entries score 0.

    Args:
        ids: external id of each node.
        matrix: ``[num_nodes, num_nodes]`` sparse.

    Example:
        >>> scorer = MatrixScorer(IdMap(["phone", "case"]), sp.csr_matrix([[0.0, 2.0], [0.0, 0.0]]))
        >>> scorer.scores([0]).tolist(), scorer.scores_into([1]).tolist()
        ([[0.0, 2.0]], [[2.0, 0.0]])
    """

    ids: IdMap
    matrix: Any

    def scores(self, sources: ArrayLike) -> np.ndarray:
        """Scores ``[len(sources), num_nodes]`` of the arcs from each source to every node."""
        return _rows(self.matrix, sources)

    def scores_into(self, targets: ArrayLike) -> np.ndarray:
        """Scores ``[len(targets), num_nodes]`` of the arcs from every node to each target."""
        return _rows(self._columns, targets)

    @cached_property
    def _columns(self) -> Any:
        return self.matrix.T.tocsr()


class Product:
    """Dense rows times a sparse matrix, by whichever of BLAS and sparse loops is faster for it.

    A small matrix with more than one entry in a hundred is kept dense: BLAS then does the product many times
    faster than a loop over entries would.

    Args:
        matrix: ``[n, m]`` sparse.

    Example:
        >>> Product(sp.eye(3) * 2)(np.ones((1, 3), np.float32)).tolist()
        [[2.0, 2.0, 2.0]]
    """

    def __init__(self, matrix: Any) -> None:
        rows: Any = sp.csr_matrix(matrix, dtype=np.float32)
        size = rows.shape[0] * rows.shape[1]
        small = max(rows.shape) <= DENSE_NODES and rows.nnz > DENSE_SHARE * size
        self.matrix: Any = rows.toarray() if small else rows

    def __call__(self, dense: np.ndarray) -> np.ndarray:
        """The product ``[q, m]`` of dense rows ``[q, n]``."""
        return np.asarray(dense @ self.matrix, dtype=np.float32)


class BothWays:
    """Products of dense rows with a square sparse matrix and with its transpose, each prepared when first used.

    Args:
        matrix: ``[n, n]`` sparse.

    Example:
        >>> step, both = BothWays(sp.csr_matrix([[0.0, 2.0], [0.0, 0.0]])), unit_rows(np.array([0, 1]), 2)
        >>> step.forward(both).tolist(), step.backward(both).tolist()
        ([[0.0, 2.0], [0.0, 0.0]], [[0.0, 0.0], [2.0, 0.0]])
    """

    def __init__(self, matrix: Any) -> None:
        self._matrix = matrix

    @cached_property
    def forward(self) -> Product:
        """Along the arcs."""
        return Product(self._matrix)

    @cached_property
    def backward(self) -> Product:
        """Against them."""
        return Product(self._matrix.T)


def unit_rows(nodes: np.ndarray, num_nodes: int) -> np.ndarray:
    """``[len(nodes), num_nodes]`` float32, 1 at each row's own node: where walks begin."""
    rows = np.zeros((len(nodes), num_nodes), np.float32)
    rows[np.arange(len(nodes)), nodes] = 1.0
    return rows


def _rows(matrix: Any, rows: ArrayLike) -> np.ndarray:
    return matrix[np.asarray(rows, np.int64)].toarray().astype(np.float32)
