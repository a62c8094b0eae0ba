"""Softmax of each arc against the other arcs' targets of its batch and some nodes drawn alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from thence.encode.loss import co_view_loss, in_batch_softmax_loss, reversed_arc_loss
from thence.graph import Arcs
from thence.train.batches import rows_of


@dataclass(frozen=True, eq=False)
class PairSoftmaxObjective:
    """:func:`~thence.encode.loss.in_batch_softmax_loss`, corrected for popularity, and optional further terms.

    A node is expected among the candidates B · in-degree / arcs + K / nodes times: as another arc's target, or
    among the K that were drawn alike. Known arcs of a source are none of its negatives.

    Args:
        arcs: the relation to learn.
        sampler: draws the batches: an :class:`~thence.train.arc_batches.ArcSampler` with ``shared`` negatives.
        reversed_weight: weight of the loss on one-way arcs turned round; needs ``both_roles`` of the sampler.
        beside_weight: weight of the co-view term.
    """

    arcs: Arcs
    sampler: Any
    reversed_weight: float = 0.0
    beside_weight: float = 0.0

    def __call__(self, source: Tensor, target: Tensor, bias: Tensor, batch: Any) -> Tensor:
        """The loss of one batch. Nodes of the batch may be renamed; ``position`` tells who they are."""
        device = source.device
        own, other, shared = (
            torch.from_numpy(nodes).to(device) for nodes in (batch.sources, batch.targets, batch.shared)
        )
        candidates = torch.cat([other, shared])
        scores = source[own] @ target[candidates].T + bias[candidates]
        excluded = torch.from_numpy(self._excluded(batch)).to(device)
        log_chance = torch.from_numpy(self._log_chance(batch)).to(device, scores.dtype)
        loss = in_batch_softmax_loss(scores, log_chance, excluded)
        if self.reversed_weight:
            backward = (source[other] * target[own]).sum(1) + bias[own]
            one_way = torch.from_numpy(batch.one_way).to(device)
            loss = loss + self.reversed_weight * reversed_arc_loss(backward, one_way)
        if self.beside_weight and batch.beside.size:
            pairs = torch.from_numpy(batch.beside).to(device)
            beside = [(side[pairs[0]] * side[pairs[1]]).sum(1) for side in (source, target)]
            loss = loss + self.beside_weight * co_view_loss(*beside)
        return loss

    def _candidates(self, batch: Any) -> np.ndarray:
        """Candidates as nodes of the graph, whatever the batch calls them."""
        return np.concatenate([self.arcs.targets[batch.position].astype(np.int64), batch.drawn])

    def _log_chance(self, batch: Any) -> np.ndarray:
        nodes, num = self._candidates(batch), len(batch.position)
        begin = self.arcs.in_indptr[nodes]
        degree = (self.arcs.in_indptr[nodes + 1] - begin).astype(np.float64)
        return np.log(num * degree / self.arcs.num_arcs + len(batch.drawn) / self.arcs.num_nodes)

    def _excluded(self, batch: Any) -> np.ndarray:
        """``[B, C]`` bool: candidates that are the source itself or targets of its known arcs."""
        nodes, place = np.unique(self._candidates(batch), return_inverse=True)
        sources = np.searchsorted(self.arcs.indptr, batch.position, side="right") - 1
        row, position = rows_of(self.arcs, sources)
        row = np.concatenate([row, np.arange(len(sources))])
        hit = np.concatenate([self.arcs.targets[position].astype(np.int64), sources])
        at = np.minimum(np.searchsorted(nodes, hit), len(nodes) - 1)
        found = nodes[at] == hit
        marked = np.zeros((len(sources), len(nodes)), bool)
        marked[row[found], at[found]] = True
        return marked[:, place]
