"""Evidence: the candidates that several scorers bring forward for a history, and what each says of them.

For every candidate and every scorer there are two numbers: the score relative to the best candidate's (as a
difference of logarithms where scores count something), and the logarithm of the rank among the candidates. To
these come the candidate's own past in the history, its popularity, overall and of late, and the history's
length.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from thence.base.errors import ConfigError
from thence.base.ids import IdMap
from thence.encode.history.evidence_kernel import against_best, best, merge, own_past
from thence.encode.history.scorer import HistoryScorer
from thence.events.datasets.sessions import Sessions

PAST = ("in_history", "steps_back", "times_met", "is_last")
CONTEXT = ("popularity", "popularity_of_late", "rise", "length", "is_first")
LATE = 0.05


@dataclass(frozen=True, eq=False)
class View:
    """One scorer's part in the evidence.

    Args:
        scorer: anything that scores histories.
        depth: how many candidates it brings forward; 0 for one that only judges.
        counts: its scores are counts of something, at least 0, and compared by their logarithms.
    """

    scorer: HistoryScorer
    depth: int = 0
    counts: bool = True


@dataclass(frozen=True, eq=False)
class Candidates:
    """Candidates of some histories.

    Args:
        nodes: ``[B, C]`` int64 item ints, -1 behind the last of a row.
        features: ``[B, C, F]`` float32.
    """

    nodes: np.ndarray
    features: np.ndarray

    def place_of(self, following: np.ndarray) -> np.ndarray:
        """``[B]`` int64: where what followed each history stands among its candidates, -1 for nowhere."""
        match = self.nodes == following[:, None]
        return np.where(match.any(1), match.argmax(1), -1)


@dataclass(frozen=True, eq=False)
class Evidence:
    """What several scorers, fitted to the same sessions, say of what comes next.

    Args:
        sessions: what was observed.
        views: scorers by name; the first orders what none brings forward.

    Raises:
        ConfigError: no view brings candidates.

    Example:
        >>> from thence.encode.history.neighbours import SessionNeighbours
        >>> sessions = Sessions.of(IdMap(["phone", "case", "sock"]), [[0, 1], [0, 1], [1, 2]])
        >>> view = View(SessionNeighbours(sessions, before=0.0), depth=2)
        >>> evidence = Evidence(sessions, {"neighbours": view})
        >>> evidence.names[:3]
        ('neighbours', 'neighbours.rank', 'in_history')
        >>> evidence.candidates(Sessions.of(sessions.ids, [[1]])).nodes.tolist()  # the case again, the sock
        [[1, 2]]
    """

    sessions: Sessions
    views: Mapping[str, View]

    def __post_init__(self) -> None:
        if not any(view.depth for view in self.views.values()):
            raise ConfigError("no view brings candidates", fix="Give one a depth of at least 1.")

    @property
    def ids(self) -> IdMap:
        """External ids of the items."""
        return self.sessions.ids

    @property
    def names(self) -> tuple[str, ...]:
        """What each feature is."""
        said = [name for view in self.views for name in (view, f"{view}.rank")]
        return (*said, *PAST, *CONTEXT)

    def candidates(self, histories: Sessions, base: bool = False) -> Candidates | tuple[Candidates, np.ndarray]:
        """Candidates of some histories; with ``base`` also the first view's scores ``[B, num_items]``."""
        scores = {name: view.scorer.scores(histories) for name, view in self.views.items()}
        tops = [best(scores[name], view.depth) for name, view in self.views.items() if view.depth]
        width = sum(view.depth for view in self.views.values())
        nodes = merge(np.concatenate(tops, axis=1), width, len(self.ids))
        nodes = nodes[:, : max(int((nodes >= 0).sum(1).max(initial=0)), 1)].copy()
        features = np.zeros((*nodes.shape, len(self.names)), np.float32)
        for at, (name, view) in enumerate(self.views.items()):
            against_best(scores[name], nodes, view.counts, features[:, :, 2 * at : 2 * at + 2])
        begin = 2 * len(self.views)
        own_past(histories.indptr, histories.items, nodes, features[:, :, begin : begin + len(PAST)])
        features[:, :, begin + len(PAST) :] = self._context(nodes, histories.lengths)
        features[nodes < 0] = 0
        found = Candidates(nodes, features)
        return (found, scores[next(iter(self.views))]) if base else found

    def _context(self, nodes: np.ndarray, length: np.ndarray) -> np.ndarray:
        counts = self._popularity[:, np.maximum(nodes, 0)]
        size = np.broadcast_to(np.log(np.maximum(length, 1))[:, None], nodes.shape)
        return np.stack([*counts, size, np.broadcast_to((length == 1)[:, None], nodes.shape)], axis=-1)

    @cached_property
    def _popularity(self) -> np.ndarray:
        """``[3, num_items]``: log counts over all sessions, over the latest ones, and how the two differ."""
        num, late = len(self.ids), self.sessions.indptr[round((1 - LATE) * len(self.sessions))]
        whole = np.log1p(np.bincount(self.sessions.items, minlength=num))
        of_late = np.log1p(np.bincount(self.sessions.items[late:], minlength=num) / LATE)
        return np.stack([whole, of_late, of_late - whole]).astype(np.float32)
