"""The largest eigenvalues of a hermitian matrix with spectrum in [-1, 1], by Chebyshev-filtered subspaces.

A block of vectors is multiplied by a polynomial of the matrix that is small on [-1, a] and grows fast above a,
made orthonormal, and turned to the eigenvectors of the matrix inside its span (Rayleigh-Ritz). a moves up to
the smallest value that the block holds, and all is repeated until the wanted residuals ‖H v - μ v‖ are small.
A cluster of eigenvalues costs nothing as long as it fits into the block. With one or two rounds the same is
an approximation at the cost of a few passes over the entries.

References:
    Zhou, Saad, Tiago & Chelikowsky, "Self-consistent-field calculations using Chebyshev-filtered subspace
    iteration", J. Comput. Phys. 219, 2006, algorithms 4.2 and 4.3; Saad, "Numerical methods for large
    eigenvalue problems", 2011, chapters 4 and 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from thence.graph.position.kernel.hermitian import step_rows
from thence.graph.position.operators import Rows
from thence.graph.walk.rows import in_order, kernel_array

CHUNK = 1 << 16
"""Entries that a thread takes on at a time."""
ROWS = 1 << 15
"""Rows that are rotated or multiplied together at a time."""
GROWTH = 14.0
"""The logarithm of how much more the filter may multiply the largest eigenvalue than the edge of what it
damps."""
START = 0.4
"""The first edge, before anything is known of the spectrum."""
SAFETY = 3.0
"""How far below the tolerance a filter aims."""
DEGREES = (6, 60)


@dataclass(frozen=True, eq=False)
class Hermitian:
    """A matrix with spectrum in [-1, 1]: ``rows`` with each entry turned by ``turn · angle``.

    Args:
        rows: entries before they are turned, symmetric.
        turn: ``[entries]`` int8, antisymmetric; None for a real matrix.
        angle: of one turn, radians.
    """

    rows: Rows
    turn: np.ndarray | None = None
    angle: float = 0.0

    @property
    def is_complex(self) -> bool:
        """Whether vectors have real and imaginary parts, side by side in a block."""
        return self.turn is not None

    def step(self, x: np.ndarray, out: np.ndarray, rule: tuple[float, float, float]) -> np.ndarray:
        """``out = a H x + b x + c out`` for ``rule`` (a, b, c), in place.

        Args:
            x: ``[num_nodes, width]`` float32.
            out: the same shape.
            rule: three numbers.
        """
        rows = self.rows
        matrix = rows.indptr, rows.neighbors, rows.weight
        turn = kernel_array(self.turn, np.int8)
        turns = turn, np.float32(np.cos(self.angle)), np.float32(np.sin(self.angle))
        numbers = tuple(np.float32(number) for number in rule)
        edges = np.searchsorted(rows.indptr, np.arange(CHUNK, len(rows.neighbors), CHUNK))
        bounds = np.unique(np.concatenate([[0], edges, [rows.num_nodes]]))
        parts = list(pairwise(bounds.tolist()))

        def work(begin: int, end: int) -> None:
            for first, last in parts[begin:end]:
                step_rows(matrix, turns, x, out, numbers, first, last)

        in_order(work, len(parts), 1)
        return out


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Eigenpairs, largest first.

    Args:
        values: ``[k + guard]`` float64.
        block: ``[num_nodes, k + guard]`` float32, orthonormal columns; real parts, then imaginary parts of a
            complex matrix.
        residual: ``[k + guard]`` float64, ‖H v - μ v‖ of each.
        rounds: how often the block was filtered.
    """

    values: np.ndarray
    block: np.ndarray
    residual: np.ndarray
    rounds: int

    @property
    def vectors(self) -> np.ndarray:
        """``[num_nodes, k + guard]`` float32 or complex64."""
        return self.joined(self.block)

    def joined(self, rows: np.ndarray) -> np.ndarray:
        """Rows of the block, or what a real matrix makes of it, as numbers, complex ones where they are."""
        half = len(self.values)
        return rows if rows.shape[1] == half else rows[:, :half] + 1j * rows[:, half:]


