"""Attention over arcs by compiled loops, float32 on the CPU; formulas and shapes in ``attend.py``.

With share s_ij, g_i the gradient of out_i and δ_i = ⟨g_i, out_i⟩, the gradient of a score is

    d_ij = s_ij (⟨g_i, value_j⟩ - δ_i)

Shares are made again from each row's log of sums, so that forward and backward keep rows alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from thence.encode.layer import attend_kernel as kernel
from thence.encode.layer.near import Near
from thence.graph.sample.aggregate import over_rows


def additive(near: Near, value: Tensor, row: Tensor, column: Tensor, slope: float) -> Tensor:
    """Attention with ``score_ij = leaky(row_i + column_j)``."""
    return _Additive.apply(near, value, row, column, slope)  # type: ignore[return-value]


def mixed(near: Near, value: Tensor, row: Tensor, weight: Tensor, slope: float) -> Tensor:
    """Attention with ``score_ij = ⟨weight, leaky(row_i + value_j)⟩``."""
    return _Mixed.apply(near, value, row, weight, slope)  # type: ignore[return-value]


def _each(function: Any, near: tuple, *rest: Any) -> list[Any]:
    """A loop of the kernel over all rows or columns, as many ranges at once as torch has threads."""
    arrays = tuple(part.numpy() for part in near)

    def work(first: int, last: int) -> Any:
        return function(arrays, *rest, first, last)

    return over_rows(arrays[0], work, threads=torch.get_num_threads())


def _arrays(*tensors: Tensor) -> tuple[Any, ...]:
    return tuple(tensor.detach().contiguous().numpy() for tensor in tensors)


def _empty(*like: Tensor) -> tuple[Tensor, ...]:
    """Arrays to be filled, of these shapes, one row after another however those lie."""
    return tuple(tensor.new_empty(tensor.shape) for tensor in like)


class _Additive(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, near: Near, value: Tensor, row: Tensor, column: Tensor, slope: float) -> Tensor:
        out, log_sum = _empty(value, row)
        values, *terms = _arrays(value, row, column)
        _each(
            kernel.additive_forward, near.rows, values, tuple(terms), np.float32(slope), _arrays(out, log_sum)
        )
        ctx.near, ctx.slope = near, np.float32(slope)
        ctx.save_for_backward(value, row, column, out, log_sum)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:  # type: ignore[override]
        value, row, column, out, log_sum = ctx.saved_tensors
        (grad,), near, slope = grads, ctx.near, ctx.slope
        known = torch.stack([row, log_sum, (grad * out).sum(-1)], 1)
        d_value, d_row, d_column = _empty(value, row, column)
        d_score = row.new_empty(len(near.seen), row.shape[1])
        values, *terms = _arrays(value, column, known, grad)
        filled = _arrays(d_value, d_column, d_score)
        _each(kernel.additive_backward, near.back, values, tuple(terms), slope, filled)
        _each(kernel.row_sums, near.rows, *_arrays(d_score, d_row))
        return None, d_value, d_row, d_column, None


class _Mixed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, near: Near, value: Tensor, row: Tensor, weight: Tensor, slope: float) -> Tensor:
        (out,), share = _empty(value), value.new_empty(len(near.seen), value.shape[1])
        values, *terms = _arrays(value, row, weight)
        _each(kernel.mixed_forward, near.rows, values, tuple(terms), np.float32(slope), _arrays(out, share))
        ctx.near, ctx.slope = near, np.float32(slope)
        ctx.save_for_backward(value, row, weight, out, share)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:  # type: ignore[override]
        value, row, weight, out, share = ctx.saved_tensors
        (grad,), near, slope = grads, ctx.near, ctx.slope
        d_value, d_row, d_score = _empty(value, row, share)
        delta = (grad * out).sum(-1)
        values, *terms = _arrays(value, row, weight, share, delta, grad)
        filled = _arrays(d_row, d_score)
        parts = _each(kernel.mixed_backward_rows, near.rows, values, tuple(terms), slope, filled)
        terms = _arrays(row, weight, share, d_score, grad)
        _each(kernel.mixed_backward_columns, near.back, values, terms, slope, *_arrays(d_value))
        return None, d_value, d_row, torch.from_numpy(np.sum(parts, axis=0, dtype=np.float32)), None
