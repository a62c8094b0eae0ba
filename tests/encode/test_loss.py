"""The losses against their formulas, written as loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from thence.encode.loss import reverse_loss, softmax_loss


def literal_softmax_loss(scores, share, log_weight):
    total = 0.0
    for b in range(len(scores)):
        denominator = sum(
            math.exp(scores[b][c] + log_weight[b][c])
            for c in range(len(scores[b]))
            if log_weight[b][c] > -math.inf
        )
        for c in range(len(scores[b])):
            if share[b][c]:
                total -= share[b][c] * (scores[b][c] - math.log(denominator))
    return total / len(scores)


def literal_reverse_loss(forward, backward, weight):
    total = sum(w * math.log(1 + math.exp(b - f)) for f, b, w in zip(forward, backward, weight, strict=True))
    return total / sum(weight)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 4), st.integers(2, 6), st.integers(0, 10_000))
def test_softmax_loss_is_its_formula(rows: int, columns: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(rows, columns)) * 3
    share = rng.random((rows, columns)) * (rng.random((rows, columns)) < 0.6)
    share[:, 0] += 0.1
    share /= share.sum(1, keepdims=True)
    log_weight = np.where(rng.random((rows, columns)) < 0.3, -np.inf, rng.normal(size=(rows, columns)))
    log_weight[share > 0] = 0.0
    ours = softmax_loss(*(torch.from_numpy(array) for array in (scores, share, log_weight)))
    assert ours.item() == pytest.approx(literal_softmax_loss(scores, share, log_weight), rel=1e-10)


def test_a_source_with_two_targets_is_best_at_their_shares() -> None:
    """The minimum over scores is the entropy of the shares, reached where the softmax equals them."""
    share = torch.tensor([[0.25, 0.75]])
    scores = torch.log(share).requires_grad_()
    loss = softmax_loss(scores, share, torch.zeros(1, 2))
    loss.backward()
    assert loss.item() == pytest.approx(-(0.25 * math.log(0.25) + 0.75 * math.log(0.75)))
    assert scores.grad is not None and scores.grad.abs().max() < 1e-7


def test_a_candidate_that_must_not_count_gets_no_gradient_and_no_nan() -> None:
    scores = torch.tensor([[1.0, 50.0, 0.0]], requires_grad=True)
    loss = softmax_loss(scores, torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[0.0, -torch.inf, 0.0]]))
    loss.backward()
    assert loss.item() == pytest.approx(math.log(1 + math.exp(-1.0)))
    assert scores.grad is not None
    assert scores.grad[0, 1] == 0 and torch.isfinite(scores.grad).all()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(*[st.floats(-5, 5)] * 2, st.floats(0, 3)), min_size=1, max_size=8))
def test_reverse_loss_is_its_formula(rows: list[tuple[float, float, float]]) -> None:
    forward, backward, weight = (
        torch.tensor(column, dtype=torch.float64) for column in zip(*rows, strict=True)
    )
    ours = reverse_loss(forward, backward, weight).item()
    if sum(row[2] for row in rows) < 1e-6:
        assert 0 <= ours <= math.log1p(math.exp(10))  # next to no weight: never more than the worst arc's
    else:
        assert ours == pytest.approx(literal_reverse_loss(*zip(*rows, strict=True)), rel=1e-9)


def test_reverse_loss_falls_when_the_arc_gains_on_its_reverse() -> None:
    forward = torch.tensor([0.5], requires_grad=True)
    backward = torch.tensor([0.5], requires_grad=True)
    reverse_loss(forward, backward, torch.ones(1)).backward()
    assert forward.grad is not None and backward.grad is not None
    assert forward.grad.item() == pytest.approx(-0.5) and backward.grad.item() == pytest.approx(0.5)


def test_reverse_loss_of_no_trusted_arcs_is_zero() -> None:
    assert reverse_loss(torch.ones(3), torch.zeros(3), torch.zeros(3)).item() == 0.0
