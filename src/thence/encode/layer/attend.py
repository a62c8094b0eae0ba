"""Attention over arcs: each node's mean of the nodes that it looks at, by shares that scores give.

    share_ij = exp(score_ij) / Σ_k exp(score_ik)           over the entries (i, k) of row i
    out_i    = Σ_j share_ij · value_j                       zeros for a row without entries

Two forms of each: a compiled one for float32 on the CPU, which keeps nothing as large as entries times width,
and a plain one in torch for everything else. They have the same names and give the same numbers.
"""

from __future__ import annotations

from types import ModuleType

import torch
from torch import Tensor

from thence.encode.layer import attend_compiled, attend_plain
from thence.encode.layer.near import Near


def additive(near: Near, value: Tensor, row: Tensor, column: Tensor, slope: float = 0.2) -> Tensor:
    """Attention with ``score_ij = leaky(row_i + column_j)``, head by head, as in GAT.

    Args:
        near: the entries.
        value: ``[n, heads, width]``.
        row: ``[n, heads]``, what a looking node adds to its scores.
        column: ``[n, heads]``, what a node that is looked at adds.
        slope: of the leaky ReLU below zero.

    Returns:
        ``[n, heads, width]``.
    """
    return _form(value).additive(near, value, row, column, slope)


def mixed(near: Near, value: Tensor, row: Tensor, weight: Tensor, slope: float = 0.2) -> Tensor:
    """Attention with ``score_ij = ⟨weight, leaky(row_i + value_j)⟩``, head by head, as in GATv2.

    Args:
        near: the entries.
        value: ``[n, heads, width]``.
        row: ``[n, heads, width]``, what a looking node brings.
        weight: ``[heads, width]``.
        slope: of the leaky ReLU below zero.

    Returns:
        ``[n, heads, width]``.
    """
    return _form(value).mixed(near, value, row, weight, slope)


def _form(value: Tensor) -> ModuleType:
    fast = value.device.type == "cpu" and value.dtype == torch.float32
    return attend_compiled if fast else attend_plain
