"""What a BLADE-style model minimises: arcs weigh by their score, and what exceeds their reverse's."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from thence.encode.loss import blade_loss
from thence.graph import Arcs
from thence.train.daemon_objective import tensors


@dataclass(frozen=True, eq=False)
class BladeObjective:
    """:func:`~thence.encode.loss.blade_loss` over a batch of arcs.

    Args:
        arcs: the relation to learn.
        sampler: draws the batches: an :class:`~thence.train.arc_batches.ArcSampler`.
    """

    arcs: Arcs
    sampler: Any

    def __call__(self, source: Tensor, target: Tensor, bias: Tensor, batch: Any) -> Tensor:
        """The loss of one batch."""
        own, other, negative, *_ = tensors(batch, source.device)
        forward = (source[own] * target[other]).sum(1) + bias[other]
        backward = (source[other] * target[own]).sum(1) + bias[own]
        drawn = (source[own][:, None] * target[negative]).sum(2) + bias[negative]
        weight, asymmetry = (torch.from_numpy(part[batch.position]).to(source) for part in self.weights)
        return blade_loss(forward, weight, drawn, backward, asymmetry)

    @cached_property
    def weights(self) -> tuple[np.ndarray, np.ndarray]:
        """``w`` and ``a`` of every arc in out-order, float32.

        e_ij = d_out(i) · d_in(j); w = e_ij / mean e; a = max(0, e_ij - e_ji) / mean e, e_ji being 0 where the
        reverse is no arc.
        """
        source, target = self.arcs.pairs
        score = self.arcs.out_degree[source].astype(np.float64) * self.arcs.in_degree[target]
        back = self.arcs.out_degree[target].astype(np.float64) * self.arcs.in_degree[source]
        excess = np.maximum(score - np.where(self.arcs.one_way, 0.0, back), 0.0)
        mean = score.mean()
        return (score / mean).astype(np.float32), (excess / mean).astype(np.float32)
