"""Histories as rectangles of item ints, for learned methods."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thence.events.datasets.sessions import Sessions
from thence.graph import Arcs, DiGraph


@dataclass(frozen=True, eq=False)
class HistoryBatch:
    """Sessions without their last items; after each place stands what is to be told from all up to there.

    Args:
        items: ``[B, T]`` int64 item ints, filled up with 0 behind the end of a row.
        last: ``[B]`` int64, the place of each row's last item.
        following: ``[P]`` int64, where the item that followed stands among the candidates; P = Σ (last + 1),
            row after row.
        candidates: ``[C]`` int64 distinct item ints.
        log_weight: ``[C]`` float32, added to candidates in the denominator of a softmax (log-Q correction).
    """

    items: np.ndarray
    last: np.ndarray
    following: np.ndarray
    candidates: np.ndarray
    log_weight: np.ndarray


def padded(histories: Sessions, longest: int) -> tuple[np.ndarray, np.ndarray]:
    """The latest ``longest`` items of each history as rows, filled up with 0, and each row's last place.

    Returns:
        items ``[B, T]`` and last ``[B]``, int64, T at most ``longest``. An empty history reads as item 0.

    Example:
        >>> from thence.base.ids import IdMap
        >>> items, last = padded(Sessions.of(IdMap("abc"), [[1], [2, 1, 0, 2]]), longest=3)
        >>> items.tolist(), last.tolist()
        ([[1, 0, 0], [1, 0, 2]], [0, 2])
    """
    length = np.minimum(histories.lengths, longest)
    width = max(int(length.max(initial=1)), 1)
    column = np.arange(width)
    inside = column < length[:, None]
    place = (histories.indptr[1:] - length)[:, None] + column
    items = np.zeros((len(histories), width), np.int64)
    items[inside] = histories.items[place[inside]]
    return items, np.maximum(length - 1, 0)


def session_graph(sessions: Sessions) -> DiGraph:
    """The graph of sessions: an arc from each item to another that came directly after it, with counts.

    Example:
        >>> from thence.base.ids import IdMap
        >>> session_graph(Sessions.of(IdMap("abc"), [[0, 1, 1, 2], [0, 1]])).main.weight.tolist()
        [2.0, 1.0]
    """
    num, row = len(sessions.ids), np.repeat(np.arange(len(sessions)), sessions.lengths)
    source, target = sessions.items[:-1].astype(np.int64), sessions.items[1:].astype(np.int64)
    kept = (row[1:] == row[:-1]) & (source != target)
    pairs, count = np.unique(source[kept] * num + target[kept], return_counts=True)
    arcs = Arcs.from_pairs(pairs // num, pairs % num, num_nodes=num, weight=count)
    return DiGraph(sessions.ids, {"viewed_next": arcs})
