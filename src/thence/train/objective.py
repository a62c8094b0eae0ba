"""What a step minimises: an objective turns an encoder's output and a batch into one number.

An objective is any callable ``(source, target, bias, batch) -> scalar``; this one is built from the losses of
``encode/loss.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from thence.encode.loss import reverse_loss, softmax_loss
from thence.graph import Arcs
from thence.train.batches import Batch

Objective = Callable[[Tensor, Tensor, Tensor, Batch], Tensor]


@dataclass(frozen=True, eq=False)
class SoftmaxObjective:
    """Softmax over candidates, plus a loss on the reverses of arcs whose direction the data bear out.

    Args:
        arcs: the relation to learn.
        reverse_weight: weight of the reverse loss; 0 leaves it out.
        min_asymmetry: an arc counts in the reverse loss when its asymmetry (z-score) is at least this.
    """

    arcs: Arcs
    reverse_weight: float = 0.0
    min_asymmetry: float = 2.0

    def __call__(self, source: Tensor, target: Tensor, bias: Tensor, batch: Batch) -> Tensor:
        """The loss of one batch."""
        own = torch.from_numpy(batch.sources).to(source.device)
        candidates = torch.from_numpy(batch.candidates).to(source.device)
        row, column = _ints(batch.row, source), _ints(batch.column, source)
        scores = source[own] @ target[candidates].T + bias[candidates]
        share = torch.from_numpy(batch.share).to(source)
        loss = softmax_loss(scores, row, column, share, self._denominator(scores, own, candidates, batch))
        if not self.reverse_weight:
            return loss
        i, j = own[row], _ints(batch.targets, source)
        forward = (source[i] * target[j]).sum(1) + bias[j]
        backward = (source[j] * target[i]).sum(1) + bias[i]
        weight = share * torch.from_numpy(self._one_way(batch)).to(source)
        return loss + self.reverse_weight * reverse_loss(forward, backward, weight)

    def _denominator(self, scores: Tensor, own: Tensor, candidates: Tensor, batch: Batch) -> Tensor:
        """Log weights ``[B, C]``: an arc counts once for its own source, and no source for itself."""
        weight = torch.from_numpy(batch.log_weight).to(scores).repeat(len(own), 1)
        weight[_ints(batch.row, scores), _ints(batch.column, scores)] = 0.0
        return weight.masked_fill(own[:, None] == candidates[None, :], -torch.inf)

    def _one_way(self, batch: Batch) -> np.ndarray:
        at = self.arcs.positions(batch.sources[batch.row], batch.targets)
        if "asymmetry" in self.arcs.values:
            return (self.arcs.values["asymmetry"][at] >= self.min_asymmetry).astype(np.float64)
        return (~self.arcs.contains(batch.targets, batch.sources[batch.row])).astype(np.float64)


def _ints(values: np.ndarray, like: Tensor) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values)).to(like.device)
