"""The two inner loops of judging, compiled: where a target stands in a row of scores, and a row's best nodes.

A NaN in a row marks a node that is no candidate.
"""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True)
def _last_at_most(values: np.ndarray, x: float) -> int:
    """How many of the ascending ``values`` are at most ``x``."""
    low, high = 0, len(values)
    while low < high:
        middle = (low + high) // 2
        if values[middle] <= x:
            low = middle + 1
        else:
            high = middle
    return low


@numba.njit(cache=True, parallel=True)
def count_above(scores: np.ndarray, ptr: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each target, how many candidates score more and how many score the same, itself included.

    One pass over a row serves all its targets: each candidate is placed among the row's sorted target scores,
    O(N log T) for N nodes and T targets, without sorting the row.

    Args:
        scores: ``[B, N]`` float, NaN where a node is no candidate.
        ptr: ``[B + 1]`` int64, where each row's targets begin.
        targets: ``[ptr[-1]]`` int64 nodes, each a candidate of its row.

    Returns:
        ``above`` and ``tied``, both ``[ptr[-1]]`` int64.
    """
    above = np.zeros(len(targets), np.int64)
    tied = np.zeros(len(targets), np.int64)
    for row in numba.prange(len(ptr) - 1):
        begin, end = ptr[row], ptr[row + 1]
        values = np.empty(end - begin, scores.dtype)
        for at in range(begin, end):
            values[at - begin] = scores[row, targets[at]]
        values.sort()
        more = np.zeros(end - begin + 1, np.int64)  # more[p]: above values[p - 1], below values[p]
        same = np.zeros(end - begin + 1, np.int64)  # same[p]: equal to values[p - 1], the last of its equals
        for node in range(scores.shape[1]):
            x = scores[row, node]
            if not (x >= values[0]):
                continue
            place = _last_at_most(values, x)
            if values[place - 1] == x:
                same[place] += 1
            else:
                more[place] += 1
        beyond = np.zeros(end - begin + 2, np.int64)
        for place in range(end - begin, 0, -1):
            beyond[place] = beyond[place + 1] + more[place] + same[place]
        for at in range(begin, end):
            place = _last_at_most(values, scores[row, targets[at]])
            tied[at] = same[place]
            above[at] = beyond[place] - same[place]
    return above, tied


@numba.njit(cache=True, parallel=True)
def best_nodes(scores: np.ndarray, k: int) -> np.ndarray:
    """``[B, k]`` int64: each row's best candidates, best first, ties by ascending node.

    Nodes with a score of NaN or ``-inf`` are never listed; a list that is too short is filled up with -1.

    Args:
        scores: ``[B, N]`` float.
        k: length of the lists.
    """
    best = np.full((scores.shape[0], k), -1, np.int64)
    for row in numba.prange(scores.shape[0]):
        held = 0
        for node in range(scores.shape[1]):
            x = scores[row, node]
            if not (x > -np.inf):
                continue
            if held == k and not (x > scores[row, best[row, k - 1]]):
                continue
            place = held if held < k else k - 1
            while place > 0 and x > scores[row, best[row, place - 1]]:
                best[row, place] = best[row, place - 1]
                place -= 1
            best[row, place] = node
            held = min(held + 1, k)
    return best
