"""Losses as pure functions of scores. None of them treats i → j and j → i alike."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import softplus


def softmax_loss(
    scores: Tensor, row: Tensor, column: Tensor, share: Tensor, log_weight: Tensor | None = None
) -> Tensor:
    """Cross-entropy between each source's observed targets and the softmax of its scores.

        L = - 1/B Σ_b Σ_j share_bj · log ( exp(x_bj) / Σ_c exp(x_bc + log_weight_c) )

    Args:
        scores: ``[B, C]`` scores of B sources against C candidates.
        row: ``[E]`` int64, which source each observed arc belongs to.
        column: ``[E]`` int64, which candidate it leads to.
        share: ``[E]``, the arc's share of its source's arcs; sums to 1 in each row.
        log_weight: ``[B, C]`` or ``[C]`` added to candidates in the denominator: minus the logarithm of how
            often a candidate is expected among the sampled ones (log-Q correction), -inf for one that must
            not count.

    Returns:
        scalar.

    Example:
        >>> x = torch.zeros(1, 4)
        >>> softmax_loss(x, torch.tensor([0]), torch.tensor([2]), torch.ones(1)).exp().item()  # one of four
        4.0
    """
    denominator = torch.logsumexp(scores if log_weight is None else scores + log_weight, dim=1)
    observed = scores[row, column] - denominator[row]
    return -(share * observed).sum() / len(scores)


def reverse_loss(forward: Tensor, backward: Tensor, weight: Tensor) -> Tensor:
    """Logistic loss that an arc scores higher than its reverse: weighted mean of softplus(x_ji - x_ij).

    Args:
        forward: ``[E]`` scores of arcs i → j.
        backward: ``[E]`` scores of their reverses j → i.
        weight: ``[E]`` weights, at least 0; 0 where the reverse is as well supported as the arc.

    Returns:
        scalar; 0 when all weights are 0.

    Example:
        >>> reverse_loss(torch.tensor([2.0]), torch.tensor([2.0]), torch.ones(1)).item()  # log 2
        0.6931...
    """
    return (weight * softplus(backward - forward)).sum() / weight.sum().clamp(min=1e-12)
