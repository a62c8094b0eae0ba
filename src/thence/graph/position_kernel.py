"""The compiled search for arcs: where each of many ordered pairs stands, by halving its source's row."""

from __future__ import annotations

import numpy as np
from numba import njit

from thence.graph.search_kernel import first_from


@njit(cache=True, nogil=True)
def positions(
    indptr: np.ndarray, targets: np.ndarray, source: np.ndarray, target: np.ndarray, found: np.ndarray
) -> None:
    """Write the out-order position of each pair into ``found``, -1 where there is no such arc.

    Args:
        indptr: ``[num_nodes + 1]`` where each source's targets begin.
        targets: ``[num_arcs]`` ascending inside a row.
        source: ``[n]`` node ints; one that does not exist has no arcs.
        target: ``[n]`` node ints.
        found: ``[n]`` int64, overwritten.
    """
    num_nodes = len(indptr) - 1
    for i in range(len(source)):
        node, wanted = source[i], target[i]
        found[i] = -1
        if node < 0 or node >= num_nodes:
            continue
        end = np.int64(indptr[node + 1])
        at = first_from(targets, wanted, np.int64(indptr[node]), end)
        if at < end and targets[at] == wanted:
            found[i] = at
