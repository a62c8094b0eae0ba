"""Training of methods that read histories, in the one loop.

Every beginning of a session is asked what followed it; one pass answers for all beginnings of all its sessions.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from thence.base.errors import DataError
from thence.base.progress import Progress, silent
from thence.base.rng import generator
from thence.encode.history.data import HistoryBatch, padded, session_graph
from thence.encode.history.model import HistoryModel, HistoryVectors
from thence.encode.history.softmax import history_softmax
from thence.events.datasets.sessions import Sessions
from thence.train.config import TrainConfig
from thence.train.fit import Validate, fit_scorer

HISTORY_TRAIN = TrainConfig(
    steps=540, batch_size=1024, learning_rate=5e-3, weight_decay=0.0, candidates=1000, validate_every=180
)
"""What learned history methods are trained with, ours and others alike."""
HALF_LIFE = 0.5


@dataclass(frozen=True, eq=False)
class HistorySampler:
    """Draws batches of distinct sessions, later ones more often, and candidates.

    A session's weight halves with each ``half_life`` of the sessions that came after it. Candidates are the
    items that follow in the batch and ``candidates`` drawn evenly, weighted back (log-Q correction).

    Args:
        sessions: what to learn from, the earliest first.
        batch_size: sessions in a batch.
        candidates: drawn evenly; 0 takes all items.
        half_life: as a share of all sessions; 0 draws all alike.
        longest: items of a session that are looked at, the latest.
        seed: of the private generators.
    """

    sessions: Sessions
    batch_size: int = 512
    candidates: int = 0
    half_life: float = 0.0
    longest: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        if not (self.sessions.lengths > 1).any():
            raise DataError("no session has two items", where=repr(self.sessions))

    def batch(self, step: int) -> Any:
        """The batch of one step."""
        rng = generator(self.seed, "histories", step)
        drawn = self.sessions.take(np.sort(self._rows(step, rng)))
        items, last = padded(drawn, self.longest + 1)
        inside = np.arange(items.shape[1] - 1) < last[:, None]
        row, column = np.nonzero(inside)
        following = items[row, column + 1]
        shown = np.where(inside, items[:, :-1], 0)
        ends = np.maximum(last - 1, 0)
        num = len(self.sessions.ids)
        if not self.candidates or self.candidates >= num:
            every, flat = np.arange(num), np.zeros(num, np.float32)
            return HistoryBatch(shown, ends, following, every, flat)
        even = rng.integers(num, size=self.candidates)
        candidates, at = np.unique(np.concatenate([following, even]), return_inverse=True)
        times = np.bincount(at, minlength=len(candidates))
        expected = len(following) * self._popularity[candidates] + self.candidates / num
        log_weight = (np.log(times) - np.log(expected)).astype(np.float32)
        own = at[: len(following)]
        return HistoryBatch(shown, ends, own, candidates, log_weight)

    @cached_property
    def _weight(self) -> np.ndarray:
        num = len(self.sessions)
        age = (num - 1 - np.arange(num)) / num
        weight = 0.5 ** (age / self.half_life) if self.half_life else np.ones(num)
        return weight * (self.sessions.lengths > 1)

    @cached_property
    def _popularity(self) -> np.ndarray:
        """``[num_items]`` how likely each is to be the item that follows, as sessions are drawn."""
        inside = np.ones(len(self.sessions.items), bool)
        inside[self.sessions.indptr[:-1][self.sessions.lengths > 0]] = False
        weight = np.repeat(self._weight, self.sessions.lengths)[inside]
        found = np.bincount(self.sessions.items[inside], weights=weight, minlength=len(self.sessions.ids))
        return found / found.sum()

    def _rows(self, step: int, rng: np.random.Generator) -> np.ndarray:
        weight = self._weight
        alive = np.flatnonzero(weight > 0)
        keys = np.log(weight[alive]) + rng.gumbel(size=len(alive))
        size = min(self.batch_size, len(alive))
        return alive[np.argpartition(-keys, size - 1)[:size]]


@dataclass(frozen=True, eq=False)
class HistoryObjective:
    """Softmax of what followed each history among the candidates.

    Args:
        sampler: draws the batches.
    """

    sampler: HistorySampler

    def __call__(self, source: Tensor, target: Tensor, bias: Tensor, batch: Any) -> Tensor:
        """The loss of one batch."""
        following, log_weight = (
            torch.from_numpy(array).to(source.device) for array in (batch.following, batch.log_weight)
        )
        return history_softmax(source, target, bias, following, log_weight)


def fit_history(
    model: HistoryModel,
    sessions: Sessions,
    config: TrainConfig = HISTORY_TRAIN,
    *,
    half_life: float = HALF_LIFE,
    validate: Validate | None = None,
    progress: Progress = silent,
) -> HistoryVectors:
    """Train a history model; what it has learned already is where it begins.

    Args:
        model: a :class:`HistoryEncoder`, a :class:`SasRec` or another.
        sessions: what to learn from, the earliest first.
        config: settings of training; ``batch_size`` is in sessions, ``candidates`` are drawn evenly beside the
            items that follow in the batch, 0 takes all items.
        half_life: a session's weight halves with each such share of sessions that came after it; 0 for no such.
        validate: from a :class:`HistoryVectors` to a figure of which more is better, for early stopping.
        progress: told after each step.

    Raises:
        DataError: no session has two items.
        FitError: the loss or the validation figure is not a number.

    Example:
        >>> from thence.base.ids import IdMap
        >>> from thence.encode.history.encoder import HistoryConfig, HistoryEncoder
        >>> sessions = Sessions.of(IdMap(["phone", "case", "shoe", "sock"]), [[0, 1], [2, 3]] * 20)
        >>> encoder = HistoryEncoder(4, HistoryConfig(dim=8, heads=2, dropout=0.0))
        >>> learned = fit_history(encoder, sessions, TrainConfig(steps=40, learning_rate=0.05))
        >>> learned.scores(Sessions.of(sessions.ids, [[0], [2]])).argmax(1).tolist()
        [1, 3]
    """
    sampler = HistorySampler(
        sessions, config.batch_size, config.candidates, half_life, model.longest, config.seed
    )
    graph = session_graph(sessions)
    goal = HistoryObjective(sampler)
    return fit_scorer(graph, config, encoder=model, objective=goal, validate=validate, progress=progress)
