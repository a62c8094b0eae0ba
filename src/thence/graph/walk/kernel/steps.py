"""The inner loops of walking, compiled."""

from __future__ import annotations

import numba
import numpy as np

from thence.graph.sample.kernel.hash import GOLDEN, below, fold, mix, unit
from thence.graph.sample.kernel.prefetch import prefetch
from thence.graph.search_kernel import first_above


@numba.njit(cache=True, nogil=True)
def running_sums(indptr: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """``[num_entries]`` float64: the sum of a row's weights up to and with each entry."""
    sums = np.empty(len(weight), np.float64)
    for node in range(len(indptr) - 1):
        total = 0.0
        for entry in range(indptr[node], indptr[node + 1]):
            total += weight[entry]
            sums[entry] = total
    return sums


@numba.njit(cache=True, nogil=True)
def _neighbor(side: tuple, node: int, word: np.uint64) -> int:
    """A neighbour of ``node`` chosen by a random word, -1 where there is none."""
    indptr, neighbors, sums = side
    low, end = int(indptr[node]), int(indptr[node + 1])
    if low == end:
        return -1
    if not len(sums):
        return neighbors[low + below(word, end - low)]
    drawn = unit(word) * sums[end - 1]
    if not drawn > 0:
        return -1
    return neighbors[first_above(sums, drawn, low, end - 1)]


@numba.njit(cache=True, nogil=True)
def walk_rows(
    even: tuple,
    odd: tuple,
    seeds: np.ndarray,
    base: np.uint64,
    num_walks: int,
    restart: float,
    walks: np.ndarray,
) -> None:
    """Walk from each seed; all walks advance together, so that the memory serves many at a time.

    Args:
        even: ``indptr``, ``neighbors``, running sums of the weights (empty for ones): the side that the first,
            third, … step after a start reads.
        odd: the side that the second, fourth, … reads.
        seeds: ``[B]`` int64.
        base: the key of seed and step of randomness.
        num_walks: walks a seed.
        restart: the chance to return to the seed instead of a step.
        walks: ``[B · num_walks, length + 1]`` int32, filled.
    """
    rows, positions = walks.shape
    keys, moved = np.empty(rows, np.uint64), np.zeros(rows, np.bool_)
    for row in range(rows):
        walks[row, 0] = seeds[row // num_walks]
        keys[row] = fold(fold(base, seeds[row // num_walks]), row % num_walks)
    for place in range(1, positions):
        for row in range(rows):
            node, following = walks[row, place - 1], np.int64(-1)
            if node >= 0:
                word = keys[row] + np.uint64(2 * place) * GOLDEN
                home = restart > 0 and unit(mix(word + GOLDEN)) < restart
                if not home:
                    following = np.int64(_neighbor(odd if moved[row] else even, node, mix(word)))
                    moved[row] = not moved[row]
                    home = restart > 0 and following < 0
                if home:
                    following, moved[row] = np.int64(walks[row, 0]), False
                if following >= 0:
                    prefetch((odd if moved[row] else even)[0], following)
            walks[row, place] = following
