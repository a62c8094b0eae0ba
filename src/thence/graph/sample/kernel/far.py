"""What walks from a node visit most beyond its neighbours."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def most_visited(
    walks: np.ndarray,
    num_walks: int,
    side: tuple[np.ndarray, np.ndarray],
    radius: np.ndarray,
    need: np.ndarray,
    near: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> int:
    """The most visited nodes of each row that are neither its start nor one of its neighbours.

    Args:
        walks: ``[n · num_walks, steps + 1]`` int32, walks from each row's node, which may jump back to it; -1
            after the end of one.
        num_walks: of each row.
        side: ``indptr`` and ``neighbors``.
        radius: ``[n]`` int64, steps from the start up to which visits count.
        need: ``[n]`` int64, how many nodes are wanted.
        near: ``count [n]``, ``found`` int64 and ``share`` float32, filled: each row's nodes, most visited first
            (of equals the one met first), and their visits over those of all the row's nodes that are given.

    Returns:
        How many nodes were found in all.
    """
    indptr, neighbors = side
    count, found, share = near
    steps = walks.shape[1] - 1
    name, visits = np.empty(num_walks * steps, np.int64), np.empty(num_walks * steps, np.int64)
    end = 0
    for i in range(len(need)):
        own = walks[i * num_walks : (i + 1) * num_walks]
        begin, stop = indptr[own[0, 0]], indptr[own[0, 0] + 1]
        num = _tally(own, neighbors[begin:stop], radius[i], name, visits)
        kept, total = min(num, need[i]), 0.0
        for j in range(kept):
            best = 0
            for at in range(1, num):
                if visits[at] > visits[best]:
                    best = at
            found[end + j], share[end + j] = name[best], visits[best]
            total += visits[best]
            visits[best] = 0
        for j in range(kept):
            share[end + j] /= total
        count[i] = kept
        end += kept
    return end


@numba.njit(cache=True, nogil=True)
def _tally(walks: np.ndarray, near: np.ndarray, radius: int, name: np.ndarray, visits: np.ndarray) -> int:
    """How often walks from one node visit each node beyond its neighbours; how many such nodes there are."""
    start, num = walks[0, 0], 0
    for walk in range(len(walks)):
        away = 0
        for step in range(1, walks.shape[1]):
            node = walks[walk, step]
            if node < 0:
                break
            away = 0 if node == start else away + 1
            if away < 2 or away > radius:
                continue
            fresh = True
            for neighbor in near:
                fresh &= neighbor != node
            if not fresh:
                continue
            at = 0
            while at < num and name[at] != node:
                at += 1
            if at == num:
                name[num], visits[num] = node, 0
                num += 1
            visits[at] += 1
    return num
