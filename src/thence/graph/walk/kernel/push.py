"""The inner loop of forward and backward push, compiled.

All that a seed touches is numbered in the order in which it is found; what is kept of a node stands under that
number, so that memory is used in proportion to what is touched however large the graph is. Only ``slot`` is
as long as the graph, and a seed clears what it has used.
"""

from __future__ import annotations

import numba
import numpy as np

from thence.graph.sample.kernel.prefetch import prefetch

AHEAD = 16
"""Arcs of a row whose neighbours are asked of the memory before it is their turn."""


@numba.njit(cache=True, nogil=True)
def _size(sizes: tuple, node: int) -> float:
    """What a node's threshold is measured in: its given total, else its number of arcs."""
    ptr, total = sizes
    return total[node] if len(total) else float(ptr[node + 1] - ptr[node])


@numba.njit(cache=True, nogil=True)
def _total(weight: np.ndarray, begin: int, end: int) -> float:
    """The sum of a row's weights."""
    total = 0.0
    for entry in range(begin, end):
        total += weight[entry]
    return total


@numba.njit(cache=True, nogil=True)
def _fetch(rows: tuple, nodes: np.ndarray, slot: np.ndarray, line: np.ndarray, at: int, end: int) -> None:
    """Ask for the rows, and the neighbours' slots, of the nodes that come next in line."""
    indptr, neighbors = rows[0], rows[1]
    if at + 12 < end:
        prefetch(indptr, nodes[line[at + 12]])
    if at + 6 < end:
        prefetch(neighbors, indptr[nodes[line[at + 6]]])
    if at + 3 < end:
        node = nodes[line[at + 3]]
        for entry in range(indptr[node], min(indptr[node + 1], indptr[node] + AHEAD)):
            prefetch(slot, neighbors[entry])


@numba.njit(cache=True, nogil=True)
def push_from(rows: tuple, sizes: tuple, seed: int, start: float, rule: tuple, room: tuple) -> tuple:
    """Push from one seed until no residual is above its node's threshold.

    Args:
        rows: ``indptr``, ``neighbors``, ``weight`` (empty for ones) of the side that mass moves along.
        sizes: ``ptr``, ``total``: the threshold of node v is epsilon · (``total[v]``, or the length of its row
            in ``ptr`` where ``total`` is empty).
        seed: where all mass begins.
        start: how much it is.
        rule: ``alpha``; ``epsilon``; of a node without any size: ``keep``, the share of its residual that
            becomes mass, ``back``, the share that returns to the seed, ``send``, what its neighbours receive a
            unit of weight; ``own``: whether a row's shares are divided by the sum of its own weights.
        room: ``slot`` zeros ``[n]`` int32, ``record`` ``[n, 2]`` float64, ``mass`` ``[n]`` float64, ``nodes``
            ``[n]`` int32, ``line`` ``[2, n + 1]`` int32.

    Returns:
        nodes ``[k]`` int32 with mass, their mass ``[k]`` float64, the sum of the residuals, the greatest
        residual in units of a node's size, the arcs that were passed.
    """
    indptr, neighbors, weight = rows
    alpha, epsilon, keep, back, send, own = rule
    slot, record, mass, nodes, lines = room
    weighted = len(weight) > 0
    count, now, waiting, passed = 1, 0, 1, 0
    slot[seed], nodes[0], lines[0, 0] = 1, seed, 0
    record[0, 0], record[0, 1], mass[0] = start, epsilon * _size(sizes, seed), 0.0
    while waiting:
        line, later, following = lines[now], lines[1 - now], 0
        for turn in range(waiting):
            _fetch(rows, nodes, slot, line, turn, waiting)
            this = line[turn]
            node = nodes[this]
            begin, end = indptr[node], indptr[node + 1]
            residual, record[this, 0] = record[this, 0], 0.0
            size = _total(weight, begin, end) if own else _size(sizes, node)
            if size > 0:
                mass[this] += alpha * residual
                share = (1 - alpha) * residual / size
            else:
                mass[this] += residual if this == 0 else keep * residual
                share = send * residual
                if back > 0 and this > 0:
                    old = record[0, 0]
                    record[0, 0] = old + back * residual
                    later[following] = 0
                    following += (record[0, 0] > record[0, 1]) & (old <= record[0, 1])
            if share == 0:
                continue
            passed += end - begin
            for entry in range(begin, end):
                if entry + AHEAD < end:
                    prefetch(slot, neighbors[entry + AHEAD])
                given = share * weight[entry] if weighted else share
                that = slot[neighbors[entry]] - 1
                if that < 0:
                    if given == 0:
                        continue
                    that, count = count, count + 1
                    slot[neighbors[entry]], nodes[that], mass[that] = count, neighbors[entry], 0.0
                    record[that, 0], record[that, 1] = 0.0, epsilon * _size(sizes, neighbors[entry])
                old = record[that, 0]
                record[that, 0] = old + given
                later[following] = that
                following += (old + given > record[that, 1]) & (old <= record[that, 1])
        now, waiting = 1 - now, following
    return *_gather(room, count, epsilon), passed


@numba.njit(cache=True, nogil=True)
def _gather(room: tuple, count: int, epsilon: float) -> tuple:
    """The nodes with mass in the order found, their mass, what is left; the slots are cleared."""
    slot, record, mass, nodes, _ = room
    kept, left, worst = 0, 0.0, 0.0
    for at in range(count):
        slot[nodes[at]] = 0
        left += record[at, 0]
        if record[at, 0] > 0:
            worst = max(worst, epsilon * record[at, 0] / record[at, 1])
        kept += mass[at] > 0
    found, amount, place = np.empty(kept, np.int32), np.empty(kept, np.float64), 0
    for at in range(count):
        if mass[at] > 0:
            found[place], amount[place] = nodes[at], mass[at]
            place += 1
    return found, amount, left, worst
