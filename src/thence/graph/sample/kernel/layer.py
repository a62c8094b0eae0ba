"""A layer's draw, entry by entry: what the nodes of a frontier think of their neighbours, and what is kept."""

from __future__ import annotations

import numba
import numpy as np

from thence.graph.sample.kernel.prefetch import prefetch

AHEAD = 24


@numba.njit(cache=True, nogil=True)
def add_squares(
    count: np.ndarray, entry: np.ndarray, weight: np.ndarray, local: np.ndarray, total: np.ndarray
) -> None:
    """Add P² to ``total`` at each entry's neighbour, P being its share of its row.

    Args:
        count: ``[n]`` int64, entries of each row.
        entry: ``[e]`` int64, row by row.
        weight: float32 by entry; empty when all weigh the same.
        local: ``[e]`` int64, where each entry's neighbour stands in ``total``.
        total: ``[candidates]`` float64.
    """
    at, last = 0, len(local) - 1
    for i in range(len(count)):
        end = at + count[i]
        if len(weight) == 0:
            square = 1.0 / max(count[i], 1) ** 2
            for e in range(at, end):
                prefetch(total, local[min(e + AHEAD, last)])
                total[local[e]] += square
        else:
            whole = 0.0
            for e in range(at, end):
                whole += weight[entry[e]]
            for e in range(at, end):
                prefetch(total, local[min(e + AHEAD, last)])
                if weight[entry[e]] > 0.0:
                    total[local[e]] += (weight[entry[e]] / whole) ** 2
        at = end


@numba.njit(cache=True, nogil=True)
def keep_drawn(
    count: np.ndarray,
    read: tuple[np.ndarray, np.ndarray, np.ndarray],
    weight: np.ndarray,
    chance: np.ndarray,
    scale: np.ndarray,
) -> int:
    """Keep the entries whose neighbours were drawn, in place.

    Args:
        count: ``[n]`` int64, entries of each row; becomes how many are kept.
        read: ``entry``, ``found`` and ``local``, ``[e]`` int64; the first two are moved to the front.
        weight: float32 by entry, or empty; entries of weight 0 are not kept.
        chance: ``[candidates]`` float64, 0 for what was not drawn.
        scale: ``[e]`` float32, filled.

    Returns:
        How many entries are kept.
    """
    entry, found, local = read
    at, kept, last = 0, 0, len(local) - 1
    for i in range(len(count)):
        end, before = at + count[i], kept
        for e in range(at, end):
            prefetch(chance, local[min(e + AHEAD, last)])
            likely = chance[local[e]]
            if likely > 0.0 and (len(weight) == 0 or weight[entry[e]] > 0.0):
                node = found[e]
                entry[kept], found[kept] = entry[e], node
                scale[kept] = 1.0 / likely
                kept += 1
        at, count[i] = end, kept - before
    return kept
