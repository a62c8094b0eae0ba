"""The compiled loops of session neighbours."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def postings(
    indptr: np.ndarray, items: np.ndarray, num_items: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each item the sessions that hold it, ascending, and the last place at which each does.

    Returns:
        offsets ``[num_items + 1]`` int64, sessions and places, int32 both.
    """
    newest = np.full(num_items, -1, np.int64)
    offsets = np.zeros(num_items + 1, np.int64)
    for row in range(len(indptr) - 1):
        for at in range(indptr[row], indptr[row + 1]):
            if newest[items[at]] != row:
                newest[items[at]] = row
                offsets[items[at] + 1] += 1
    offsets = np.cumsum(offsets)
    filled = offsets[:-1].copy()
    sessions, places = np.empty(offsets[-1], np.int32), np.empty(offsets[-1], np.int32)
    newest[:] = -1
    for row in range(len(indptr) - 1):
        for at in range(indptr[row], indptr[row + 1]):
            item = items[at]
            if newest[item] != row:
                newest[item] = row
                sessions[filled[item]] = row
                filled[item] += 1
            places[filled[item] - 1] = at - indptr[row]
    return offsets, sessions, places


@njit(cache=True, nogil=True)
def find_neighbours(
    history: np.ndarray,
    index: tuple,
    indptr: np.ndarray,
    query_decay: float,
    age_decay: float,
    most: int,
    state: tuple,
) -> int:
    """Sessions that share items with a history: how alike each is and where the latest shared item stands in
    it.

    Args:
        history: item ints, the latest last.
        index: what :func:`postings` gave.
        indptr: offsets of the sessions.
        query_decay: e-fold of an item's weight, in steps from the history's end; infinite for none.
        age_decay: e-fold of a session's weight, in sessions that came after it; infinite for none.
        most: of an item's sessions, the latest that are looked at.
        state: likeness ``[num_sessions]`` float32, all 0; met ``[num_sessions]`` int32; place
            ``[num_sessions]`` int32. The first ``count`` entries of met and all touched ones are filled.

    Returns:
        how many sessions were met.
    """
    offsets, sessions, places = index
    likeness, met, place = state
    count, length, num = 0, len(history), len(indptr) - 1
    for back in range(length):
        item = history[length - 1 - back]
        again = False
        for later in range(back):
            if history[length - 1 - later] == item:
                again = True
        if again:
            continue
        weight = np.exp(-back / query_decay)
        end = offsets[item + 1]
        for at in range(max(offsets[item], end - most), end):
            row = sessions[at]
            if likeness[row] == 0:
                met[count] = row
                place[row] = places[at]
                count += 1
            likeness[row] += weight
    for n in range(count):
        row = met[n]
        size = indptr[row + 1] - indptr[row]
        likeness[row] *= np.exp(-(num - 1 - row) / age_decay) / np.sqrt(size * length)
    return count


@njit(cache=True, nogil=True)
def neighbour_scores(
    histories: tuple, sessions: tuple, index: tuple, num_items: int, settings: tuple
) -> np.ndarray:
    """Scores ``[B, num_items]`` float32 of what comes next, by the formula of ``neighbours``.

    Args:
        histories: offsets and items.
        sessions: offsets and items of what was learned from.
        index: what :func:`postings` gave.
        num_items: how many items there are.
        settings: query_decay, age_decay, place_decay, before, k, most.
    """
    query_decay, age_decay, place_decay, before, k, most = settings
    begin, asked = histories
    indptr, items = sessions
    num = len(indptr) - 1
    state = (np.zeros(num, np.float32), np.empty(num, np.int32), np.empty(num, np.int32))
    likeness, met, place = state
    scores = np.zeros((len(begin) - 1, num_items), np.float32)
    for b in range(len(begin) - 1):
        history = asked[begin[b] : begin[b + 1]]
        count = find_neighbours(history, index, indptr, query_decay, age_decay, int(most), state)
        least = 0.0
        if count > k:
            values = likeness[met[:count]]
            least = np.partition(values, count - int(k))[count - int(k)]
        for n in range(count):
            row = met[n]
            if likeness[row] >= least:
                for at in range(indptr[row], indptr[row + 1]):
                    away = at - indptr[row] - place[row]
                    share = likeness[row] * np.exp(-abs(away) / place_decay)
                    scores[b, items[at]] += share if away >= 0 else before * share
        for n in range(count):
            likeness[met[n]] = 0
    return scores
