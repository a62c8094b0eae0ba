"""Drawing entries by one number a node, so that rows which share a neighbour draw it together.

Node t has the number r_t, a hash of the key and t, uniform in (0, 1). With sizes a_e (all equal when none are
given) row s draws entry e with neighbour t

- in the Poisson form if r_t < c_s a_e, where c_s makes the expected draw what was asked for;
- in the exact form if r_t / a_e is among the k smallest of the row. Given all others, that is the case when
  r_t < τ a_e, where τ is the (k + 1)-th smallest (priority sampling: Duffield, Lund, Thorup, "Priority sampling
  for estimation of arbitrary subset sums", J. ACM 2007).
"""

from __future__ import annotations

import numba
import numpy as np

from thence.graph.sample.kernel.hash import fold, unit
from thence.graph.sample.kernel.prefetch import prefetch

AHEAD = 8


@numba.njit(cache=True, nogil=True)
def numbers(key: np.uint64, nodes: np.ndarray, number: np.ndarray) -> None:
    """``number[i]`` float64: r_t of some nodes (int64)."""
    for i in range(len(nodes)):
        number[i] = unit(fold(key, nodes[i]))


@numba.njit(cache=True, nogil=True)
def factor(first: int, length: int, size: np.ndarray, most: int, inverse: bool) -> float:
    """C of one row: chances are min(1, c a).

    Args:
        first: the row's first entry.
        length: of the row.
        size: ``[num_entries]`` float32, a; entries of size 0 are never drawn.
        most: k.
        inverse: c solves Σ 1 / min(1, c a) = length² / k and not Σ min(1, c a) = k.

    Returns:
        c; infinite when all are drawn.
    """
    if most <= 0:
        return 0.0
    total, some, smallest = 0.0, 0, np.inf
    for e in range(first, first + length):
        if size[e] > 0.0:
            total += 1.0 / size[e] if inverse else size[e]
            smallest = min(smallest, size[e])
            some += 1
    if some <= most:
        return 1.0 / smallest if inverse and some > 0 else np.inf
    target = float(some) * some / most if inverse else float(most)
    c, sure = (total / target if inverse else target / total), -1
    for _ in range(some):
        before, sure, rest = sure, 0, 0.0
        for e in range(first, first + length):
            if size[e] * c >= 1.0:
                sure += 1
            elif size[e] > 0.0:
                rest += 1.0 / size[e] if inverse else size[e]
        if sure == before or rest <= 0.0:
            break
        c = rest / (target - sure) if inverse else (target - sure) / rest
    return c


@numba.njit(cache=True, nogil=True)
def factors(begin: np.ndarray, length: np.ndarray, size: np.ndarray, most: int, c: np.ndarray) -> None:
    """``c[i]`` float64 of some rows in the inverse form, see ``factor``."""
    for i in range(len(begin)):
        c[i] = factor(begin[i], length[i], size, most, True)


@numba.njit(cache=True, nogil=True)
def draw_poisson(
    begin: np.ndarray,
    length: np.ndarray,
    neighbors: np.ndarray,
    size: np.ndarray,
    key: np.uint64,
    most: int,
    inverse: bool,
    drawn: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> int:
    """About ``most`` entries of each row: each is drawn or not by its own neighbour's number.

    Args:
        begin: ``[n]`` int64, each row's first entry.
        length: ``[n]`` int64.
        neighbors: ``[num_entries]`` int32.
        size: ``[num_entries]`` float32, or empty when all are of one size.
        key: of this draw.
        most: k, the expected number of a row that has more.
        inverse: see ``factor``.
        drawn: ``count [n]``, ``entry`` and ``scale`` float32 (room for all entries), filled.

    Returns:
        How many entries were drawn in all.
    """
    count, entry, scale = drawn
    end, last, sized = 0, len(begin) - 1, len(size) > 0
    for i in range(len(begin)):
        prefetch(neighbors, begin[min(i + AHEAD, last)])
        before = end
        if sized:
            c = factor(begin[i], length[i], size, most, inverse)
        else:
            c = most / length[i] if length[i] > most else np.inf
        chance = min(1.0, c)
        for e in range(begin[i], begin[i] + length[i]):
            if sized:
                chance = min(1.0, c * size[e]) if size[e] > 0.0 else 0.0
            if chance >= 1.0 or unit(fold(key, neighbors[e])) < chance:
                entry[end] = e
                scale[end] = 1.0 / chance
                end += 1
        count[i] = end - before
    return end


@numba.njit(cache=True, nogil=True)
def draw_smallest(
    begin: np.ndarray,
    length: np.ndarray,
    neighbors: np.ndarray,
    size: np.ndarray,
    key: np.uint64,
    most: int,
    drawn: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> int:
    """The ``most`` entries of each row whose neighbours have the smallest numbers; see ``draw_poisson``.

    With equal sizes every set of k entries is equally likely and a chance is k / length, which needs no τ.
    """
    count, entry, scale = drawn
    rank, place = np.empty(most + 1), np.empty(most + 1, np.int64)
    end, last, sized = 0, len(begin) - 1, len(size) > 0
    for i in range(len(begin)):
        prefetch(neighbors, begin[min(i + AHEAD, last)])
        num = 0
        for e in range(begin[i], begin[i] + length[i]):
            value = 0.0
            if length[i] > most:
                value = unit(fold(key, neighbors[e]))
            if sized:
                if size[e] <= 0.0:
                    continue
                value /= size[e]
            if num > most:
                if value >= rank[most]:
                    continue
                num -= 1
            at = num
            while at > 0 and rank[at - 1] > value:
                rank[at], place[at] = rank[at - 1], place[at - 1]
                at -= 1
            rank[at], place[at] = value, e
            num += 1
        kept = min(num, most)
        for j in range(kept):
            chance = 1.0
            if num > most:
                chance = min(1.0, rank[most] * size[place[j]]) if sized else most / length[i]
            entry[end + j] = place[j]
            scale[end + j] = 1.0 / max(chance, 1e-30)
        end += kept
        count[i] = kept
    return end
