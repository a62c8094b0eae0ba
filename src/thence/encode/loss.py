"""Losses as pure functions of scores. None of them treats i → j and j → i alike."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import softplus


def softmax_loss(scores: Tensor, share: Tensor, log_weight: Tensor) -> Tensor:
    """Cross-entropy between each source's observed targets and the softmax of its scores.

        L = - 1/B Σ_b Σ_c share_bc · ( x_bc - log Σ_c' exp(x_bc' + log_weight_bc') )

    Args:
        scores: ``[B, C]`` scores of B sources against C candidates.
        share: ``[B, C]``, the candidate's share of its source's arcs; rows sum to 1, and are 0 elsewhere.
        log_weight: ``[B, C]`` added to candidates in the denominator: minus the logarithm of how often a
            candidate is expected among the sampled ones (log-Q correction), -inf for one that must not count.

    Returns:
        scalar.

    Example:
        >>> share = torch.tensor([[0.0, 0.0, 1.0, 0.0]])
        >>> softmax_loss(torch.zeros(1, 4), share, torch.zeros(1, 4)).exp().item()  # one of four
        4.0
    """
    denominator = torch.logsumexp(scores + log_weight, dim=1)
    return (denominator * share.sum(1) - (share * scores).sum(1)).mean()


def reverse_loss(forward: Tensor, backward: Tensor, weight: Tensor) -> Tensor:
    """Logistic loss that an arc scores higher than its reverse: weighted mean of softplus(x_ji - x_ij).

    Args:
        forward: scores of arcs i → j, of any shape.
        backward: scores of their reverses j → i, of the same shape.
        weight: weights of the same shape, at least 0; 0 where the reverse is as well supported as the arc.

    Returns:
        scalar; 0 when all weights are 0.

    Example:
        >>> reverse_loss(torch.tensor([2.0]), torch.tensor([2.0]), torch.ones(1)).item()  # log 2
        0.6931...
    """
    return (weight * softplus(backward - forward)).sum() / weight.sum().clamp(min=1e-12)
