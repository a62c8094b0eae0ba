"""Session neighbours: what followed in the sessions that are most like this one.

    likeness(h, n) = Σ_{i ∈ h ∩ n} e^(−back_h(i) / query_decay) / √(|h| |n|) · e^(−age(n) / age_decay)
    score(h → j) = Σ_{n ∈ the k most alike} likeness(h, n) Σ_{p : n_p = j} e^(−|p − p*| / place_decay) β_p

back counts steps from the history's end, age the later sessions as a share of all, p* is where the latest item
that both share stands in n, and β is ``before`` for places before p* and 1 for the others. Without decays this
is S-KNN, with a decay along the history V-SKNN, with all three STAN; they look both ways: before = 1.

References:
    Ludewig & Jannach, Evaluation of Session-based Recommendation Algorithms, UMUAI 2018 (S-KNN, V-SKNN).
    Garg et al., Sequence and Time Aware Neighborhood, SIGIR 2019 (STAN, equations 1 to 6).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from thence.base.errors import ConfigError
from thence.base.ids import IdMap
from thence.encode.history.neighbour_kernel import neighbour_scores, postings
from thence.events.datasets.sessions import Sessions


@dataclass(frozen=True, eq=False)
class SessionNeighbours:
    """The scorer.

    Args:
        sessions: what was observed, the earliest first.
        k: neighbours whose items count.
        query_decay: e-fold in steps from the history's end.
        age_decay: e-fold as a share of all sessions.
        place_decay: e-fold in places from the latest shared item.
        before: worth of what stands before the latest shared item; 1 looks both ways alike.
        most: of an item's sessions, the latest that are looked at.

    Raises:
        ConfigError: a setting is out of range.

    Example:
        >>> sessions = Sessions.of(IdMap(["phone", "case", "sock"]), [[0, 1], [0, 1], [1, 2]])
        >>> scorer = SessionNeighbours(sessions, before=0.0)
        >>> scorer.scores(Sessions.of(sessions.ids, [[1]])).round(2)  # nothing leads from case to phone
        array([[0.  , 2.12, 0.71]], dtype=float32)
    """

    sessions: Sessions
    k: int = 500
    query_decay: float = math.inf
    age_decay: float = math.inf
    place_decay: float = math.inf
    before: float = 1.0
    most: int = 5_000

    def __post_init__(self) -> None:
        decays = (self.query_decay, self.age_decay, self.place_decay)
        if self.k < 1 or self.most < 1 or min(decays) <= 0 or self.before < 0:
            raise ConfigError("a setting of the neighbours is out of range", fix="Counts and decays above 0.")

    @property
    def ids(self) -> IdMap:
        """External ids of the items."""
        return self.sessions.ids

    def scores(self, histories: Sessions) -> np.ndarray:
        """Scores ``[len(histories), num_items]`` float32; 0 for what no neighbour holds."""
        age = self.age_decay * max(len(self.sessions), 1)
        settings = (self.query_decay, age, self.place_decay, self.before, float(self.k), float(self.most))
        asked, known = (histories.indptr, histories.items), (self.sessions.indptr, self.sessions.items)
        return neighbour_scores(asked, known, self._index, len(self.ids), settings)

    @cached_property
    def _index(self) -> Any:
        return postings(self.sessions.indptr, self.sessions.items, len(self.ids))
