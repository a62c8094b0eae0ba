"""Training of the second stage on sessions that the first stage has not seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from thence.base.errors import FitError
from thence.base.progress import Progress, silent
from thence.base.rng import generator
from thence.encode.history.evidence import Candidates, Evidence
from thence.encode.history.rerank import Judge
from thence.events.datasets.sessions import Sessions
from thence.graph import DiGraph
from thence.train.config import TrainConfig
from thence.train.fit import fit_scorer

BLOCK = 512


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


def judge_objective(source: Tensor, target: Tensor, bias: Tensor, batch: Any) -> Tensor:
    """Cross-entropy of what followed among the candidates."""
    return cross_entropy(source, torch.from_numpy(batch.place).to(source.device))


def fit_judge(
    judged: Judged,
    graph: DiGraph,
    config: TrainConfig | None = None,
    *,
    hidden: int = 32,
    progress: Progress = silent,
) -> Judge:
    """Train a judge.

    Args:
        judged: evidence of sessions that come after those to which its views were fitted.
        graph: of the sessions; the loop asks for one.
        config: settings of training.
        hidden: width of the layers.
        progress: told after each step.
    """
    config = config or TrainConfig(steps=600, batch_size=128, learning_rate=5e-3, weight_decay=0.01)
    alive = judged.features[judged.nodes >= 0]
    judge = Judge(alive.mean(0), alive.std(0), hidden, config.seed)
    sampler = Judged(judged.nodes, judged.features, judged.place, config.seed, config.batch_size)

    class Goal:
        def __init__(self) -> None:
            self.sampler = sampler

        def __call__(self, source: Tensor, target: Tensor, bias: Tensor, batch: Any) -> Tensor:
            return judge_objective(source, target, bias, batch)

    return fit_scorer(graph, config, encoder=judge, objective=Goal(), progress=progress)
