"""The matrices that positions are made of, as rows of neighbours with weights.

With A the weights of the arcs (ones unless a value is named), a walk that follows an arc moves by

    P_out = D_out⁻¹ A ,   P_in = D_in⁻¹ Aᵀ

the latter against the arcs; at a node without such arcs it ends. For what is defined on undirected graphs
the pair {i, j} weighs max(A_ij, A_ji) =: S_ij, and with D its row sums, N = D^-½ S D^-½. The hermitian matrix
of Geisler et al. turns each entry by the direction of its arcs, by 2πq forwards and -2πq backwards:

    H_q = N ⊙ exp(i 2πq (E - Eᵀ)) ,   E_ij = 1 where the arc i → j is.

I - N is the normalised Laplacian, I - H_q the normalised magnetic Laplacian.

References:
    Geisler, Li, Mankowitz, Cemgil, Günnemann & Paduraru, "Transformers meet directed graphs", ICML 2023
    (arXiv 2302.00049), section 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from thence.graph.arcs import Arcs
from thence.graph.check import position_type
from thence.graph.position.kernel.pairs import count_pairs, fill_pairs
from thence.graph.sample.aggregate import aggregate
from thence.graph.sample.side import Direction, side_of
from thence.graph.walk.rows import in_order, kernel_array, thread_count

CHUNK = 1 << 15
"""Nodes whose pairs are merged at a time."""


@dataclass(frozen=True, eq=False)
class Rows:
    """A sparse square matrix with real entries.

    Args:
        indptr: ``[num_nodes + 1]`` int, where each row begins.
        neighbors: ``[entries]`` int32, columns.
        weight: ``[entries]`` float32.
    """

    indptr: np.ndarray
    neighbors: np.ndarray
    weight: np.ndarray

    def __post_init__(self) -> None:
        for name in ("indptr", "neighbors", "weight"):
            object.__setattr__(self, name, kernel_array(getattr(self, name)))

    @property
    def num_nodes(self) -> int:
        """How many rows."""
        return len(self.indptr) - 1

    def __call__(self, x: np.ndarray, threads: int | None = None) -> np.ndarray:
        """The product with ``x`` ``[num_nodes, width]`` float32."""
        return aggregate(self.indptr, self.neighbors, self.weight, x, threads=thread_count(threads))

    def part(self, x: np.ndarray, begin: int, end: int) -> np.ndarray:
        """Rows ``begin`` … ``end - 1`` of the product."""
        return aggregate(self.indptr[begin : end + 1], self.neighbors, self.weight, x)

    def row_of(self) -> np.ndarray:
        """``[entries]`` int32: the row of each entry."""
        return np.repeat(np.arange(self.num_nodes, dtype=np.int32), np.diff(self.indptr))

    def matrix(self) -> sp.csr_matrix:
        """The same as SciPy keeps it, entries float32."""
        shape = (self.num_nodes, self.num_nodes)
        return sp.csr_matrix((self.weight, self.neighbors, self.indptr), shape=shape)


@dataclass(frozen=True, eq=False)
class Pairs:
    """N with the turn of each entry: what the Laplacian and the magnetic Laplacian are made of.

    Args:
        rows: N; rows list neighbours in both directions, ascending.
        turn: ``[entries]`` int8: 1 where only the arc i → j is, -1 where only j → i is, 0 where both are.
        degree: ``[num_nodes]`` float32, the row sums of S.
    """

    rows: Rows
    turn: np.ndarray
    degree: np.ndarray


def walk(arcs: Arcs, direction: Direction = "out", weight: str | None = None) -> Rows:
    """P_out (``out``) or P_in (``into``).

    Raises:
        DataError: there is no such value, or it is negative or not finite for some arc.

    Example:
        >>> arcs = Arcs.from_pairs([0, 0, 1], [1, 2, 2], num_nodes=3)
        >>> walk(arcs).matrix().toarray().tolist()
        [[0.0, 0.5, 0.5], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]
    """
    side = side_of(arcs, direction, weight=weight)
    total = row_sums(side.indptr, side.weight)
    inverse = np.divide(1.0, total, out=np.zeros_like(total), where=total > 0).astype(np.float32)
    each = np.repeat(inverse, side.degree)
    return Rows(side.indptr, side.neighbors, each if side.weight is None else each * side.weight)


def damped(arcs: Arcs, direction: Direction = "out", weight: str | None = None, ridge: float = 0.0) -> Rows:
    """M = (D_out + r)^-½ A (D_in + r)^-½ (``out``) or its transpose (``into``), r the ridge.

    Without a ridge M Mᵀ has the diagonal of P_out P_in, and Mᵀ M that of P_in P_out. No singular value is
    above 1.

    Raises:
        DataError: there is no such value, or it is negative or not finite for some arc.

    Example:
        >>> damped(Arcs.from_pairs([0, 0], [1, 2], num_nodes=3)).weight
        array([0.70710677, 0.70710677], dtype=float32)
    """
    side = side_of(arcs, direction, weight=weight)
    far = side_of(arcs, "into" if direction == "out" else "out", weight=weight)
    roots = []
    for each in (side, far):
        total = row_sums(each.indptr, each.weight) + ridge
        root = np.divide(1.0, np.sqrt(total), out=np.zeros_like(total), where=total > 0)
        roots.append(root.astype(np.float32))
    value = np.repeat(roots[0], side.degree) * roots[1][side.neighbors]
    return Rows(side.indptr, side.neighbors, value if side.weight is None else value * side.weight)


def row_sums(indptr: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    """``[num_nodes]`` float64: what each row's entries add up to; their number where they have no weight."""
    if weight is None:
        return np.diff(indptr).astype(np.float64)
    ends = np.concatenate([[0.0], np.cumsum(weight, dtype=np.float64)])
    return np.maximum(ends[indptr[1:]] - ends[indptr[:-1]], 0.0)


