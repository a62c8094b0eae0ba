"""Where stopping walks end, compiled."""

from __future__ import annotations

import numba
import numpy as np

from thence.graph.sample.kernel.hash import GOLDEN, mix, unit
from thence.graph.search_kernel import first_above


@numba.njit(cache=True, nogil=True)
def ends(
    indptr: np.ndarray,
    neighbors: np.ndarray,
    sums: np.ndarray,
    starts: np.ndarray,
    alpha: float,
    key: np.uint64,
) -> np.ndarray:
    """``[len(starts)]`` int32: where a walk from each start stops, after at least one step.

    After each step a walk stops with chance ``alpha``; at a node without arcs it stops as well. A start without
    arcs gives -1.

    Args:
        indptr: ``[num_nodes + 1]``.
        neighbors: ``[num_arcs]``.
        sums: ``[num_arcs]`` float64, running sums of the weights of each row.
        starts: ``[num_walks]``.
        alpha: above 0.
        key: of the randomness.
    """
    found = np.empty(len(starts), np.int32)
    for at in range(len(starts)):
        node, last = np.int64(starts[at]), np.int64(-1)
        word = mix(key + np.uint64(at) * GOLDEN)
        while indptr[node] < indptr[node + 1]:
            low, end = np.int64(indptr[node]), np.int64(indptr[node + 1])
            word = mix(word)
            drawn = unit(word) * sums[end - 1]
            if not drawn > 0:
                break
            node = np.int64(neighbors[first_above(sums, drawn, low, end - 1)])
            last = node
            word = mix(word)
            if unit(word) < alpha:
                break
        found[at] = last
    return found
