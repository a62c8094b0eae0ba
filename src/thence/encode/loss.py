"""Losses as pure functions of scores. None of them treats i → j and j → i alike.

A temperature divides scores before anything else is done to them; where it is a tensor that needs a gradient,
it is learned. σ is the logistic function.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, softplus

Temperature = Tensor | float


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


def daemon_loss(forward: Tensor, negative: Tensor, backward: Tensor, one_way: Tensor, beside: Tensor) -> Tensor:
    """DAEMON's loss, summed as in its equation 2.

        L = - Σ_arcs [ log σ(x_ij) + Σ_z log σ(1 - x_iz) ]
            - Σ_one-way arcs [ log σ(x_ij) + log σ(1 - x_ji) ]
            - Σ_co-views [ log σ(⟨s_i, s_j⟩) + log σ(⟨t_i, t_j⟩) ]

    It says σ(1 - x), not 1 - σ(x). With vectors of unit length σ(x) lies between 0.27 and 0.73: no good
    candidate is ever far from a bad one.

    Args:
        forward: ``[E]`` scores x_ij of arcs.
        negative: ``[E, k]`` scores x_iz of their sources with nodes drawn at random.
        backward: ``[E]`` scores x_ji of the arcs turned round.
        one_way: ``[E]`` bool, the reverse of the arc does not exist.
        beside: ``[2, C]`` scores of co-viewed pairs, row 0 as sources and row 1 as targets.

    Returns:
        scalar.

    Example:
        >>> x = torch.zeros(1)  # 3 log 2 + log(1 + 1/e)
        >>> daemon_loss(x, x[:, None], x + 1.0, torch.tensor([True]), torch.empty(2, 0)).item()
        2.3927...

    References:
        Virinchi et al., ECML-PKDD 2022, equation 2.
    """
    asymmetric = (logsigmoid(forward) + logsigmoid(1 - backward)) * one_way
    terms = (logsigmoid(forward), logsigmoid(1 - negative), asymmetric, logsigmoid(beside))
    return -sum((term.sum() for term in terms), start=torch.zeros((), device=forward.device))


def blade_loss(
    forward: Tensor, weight: Tensor, negative: Tensor, backward: Tensor, asymmetry: Tensor
) -> Tensor:
    """A loss in BLADE's manner, reconstructed: arcs weigh by their score, and what exceeds their reverse's.

        L = - mean_ij w_ij log σ(x_ij) - mean_iz log σ(1 - x_iz)
            - mean_ij a_ij [ log σ(x_ij) + log σ(1 - x_ji) ]

    with e_ij = d_out(i) · d_in(j), w_ij = e_ij / mean e, and a_ij = max(0, e_ij - e_ji) / mean e, where e_ji is
    0 if there is no arc j → i.

    Args:
        forward: ``[E]`` scores of arcs.
        weight: ``[E]`` w of each arc.
        negative: ``[E, k]`` scores of their sources with nodes drawn at random.
        backward: ``[E]`` scores of the arcs turned round.
        asymmetry: ``[E]`` a of each arc.

    Returns:
        scalar.

    Example:
        >>> x, one = torch.zeros(1), torch.ones(1)
        >>> blade_loss(x, 2 * one, x[:, None] + 1, x + 1, 0 * one).item()  # 3 log 2
        2.0794...

    References:
        Virinchi, Saladi, WSDM 2023, as far as it is public.
    """
    arcs = -(weight + asymmetry) * logsigmoid(forward) - asymmetry * logsigmoid(1 - backward)
    return arcs.mean() - logsigmoid(1 - negative).mean()


def sampled_softmax_loss(
    positive: Tensor, negative: Tensor, log_chance: Tensor, temperature: Temperature = 1.0
) -> Tensor:
    """Cross-entropy of each arc against negatives of its own, corrected for how they were drawn.

        L = mean_e [ log( exp(x_e / τ) + Σ_k exp(x_ek / τ - log(K q_ek)) ) - x_e / τ ]

    Args:
        positive: ``[E]`` scores of arcs.
        negative: ``[E, K]`` scores of their sources with K nodes drawn with replacement.
        log_chance: ``[E, K]`` (or what broadcasts to it) log q, the chance of one draw; +inf where a place is
            empty. With q = 1 / (number of nodes) for all, this estimates the softmax over all nodes.
        temperature: τ.

    Returns:
        scalar.

    Example:
        >>> sampled_softmax_loss(torch.zeros(1), torch.zeros(1, 2), torch.tensor(-math.log(9))).exp().item()
        10.0

    References:
        Bengio, Senécal, "Adaptive importance sampling to accelerate training of a neural probabilistic language
        model", 2008.
    """
    own = positive / temperature
    corrected = negative / temperature - log_chance - math.log(max(negative.shape[1], 1))
    return (torch.logsumexp(torch.cat([own[:, None], corrected], dim=1), dim=1) - own).mean()


def in_batch_softmax_loss(
    scores: Tensor, log_chance: Tensor, excluded: Tensor, temperature: Temperature = 1.0
) -> Tensor:
    """Cross-entropy of each arc of a batch against the other arcs' targets and, beyond them, further nodes.

        L = mean_b [ log Σ_c exp(x_bc / τ - log q_c) - (x_bb / τ - log q_b) ]

    Args:
        scores: ``[B, C]`` of each arc's source with each candidate; candidate b < B is the target of arc b.
        log_chance: ``[C]`` log q: how often a candidate is expected in the batch, up to a factor.
        excluded: ``[B, C]`` bool, what must not count as a negative: known arcs, the same target again. What
            stands on the diagonal is disregarded.
        temperature: τ.

    Returns:
        scalar.

    Example:
        >>> scores, nothing = torch.zeros(2, 3), torch.zeros(2, 3, dtype=torch.bool)
        >>> in_batch_softmax_loss(scores, torch.zeros(3), nothing).exp().item()  # one of three
        3.0

    References:
        Yi et al., "Sampling-bias-corrected neural modeling for large corpus item recommendations", RecSys 2019.
    """
    corrected = scores / temperature - log_chance
    own = corrected.diagonal()
    others = corrected.masked_fill(excluded, -torch.inf)
    others = torch.diagonal_scatter(others, own)
    return (torch.logsumexp(others, dim=1) - own).mean()


def co_view_loss(as_sources: Tensor, as_targets: Tensor, temperature: Temperature = 1.0) -> Tensor:
    """What is viewed together plays its roles alike: mean of - log σ(⟨s_i, s_j⟩ / τ) - log σ(⟨t_i, t_j⟩ / τ).

    Args:
        as_sources: ``[C]`` inner products of the pairs' source embeddings.
        as_targets: ``[C]`` of their target embeddings.
        temperature: τ.

    Returns:
        scalar; 0 for no pairs.

    Example:
        >>> co_view_loss(torch.zeros(4), torch.zeros(4)).item()  # 2 log 2
        1.3862...

    References:
        Virinchi et al., ECML-PKDD 2022, equation 2, third sum, as a mean.
    """
    total = softplus(-as_sources / temperature).sum() + softplus(-as_targets / temperature).sum()
    return total / max(as_sources.numel(), 1)


def hard_negative_loss(positive: Tensor, hard: Tensor, margin: float = 0.0) -> Tensor:
    """Each arc is to stand above what stands too near to it: mean of softplus(margin + x_iz - x_ij).

    Args:
        positive: ``[E]`` scores of arcs.
        hard: ``[E, K]`` scores of hard negatives; -inf where a place is empty.
        margin: by how much.

    Returns:
        scalar; 0 where every place is empty.

    Example:
        >>> hard_negative_loss(torch.tensor([1.0]), torch.tensor([[1.0, -torch.inf]])).item()  # log 2
        0.6931...
    """
    filled = hard > -torch.inf
    gap = torch.where(filled, hard, 0.0) - positive[:, None] + margin
    return (softplus(gap) * filled).sum() / filled.sum().clamp(min=1)


def reversed_arc_loss(backward: Tensor, one_way: Tensor, margin: float = 1.0) -> Tensor:
    """One-way arcs turned round are no arcs: mean of - log σ(margin - x_ji) over the one-way ones.

    With a margin of 1 it is the asymmetric part of DAEMON's loss. :func:`reverse_loss` compares an arc with its
    own reverse instead and leaves open how high both stand.

    Args:
        backward: ``[E]`` scores of arcs turned round.
        one_way: ``[E]`` bool.
        margin: how high a reverse may stand.

    Returns:
        scalar; 0 where none is one-way.

    Example:
        >>> reversed_arc_loss(torch.tensor([1.0, 9.0]), torch.tensor([True, False])).item()  # log 2
        0.6931...
    """
    return (softplus(backward - margin) * one_way).sum() / one_way.sum().clamp(min=1)


def logistic_loss(positive: Tensor, negative: Tensor) -> Tensor:
    """Arcs against uniformly drawn pairs: mean over arcs of - log σ(x_ij) - Σ_z log σ(-x_iz).

    Its scores become probabilities by :func:`arc_probability`.

    Args:
        positive: ``[E]`` scores of arcs.
        negative: ``[E, K]`` scores of their sources with nodes drawn alike from all.

    Returns:
        scalar.

    Example:
        >>> logistic_loss(torch.zeros(1), torch.zeros(1, 3)).item()  # 4 log 2
        2.7725...
    """
    return (softplus(-positive) + softplus(negative).sum(dim=1)).mean()


def arc_probability(scores: Tensor, *, negatives: float, num_arcs: int, num_pairs: int) -> Tensor:
    """The probability that a pair is an arc, from scores that were trained by :func:`logistic_loss`.

        P(arc | x) = σ( x + log K + log( A / (N - A) ) )

    Among A of N pairs that are arcs, training saw K non-arcs an arc, so its odds are those of 1 : K and not of
    A : N - A.

    Args:
        scores: of any shape.
        negatives: K, negatives for each arc in training.
        num_arcs: A.
        num_pairs: N, such as n · (n - 1); above A.

    Example:
        >>> arc_probability(torch.zeros(1), negatives=1, num_arcs=10, num_pairs=1000).item()  # nothing learned
        0.0099...

    References:
        King, Zeng, "Logistic regression in rare events data", Political Analysis 2001, equation 7.
    """
    return torch.sigmoid(scores + math.log(negatives) + math.log(num_arcs) - math.log(num_pairs - num_arcs))


def top_loss(scores: Tensor, share: Tensor, log_weight: Tensor, power: float) -> Tensor:
    """Cross-entropy that looks at the top of each list: what is far down in it is let go.

        L = Σ_bc share_bc · (1 - p_bc^power) / power ,    p = softmax of the scores over each row

    With ``power`` → 0 it is the cross-entropy, with 1 it is one minus the mean chance of what is right; between
    them, as a hit rate does, it cares less and less for a target that stands hopelessly low.

    Args:
        scores: ``[B, C]``.
        share: ``[B, C]``, weight of each candidate that is right, 0 elsewhere; all add up to 1.
        log_weight: ``[B, C]`` added to candidates in the denominator; -inf for one that must not count.
        power: from 0 to 1.

    Returns:
        scalar.

    Example:
        >>> share = torch.tensor([[0.0, 1.0]])
        >>> top_loss(torch.zeros(1, 2), share, torch.zeros(1, 2), 1.0).item()  # a chance of one half
        0.5

    References:
        Zhang, Sabuncu, "Generalized cross entropy loss", NeurIPS 2018, equation 6.
    """
    log_chance = scores - torch.logsumexp(scores + log_weight, dim=1, keepdim=True)
    if power == 0:
        return -(share * log_chance).sum()
    return -(share * torch.expm1(power * log_chance.clamp(max=0.0))).sum() / power
