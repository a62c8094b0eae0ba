"""Each loss against its formula written out, pair by pair."""

from __future__ import annotations

import math

import numpy as np
import torch

from thence.compress.distill.loss import (
    arc_loss,
    distribution_loss,
    label_loss,
    likely_loss,
    matching_loss,
    ranking_loss,
)


def drawn(seed: int, *shape: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape).astype(np.float32))


STUDENT, TEACHER = drawn(0, 3, 5), drawn(1, 3, 5)
MASK = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 1, 0], [0, 1, 1, 0, 0]], dtype=torch.bool)


def softmax(row: list[float]) -> list[float]:
    total = sum(math.exp(value) for value in row)
    return [math.exp(value) / total for value in row]


def test_distribution_loss_is_the_divergence_of_each_row() -> None:
    for temperature in (1.0, 0.5):
        literal = 0.0
        for s, t, shown in zip(STUDENT.tolist(), TEACHER.tolist(), MASK.tolist(), strict=True):
            p = softmax([value / temperature for value, there in zip(t, shown, strict=True) if there])
            q = softmax([value / temperature for value, there in zip(s, shown, strict=True) if there])
            literal += sum(a * math.log(a / b) for a, b in zip(p, q, strict=True)) / 3
        assert math.isclose(
            distribution_loss(STUDENT, TEACHER, MASK, temperature).item(), literal, rel_tol=1e-4
        )


def test_ranking_loss_is_the_hinge_of_each_pair_that_the_teacher_orders() -> None:
    margin, keep = 0.3, 0.2
    hinges = []
    for s, t, shown in zip(STUDENT.tolist(), TEACHER.tolist(), MASK.tolist(), strict=True):
        for i in range(5):
            for j in range(i + 1, 5):
                if shown[i] and shown[j] and abs(t[i] - t[j]) > keep:
                    r = 1 if t[i] > t[j] else -1
                    hinges.append(max(0.0, -r * (s[i] - s[j]) + margin))
    found = ranking_loss(STUDENT, TEACHER, MASK, margin, keep=keep).item()
    assert math.isclose(found, sum(hinges) / len(hinges), rel_tol=1e-5)
    assert ranking_loss(STUDENT, torch.zeros(3, 5), MASK).item() == 0  # a teacher without an opinion


def test_losses_do_not_look_behind_the_mask() -> None:
    other = torch.where(MASK, STUDENT, 50.0)
    far = torch.where(MASK, TEACHER, -50.0)
    for loss in (distribution_loss, ranking_loss):
        assert torch.isclose(loss(STUDENT, TEACHER, MASK), loss(other, far, MASK))
    label = TEACHER > 0
    assert torch.isclose(arc_loss(STUDENT, label, MASK), arc_loss(other, label | ~MASK, MASK))


def test_losses_have_finite_gradients_where_places_are_empty() -> None:
    student = STUDENT.clone().requires_grad_()
    share = torch.zeros(3, 5)
    share[0, 1] = 1.0
    total = distribution_loss(student, TEACHER, MASK) + likely_loss(student, share, MASK)
    total = total + ranking_loss(student, TEACHER, MASK) + arc_loss(student, TEACHER > 0, MASK)
    total.backward()
    assert student.grad is not None
    assert torch.isfinite(student.grad).all()
    assert (student.grad[~MASK] == 0).all()


def test_matching_loss_is_relative_to_the_teacher() -> None:
    teacher = drawn(2, 6, 4)
    assert matching_loss(teacher, teacher).item() == 0
    assert math.isclose(matching_loss(2 * teacher, teacher).item(), 1.0, rel_tol=1e-5)
    assert abs(matching_loss(2 * teacher, teacher, cosine=True).item()) < 1e-6
    assert math.isclose(matching_loss(-teacher, teacher, cosine=True).item(), 2.0, rel_tol=1e-5)


def test_arc_loss_weighs_arcs_and_others_alike() -> None:
    label = torch.tensor([[True, False, False, False, False]] * 3) & MASK
    real = [-math.log(1 / (1 + math.exp(-value))) for value in STUDENT[label].tolist()]
    rest = [-math.log(1 - 1 / (1 + math.exp(-value))) for value in STUDENT[~label & MASK].tolist()]
    literal = sum(real) / len(real) / 2 + sum(rest) / len(rest) / 2
    assert math.isclose(arc_loss(STUDENT, label, MASK).item(), literal, rel_tol=1e-5)


def test_label_loss_mixes_soft_and_true_labels() -> None:
    label, labelled = torch.tensor([0, 1, 2]), torch.tensor([True, False, True])
    soft = label_loss(STUDENT, TEACHER, label, labelled).item()
    true = label_loss(STUDENT, TEACHER, label, labelled, share=1.0).item()
    literal = -sum(math.log(softmax(STUDENT[at].tolist())[label[at]]) for at in (0, 2)) / 2
    assert math.isclose(true, literal, rel_tol=1e-5)
    mixed = label_loss(STUDENT, TEACHER, label, labelled, share=0.25).item()
    assert math.isclose(mixed, 0.75 * soft + 0.25 * true, rel_tol=1e-5)
