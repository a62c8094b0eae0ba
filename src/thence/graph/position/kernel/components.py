"""Connected components of a symmetric matrix."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def label_components(indptr: np.ndarray, neighbors: np.ndarray, weight: np.ndarray, label: np.ndarray) -> int:
    """``label[i]``: the component of i, numbered by their first nodes; how many there are.

    Args:
        indptr: ``[n + 1]`` int.
        neighbors: ``[entries]`` int; every entry has its mirror image.
        weight: ``[entries]``; entries of 0 join nothing.
        label: ``[n]`` int32, overwritten.
    """
    label[:] = -1
    queue, count = np.empty(len(label), np.int32), 0
    for start in range(len(label)):
        if label[start] >= 0:
            continue
        queue[0], label[start] = start, count
        read, written = 0, 1
        while read < written:
            i = queue[read]
            read += 1
            for e in range(indptr[i], indptr[i + 1]):
                j = neighbors[e]
                if label[j] < 0 and weight[e] != 0:
                    label[j] = count
                    queue[written] = j
                    written += 1
        count += 1
    return count
