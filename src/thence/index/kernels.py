"""Exact scores of candidate rows, and the k best of them: greatest score first, equal scores by node."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def four_dots(asked: np.ndarray, query: int, rows: np.ndarray, nodes: tuple) -> tuple:
    """Inner products in float32 of one query with four rows, which memory then fetches side by side.

    Every score is computed here, so that the order of each sum depends on the length of the rows alone.
    """
    first, second, third, fourth = nodes
    one = two = three = four = np.float32(0.0)
    for at in range(rows.shape[1]):
        value = asked[query, at]
        one += value * rows[first, at]
        two += value * rows[second, at]
        three += value * rows[third, at]
        four += value * rows[fourth, at]
    return one, two, three, four


@njit(cache=True, nogil=True)
def exact_scores(
    asked: np.ndarray,
    query: int,
    rows: np.ndarray,
    plus: np.ndarray,
    nodes: np.ndarray,
    count: int,
    out: np.ndarray,
) -> None:
    """Scores of ``nodes[:count]`` for one query into ``out``; ``plus`` is added where it is not empty."""
    last = count - 1
    for at in range(0, count, 4):
        second, third, fourth = min(at + 1, last), min(at + 2, last), min(at + 3, last)
        four = four_dots(asked, query, rows, (nodes[at], nodes[second], nodes[third], nodes[fourth]))
        out[at], out[second], out[third], out[fourth] = four
    if plus.shape[0] > 0:
        for at in range(count):
            out[at] += plus[nodes[at]]


@njit(cache=True, nogil=True)
def put(nodes: np.ndarray, scores: np.ndarray, query: int, node: int, score: Any) -> None:
    """Insert one answer into a query's list, which is kept sorted, unless it is worse than the last or NaN."""
    if score != score:
        return
    at = nodes.shape[1] - 1
    if nodes[query, at] >= 0 and (
        score < scores[query, at] or (score == scores[query, at] and node > nodes[query, at])
    ):
        return
    while at > 0 and (
        nodes[query, at - 1] < 0
        or score > scores[query, at - 1]
        or (score == scores[query, at - 1] and node < nodes[query, at - 1])
    ):
        nodes[query, at], scores[query, at] = nodes[query, at - 1], scores[query, at - 1]
        at -= 1
    nodes[query, at], scores[query, at] = node, score


@njit(cache=True, nogil=True)
def listed(sorted_nodes: np.ndarray, begin: int, end: int, node: int) -> bool:
    """Whether ``node`` stands in ``sorted_nodes[begin:end]``, by halving."""
    while begin < end:
        middle = (begin + end) // 2
        if sorted_nodes[middle] < node:
            begin = middle + 1
        elif sorted_nodes[middle] > node:
            end = middle
        else:
            return True
    return False


@njit(cache=True, nogil=True)
def fit_node(
    row: int,
    query: int,
    node_of: np.ndarray,
    keep: np.ndarray,
    own: np.ndarray,
    begins: np.ndarray,
    excluded: np.ndarray,
) -> int:
    """The node of a row, or -1 where it may not be answered to this query."""
    node = row
    if node >= 0 and node_of.shape[0] > 0:
        node = node_of[node]
    if node < 0 or node == own[query] or (keep.shape[0] > 0 and not keep[node]):
        return -1
    if excluded.shape[0] > 0 and listed(excluded, begins[query], begins[query + 1], node):
        return -1
    return node


@njit(cache=True, nogil=True)
def fit_scores(
    asked: np.ndarray,
    query: int,
    candidates: np.ndarray,
    node_of: np.ndarray,
    rows: np.ndarray,
    plus: np.ndarray,
    barred: tuple,
    room: tuple,
) -> int:
    """Score the candidates of one query that may be answered; how many there are.

    ``room`` is three arrays of as many places as candidates: nodes, where each stood, and scores are put there.
    Other arguments as in :func:`score_candidates`.
    """
    keep, own, begins, excluded = barred
    these, places, found = room
    count = 0
    for at in range(candidates.shape[1]):
        node = fit_node(candidates[query, at], query, node_of, keep, own, begins, excluded)
        if node >= 0:
            these[count], places[count] = node, at
            count += 1
    exact_scores(asked, query, rows, plus, these, count, found)
    return count


