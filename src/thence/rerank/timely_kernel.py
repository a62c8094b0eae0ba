"""What stands together in groups (baskets, customers), summed for a source's candidates alone, compiled.

For a source i and its candidates j, with b over the groups that hold i,

    value_k(i, j) = Σ_{b ∋ i, j} left_k(b, i) · right_k(b, j) .

Each source touches every line of its groups once; no table of all pairs is ever made.
"""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def together(
    sources: np.ndarray,
    ptr: np.ndarray,
    nodes: np.ndarray,
    lines: tuple,
    groups: tuple,
    seen: np.ndarray,
) -> np.ndarray:
    """Sums at candidates.

    Args:
        sources: ``[B]`` nodes.
        ptr: ``[B + 1]`` where each source's candidates begin.
        nodes: ``[ptr[B]]`` candidates.
        lines: ``indptr`` [G + 1], ``node`` [L] and ``right`` [L, K]: the lines of each group.
        groups: ``indptr`` [n + 1], ``group`` [L] and ``left`` [L, K]: the groups of each node.
        seen: ``[n, K]`` float32 zeros; zeros again afterwards.

    Returns:
        ``[ptr[B], K]`` float32.

    Example:
        >>> one = np.ones((3, 1), np.float32)  # baskets {0, 1} and {1}
        >>> lines = np.array([0, 2, 3]), np.array([0, 1, 1]), one
        >>> groups = np.array([0, 1, 3]), np.array([0, 0, 1]), one
        >>> at = np.array([1]), np.array([0, 1]), np.array([0], np.int32)
        >>> together(*at, lines, groups, np.zeros((2, 1), np.float32)).tolist()
        [[1.0]]
    """
    begin, node, right = lines
    first, group, left = groups
    out = np.zeros((len(nodes), right.shape[1]), np.float32)
    for row in range(len(sources)):
        for g in range(first[sources[row]], first[sources[row] + 1]):
            for line in range(begin[group[g]], begin[group[g] + 1]):
                for k in range(right.shape[1]):
                    seen[node[line], k] += left[g, k] * right[line, k]
        for at in range(ptr[row], ptr[row + 1]):
            for k in range(right.shape[1]):
                out[at, k] = seen[nodes[at], k]
        for g in range(first[sources[row]], first[sources[row] + 1]):
            for line in range(begin[group[g]], begin[group[g] + 1]):
                for k in range(right.shape[1]):
                    seen[node[line], k] = 0.0
    return out
