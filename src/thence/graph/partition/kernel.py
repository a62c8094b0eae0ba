"""One pass of a streaming partitioner: nodes come one by one, each goes where most of its neighbours are."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def stream_pass(
    order: np.ndarray,
    out: tuple[np.ndarray, np.ndarray],
    into: tuple[np.ndarray, np.ndarray],
    load: np.ndarray,
    part: np.ndarray,
    capacity: float,
    alpha: float,
    filled: np.ndarray,
) -> None:
    """Place every node; ``part`` and ``filled`` are changed in place.

    A neighbour that this pass has not placed yet counts where the pass before had it. Each arc to or from
    the node counts one. Ties go to the emptier part, then to the smaller int.

    Args:
        order: ``[num_nodes]`` int64, in which nodes come.
        out: rows of targets: ``indptr`` and ``targets``.
        into: rows of sources.
        load: ``[num_nodes]`` float64, what each node adds to its part.
        part: ``[num_nodes]`` int32, of the pass before; -1 for none.
        capacity: no part takes more load, unless a node fits nowhere: it then goes to the emptiest.
        alpha: 0 for LDG; else Fennel's α, at γ = 3/2.
        filled: ``[num_parts]`` float64 zeros; becomes the load of each part.
    """
    seen = np.zeros(len(filled), np.float64)
    for node in order:
        seen[:] = 0.0
        for at in range(out[0][node], out[0][node + 1]):
            if part[out[1][at]] >= 0:
                seen[part[out[1][at]]] += 1.0
        for at in range(into[0][node], into[0][node + 1]):
            if part[into[1][at]] >= 0:
                seen[part[into[1][at]]] += 1.0
        best, top = -1, 0.0
        for p in range(len(filled)):
            room = capacity - filled[p]
            if load[node] > room:
                continue
            gain = seen[p] * room / capacity if alpha == 0.0 else seen[p] - alpha * 1.5 * np.sqrt(filled[p])
            if best < 0 or gain > top or (gain == top and filled[p] < filled[best]):
                best, top = p, gain
        if best < 0:
            best = np.argmin(filled)
        part[node] = best
        filled[best] += load[node]
