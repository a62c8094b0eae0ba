"""The arcs among some nodes, tree by tree."""

from __future__ import annotations

import numba
import numpy as np

from thence.graph.sample.kernel.prefetch import prefetch
from thence.graph.sample.kernel.relabel import EMPTY, slot_of
from thence.graph.search_kernel import first_from

AHEAD = 4
THIN, SMALL = 8, 4096
"""Slots a node in the tables of trees of fewer than ``SMALL`` nodes: most look-ups end at the first."""
LONG = 4
"""A row of more than so many entries a node of the tree is searched."""


@numba.njit(cache=True, nogil=True)
def _enter(nodes: np.ndarray, member: np.ndarray, table: np.ndarray) -> int:
    """Put some nodes into an emptied part of the table, thinly where it stays small; its size less one."""
    capacity, room = 2, len(member) * (THIN if len(member) < SMALL else 2)
    while capacity < room:
        capacity *= 2
    mask = capacity - 1
    table[:capacity] = EMPTY
    for own in member:
        slot = slot_of(nodes[own], mask)
        while table[slot] != EMPTY:
            slot = (slot + 1) & mask
        table[slot] = own
    return mask


@numba.njit(cache=True, nogil=True)
def arcs_among(
    side: tuple[np.ndarray, np.ndarray],
    nodes: np.ndarray,
    member: np.ndarray,
    bounds: np.ndarray,
    table: np.ndarray,
    ascend: bool,
    arcs: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> int:
    """Every entry that leads from a node of a tree to a node of the same tree.

    A tree's nodes go into a table, and each row is looked up in it entry by entry; a row that is very long for
    its tree is searched for the tree's nodes instead.

    Args:
        side: ``indptr`` and ``neighbors``.
        nodes: ``[n]`` int64.
        member: ``[n]`` int64, local ints tree by tree; in a tree by node.
        bounds: ``[trees + 1]`` int64, where each tree's members begin.
        table: int32, room for ``THIN`` slots a node of the largest tree, and as many again.
        ascend: rows ascend, each neighbour once.
        arcs: ``row``, ``column`` and ``entry``, int64, filled.

    Returns:
        How many arcs there are.
    """
    indptr, neighbors = side
    row, column, entry = arcs
    end, last = 0, len(member) - 1
    for tree in range(len(bounds) - 1):
        low, high = bounds[tree], bounds[tree + 1]
        mask = _enter(nodes, member[low:high], table)
        for j in range(low, high):
            prefetch(neighbors, indptr[nodes[member[min(j + AHEAD, last)]]])
            own = member[j]
            begin, stop = indptr[nodes[own]], indptr[nodes[own] + 1]
            if ascend and stop - begin > LONG * (high - low):
                for other in range(low, high):
                    name = nodes[member[other]]
                    left = first_from(neighbors, name, begin, stop)
                    if left < stop and neighbors[left] == name:
                        row[end], column[end], entry[end] = own, member[other], left
                        end += 1
                        begin = left + 1
                continue
            for e in range(begin, stop):
                slot = slot_of(neighbors[e], mask)
                while table[slot] != EMPTY:
                    if nodes[table[slot]] == neighbors[e]:
                        row[end], column[end], entry[end] = own, table[slot], e
                        end += 1
                        break
                    slot = (slot + 1) & mask
    return end
