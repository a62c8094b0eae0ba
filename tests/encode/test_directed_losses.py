"""The losses of directed encoders against their formulas, written as loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from thence.encode.loss import (
    arc_probability,
    blade_loss,
    co_view_loss,
    daemon_loss,
    hard_negative_loss,
    in_batch_softmax_loss,
    logistic_loss,
    reversed_arc_loss,
    sampled_softmax_loss,
)

seeds = given(st.integers(0, 10_000))
few = settings(max_examples=15, deadline=None)


def sigma(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def scores(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).normal(size=shape) * 2


def tensors(*arrays: np.ndarray) -> list[torch.Tensor]:
    return [torch.from_numpy(array) for array in arrays]


@few
@seeds
def test_daemons_loss_is_its_equation(seed: int) -> None:
    forward, negative, backward, beside = (scores(seed, *s) for s in ((4,), (4, 3), (4,), (2, 5)))
    one_way = np.array([True, False, True, False])
    total = 0.0
    for e in range(4):
        total -= math.log(sigma(forward[e])) + sum(math.log(sigma(1 - x)) for x in negative[e])
        if one_way[e]:
            total -= math.log(sigma(forward[e])) + math.log(sigma(1 - backward[e]))
    for s, t in beside.T:
        total -= math.log(sigma(s)) + math.log(sigma(t))
    ours = daemon_loss(*tensors(forward, negative, backward, one_way, beside))
    assert ours.item() == pytest.approx(total, rel=1e-9)


@few
@seeds
def test_blades_loss_is_its_formula(seed: int) -> None:
    forward, negative, backward = (scores(seed, *s) for s in ((3,), (3, 2), (3,)))
    weight, asymmetry = np.abs(scores(seed, 6)).reshape(2, 3)
    total = 0.0
    for e in range(3):
        total -= weight[e] * math.log(sigma(forward[e])) / 3
        total -= sum(math.log(sigma(1 - x)) for x in negative[e]) / 6
        total -= asymmetry[e] * (math.log(sigma(forward[e])) + math.log(sigma(1 - backward[e]))) / 3
    ours = blade_loss(*tensors(forward, weight, negative, backward, asymmetry))
    assert ours.item() == pytest.approx(total, rel=1e-9)


@few
@seeds
def test_sampled_softmax_is_its_formula(seed: int) -> None:
    positive, negative = scores(seed, 3), scores(seed, 3, 4)
    chance = np.random.default_rng(seed).random((3, 4)) / 4
    chance[0, 1] = np.inf  # an empty place
    total = 0.0
    for e in range(3):
        others = [math.exp(x / 0.5) / (4 * q) for x, q in zip(negative[e], chance[e], strict=True)]
        total += math.log(math.exp(positive[e] / 0.5) + sum(others)) - positive[e] / 0.5
    ours = sampled_softmax_loss(*tensors(positive, negative, np.log(chance)), temperature=0.5)
    assert ours.item() == pytest.approx(total / 3, rel=1e-9)


def test_sampled_softmax_over_many_draws_is_the_softmax_over_all() -> None:
    every, rng = scores(0, 20), np.random.default_rng(0)
    q = rng.random(20) + 0.1
    q /= q.sum()
    drawn = rng.choice(20, 200_000, p=q)
    sampled = sampled_softmax_loss(
        *tensors(every[:1], every[None, drawn], np.log(q[drawn])[None]),
    )
    exact = math.log(math.exp(every[0]) + np.exp(every).sum()) - every[0]
    assert sampled.item() == pytest.approx(exact, abs=0.02)


@few
@seeds
def test_in_batch_softmax_is_its_formula(seed: int) -> None:
    x, log_q = scores(seed, 3, 5), scores(seed, 5)
    excluded = np.random.default_rng(seed).random((3, 5)) < 0.4
    total = 0.0
    for b in range(3):
        kept = [c for c in range(5) if c == b or not excluded[b, c]]
        total += math.log(sum(math.exp(x[b, c] / 2 - log_q[c]) for c in kept)) - (x[b, b] / 2 - log_q[b])
    ours = in_batch_softmax_loss(*tensors(x, log_q, excluded), temperature=2.0)
    assert ours.item() == pytest.approx(total / 3, rel=1e-9)


def test_a_learned_temperature_gets_a_gradient() -> None:
    temperature = torch.tensor(1.0, requires_grad=True)
    sampled_softmax_loss(torch.tensor([2.0]), torch.zeros(1, 3), torch.zeros(1, 3), temperature).backward()
    assert temperature.grad is not None and temperature.grad > 0  # a right ranking wants to be sharper


@few
@seeds
def test_the_terms_are_their_formulas(seed: int) -> None:
    a, b, table = scores(seed, 4), scores(seed + 1, 4), scores(seed, 4, 2)
    one_way = np.array([True, False, True, True])
    log = math.log
    expected = sum(-log(sigma(x)) - log(sigma(y)) for x, y in zip(a, b, strict=True)) / 4
    assert co_view_loss(*tensors(a, b)).item() == pytest.approx(expected)
    table[1, 0] = -np.inf
    kept = [(a[e], table[e, k]) for e in range(4) for k in range(2) if (e, k) != (1, 0)]
    expected = sum(log(1 + math.exp(0.5 + hard - own)) for own, hard in kept) / 7
    assert hard_negative_loss(*tensors(a, table), margin=0.5).item() == pytest.approx(expected)
    expected = sum(-log(sigma(1 - x)) for x, way in zip(b, one_way, strict=True) if way) / 3
    assert reversed_arc_loss(*tensors(b, one_way)).item() == pytest.approx(expected)
    table[1, 0] = 0.0
    expected = sum(-log(sigma(a[e])) - sum(log(sigma(-x)) for x in table[e]) for e in range(4)) / 4
    assert logistic_loss(*tensors(a, table)).item() == pytest.approx(expected)


def test_empty_places_and_no_pairs_cost_nothing() -> None:
    hard = torch.tensor([[-torch.inf]], requires_grad=True)
    loss = hard_negative_loss(torch.zeros(1), hard)
    loss.backward()
    assert loss.item() == 0 and hard.grad is not None and torch.isfinite(hard.grad).all()
    assert co_view_loss(torch.empty(0), torch.empty(0)).item() == 0
    assert reversed_arc_loss(torch.ones(2), torch.zeros(2, dtype=torch.bool)).item() == 0


def test_probabilities_are_calibrated_whatever_was_sampled() -> None:
    """With the best score for K negatives an arc, log odds of 1 : K times the likelihood ratio."""
    num_arcs, num_pairs, likelihood = 50, 10_000, 30.0
    true = likelihood * num_arcs / (likelihood * num_arcs + (num_pairs - num_arcs))
    for negatives in (1, 5, 40):
        best = torch.tensor(math.log(likelihood / negatives), dtype=torch.float64)
        found = arc_probability(best, negatives=negatives, num_arcs=num_arcs, num_pairs=num_pairs)
        assert found.item() == pytest.approx(true)


@pytest.mark.parametrize("loss", ["daemon", "blade"])
def test_an_arc_and_its_reverse_are_not_the_same_to_the_loss(loss: str) -> None:
    forward, backward = torch.tensor([0.5], requires_grad=True), torch.tensor([0.5], requires_grad=True)
    one, none = torch.ones(1), torch.empty(1, 0)
    if loss == "daemon":
        daemon_loss(forward, none, backward, one.bool(), torch.empty(2, 0)).backward()
    else:
        blade_loss(forward, one, torch.zeros(1, 1), backward, one).backward()
    assert forward.grad is not None and backward.grad is not None
    assert forward.grad.item() < 0 < backward.grad.item()
