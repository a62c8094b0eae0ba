"""The compiled check of a large relation: every row of both sides, in one pass over each array.

The out-side is sound when each row ascends and holds nodes that exist. The in-side lists the same arcs when
each of its entries (s at target j, with position p) satisfies targets[p] = j and indptr[s] ≤ p < indptr[s + 1]:
inside a row the sources ascend, so no position occurs twice, and both sides have as many entries.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from thence.graph.arcs import Arcs

FAULTS = (
    "",
    "targets are out of range",
    "targets do not ascend inside a row",
    "a node has an arc to itself",
    "sources are out of range",
    "sources do not ascend inside a row",
    "in_order is out of range",
    "the sources of a node are not those whose targets it is",
)
CHUNKS = 64


def first_fault(arcs: Arcs) -> str:
    """What is wrong with the rows of a relation, empty when nothing is; threads share the work.

    Args:
        arcs: its shapes, types and rows are sound: offsets begin at 0, never fall and end at ``num_arcs``.

    Example:
        >>> from thence.graph.arcs import Arcs
        >>> first_fault(Arcs.from_pairs([0, 0], [1, 2], num_nodes=3))
        ''
    """
    fields = (arcs.indptr, arcs.targets, arcs.in_indptr, arcs.sources, arcs.in_order)
    rows: Callable[[int, int], int] = partial(_fault, *map(np.asarray, fields))
    bounds = np.unique(np.concatenate([_shares(arcs.indptr), _shares(arcs.in_indptr)])).tolist()
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        found = list(pool.map(rows, bounds[:-1], bounds[1:]))
        return FAULTS[min(filter(None, found), default=0)]


def _shares(indptr: np.ndarray) -> np.ndarray:
    """Nodes at which a side of a relation falls into pieces of about equal size."""
    ends = np.linspace(0, int(indptr[-1]), CHUNKS + 1).astype(indptr.dtype)
    return np.concatenate([[0], np.searchsorted(indptr, ends[1:-1]), [len(indptr) - 1]])


@njit(cache=True, nogil=True)
def _fault(indptr, targets, in_indptr, sources, in_order, first, last):
    """The number of the first fault in the rows first … last - 1, 0 when there is none."""
    num_nodes, num_arcs = len(indptr) - 1, len(targets)
    for node in range(first, last):
        before = -1
        for at in range(indptr[node], indptr[node + 1]):
            target = targets[at]
            if target < 0 or target >= num_nodes:
                return 1
            if target <= before:
                return 2
            if target == node:
                return 3
            before = target
        before = -1
        for at in range(in_indptr[node], in_indptr[node + 1]):
            source, place = sources[at], in_order[at]
            if source < 0 or source >= num_nodes:
                return 4
            if source <= before:
                return 5
            if place < 0 or place >= num_arcs:
                return 6
            if targets[place] != node or place < indptr[source] or place >= indptr[source + 1]:
                return 7
            before = source
    return 0
