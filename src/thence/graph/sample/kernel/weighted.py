"""Drawing entries by weight, without replacement, with the chance that each had.

Every entry of a row gets an arrival time, exponential with its weight as the rate; the first k to arrive are
drawn. That is drawing one after another by weight among those left (Efraimidis & Spirakis 2006). With τ the
(k + 1)-th arrival, an entry of weight w stands among the drawn with chance 1 - exp(-w τ) given all other
arrivals, so 1 over it scales sums to unbiased estimates (rank conditioning: Cohen & Kaplan, "Summarizing data
using bottom-k sketches", PODC 2007).

A long row is not read: its first arrivals are those of one Poisson process of the row's total rate, each of
which belongs to an entry with chance by weight; repeats are passed over. When too many come, the rest is drawn
the short way, from that moment on: exponential times have no memory.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from thence.graph.sample.kernel.hash import GOLDEN, fold, mix, unit
from thence.graph.sample.kernel.prefetch import prefetch

SHORT = 24
"""Rows of at most this many entries are read whole."""

AHEAD, FLOATS, DOUBLES, TINY = 6, 16, 8, 1e-250


@numba.njit(cache=True, nogil=True)
def accumulate(indptr: np.ndarray, weight: np.ndarray, total: np.ndarray) -> None:
    """``total[e]`` float64: the sum of the weights of e's row up to and including e."""
    for node in range(len(indptr) - 1):
        running = 0.0
        for e in range(indptr[node], indptr[node + 1]):
            running += weight[e]
            total[e] = running


@numba.njit(cache=True, nogil=True)
def draw_weighted(
    begin: np.ndarray,
    length: np.ndarray,
    word: np.ndarray,
    key: np.uint64,
    most: int,
    weight: np.ndarray,
    total: np.ndarray,
    drawn: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> int:
    """At most ``most`` entries of each row by weight; entries of weight 0 are never drawn.

    Args:
        begin: ``[n]`` int64, each row's first entry.
        length: ``[n]`` int64.
        word: ``[n]`` int64, what each row's draw depends on beside the key.
        key: of this draw.
        most: k.
        weight: ``[num_entries]`` float32.
        total: ``[num_entries]`` float64, see ``accumulate``; may be empty when every row is short.
        drawn: ``count [n]``, ``entry [e]`` and ``scale [e]`` float32, filled.

    Returns:
        How many entries were drawn in all.
    """
    count, entry, scale = drawn
    arrival, place = np.empty(most + 1), np.empty(most + 1, np.int64)
    end = 0
    last = len(begin) - 1
    for i in range(len(begin)):
        soon = min(i + AHEAD, last)
        if length[soon] <= SHORT:
            for e in range(0, length[soon], FLOATS):
                prefetch(weight, begin[soon] + e)
        else:
            step = max(length[soon] // 16, DOUBLES)
            for e in range(step >> 1, length[soon], step):
                prefetch(total, begin[soon] + e)
        stream = fold(key, word[i])
        if length[i] <= most:
            num = 0
            for e in range(begin[i], begin[i] + length[i]):
                if weight[e] > 0.0:
                    place[num] = e
                    num += 1
        elif length[i] <= SHORT:
            num = _read(begin[i], length[i], stream, weight, 0.0, 0, arrival, place)
        else:
            num = _leap(begin[i], length[i], stream, weight, total, arrival, place)
        kept = min(num, most)
        for j in range(kept):
            entry[end + j] = place[j]
            chance = 1.0 if num <= most else -math.expm1(-weight[place[j]] * arrival[most])
            scale[end + j] = 1.0 / max(chance, 1e-30)
        end += kept
        count[i] = kept
    return end


@numba.njit(cache=True, nogil=True)
def _read(
    begin: int,
    length: int,
    stream: np.uint64,
    weight: np.ndarray,
    since: float,
    num: int,
    arrival: np.ndarray,
    place: np.ndarray,
) -> int:
    """Arrivals of a whole row after ``since``, beside the ``num`` that came before; the first ones are kept."""
    before = num
    for e in range(begin, begin + length):
        rate = weight[e]
        if rate <= 0.0 or _among(e, place, before):
            continue
        when = since - math.log(unit(mix(stream + np.uint64(e - begin) * GOLDEN))) / rate
        if num == len(arrival):
            if when >= arrival[num - 1]:
                continue
            num -= 1
        at = num
        while at > 0 and arrival[at - 1] > when:
            arrival[at], place[at] = arrival[at - 1], place[at - 1]
            at -= 1
        arrival[at], place[at] = when, e
        num += 1
    return num


@numba.njit(cache=True, nogil=True)
def _leap(
    begin: int,
    length: int,
    stream: np.uint64,
    weight: np.ndarray,
    total: np.ndarray,
    arrival: np.ndarray,
    place: np.ndarray,
) -> int:
    """First arrivals of a long row, without reading it unless repeats abound."""
    rate, num, spent = total[begin + length - 1], 0, 1.0
    if rate <= 0.0:
        return 0
    stream = mix(stream)
    for turn in range(4 * len(arrival) + 16):
        spent *= unit(mix(stream + np.uint64(2 * turn) * GOLDEN))  # gaps are -log(u) / rate: one log for all
        level = unit(mix(stream + np.uint64(2 * turn + 1) * GOLDEN)) * rate
        low, left = begin, length
        while left > 1:  # the first entry whose running total is above the level, without a branch
            half = left >> 1
            low += half * (total[low + half - 1] <= level)
            left -= half
        if weight[low] <= 0.0 or _among(low, place, num):
            continue
        arrival[num], place[num] = 0.0, low
        num += 1
        if num == len(arrival) or spent < TINY:
            break
    when = -math.log(spent) / rate
    if num == len(arrival):
        arrival[num - 1] = when
        return num
    return _read(begin, length, mix(stream), weight, when, num, arrival, place)


@numba.njit(cache=True, nogil=True, inline="always")
def _among(entry: int, place: np.ndarray, num: int) -> bool:
    found = False
    for j in range(num):
        found |= place[j] == entry
    return found