@njit(cache=True, nogil=True)
def room_for(places: int) -> tuple:
    """What :func:`fit_scores` writes into."""
    return np.empty(places, np.int64), np.empty(places, np.int64), np.empty(places, np.float32)


@njit(cache=True, nogil=True)
def score_candidates(
    asked: np.ndarray,
    candidates: np.ndarray,
    node_of: np.ndarray,
    rows: np.ndarray,
    plus: np.ndarray,
    barred: tuple,
    best: tuple,
) -> np.ndarray:
    """Score the candidates of each query exactly and keep the best.

    Args:
        asked: ``[Q, dim]`` query vectors.
        candidates: ``[Q, P]`` rows of a structure; -1 where there is none.
        node_of: ``[num_rows]`` node of each row, -1 for a row that is void; empty where they are the same.
        rows: ``[num_nodes, dim]`` float32 vectors of the nodes.
        plus: ``[num_nodes]`` added to each score; empty for nothing.
        barred: what may not be answered, as :meth:`Filter.barred` gives it.
        best: nodes ``[Q, k]`` int32 and scores ``[Q, k]`` float32 to insert into; -1 and ``-inf`` at first.

    Returns:
        ``[Q]`` int64: how many candidates were fit to be answered.
    """
    nodes, scores = best
    fit = np.zeros(asked.shape[0], np.int64)
    room = room_for(candidates.shape[1])
    for query in range(asked.shape[0]):
        fit[query] = fit_scores(asked, query, candidates, node_of, rows, plus, barred, room)
        for at in range(fit[query]):
            put(nodes, scores, query, room[0][at], room[2][at])
    return fit


@njit(cache=True, nogil=True)
def score_each(
    asked: np.ndarray,
    candidates: np.ndarray,
    node_of: np.ndarray,
    rows: np.ndarray,
    plus: np.ndarray,
    barred: tuple,
) -> np.ndarray:
    """Exact scores ``[Q, P]`` float32 of candidates, ``-inf`` where one may not be answered.

    Arguments as in :func:`score_candidates`.
    """
    scores = np.full(candidates.shape, -np.inf, np.float32)
    room = room_for(candidates.shape[1])
    for query in range(asked.shape[0]):
        for at in range(fit_scores(asked, query, candidates, node_of, rows, plus, barred, room)):
            scores[query, room[1][at]] = room[2][at]
    return scores


@njit(cache=True, nogil=True)
def score_block(
    asked: np.ndarray,
    block: np.ndarray,
    answers: np.ndarray,
    rows: np.ndarray,
    plus: np.ndarray,
    slack: np.ndarray,
    barred: tuple,
    best: tuple,
) -> None:
    """Keep the best of a block of scores that are right up to ``slack``; those that matter are scored exactly.

    Args:
        asked: ``[Q, dim]`` query vectors.
        block: ``[Q, C]`` inner products by another order of summation.
        answers: ``[C]`` node of each column.
        rows: ``[num_nodes, dim]`` float32 vectors of the nodes.
        plus: ``[num_nodes]`` added to each score; empty for nothing.
        slack: ``[Q]`` by how much a score of the block may be wrong.
        barred: as in :func:`score_candidates`; ``keep`` is taken as applied.
        best: as in :func:`score_candidates`.
    """
    _, own, begins, excluded = barred
    nodes, scores = best
    last = nodes.shape[1] - 1
    for query in range(asked.shape[0]):
        for at in range(answers.shape[0]):
            node = answers[at]
            about = block[query, at]
            if plus.shape[0] > 0:
                about += plus[node]
            if nodes[query, last] >= 0 and about < scores[query, last] - slack[query]:
                continue
            if node == own[query]:
                continue
            if excluded.shape[0] > 0 and listed(excluded, begins[query], begins[query + 1], node):
                continue
            score = four_dots(asked, query, rows, (node, node, node, node))[0]
            if plus.shape[0] > 0:
                score += plus[node]
            put(nodes, scores, query, node, score)
