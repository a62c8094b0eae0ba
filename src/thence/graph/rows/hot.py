"""The rows that are asked for most, held in memory, and where each of them is.

The set is chosen once, by use. It was measured against caches that follow what is asked for (see docs/rows.md):
on the skewed look-ups of neighbour sampling a fixed set by in-degree finds as much as they do or more, needs no
lock and no bookkeeping, and gives the same time for the same look-up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thence.base.mapped import release
from thence.graph.rows.gather import fill

STEP = 1 << 14
"""Rows that are read at a time; their pages leave memory before the next."""


@dataclass(frozen=True, eq=False)
class Hot:
    """Some rows of a matrix.

    Args:
        matrix: ``[k, dim]``, the rows.
        scale: ``[k]`` float32 or None.
        place: ``[n]`` int32, where in ``matrix`` a node's row is; -1 where it is not. None: all are, in order.
    """

    matrix: np.ndarray
    scale: np.ndarray | None
    place: np.ndarray | None

    @property
    def nbytes(self) -> int:
        """The memory of all three."""
        return sum(part.nbytes for part in (self.matrix, self.scale, self.place) if part is not None)

    def places(self, nodes: np.ndarray) -> np.ndarray:
        """``[b]`` int64: where each node's row is, or -1."""
        return nodes if self.place is None else self.place[nodes].astype(np.int64)


def hold(matrix: np.ndarray, scale: np.ndarray | None, order: np.ndarray, most: int) -> Hot | None:
    """As many rows as ``most`` bytes allow, the first of ``order`` first; None when that is none.

    Args:
        matrix: ``[n, dim]``.
        scale: ``[n]`` float32 or None.
        order: ``[n]`` ints, each node once.
        most: bytes, what tells where a row is included.

    Example:
        >>> matrix = np.arange(8, dtype=np.float32).reshape(4, 2)
        >>> hot = hold(matrix, None, np.array([2, 0, 1, 3]), most=24)
        >>> hot.matrix.tolist(), hot.place.tolist(), hot.nbytes
        ([[4.0, 5.0]], [-1, -1, 0, -1], 24)
    """
    one = matrix.shape[1] * matrix.itemsize + (0 if scale is None else scale.itemsize)
    if one * len(matrix) <= most:
        return Hot(np.array(matrix), None if scale is None else np.array(scale), None)
    count = (most - 4 * len(matrix)) // one
    if count < 1:
        return None
    chosen = np.asarray(order[:count], np.int64)
    rows, into = np.empty((count, matrix.shape[1]), matrix.dtype), np.argsort(chosen)
    for start in range(0, count, STEP):
        part = into[start : start + STEP]
        fill(matrix, None, (chosen[part], part), rows)
        release(matrix)
    place = np.full(len(matrix), -1, np.int32)
    place[chosen] = np.arange(count, dtype=np.int32)
    return Hot(rows, None if scale is None else scale[chosen], place)
