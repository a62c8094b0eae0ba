"""Training of the second stage on sessions that the first stage has not seen."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from thence.base.errors import ConfigError, FitError
from thence.base.progress import Progress, silent
from thence.base.rng import generator
from thence.encode.history.data import session_graph
from thence.encode.history.encoder import HistoryConfig, HistoryEncoder
from thence.encode.history.evidence import Candidates, Evidence
from thence.encode.history.rerank import Judge, Reranker
from thence.encode.history.start import nearby_vectors
from thence.encode.history.views import plain_views
from thence.events.datasets.sessions import Sessions
from thence.graph import DiGraph
from thence.train.config import TrainConfig
from thence.train.fit import fit_scorer
from thence.train.history import HISTORY_TRAIN, fit_history

BLOCK = 512
JUDGE_TRAIN = TrainConfig(steps=800, batch_size=128, learning_rate=5e-3, weight_decay=0.01)


@dataclass(frozen=True, eq=False)
class Judged:
    """Candidates of many histories, of which one followed.

    Args:
        nodes: ``[Q, C]`` int64, -1 where there is none.
        features: ``[Q, C, F]`` float32.
        place: ``[Q]`` int64, where what followed stands.
        seed: of the batches.
        size: histories in a batch.
    """

    nodes: np.ndarray
    features: np.ndarray
    place: np.ndarray
    seed: int = 0
    size: int = 128

    def batch(self, step: int) -> Any:
        """The batch of one step."""
        rng = generator(self.seed, "judged", step)
        rows = np.sort(rng.choice(len(self.place), min(self.size, len(self.place)), replace=False))
        return Judged(self.nodes[rows], self.features[rows], self.place[rows])


def gather(
    evidence: Evidence, histories: Sessions, following: np.ndarray, progress: Progress = silent
) -> Judged:
    """Evidence of many histories, those left out whose following item no view brought forward.

    Raises:
        FitError: that is so for all of them.
    """
    parts: list[Candidates] = []
    for begin in range(0, len(histories), BLOCK):
        block = histories.slice(begin, min(begin + BLOCK, len(histories)))
        found: Any = evidence.candidates(block)
        parts.append(found)
        progress("evidence", begin + len(block), len(histories))
    width = max((part.nodes.shape[1] for part in parts), default=0)
    nodes = np.full((len(histories), width), -1, np.int64)
    features = np.zeros((len(histories), width, len(evidence.names)), np.float32)
    at = 0
    for part in parts:
        rows = slice(at, at + len(part.nodes))
        nodes[rows, : part.nodes.shape[1]], features[rows, : part.nodes.shape[1]] = part.nodes, part.features
        at += len(part.nodes)
    place = Candidates(nodes, features).place_of(following)
    kept = place >= 0
    if not kept.any():
        raise FitError("no view brings forward what followed", where=repr(histories), fix="Widen their depth.")
    return Judged(nodes[kept], features[kept], place[kept])


@dataclass(frozen=True, eq=False)
class JudgeObjective:
    """Cross-entropy of what followed among the candidates.

    Args:
        sampler: draws the batches.
    """

    sampler: Judged

    def __call__(self, source: Tensor, target: Tensor, bias: Tensor, batch: Any) -> Tensor:
        """The loss of one batch; ``source`` holds the scores of the candidates."""
        return cross_entropy(source, torch.from_numpy(batch.place).to(source.device))


def fit_judge(
    judged: Judged,
    graph: DiGraph,
    config: TrainConfig = JUDGE_TRAIN,
    *,
    hidden: int = 32,
    progress: Progress = silent,
) -> Judge:
    """Train a judge.

    Args:
        judged: evidence of sessions that come after those to which its views were fitted.
        graph: of the sessions; the loop asks for one.
        config: settings of training.
        hidden: width of the layers; 0 for a linear one.
        progress: told after each step.
    """
    alive = judged.features[judged.nodes >= 0]
    judge = Judge(alive.mean(0), alive.std(0), hidden, config.seed)
    sampler = Judged(judged.nodes, judged.features, judged.place, config.seed, config.batch_size)
    return fit_scorer(graph, config, encoder=judge, objective=JudgeObjective(sampler), progress=progress)


@dataclass(frozen=True)
class NextConfig:
    """Settings of both stages.

    Args:
        tail: share of the sessions, the latest, that the judge learns from.
        cases: most histories that it learns from, drawn from the tail.
        hidden: width of its layers.
        train: of the first stage.
        judge: of the second.
        again: share of the first stage's steps that are taken once more with the tail in.
        encoder: settings of the first stage's encoder.
    """

    tail: float = 0.05
    cases: int = 20_000
    hidden: int = 32
    train: TrainConfig = HISTORY_TRAIN
    judge: TrainConfig = JUDGE_TRAIN
    again: float = 0.25
    encoder: HistoryConfig = field(default_factory=HistoryConfig)

    def __post_init__(self) -> None:
        if not 0 < self.tail < 1 or self.cases < 1 or self.hidden < 0 or not 0 <= self.again <= 1:
            raise ConfigError(f"out of range: {self}", fix="tail and again are shares, counts at least 1.")


def fit_next(sessions: Sessions, config: NextConfig | None = None, *, progress: Progress = silent) -> Reranker:
    """Both stages: vectors for retrieval, evidence from them and from counting, and a judge of it.

    The first stage learns from all sessions but the latest, the judge from how well the evidence then told the
    latest; after that the first stage takes the latest in, at a low rate, and the counts are made anew.

    Args:
        sessions: what was observed, the earliest first.
        config: settings.
        progress: told after each step.

    Raises:
        DataError: there are too few sessions.
        FitError: training broke down.
    """
    config = config or NextConfig()
    earlier, latest = sessions.tail(config.tail)
    start = nearby_vectors(earlier, config.encoder.dim, seed=config.train.seed)
    encoder = HistoryEncoder(len(sessions.ids), config.encoder, start=start, seed=config.train.seed)
    vectors = fit_history(encoder, earlier, config.train, progress=progress)
    histories, following, _ = latest.prefixes()
    rows = generator(config.train.seed, "judge").permutation(len(following))[: config.cases]
    rows.sort()
    evidence = Evidence(earlier, plain_views(earlier, vectors))
    judged = gather(evidence, histories.take(rows), following[rows], progress)
    graph = session_graph(earlier)
    judge = fit_judge(judged, graph, config.judge, hidden=config.hidden, progress=progress)
    steps = round(config.again * config.train.steps)
    if steps:
        more = replace(config.train, steps=steps, learning_rate=0.4 * config.train.learning_rate)
        encoder.train()
        vectors = fit_history(encoder, sessions, more, progress=progress)
    return Reranker(Evidence(sessions, plain_views(sessions, vectors)), judge)
