"""The inner loops of drawing negatives, compiled: is this an arc, and draw until it is none."""

from __future__ import annotations

import numba
import numpy as np

from thence.graph.sample.kernel.hash import GOLDEN, below, fold, mix, unit
from thence.graph.search_kernel import first_above, first_from

TIGHT = 0.05
"""Share of a source's proposals that are allowed below which it is cheaper to list them than to try."""
ONE = 1.0 - 2.0**-53


@numba.njit(cache=True, nogil=True)
def _linked(rows: tuple, source: int, target: int) -> bool:
    """Whether source → target is an arc: its row is halved until it is found or not."""
    indptr, targets = rows
    low, end = int(indptr[source]), int(indptr[source + 1])
    place = first_from(targets, target, low, end)
    return place < end and targets[place] == target


@numba.njit(cache=True, nogil=True)
def linked(rows: tuple, source: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """``[B, k]`` bool: which candidates are targets of an arc of their row's source.

    Args:
        rows: ``indptr``, ``targets``.
        source: ``[B]`` int64.
        candidates: ``[B, k]`` int32, at least 0.
    """
    found = np.empty(candidates.shape, np.bool_)
    for at in range(len(source)):
        for place in range(candidates.shape[1]):
            found[at, place] = _linked(rows, source[at], candidates[at, place])
    return found


@numba.njit(cache=True, nogil=True)
def row_mass(rows: tuple, probability: np.ndarray) -> np.ndarray:
    """``[num_nodes]`` float64: the probability of each source's targets together."""
    indptr, targets = rows
    mass = np.zeros(len(indptr) - 1, np.float64)
    for source in range(len(mass)):
        for entry in range(indptr[source], indptr[source + 1]):
            mass[source] += probability[targets[entry]]
    return mass


@numba.njit(cache=True, nogil=True)
def _allowed(rows: tuple, probability: np.ndarray, source: int, target: int) -> np.ndarray:
    """Running sums of the probabilities of the nodes that may be drawn (of ones when there are none)."""
    indptr, targets = rows
    sums, total, entry = np.empty(len(indptr) - 1, np.float64), 0.0, indptr[source]
    for node in range(len(sums)):
        if entry < indptr[source + 1] and targets[entry] == node:
            entry += 1
        elif node not in (source, target):
            total += probability[node] if len(probability) else 1.0
        sums[node] = total
    return sums


@numba.njit(cache=True, nogil=True)
def draw(
    rows: tuple,
    chance: tuple,
    pairs: tuple,
    free: np.ndarray,
    base: np.uint64,
    nodes: np.ndarray,
    log_chance: np.ndarray,
) -> None:
    """Draw negatives for each positive: propose by chance, again while it is an arc or an end of the positive.

    Args:
        rows: ``indptr``, ``targets``.
        chance: ``probability``, running sums and guide of the proposal; empty for every node alike.
        pairs: ``source``, ``target`` ``[B]`` int64 of the positives.
        free: ``[B]`` float64, the share of proposals that are allowed.
        base: the key of seed and step of randomness.
        nodes: ``[B, k]`` int32, filled; -1 where nothing is allowed.
        log_chance: ``[B, k]`` float64, filled; infinite where nothing is allowed.
    """
    probability, sums, guide = chance
    num_nodes = len(rows[0]) - 1
    for at in range(len(free)):
        source, target = pairs[0][at], pairs[1][at]
        key, tries = fold(fold(base, source), target), 0
        tight = 0 < free[at] < TIGHT
        allowed = _allowed(rows, probability, source, target) if tight else np.empty(0, np.float64)
        for place in range(nodes.shape[1]):
            node = -1
            while free[at] > 0:
                tries += 1
                word = mix(key + np.uint64(tries) * GOLDEN)
                part = min(unit(word), ONE)
                if tight:
                    node = first_above(allowed, part * allowed[-1], 0, num_nodes - 1)
                    break
                if len(probability):
                    bucket = int(part * num_nodes)
                    node = first_above(sums, part, guide[bucket], guide[bucket + 1])
                else:
                    node = below(word, num_nodes)
                if node not in (source, target) and not _linked(rows, source, node):
                    break
            nodes[at, place], log_chance[at, place] = node, np.inf
            if node >= 0:
                own = probability[node] if len(probability) else 1.0 / num_nodes
                log_chance[at, place] = np.log(own) - np.log(free[at])


@numba.njit(cache=True, nogil=True)
def choose(
    candidates: np.ndarray,
    allowed: np.ndarray,
    pairs: tuple,
    base: np.uint64,
    nodes: np.ndarray,
    log_chance: np.ndarray,
) -> None:
    """Choose among each positive's allowed candidates, each place alike; a node that stands twice counts twice.

    Args:
        candidates: ``[B, c]`` int32.
        allowed: ``[B, c]`` bool.
        pairs: ``source``, ``target`` ``[B]`` int64 of the positives.
        base: the key of seed and step of randomness.
        nodes: ``[B, k]`` int32, filled; -1 where nothing is allowed.
        log_chance: ``[B, k]`` float64, filled; infinite where nothing is allowed.
    """
    for at in range(len(candidates)):
        count, key = allowed[at].sum(), fold(fold(base, pairs[0][at]), pairs[1][at])
        places = np.flatnonzero(allowed[at])
        for draw in range(nodes.shape[1]):
            nodes[at, draw], log_chance[at, draw] = -1, np.inf
            if count > 0:
                node = candidates[at, places[below(mix(key + np.uint64(draw) * GOLDEN), count)]]
                equal = 0
                for place in places:
                    equal += candidates[at, place] == node
                nodes[at, draw], log_chance[at, draw] = node, np.log(equal / count)
