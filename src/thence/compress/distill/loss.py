"""What a student is taught by: losses over an anchor and its context, once for each role of the anchor.

An anchor a has a context C of nodes that walks from it reach, and of random ones. As a *source* its scores are
s_c = ⟨source_a, target_c⟩ + bias_c for c in the context that follows it; as a *target* they are
s_c = ⟨source_c, target_a⟩ for c in the context that leads to it. The same losses judge both, against the
teacher's scores t_c of the same arcs in the same direction; nothing is ever scored symmetrically.

All are pure functions of ``[B, C]`` scores, with a mask of the places that hold a candidate.

References:
    Guo, Shiao, Zhang, Liu, Chawla, Shah, Zhao, "Linkless link prediction via relational distillation", ICML
    2023: the distribution-based and the ranking-based term (there over symmetric pairs).
    Zhang, Liu, Sun, Shah, "Graph-less neural networks", ICLR 2022: :func:`label_loss`.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def distribution_loss(student: Tensor, teacher: Tensor, mask: Tensor, temperature: float = 1.0) -> Tensor:
    """How far the student's distribution over a context is from the teacher's.

        L = 1/B Σ_a KL( softmax(t_a / τ) ‖ softmax(s_a / τ) )

    Args:
        student: ``[B, C]`` scores.
        teacher: ``[B, C]`` scores.
        mask: ``[B, C]`` bool, where a candidate stands; each row has one.
        temperature: τ.

    Returns:
        scalar; 0 where both distributions are the same, whatever is added to a row of scores.

    Example:
        >>> scores, mask = torch.tensor([[0.0, 1.0, 9.0]]), torch.tensor([[True, True, False]])
        >>> distribution_loss(scores + 5, scores, mask).item() < 1e-6
        True

    References:
        Guo et al., ICML 2023, the distribution-based matching loss.
    """
    shut = ~mask
    log_s = functional.log_softmax((student / temperature).masked_fill(shut, -torch.inf), 1)
    log_t = functional.log_softmax((teacher / temperature).masked_fill(shut, -torch.inf), 1)
    gap = (log_t - log_s).masked_fill(shut, 0.0)
    return (log_t.exp() * gap).sum() / len(student)


def ranking_loss(
    student: Tensor, teacher: Tensor, mask: Tensor, margin: float = 0.1, *, keep: float = 0.0
) -> Tensor:
    """Whether the student orders the pairs of a context as the teacher does.

        L = mean over pairs i < j of max(0, −r_ij (s_i − s_j) + δ),
        r_ij = 1 where t_i > t_j + κ, −1 where t_i < t_j − κ; other pairs do not count

    Args:
        student: ``[B, C]`` scores.
        teacher: ``[B, C]`` scores.
        mask: ``[B, C]`` bool, where a candidate stands.
        margin: δ, by how much the student should keep apart.
        keep: κ, how far the teacher must.

    Returns:
        scalar; 0 where every pair that the teacher keeps apart is kept apart by the margin. Pairs that the
        teacher does not order add nothing (in the paper they add δ, which has no gradient).

    Example:
        >>> teacher, mask = torch.tensor([[2.0, 1.0]]), torch.ones(1, 2, dtype=torch.bool)
        >>> ranking_loss(torch.tensor([[1.0, 0.0]]), teacher, mask, 0.5).item()
        0.0
        >>> ranking_loss(torch.tensor([[0.0, 1.0]]), teacher, mask, 0.5).item()
        1.5

    References:
        Guo et al., ICML 2023, the ranking-based matching loss.
    """
    first, second = torch.triu_indices(student.shape[1], student.shape[1], 1, device=student.device)
    apart = teacher[:, first] - teacher[:, second]
    order = torch.sign(apart) * (apart.abs() > keep) * (mask[:, first] & mask[:, second])
    short = functional.relu(margin - order * (student[:, first] - student[:, second]))
    return (short * order.abs()).sum() / order.abs().sum().clamp_min(1.0)


def matching_loss(student: Tensor, teacher: Tensor, *, cosine: bool = False) -> Tensor:
    """How far the student's vectors of one role are from the teacher's.

        L = 1/B Σ_a ‖s_a − t_a‖² / mean ‖t‖²,   or 1 − mean cos(s_a, t_a)

    Args:
        student: ``[B, dim]`` vectors.
        teacher: ``[B, dim]`` vectors of the same nodes in the same role.
        cosine: compare directions alone.

    Returns:
        scalar; 0 where they are the same; 1 for a student that says zero (not ``cosine``).

    Example:
        >>> teacher = torch.tensor([[3.0, 4.0]])
        >>> matching_loss(torch.zeros(1, 2), teacher).item()
        1.0
    """
    if cosine:
        return 1 - functional.cosine_similarity(student, teacher, dim=1).mean()
    scale = teacher.square().sum(1).mean().clamp_min(1e-12)
    return (student - teacher).square().sum(1).mean() / scale


def arc_loss(scores: Tensor, label: Tensor, mask: Tensor) -> Tensor:
    """Binary cross-entropy of the arcs of a context, real ones and others weighing alike.

        L = −½ mean over arcs of log σ(s) − ½ mean over the rest of log(1 − σ(s))

    Args:
        scores: ``[B, C]``.
        label: ``[B, C]`` bool: the arc exists.
        mask: ``[B, C]`` bool, where a candidate stands.

    Returns:
        scalar.

    Example:
        >>> label = torch.tensor([[True, False, False]])
        >>> mask = torch.ones(1, 3, dtype=torch.bool)
        >>> round(arc_loss(torch.zeros(1, 3), label, mask).item(), 4)  # log 2
        0.6931
    """
    real, other = label & mask, ~label & mask
    total = -functional.logsigmoid(scores) * real / real.sum().clamp_min(1) / 2
    return (total - functional.logsigmoid(-scores) * other / other.sum().clamp_min(1) / 2).sum()


def likely_loss(scores: Tensor, share: Tensor, mask: Tensor) -> Tensor:
    """Cross-entropy of what is right in a context: a softmax over its candidates.

        L = −1/B Σ_a Σ_c share_ac · log softmax(s_a)_c

    Args:
        scores: ``[B, C]``.
        share: ``[B, C]``, rows sum to 1; a row of zeros does not count.
        mask: ``[B, C]`` bool, where a candidate stands.

    Returns:
        scalar.

    Example:
        >>> share, mask = torch.tensor([[0.0, 1.0]]), torch.ones(1, 2, dtype=torch.bool)
        >>> round(likely_loss(torch.zeros(1, 2), share, mask).item(), 4)  # log 2
        0.6931
    """
    log_chance = functional.log_softmax(scores.masked_fill(~mask, -torch.inf), 1)
    return -(share * log_chance.masked_fill(~mask, 0.0)).sum() / len(scores)


def label_loss(student: Tensor, teacher: Tensor, label: Tensor, labelled: Tensor, share: float = 0.0) -> Tensor:
    """GLNN's loss of a student that classifies nodes: soft labels of all, true ones where they are known.

        L = (1 − λ) · mean over all of KL( softmax(t) ‖ softmax(s) ) + λ · mean over labelled of CE(s, y)

    Args:
        student: ``[n, classes]`` logits.
        teacher: ``[n, classes]`` logits.
        label: ``[n]`` int64 classes; any where they are not known.
        labelled: ``[n]`` bool.
        share: λ, from 0 to 1.

    Returns:
        scalar.

    Example:
        >>> logits = torch.tensor([[0.0, 2.0], [1.0, 0.0]])
        >>> label_loss(logits, logits, torch.tensor([1, 0]), torch.tensor([True, False])).item()
        0.0

    References:
        Zhang, Liu, Sun, Shah, ICLR 2022, equation 1.
    """
    everywhere = torch.ones_like(student, dtype=torch.bool)
    soft = distribution_loss(student, teacher, everywhere)
    if share == 0:
        return soft
    return (1 - share) * soft + share * functional.cross_entropy(student[labelled], label[labelled])
