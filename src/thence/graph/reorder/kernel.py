"""One pass of label propagation with a bound on the size of a community."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def label_pass(
    order: np.ndarray,
    indptr: np.ndarray,
    neighbors: np.ndarray,
    weight: np.ndarray,
    size: np.ndarray,
    most: float,
    label: np.ndarray,
    filled: np.ndarray,
) -> int:
    """Every node joins the community that it has the most weight to; ``label`` and ``filled`` change in place.

    A node stays where it is on a tie; among others the community that is met first wins.

    Args:
        order: ``[n]`` int64, in which nodes come.
        indptr: ``[n + 1]``, rows of a symmetric matrix.
        neighbors: ``[entries]``, its columns.
        weight: ``[entries]`` int64.
        size: ``[n]`` int64, how much each node fills.
        most: no community is filled beyond this, but by its first node.
        label: ``[n]`` int64, each node's community, an int below n.
        filled: ``[n]`` int64, how much each community is filled.

    Returns:
        How many nodes moved.
    """
    pull = np.zeros(len(label), np.int64)
    moved = 0
    for node in order:
        begin, end = indptr[node], indptr[node + 1]
        for at in range(begin, end):
            pull[label[neighbors[at]]] += weight[at]
        own = label[node]
        best, top = own, pull[own]
        for at in range(begin, end):
            other = label[neighbors[at]]
            if pull[other] > top and filled[other] + size[node] <= most:
                best, top = other, pull[other]
        for at in range(begin, end):
            pull[label[neighbors[at]]] = 0
        if best != own:
            filled[own] -= size[node]
            filled[best] += size[node]
            label[node] = best
            moved += 1
    return moved
