"""What of eigenvectors does not change with the choice of a basis.

An eigenvector may be multiplied by any number of modulus 1 (a sign, where it is real), and where eigenvalues
coincide, any rotation of their vectors will do. With the projector Π = Σ v vᴴ over a group of m equal
eigenvalues

    size    √(n Π_ii / m)
    out     f(n Σ_j (P_out)_ij Π_ji / m)        how v goes on along the arcs that leave i
    in      f(n conj(Σ_j (P_in)_ij Π_ji) / m)   the same along the arcs that arrive

with f(z) = z / √(1 + |z|), which keeps the angle and brings large values down to the scale of the size,
depend on the group alone. For the magnetic Laplacian the angle of ``out`` is how far the phase moves along an
arc: by -2πq where nothing else interferes. Turning all arcs round conjugates the vectors, which swaps ``out``
and ``in``. Eigenvalues closer than the tolerance are one group: a solver does not tell their vectors apart.

References:
    Lim et al., "Sign and basis invariant networks for spectral graph representation learning", ICLR 2023 (arXiv
    2202.13013); Huang et al., "On the stability of expressive positional encodings for graphs", ICLR 2024
    (arXiv 2310.02579), on groups and gaps.
"""

from __future__ import annotations

import numpy as np

Moved = tuple[np.ndarray, np.ndarray, np.ndarray]


def statistics(values: np.ndarray, moved: Moved, k: int, tolerance: float, nodes: int | None = None) -> Moved:
    """Size, out and in of the first ``k`` eigenvectors of some graphs of one size.

    Args:
        values: ``[graphs, found]`` eigenvalues in order, at least ``k``.
        moved: V, P_out V and P_in V, each ``[graphs, nodes, found]``, columns of V orthonormal.
        k: how many columns to return.
        tolerance: values that are closer than this to the one before them belong to its group.
        nodes: of a graph, where the arrays hold some of its rows.

    Returns:
        Three arrays ``[graphs, nodes, k]`` of size, out and in; the latter are complex where V is.
    """
    v, along, against = moved
    nodes = nodes or v.shape[1]
    square = np.real(v) ** 2 + np.imag(v) ** 2
    mean = _mean_of_groups(values, tolerance)[:, :, :k].astype(square.dtype)
    out = (v.conj() * along) @ mean * nodes
    into = (v * against.conj()) @ mean * nodes
    return np.sqrt(square @ mean * nodes), _damped(out), _damped(into)


def _damped(flow: np.ndarray) -> np.ndarray:
    """The same angle, and the root of the length where that is large, as the size is one."""
    return flow / np.sqrt(1 + np.abs(flow))


def groups(values: np.ndarray, tolerance: float) -> np.ndarray:
    """``[graphs, found]`` int: the group of each eigenvalue.

    Example:
        >>> groups(np.array([[1.0, 0.5, 0.5, 0.2]]), 1e-6).tolist()
        [[0, 1, 1, 2]]
    """
    apart = np.abs(np.diff(values, axis=1)) > tolerance
    return np.concatenate([np.zeros((len(values), 1), int), np.cumsum(apart, axis=1)], axis=1)


def _mean_of_groups(values: np.ndarray, tolerance: float) -> np.ndarray:
    """``[graphs, found, found]``: the matrix that puts in each column the mean over its group."""
    number = groups(values, tolerance)
    same = number[:, :, None] == number[:, None, :]
    return same / same.sum(axis=1, keepdims=True)


def canonical(vectors: np.ndarray) -> np.ndarray:
    """The same vectors ``[..., nodes, k]``, each times the number of modulus 1 that makes Σ v |v|² positive.

    Where that sum vanishes the entry of the largest modulus becomes positive; which one that is may hang on the
    order of the nodes.

    Example:
        >>> canonical(np.array([[1.0], [-3.0]])).ravel().tolist()
        [-1.0, 3.0]
    """
    size = np.abs(vectors)
    total = (vectors * size**2).sum(axis=-2, keepdims=True)
    at = size.argmax(axis=-2)[..., None, :]
    largest = np.take_along_axis(vectors, at, axis=-2)
    total = np.where(np.abs(total) > 1e-4 * (size**3).sum(axis=-2, keepdims=True), total, largest)
    length = np.abs(total)
    return vectors * (np.divide(total, length, out=np.ones_like(total), where=length > 0)).conj()
