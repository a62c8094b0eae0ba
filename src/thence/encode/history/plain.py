"""Plain answers to a history: the popular, and what any scorer of single items says of all of its items.

score(h → j) = Σ_k e^(−(|h| − 1 − k) / decay) · score(h_k → j)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from thence.base.errors import ConfigError, DataError
from thence.base.ids import IdMap
from thence.encode.baseline.matrix import MatrixScorer
from thence.encode.embeddings import Embeddings
from thence.encode.scorer import Scorer
from thence.events.datasets.sessions import Sessions


@dataclass(frozen=True, eq=False)
class Popular:
    """The same list for everyone: how often an item was met, late sessions counting more.

    Args:
        sessions: what was observed, the earliest first.
        age_decay: e-fold as a share of all sessions.

    Example:
        >>> sessions = Sessions.of(IdMap("ab"), [[0, 1], [1]])
        >>> Popular(sessions).scores(sessions).tolist()
        [[1.0, 2.0], [1.0, 2.0]]
    """

    sessions: Sessions
    age_decay: float = math.inf

    @property
    def ids(self) -> IdMap:
        """External ids of the items."""
        return self.sessions.ids

    def scores(self, histories: Sessions) -> np.ndarray:
        """Scores ``[len(histories), num_items]`` float32."""
        row = np.repeat(np.arange(len(self.sessions)), self.sessions.lengths)
        age = (len(self.sessions) - 1 - row) / max(len(self.sessions), 1)
        weight = np.exp(-age / self.age_decay)
        count = np.bincount(self.sessions.items, weights=weight, minlength=len(self.ids))
        return np.tile(count.astype(np.float32), (len(histories), 1))


@dataclass(frozen=True, eq=False)
class Recency:
    """A scorer of single items that is asked for every item of a history, the latest counting most.

    For embeddings this is one vector a history, the decayed sum of source vectors, so that an index of targets
    serves it.

    Args:
        scorer: any scorer of the house: embeddings, counts, item CF.
        decay: e-fold of an item's weight in steps from the history's end; infinite weighs all alike.

    Raises:
        ConfigError: the decay is not positive.

    Example:
        >>> phone, case, cable = np.eye(3)
        >>> vectors = Embeddings(IdMap(["phone", "case", "cable"]), [phone, case, cable], [cable, phone, case])
        >>> Recency(vectors, decay=1.0).scores(Sessions.of(vectors.ids, [[0, 1]])).round(2)
        array([[0.  , 0.37, 1.  ]], dtype=float32)
    """

    scorer: Scorer
    decay: float = 2.0

    def __post_init__(self) -> None:
        if not self.decay > 0:
            raise ConfigError(f"a decay of {self.decay}", fix="Give one above 0.")

    @property
    def ids(self) -> IdMap:
        """External ids of the items."""
        return self.scorer.ids

    def sources(self, histories: Sessions) -> np.ndarray:
        """Vectors ``[len(histories), dim]`` to be looked up among the targets of embeddings.

        Raises:
            DataError: the scorer has no vectors.
        """
        if not isinstance(self.scorer, Embeddings):
            raise DataError(f"{type(self.scorer).__name__} has no vectors", fix="Ask for scores.")
        return np.asarray(self._weights(histories) @ self.scorer.source, np.float32)

    def scores(self, histories: Sessions) -> np.ndarray:
        """Scores ``[len(histories), num_items]`` float32."""
        weights = self._weights(histories)
        if isinstance(self.scorer, Embeddings):
            total = np.asarray(weights.sum(axis=1))
            return self.sources(histories) @ self.scorer.target.T + total * self.scorer.bias
        if isinstance(self.scorer, MatrixScorer):
            return (weights @ self.scorer.matrix).toarray().astype(np.float32)
        asked = np.unique(weights.indices)
        return np.asarray(weights[:, asked] @ self.scorer.scores(asked), np.float32)

    def _weights(self, histories: Sessions) -> Any:
        """``[len(histories), num_items]`` sparse: how much each item of each history counts."""
        length = histories.lengths
        back = np.repeat(histories.indptr[1:], length) - 1 - np.arange(len(histories.items))
        weight = np.exp(-back / self.decay).astype(np.float32)
        shape = (len(histories), len(self.ids))
        return sp.csr_matrix((weight, histories.items.astype(np.int64), histories.indptr), shape=shape)


def co_occurrence(
    sessions: Sessions, *, window: int = 1, age_decay: float = math.inf, before: float = 0.0, power: float = 0.0
) -> MatrixScorer:
    """Counts of j at most ``window`` places after i in a session, each by 1 / distance, as a scorer of items.

    Args:
        sessions: what was observed, the earliest first.
        window: how far j may stand from i.
        age_decay: e-fold of a session's weight, as a share of all sessions.
        before: worth of j standing before i; 1 makes the counts symmetric.
        power: counts are divided by (n_i · n_j)^power, n being sums of counts; 0.5 gives item CF's cosine.

    Example:
        >>> sessions = Sessions.of(IdMap(["phone", "case"]), [[0, 1], [0, 1]])
        >>> co_occurrence(sessions).matrix.toarray().tolist()
        [[0.0, 2.0], [0.0, 0.0]]
    """
    num, row = len(sessions.ids), np.repeat(np.arange(len(sessions)), sessions.lengths)
    age = (len(sessions) - 1 - row) / max(len(sessions), 1)
    weight = np.exp(-age / age_decay)
    matrix: Any = sp.csr_matrix((num, num))
    for away in range(1, window + 1):
        near = row[away:] == row[:-away]
        pairs = sessions.items[:-away][near], sessions.items[away:][near]
        matrix = matrix + sp.csr_matrix((weight[away:][near] / away, pairs), shape=(num, num))
    matrix = matrix + before * matrix.T if before else matrix
    if power:
        left, right = (np.asarray(matrix.sum(axis=axis)).ravel() for axis in (1, 0))
        scale = [sp.diags(np.maximum(total, 1e-12) ** -power) for total in (left, right)]
        matrix = scale[0] @ matrix @ scale[1]
    return MatrixScorer(sessions.ids, sp.csr_matrix(matrix, dtype=np.float32))
