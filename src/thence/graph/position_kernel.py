"""The compiled search for arcs: where each of many ordered pairs stands, by halving its source's row."""

from __future__ import annotations

import numpy as np
from numba import njit


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
        low, high = np.int64(indptr[node]), np.int64(indptr[node + 1])
        end = high
        while low < high:
            middle = (low + high) >> 1
            if targets[middle] < wanted:
                low = middle + 1
            else:
                high = middle
        if low < end and targets[low] == wanted:
            found[i] = low