def pairs(arcs: Arcs, weight: str | None = None) -> Pairs:
    """N and the turns of its entries.

    Raises:
        DataError: there is no such value, or it is negative or not finite for some arc.

    Example:
        >>> found = pairs(Arcs.from_pairs([0, 1, 1], [1, 0, 2], num_nodes=3))
        >>> found.rows.neighbors.tolist(), found.turn.tolist(), found.degree.tolist()
        ([1, 0, 2, 1], [0, 0, 1, -1], [1.0, 2.0, 1.0])
    """
    out, into = (side_of(arcs, side, weight=weight) for side in ("out", "into"))
    sides = tuple(kernel_array(each) for side in (out, into) for each in (side.indptr, side.neighbors))
    counts = np.empty(arcs.num_nodes, np.int64)
    in_order(lambda first, last: count_pairs(sides, counts, first, last), arcs.num_nodes, CHUNK)
    indptr = np.zeros(arcs.num_nodes + 1, position_type(int(counts.sum())))
    np.cumsum(counts, out=indptr[1:])
    size = int(indptr[-1])
    neighbors, turn = np.empty(size, np.int32), np.empty(size, np.int8)
    values, degree = np.empty(size, np.float32), np.empty(arcs.num_nodes, np.float32)
    weights = kernel_array(out.weight), kernel_array(into.weight)
    root = np.empty(arcs.num_nodes, np.float32)

    def fill(first: int, last: int) -> None:
        fill_pairs(sides, weights, indptr, (neighbors, turn, values), degree, first, last)
        own = degree[first:last]
        root[first:last] = np.divide(1.0, np.sqrt(own), out=np.zeros_like(own), where=own > 0)

    def damp(first: int, last: int) -> None:
        at = slice(indptr[first], indptr[last])
        values[at] *= root[neighbors[at]]
        values[at] *= np.repeat(root[first:last], counts[first:last])

    for work in (fill, damp):
        in_order(work, arcs.num_nodes, CHUNK)
    return Pairs(Rows(indptr, neighbors, values), turn, degree)


def taken(rows: Rows, nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The entries of some rows, one row after another.

    Returns:
        ``[e]`` which of ``nodes`` each belongs to, and ``[e]`` where it stands.

    Example:
        >>> ring = walk(Arcs.from_pairs([0, 1, 1], [1, 0, 2], num_nodes=3))
        >>> [part.tolist() for part in taken(ring, np.array([1, 0]))]
        [[0, 0, 1], [1, 2, 0]]
    """
    begin = rows.indptr[nodes].astype(np.int64)
    count = rows.indptr[nodes + 1] - begin
    at = np.repeat(np.arange(len(nodes)), count)
    first = np.cumsum(count) - count
    return at, np.arange(len(at)) + (begin - first)[at]
