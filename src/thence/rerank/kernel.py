"""Walks of two and three steps at given pairs, compiled.

The value of a walk at the pair i → j is (e_i M₁ … M_r)_j. What the steps before the last reach from i stands
in ``seen``, an array as long as the graph that each source clears after itself. The last step is then taken
by whichever way touches fewer entries: forward from all that was reached, or backward from each candidate.
"""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def _spread(step: tuple, at: np.ndarray, values: np.ndarray, seen: np.ndarray, reached: np.ndarray) -> int:
    """Add ``values`` at nodes ``at``, taken one step, onto ``seen``; the touched nodes go to ``reached``."""
    indptr, indices, data = step
    count = 0
    for k in range(len(at)):
        for entry in range(indptr[at[k]], indptr[at[k] + 1]):
            node = indices[entry]
            if seen[node] == 0.0:
                reached[count] = node
                count += 1
            seen[node] += values[k] * data[entry]
    return count


@numba.njit(cache=True, nogil=True)
def _take(reached: np.ndarray, count: int, seen: np.ndarray) -> tuple:
    """What stands in ``seen``, as nodes and values, which leaves it clear."""
    nodes = reached[:count].copy()
    values = np.empty(count, np.float32)
    for k in range(count):
        values[k] = seen[nodes[k]]
        seen[nodes[k]] = 0.0
    return nodes, values


@numba.njit(cache=True, nogil=True)
def reach(steps: tuple, source: int, seen: np.ndarray, reached: np.ndarray) -> tuple:
    """Nodes and values of e_source M₁ … M_r for non-negative steps (``indptr``, ``indices``, ``data`` each)."""
    nodes, values = np.array([source], np.int32), np.ones(1, np.float32)
    for r in range(len(steps)):
        count = _spread(steps[r], nodes, values, seen, reached)
        nodes, values = _take(reached, count, seen)
    return nodes, values


@numba.njit(cache=True, nogil=True)
def walk_values(
    steps: tuple, forth: tuple, back: tuple, sources: np.ndarray, ptr: np.ndarray, candidates: np.ndarray
) -> np.ndarray:
    """The value of one walk at the candidates of some sources.

    Args:
        steps: all steps but the last, each ``indptr``, ``indices``, ``data`` with rows by where it starts.
        forth: the last step, with rows by where it starts.
        back: the last step, with rows by where it ends.
        sources: ``[B]`` nodes.
        ptr: ``[B + 1]`` where each source's candidates begin.
        candidates: ``[ptr[B]]`` nodes.

    Returns:
        ``[ptr[B]]`` float32.
    """
    num_nodes = len(back[0]) - 1
    seen, reached = np.zeros(num_nodes, np.float32), np.empty(num_nodes, np.int32)
    out = np.zeros(len(candidates), np.float32)
    back_ptr, back_from, back_data = back
    for row in range(len(sources)):
        nodes, values = reach(steps, sources[row], seen, reached)
        ahead, behind = 0, 0
        for node in nodes:
            ahead += forth[0][node + 1] - forth[0][node]
        for at in range(ptr[row], ptr[row + 1]):
            behind += back_ptr[candidates[at] + 1] - back_ptr[candidates[at]]
        if ahead <= behind:
            count = _spread(forth, nodes, values, seen, reached)
            for at in range(ptr[row], ptr[row + 1]):
                out[at] = seen[candidates[at]]
            for k in range(count):
                seen[reached[k]] = 0.0
            continue
        for k in range(len(nodes)):
            seen[nodes[k]] = values[k]
        for at in range(ptr[row], ptr[row + 1]):
            total = np.float32(0.0)
            for entry in range(back_ptr[candidates[at]], back_ptr[candidates[at] + 1]):
                total += seen[back_from[entry]] * back_data[entry]
            out[at] = total
        for node in nodes:
            seen[node] = 0.0
    return out


@numba.njit(cache=True, nogil=True)
def walk_top(steps: tuple, sources: np.ndarray, k: int) -> np.ndarray:
    """The ``k`` nodes of largest value of a walk from each source: ``[B, k]`` int32, -1 where fewer are there.

    Ties go to the smaller node; the order inside a row is not sorted.
    """
    num_nodes = len(steps[0][0]) - 1
    seen, reached = np.zeros(num_nodes, np.float32), np.empty(num_nodes, np.int32)
    out = np.full((len(sources), k), -1, np.int32)
    for row in range(len(sources)):
        nodes, values = reach(steps, sources[row], seen, reached)
        if len(nodes) > k:
            order = np.argsort(nodes)
            best = np.argsort(-values[order], kind="mergesort")[:k]
            out[row] = nodes[order[best]]
        else:
            out[row, : len(nodes)] = nodes
    return out


@numba.njit(cache=True, nogil=True)
def look_up(
    rows: tuple, at_row: np.ndarray, ptr: np.ndarray, candidates: np.ndarray, num_nodes: int
) -> np.ndarray:
    """Entries of a sparse matrix at candidates: row ``at_row[b]`` at ``candidates[ptr[b]:ptr[b + 1]]``."""
    indptr, indices, data = rows
    seen = np.zeros(num_nodes, np.float32)
    out = np.zeros(len(candidates), np.float32)
    for row in range(len(at_row)):
        begin, end = indptr[at_row[row]], indptr[at_row[row] + 1]
        for entry in range(begin, end):
            seen[indices[entry]] = data[entry]
        for at in range(ptr[row], ptr[row + 1]):
            out[at] = seen[candidates[at]]
        for entry in range(begin, end):
            seen[indices[entry]] = 0.0
    return out


@numba.njit(cache=True, nogil=True)
def ranks_within(values: np.ndarray, ptr: np.ndarray) -> np.ndarray:
    """Place of each value among those of its source, 0 for the largest, ties to the first: ``[P]`` float32."""
    out = np.empty(len(values), np.float32)
    for row in range(len(ptr) - 1):
        part = values[ptr[row] : ptr[row + 1]]
        order = np.argsort(-part, kind="mergesort")
        for place in range(len(order)):
            out[ptr[row] + order[place]] = place
    return out
