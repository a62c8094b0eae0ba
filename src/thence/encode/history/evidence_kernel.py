"""The compiled loops that gather candidates and what is known of each."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def merge(tops: np.ndarray, width: int, num_items: int) -> np.ndarray:
    """``[B, width]`` int64: distinct nodes of each row of ``tops`` ``[B, M]``, first met first, -1 behind."""
    merged = np.full((tops.shape[0], width), -1, np.int64)
    seen = np.full(num_items, -1, np.int64)
    for row in range(tops.shape[0]):
        held = 0
        for at in range(tops.shape[1]):
            node = tops[row, at]
            if node >= 0 and seen[node] != row and held < width:
                seen[node] = row
                merged[row, held] = node
                held += 1
    return merged


@njit(cache=True, nogil=True)
def best(scores: np.ndarray, k: int) -> np.ndarray:
    """``[B, k]`` int64: each row's best nodes above its least score, best first, ties by node; -1 behind."""
    found = np.full((scores.shape[0], k), -1, np.int64)
    for row in range(scores.shape[0]):
        held, least = 0, scores[row, 0]
        for node in range(scores.shape[1]):
            least = min(least, scores[row, node])
        bar = least
        for node in range(scores.shape[1]):
            x = scores[row, node]
            if x > bar:
                place = held if held < k else k - 1
                while place > 0 and x > scores[row, found[row, place - 1]]:
                    found[row, place] = found[row, place - 1]
                    place -= 1
                found[row, place] = node
                held = min(held + 1, k)
                if held == k:
                    bar = scores[row, found[row, k - 1]]
    return found


@njit(cache=True, nogil=True)
def against_best(scores: np.ndarray, nodes: np.ndarray, logarithm: bool, out: np.ndarray) -> None:
    """Each candidate's score relative to its row's best, and the logarithm of its rank among the candidates.

    Args:
        scores: ``[B, num_items]``.
        nodes: ``[B, C]`` candidates, -1 where there is none.
        logarithm: compare logarithms; for scores of at least 0.
        out: ``[B, C, 2]`` float32, filled; the first number is at least -12.
    """
    for row in range(nodes.shape[0]):
        held = 0
        while held < nodes.shape[1] and nodes[row, held] >= 0:
            held += 1
        values = np.empty(held, np.float64)
        for at in range(held):
            values[at] = scores[row, nodes[row, at]]
        if held == 0:
            continue
        order = np.argsort(-values, kind="mergesort")
        most, rank = values[order[0]], 1
        for i in range(held):
            at = order[i]
            if i == 0 or values[at] < values[order[i - 1]]:
                rank = i + 1
            if not logarithm:
                off = values[at] - most
            elif values[at] > 0:
                off = np.log(values[at]) - np.log(most)
            else:
                off = -12.0
                rank = held
            out[row, at, 0] = max(off, -12.0)
            out[row, at, 1] = np.log(rank)


@njit(cache=True, nogil=True)
def own_past(indptr: np.ndarray, items: np.ndarray, nodes: np.ndarray, out: np.ndarray) -> None:
    """Of each candidate in its own history: is it there, 1 / (1 + steps back), log count, is it the last.

    Args:
        indptr: ``[B + 1]`` offsets of the histories.
        items: their items.
        nodes: ``[B, C]`` candidates, -1 where there is none.
        out: ``[B, C, 4]`` float32, filled.
    """
    for row in range(nodes.shape[0]):
        for at in range(nodes.shape[1]):
            if nodes[row, at] < 0:
                break
            count, back = 0, -1
            for place in range(indptr[row], indptr[row + 1]):
                if items[place] == nodes[row, at]:
                    count += 1
                    back = indptr[row + 1] - 1 - place
            if count:
                out[row, at, 0] = 1.0
                out[row, at, 1] = 1.0 / (1 + back)
                out[row, at, 2] = np.log(count)
                out[row, at, 3] = 1.0 if back == 0 else 0.0
