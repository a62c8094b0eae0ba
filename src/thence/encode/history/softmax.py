"""The softmax of many histories against many candidates, without ever holding the whole table of scores.

    L = − 1/P Σ_p ( x_pf − log ( e^{x_pf} + Σ_{c ≠ f} e^{x_pc + q_c} ) ) ,      x = S Tᵀ + b

with f the item that followed history p and q the log-Q correction of sampled candidates. The largest score is
bounded by ‖s‖ · max ‖t‖ + max b rather than looked for, which saves a pass over the table. Rows are worked on
in blocks that fit a core's cache, and gradients are made in the same pass.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

BLOCK = 1 << 19


def history_softmax(
    source: Tensor, target: Tensor, bias: Tensor, following: Tensor, log_weight: Tensor
) -> Tensor:
    """The loss of the formula above, differentiable in ``source``, ``target`` and ``bias``.

    Args:
        source: ``[P, dim]`` vectors of the histories.
        target: ``[C, dim]`` vectors of the candidates.
        bias: ``[C]``.
        following: ``[P]`` int64, the candidate that followed each history.
        log_weight: ``[C]``, ``-inf`` for candidates that count only where they followed.

    Returns:
        scalar.

    Example:
        >>> flat = torch.zeros(4)
        >>> history_softmax(torch.zeros(1, 2), torch.zeros(4, 2), flat, torch.tensor([2]), flat)
        tensor(1.3863)
    """
    return _Softmax.apply(source, target, bias, following, log_weight)  # type: ignore[return-value]


class _Softmax(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *given: Tensor) -> Tensor:
        source, target, bias, following, log_weight = given
        kind = torch.bfloat16 if _short(source) else source.dtype
        near, far = source.to(kind), target.to(kind)
        grads = torch.empty_like(source), torch.zeros_like(target), torch.zeros_like(bias)
        offset, size = bias + log_weight, max(16, BLOCK // len(target))
        right = (source * target[following]).sum(1) + bias[following]
        most = target.norm(dim=1).max() * source.norm(dim=1, keepdim=True) + torch.maximum(offset, bias).max()
        loss = source.new_zeros(())
        for begin in range(0, len(source), size):
            rows = slice(begin, begin + size)
            own, top = following[rows], most[rows]
            score = (near[rows] @ far.T).to(source.dtype).add_(offset).sub_(top).exp_()
            at = torch.arange(len(own), device=own.device)
            score[at, own] = (right[rows] - top[:, 0]).exp()
            whole = score.sum(1)
            loss += (whole.log() + top[:, 0] - right[rows]).sum()
            score.div_(whole[:, None])
            score[at, own] -= 1
            grads[2].add_(score.sum(0))
            low = score.to(kind)
            grads[0][rows] = (low @ far).to(source.dtype)
            grads[1].add_((low.T @ near[rows]).to(source.dtype))
        ctx.save_for_backward(*grads)
        ctx.num = len(source)
        return loss / len(source)

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor | None, ...]:
        return *(grad * (outer[0] / ctx.num) for grad in ctx.saved_tensors), None, None


def _short(source: Tensor) -> bool:
    """Whether products of short floats are the faster ones here; sums are kept in long ones either way."""
    return source.device.type == "cpu" and torch.backends.mkldnn.is_available() and _has_short_products()


def _has_short_products() -> bool:
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported()) and torch.cpu._is_avx512_bf16_supported()