def largest(
    matrix: Hermitian,
    k: int,
    *,
    tolerance: float,
    rounds: int,
    guard: int,
    rng: np.random.Generator,
    degree: int | None = None,
    nodes: np.ndarray | None = None,
) -> Spectrum:
    """The ``k`` largest eigenvalues and their vectors, with those of the guard behind them.

    Args:
        matrix: with more than ``k + guard`` rows.
        k: how many are wanted.
        tolerance: the largest residual ‖H v - μ v‖ of the first ``k`` that is good enough.
        rounds: filters at most. What is reached by then is returned, with its residuals.
        guard: further vectors in the block.
        rng: where the block starts.
        degree: of every filter; chosen by what the block has found when not given.
        nodes: the component that is solved, ascending; all rows where they are one.
    """
    shape = matrix.rows.num_nodes, (2 if matrix.is_complex else 1) * (k + guard)
    x, hx = _aligned(shape), _aligned(shape)
    nodes = np.arange(len(x)) if nodes is None else nodes
    pieces = rng.spawn(-(-len(nodes) // ROWS))

    def draw(begin: int, end: int) -> None:
        drawn = pieces[begin // ROWS].standard_normal((end - begin, shape[1]), np.float32)
        x[nodes[begin:end]] = drawn

    x[:] = 0
    in_order(draw, len(nodes), ROWS)
    matrix.step(x, hx, (1.0, 0.0, 0.0))
    edge, passes, done = START, degree or DEGREES[0], 0
    while True:
        x, hx = _filter(matrix, x, hx, edge, passes)
        done += 1
        matrix.step(x, hx, (1.0, 0.0, 0.0))
        values = _ritz(x, hx, matrix.is_complex)
        residual = _residuals(x, hx, values, matrix.is_complex)
        if done == rounds or residual[:k].max() <= tolerance:
            break
        room = 0.0 if degree else residual[-1]  # for clusters that the block cannot hold
        edge = float(np.clip(values[-1] - room, -0.9, 1 - 1e-6))
        passes = degree or _passes(values, residual[:k], edge, tolerance)
    return Spectrum(values, x, residual, done)


def _passes(values: np.ndarray, residual: np.ndarray, edge: float, tolerance: float) -> int:
    """The degree that should bring the wanted residuals down, as far as the largest eigenvalue allows it."""
    place = (np.minimum(values, 1.0) - (edge - 1) / 2) / ((edge + 1) / 2)
    rate = np.arccosh(np.maximum(place, 1 + 1e-9))
    wanted = np.log(np.maximum(SAFETY * residual / tolerance, 1.0)) / rate[: len(residual)]
    return int(np.clip(min(wanted.max(), GROWTH / rate[0]), *DEGREES))


def _aligned(shape: tuple[int, int]) -> np.ndarray:
    """Room for a block, float32, that begins with a cache line: rows then touch as few lines as can be."""
    size, line = 4 * shape[0] * shape[1], 64
    room = np.empty(size + line, np.uint8)
    begin = -room.ctypes.data % line
    return room[begin : begin + size].view(np.float32).reshape(shape)


def _filter(
    matrix: Hermitian, x: np.ndarray, hx: np.ndarray, edge: float, degree: int
) -> tuple[np.ndarray, np.ndarray]:
    """The Chebyshev polynomial that is at most 1 on [-1, edge] applied to ``x``, of which ``hx`` is the
    product.

    Both blocks are overwritten; the result stands in the first of those returned.
    """
    middle, radius = (edge - 1) / 2, (edge + 1) / 2

    def first(begin: int, end: int) -> None:
        hx[begin:end] -= np.float32(middle) * x[begin:end]
        hx[begin:end] /= np.float32(radius)

    in_order(first, len(x), ROWS)
    before, now = x, hx
    for _ in range(degree - 1):
        matrix.step(now, before, (2 / radius, -2 * middle / radius, -1.0))
        before, now = now, before
    return now, before


def _ritz(x: np.ndarray, hx: np.ndarray, is_complex: bool) -> np.ndarray:
    """Turn the block, and its product, to orthonormal Ritz vectors in place; their values, largest first."""
    gram, inner = _products(x, x, is_complex), _products(x, hx, is_complex)
    scale = 1 / np.sqrt(np.maximum(np.real(np.diag(gram)), 1e-300))
    gram, inner = (scale[:, None] * each * scale for each in (gram, inner))
    size, basis = np.linalg.eigh(gram)
    basis = basis / np.sqrt(np.maximum(size, 1e-9))
    small = basis.conj().T @ inner @ basis
    values, turned = np.linalg.eigh((small + small.conj().T) / 2)
    change = (scale[:, None] * (basis @ turned))[:, ::-1]
    for block in (x, hx):
        _rotate(block, change, is_complex)
    return values[::-1]


def _products(x: np.ndarray, y: np.ndarray, is_complex: bool) -> np.ndarray:
    """xᴴ y, summed in float64 over pieces of rows."""
    parts = in_order(lambda begin, end: (x[begin:end].T @ y[begin:end]).astype(np.float64), len(x), ROWS)
    whole = np.sum(parts, axis=0)
    if not is_complex:
        return whole
    half = len(whole) // 2
    real = whole[:half, :half] + whole[half:, half:]
    return real + 1j * (whole[:half, half:] - whole[half:, :half])


def _rotate(x: np.ndarray, change: np.ndarray, is_complex: bool) -> None:
    """X ← x · change, in place."""
    if is_complex:
        real, imag = np.real(change), np.imag(change)
        change = np.block([[real, imag], [-imag, real]])
    matrix = np.ascontiguousarray(change, np.float32)

    def work(begin: int, end: int) -> None:
        x[begin:end] = x[begin:end] @ matrix

    in_order(work, len(x), ROWS)


def _residuals(x: np.ndarray, hx: np.ndarray, values: np.ndarray, is_complex: bool) -> np.ndarray:
    both = np.concatenate([values, values]) if is_complex else values
    shift = both.astype(np.float32)

    def work(begin: int, end: int) -> np.ndarray:
        left = hx[begin:end] - shift * x[begin:end]
        return np.einsum("nk,nk->k", left, left, dtype=np.float64)

    total = np.sum(in_order(work, len(x), ROWS), axis=0)
    return np.sqrt(total[: len(values)] + total[len(values) :] if is_complex else total)
