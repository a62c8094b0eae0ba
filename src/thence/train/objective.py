"""What a step minimises: an objective turns an encoder's output and a batch into one number.

An objective is any callable ``(source, target, bias, batch) -> scalar``; this one is built from the losses of
``encode/loss.py``. One that has a ``sampler`` is given that sampler's batches instead of the usual ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from thence.encode.loss import reverse_loss, softmax_loss
from thence.graph import Arcs
from thence.train.batches import Batch, Sampler

Objective = Callable[[Tensor, Tensor, Tensor, Batch], Tensor]


@dataclass(frozen=True, eq=False)
class SoftmaxObjective:
    """Softmax over candidates, plus a loss on the reverses of arcs whose direction the data bear out.

    Args:
        arcs: the relation to learn.
        reverse_weight: weight of the reverse loss; 0 leaves it out.
        min_asymmetry: an arc counts in the reverse loss when its asymmetry (z-score) is at least this; where
            arcs have none, one counts when it has no reverse.
        sampler: draws the batches; a :class:`BatchSampler` with the settings of training when not given.
    """

    arcs: Arcs
    reverse_weight: float = 0.0
    min_asymmetry: float = 2.0
    sampler: Sampler | None = None

    def __call__(self, source: Tensor, target: Tensor, bias: Tensor, batch: Batch) -> Tensor:
        """The loss of one batch."""
        own, candidates = (
            _like(batch.sources, source, torch.int64),
            _like(batch.candidates, source, torch.int64),
        )
        scores = source[own] @ target[candidates].T + bias[candidates]
        share = torch.zeros_like(scores)
        place = _like(batch.row * len(batch.candidates) + batch.column, source, torch.int64)
        share.view(-1)[place] = _like(batch.share, source, scores.dtype)
        weight = _like(batch.log_weight, source, scores.dtype).repeat(len(own), 1)
        weight.view(-1)[place] = 0.0  # an arc counts once for its own source
        weight.masked_fill_(own[:, None] == candidates[None, :], -torch.inf)
        loss = softmax_loss(scores, share, weight)
        if not self.reverse_weight:
            return loss
        backward = target[own] @ source[candidates].T + bias[own][:, None]
        trusted = torch.zeros_like(scores)
        trusted.view(-1)[place] = _like(batch.share * self._one_way(batch), source, scores.dtype)
        return loss + self.reverse_weight * reverse_loss(scores, backward, trusted)

    def _one_way(self, batch: Batch) -> np.ndarray:
        if "asymmetry" in self.arcs.values:
            return self.arcs.values["asymmetry"][batch.position] >= self.min_asymmetry
        return ~self.arcs.contains(batch.targets, batch.sources[batch.row])


def _like(values: np.ndarray, like: Tensor, dtype: torch.dtype) -> Tensor:
    return torch.from_numpy(values).to(device=like.device, dtype=dtype)
