"""Attention over arcs in torch alone, on any device; formulas and shapes in ``attend.py``."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import leaky_relu

from thence.encode.layer.near import Near


def additive(near: Near, value: Tensor, row: Tensor, column: Tensor, slope: float) -> Tensor:
    """Attention with ``score_ij = leaky(row_i + column_j)``."""
    seer, seen = _ends(near)
    return _weighted(leaky_relu(row[seer] + column[seen], slope), seer, value[seen], near.num_nodes)


def mixed(near: Near, value: Tensor, row: Tensor, weight: Tensor, slope: float) -> Tensor:
    """Attention with ``score_ij = ⟨weight, leaky(row_i + value_j)⟩``."""
    seer, seen = _ends(near)
    values = value[seen]
    score = (leaky_relu(row[seer] + values, slope) * weight).sum(-1)
    return _weighted(score, seer, values, near.num_nodes)


def _ends(near: Near) -> tuple[Tensor, Tensor]:
    rows = torch.arange(near.num_nodes, device=near.seen.device)
    return torch.repeat_interleave(rows, near.indptr.diff()), near.seen.long()


def _weighted(score: Tensor, seer: Tensor, values: Tensor, num_nodes: int) -> Tensor:
    """``Σ softmax(score) · values`` by rows, of ``[entries, heads]`` and ``[entries, heads, width]``."""
    shape = (num_nodes, score.shape[1])
    at = seer[:, None].expand_as(score)
    top = score.detach().new_zeros(shape).scatter_reduce(0, at, score.detach(), "amax", include_self=False)
    power = (score - top[seer]).exp()
    share = power / score.new_zeros(shape).index_add(0, seer, power)[seer]
    return values.new_zeros((num_nodes, *values.shape[1:])).index_add(0, seer, share[..., None] * values)
