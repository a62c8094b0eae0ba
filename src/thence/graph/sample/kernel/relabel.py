"""From graph-wide ints to local ones, through a hash table that fits the sample and not the graph."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from thence.graph.sample.kernel.hash import GOLDEN
from thence.graph.sample.kernel.prefetch import prefetch

AHEAD = 16
EMPTY = -1
_HIGH = np.uint64(32)


@numba.njit(cache=True, nogil=True, inline="always")
def slot_of(name: Any, mask: int) -> Any:
    """Where a name's search begins (Fibonacci hashing)."""
    return np.int64((np.uint64(name) * GOLDEN) >> _HIGH) & mask


@numba.njit(cache=True, nogil=True)
def relabel(names: np.ndarray, table: np.ndarray, known: np.ndarray, num_known: int, local: np.ndarray) -> int:
    """Local ints of names; new names are added in the order in which they come.

    Args:
        names: ``[e]`` int64, not negative.
        table: ``[capacity]`` int32, a power of two and at least twice as many as there will be names: the local
            int of the name in that slot, or ``EMPTY``.
        known: int64 names in the order of their local ints, with room for the new ones.
        num_known: how many there are.
        local: ``[e]`` int64, filled.

    Returns:
        How many names are known now.
    """
    mask, last = len(table) - 1, len(names) - 1
    for i in range(len(names)):
        prefetch(table, slot_of(names[min(i + AHEAD, last)], mask))
        name = names[i]
        slot = slot_of(name, mask)
        while True:
            place = table[slot]
            if place == EMPTY:
                place = table[slot] = num_known
                known[num_known] = name
                num_known += 1
                break
            if known[place] == name:
                break
            slot = (slot + 1) & mask
        local[i] = place
    return num_known
