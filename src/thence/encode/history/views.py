"""The evidence that both stages use by default: vectors, neighbours, and counts of several reaches."""

from __future__ import annotations

from thence.encode.baseline.matrix import MatrixScorer
from thence.encode.history.evidence import View
from thence.encode.history.neighbours import SessionNeighbours
from thence.encode.history.plain import Recency, co_occurrence
from thence.encode.history.scorer import HistoryScorer
from thence.events.datasets.sessions import Sessions


def plain_views(sessions: Sessions, vectors: HistoryScorer | None = None) -> dict[str, View]:
    """Views of sessions, all fitted to them.

    Args:
        sessions: what was observed.
        vectors: a learned scorer that brings candidates and orders the rest; none when not given.

    Example:
        >>> from thence.base.ids import IdMap
        >>> list(plain_views(Sessions.of(IdMap("ab"), [[0, 1]])))
        ['neighbours', 'followers', 'near', 'next', 'before', 'alike']
    """
    learned = {} if vectors is None else {"vectors": View(vectors, 50, counts=False)}
    behind = co_occurrence(sessions, window=2, age_decay=0.3)
    reverse = MatrixScorer(sessions.ids, behind.matrix.T.tocsr())
    return learned | {
        "neighbours": View(SessionNeighbours(sessions, 500, 1.0, 0.5, 3.0), 50),
        "followers": View(SessionNeighbours(sessions, 1000, 2.0, 0.3, 1.5, 0.1)),
        "near": View(Recency(co_occurrence(sessions, window=4, age_decay=0.3, before=0.3), 2.0), 20),
        "next": View(Recency(co_occurrence(sessions, window=1, age_decay=0.2), 1.0)),
        "before": View(Recency(reverse, 1.0)),
        "alike": View(Recency(co_occurrence(sessions, window=10, before=1.0, power=0.3), 2.0), 20),
    }
