"""What DAEMON minimises: its equation 2 on batches of arcs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from thence.encode.loss import daemon_loss
from thence.train.arc_batches import ArcBatch


@dataclass(frozen=True, eq=False)
class DaemonObjective:
    """Equation 2 (:func:`~thence.encode.loss.daemon_loss`) over a batch, divided by its arcs.

    Args:
        sampler: draws the batches: an :class:`~thence.train.arc_batches.ArcSampler` with the co-viewed relation
            beside the main one.
    """

    sampler: Any

    def __call__(self, source: Tensor, target: Tensor, bias: Tensor, batch: Any) -> Tensor:
        """The loss of one batch."""
        own, other, negative, pairs, one_way = tensors(batch, source.device)
        forward = (source[own] * target[other]).sum(1) + bias[other]
        backward = (source[other] * target[own]).sum(1) + bias[own]
        drawn = (source[own][:, None] * target[negative]).sum(2) + bias[negative]
        beside = torch.stack([(side[pairs[0]] * side[pairs[1]]).sum(1) for side in (source, target)])
        return daemon_loss(forward, drawn, backward, one_way, beside) / len(own)


def tensors(batch: ArcBatch, device: torch.device) -> tuple[Tensor, ...]:
    """Sources, targets, negatives, pairs and what is one-way, on the device of the embeddings."""
    arrays = (batch.sources, batch.targets, batch.negatives, batch.beside, batch.one_way)
    return tuple(torch.from_numpy(np.ascontiguousarray(array)).to(device) for array in arrays)
