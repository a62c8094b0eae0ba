"""The second stage: a small network over the evidence of each candidate, explained by its parts.

    score(h → j) = w · φ(z) + u · z ,      z = standardised evidence of (h, j),   φ = two layers of GELU

What no view brought forward follows behind all candidates, in the order of the first view.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import gelu

from thence.base.ids import IdMap
from thence.base.rng import torch_generator
from thence.encode.history.evidence import Candidates, Evidence
from thence.events.datasets.sessions import Sessions
from thence.graph import DiGraph

BEHIND = 1e4
BLOCK = 512


class Judge(nn.Module):
    """From features of candidates to scores; trained by ``thence.train.history_rerank``.

    Args:
        mean: ``[F]`` of the features.
        spread: ``[F]`` their standard deviations.
        hidden: width of the layers; 0 leaves a linear model.
        seed: from which the start values are drawn.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, mean: np.ndarray, spread: np.ndarray, hidden: int = 32, seed: int = 0) -> None:
        super().__init__()
        size = len(mean)
        self.register_buffer("mean", torch.as_tensor(mean, dtype=torch.float32))
        self.register_buffer("spread", torch.as_tensor(spread, dtype=torch.float32).clamp(min=1e-3))

        def matrix(name: str, rows: int, columns: int) -> nn.Parameter:
            values = torch.randn(rows, columns, generator=torch_generator(seed, "judge", name))
            return nn.Parameter(values / max(rows, 1) ** 0.5)

        self.first, self.second = matrix("first", size, hidden), matrix("second", hidden, hidden)
        self.first_bias, self.second_bias = nn.Parameter(torch.zeros(hidden)), nn.Parameter(torch.zeros(hidden))
        self.last, self.linear = nn.Parameter(torch.zeros(hidden)), nn.Parameter(torch.zeros(size))

    def forward(self, features: Tensor) -> Tensor:
        """Scores ``[...]`` of candidates with features ``[..., F]``."""
        z = (features - self.mean) / self.spread
        inner = gelu(z @ self.first + self.first_bias)
        inner = gelu(inner @ self.second + self.second_bias)
        return inner @ self.last + z @ self.linear

    def around(self, batch: Any) -> tuple[Tensor, Tensor, Tensor, Any]:
        """Scores ``[B, C]`` of a batch's candidates, ``-inf`` where there is none; the rest is empty."""
        device = self.mean.device
        scores = self(torch.from_numpy(batch.features).to(device))
        scores = scores.masked_fill(torch.from_numpy(batch.nodes).to(device) < 0, -torch.inf)
        return scores, scores.new_zeros(0), scores.new_zeros(0), batch

    def scorer(self, graph: DiGraph, info: dict[str, Any]) -> Judge:
        """Itself: it judges candidates, whoever gathers them."""
        return self


@dataclass(frozen=True, eq=False)
class Reranker:
    """Evidence and a judge of it, as a scorer of histories.

    Args:
        evidence: gathers candidates and what is known of them.
        judge: trained on evidence of the same features, of earlier sessions.
    """

    evidence: Evidence
    judge: Judge

    @property
    def ids(self) -> IdMap:
        """External ids of the items."""
        return self.evidence.ids

    def scores(self, histories: Sessions) -> np.ndarray:
        """Scores ``[len(histories), num_items]`` float32."""
        rows = np.empty((len(histories), len(self.ids)), np.float32)
        for begin in range(0, len(histories), BLOCK):
            block = histories.slice(begin, min(begin + BLOCK, len(histories)))
            found: Any = self.evidence.candidates(block, base=True)
            candidates, base = found
            part = rows[begin : begin + BLOCK]
            part[:] = base - BEHIND
            row, column = np.nonzero(candidates.nodes >= 0)
            part[row, candidates.nodes[row, column]] = self.judged(candidates)[row, column]
        return rows

    def judged(self, candidates: Candidates) -> np.ndarray:
        """Scores ``[B, C]`` float32 of candidates."""
        with torch.no_grad():
            features = torch.from_numpy(candidates.features).to(self.judge.mean.device)
            return self.judge(features).numpy(force=True)

    def why(self, history: np.ndarray, node: int) -> dict[str, float]:
        """What each feature adds to a candidate's score, more than to those of its rivals.

        A feature's part is the drop of the score when the feature takes its mean value instead, less the mean
        of that drop over all candidates of the history.

        Args:
            history: item ints, the latest last.
            node: the candidate.

        Returns:
            by feature name; nothing for an item that no view brought forward.
        """
        found: Any = self.evidence.candidates(Sessions.of(self.ids, [history]))
        at = int(found.place_of(np.array([node]))[0])
        if at < 0:
            return {}
        own = found.features[0][found.nodes[0] >= 0]
        changed = np.repeat(own[:, None], own.shape[1] + 1, axis=1)
        each = np.arange(own.shape[1])
        changed[:, each + 1, each] = self.judge.mean.numpy(force=True)
        with torch.no_grad():
            scores = self.judge(torch.from_numpy(changed).to(self.judge.mean.device)).numpy(force=True)
        drop = scores[:, :1] - scores[:, 1:]
        return dict(zip(self.evidence.names, (drop[at] - drop.mean(0)).tolist(), strict=True))
