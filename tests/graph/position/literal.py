"""The positions once more, dense and in float64, straight from their definitions."""

from __future__ import annotations

import numpy as np

from thence.graph import Arcs


def adjacency(arcs: Arcs, weighted: bool = False) -> np.ndarray:
    found = np.zeros((arcs.num_nodes, arcs.num_nodes))
    source, target = arcs.pairs
    found[source, target] = arcs.weight if weighted else 1.0
    return found


def by_rows(matrix: np.ndarray) -> np.ndarray:
    total = matrix.sum(axis=1, keepdims=True)
    return np.divide(matrix, total, out=np.zeros_like(matrix), where=total > 0)


def walks(arcs: Arcs, weighted: bool = False) -> tuple[np.ndarray, np.ndarray]:
    matrix = adjacency(arcs, weighted)
    return by_rows(matrix), by_rows(matrix.T)


def symmetric(arcs: Arcs, weighted: bool = False) -> np.ndarray:
    """D^-½ S D^-½."""
    matrix = adjacency(arcs, weighted)
    both = np.maximum(matrix, matrix.T)
    degree = both.sum(axis=1)
    root = np.divide(1.0, np.sqrt(degree), out=np.zeros_like(degree), where=degree > 0)
    return root[:, None] * both * root


def magnetic_laplacian(arcs: Arcs, q: float, weighted: bool = False) -> np.ndarray:
    exists = adjacency(arcs)
    identity = np.diag((symmetric(arcs).sum(axis=1) > 0).astype(float))
    return identity - symmetric(arcs, weighted) * np.exp(2j * np.pi * q * (exists - exists.T))


def diagonals(matrix: np.ndarray, steps: range) -> np.ndarray:
    return np.stack([np.diag(np.linalg.matrix_power(matrix, k)) for k in steps], axis=1)


def flow(raw: np.ndarray) -> np.ndarray:
    return raw / np.sqrt(1 + np.abs(raw))


def spectral(
    laplacian: np.ndarray, arcs: Arcs, k: int, skip: int, weighted: bool = False
) -> tuple[np.ndarray, ...]:
    """Size, out and in of a connected graph by projectors, one eigenvalue group after another."""
    values, vectors = np.linalg.eigh(laplacian)
    values, vectors, n = values[skip:], vectors[:, skip:], len(laplacian)
    out, into = walks(arcs, weighted)
    parts = np.zeros((n, k)), np.zeros((n, k), complex), np.zeros((n, k), complex)
    for column in range(min(k, len(values))):
        group = np.abs(values - values[column]) < 1e-7
        projector = vectors[:, group] @ vectors[:, group].conj().T / group.sum()
        parts[0][:, column] = np.sqrt(n * np.diag(projector).real)
        parts[1][:, column] = flow(n * np.sum(out * projector.T, axis=1))
        parts[2][:, column] = flow(n * np.sum(into * projector.T, axis=1).conj())
    return parts


def hops(arcs: Arcs) -> np.ndarray:
    """Fewest arcs from i to j, infinite where there is no way."""
    found = np.where(np.eye(arcs.num_nodes, dtype=bool), 0.0, np.inf)
    for source, target in arcs.pairs.T:
        found[source, target] = 1
    for middle in range(arcs.num_nodes):
        found = np.minimum(found, found[:, middle, None] + found[None, middle])
    return found
