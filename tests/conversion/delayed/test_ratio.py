"""The ratio learns by a gradient written out: it is autograd's, and its steps are those of torch's Adam."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from thence.base.rng import generator
from thence.conversion.delayed import ratio as module
from thence.conversion.delayed.ratio import BATCH, RATE, Ratio, Seen, moved, teach, widths
from thence.conversion.lab import weighted


def drawn(rows: int, kinds: int) -> tuple[Seen, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    still, rising = widths(kinds)
    of = Seen(rng.random((rows, still), np.float32), rng.random((rows, rising), np.float32))
    of.still[:, 0] = 1.0
    offset = rng.normal(size=rows).astype(np.float32)
    return of, offset, (rng.random(rows) < 1 / (1 + np.exp(of.rising[:, 0] - offset))).astype(np.float32)


def loss(ratio: Ratio, of: Seen, offset: np.ndarray, y: np.ndarray) -> torch.Tensor:
    z = ratio(torch.from_numpy(of.still), torch.from_numpy(of.rising)) + torch.from_numpy(offset)
    label = torch.from_numpy(y)
    return weighted(z, label, 1 - label).mean()


@pytest.mark.parametrize("kinds", [0, 2])
def test_the_gradient_is_that_of_autograd(kinds: int) -> None:
    of, offset, y = drawn(300, kinds)
    ratio = Ratio(*widths(kinds), seed=3)
    descent = module._Descent(ratio)
    descent.gradient(of, offset, y)
    loss(ratio, of, offset, y).backward()
    for place in range(3):
        for own, found in ((ratio.weights, 2 * place), (ratio.biases, 2 * place + 1)):
            expected = own[place].grad
            assert expected is not None
            np.testing.assert_allclose(descent.slopes[found], expected.numpy(), rtol=1e-4, atol=1e-7)


def test_it_is_taught_as_by_torch() -> None:
    of, offset, y = drawn(2 * BATCH + 100, 1)
    literal, own = Ratio(*widths(1), seed=1), Ratio(*widths(1), seed=1)
    most, taken = module.FEWEST + module.PASSES * len(of) // BATCH, 0
    steps = most // 4
    optimizer = torch.optim.Adam(literal.parameters(), lr=RATE)
    rng = generator(9, "conversion", "ratio", "order")
    while taken < steps:
        order = rng.permutation(len(of))
        for rows in np.split(order, range(BATCH, len(of), BATCH)):
            optimizer.param_groups[0]["lr"] = RATE * max(1 - taken / steps, 0.01) * steps / most
            optimizer.zero_grad()
            loss(literal, of.take(rows), offset[rows], y[rows]).backward()
            optimizer.step()
            taken += 1
    teach(own, of, offset, y, 9, again=True)
    np.testing.assert_allclose(own.log_ratio(of), literal.log_ratio(of), atol=0.02)
    assert np.abs(own.log_ratio(of) - Ratio(*widths(1), seed=1).log_ratio(of)).max() > 0.1


def test_priors_that_are_sure_do_not_overflow() -> None:
    of, offset, y = drawn(700, 0)
    ratio = Ratio(*widths(0))
    teach(ratio, of, offset * 1e4, y, again=True)
    assert np.isfinite(ratio.log_ratio(of)).all()


@pytest.mark.parametrize("kinds", [0, 2])
def test_numbers_are_those_of_the_network(kinds: int) -> None:
    of, _, _ = drawn(module.AT_ONCE + 50, kinds)
    ratio = Ratio(*widths(kinds), seed=4)
    expected = ratio(torch.from_numpy(of.still), torch.from_numpy(of.rising)).numpy(force=True)
    np.testing.assert_allclose(ratio.log_ratio(of), expected, rtol=1e-4, atol=1e-5)
    assert ratio.log_ratio(of.take(slice(0, 1))).shape == (1,)


def test_what_is_right_is_rejected_once_in_a_hundred_and_what_is_off_is_found() -> None:
    rng = generator(0, "tests", "moved")
    of, _, _ = drawn(600, 1)
    truth = of.rising[:, 0] - of.still[:, 1] - 0.5
    p = 1 / (1 + np.exp(-truth))
    labels = rng.random((400, 600)) < p
    assert 0.0 <= np.mean([moved(of, truth, label) for label in labels]) <= 0.03
    assert np.mean([moved(of, truth + 0.6, label) for label in labels[:50]]) > 0.95  # the level
    assert np.mean([moved(of, truth - 3 * of.rising[:, 0], label) for label in labels[:50]]) > 0.95  # by age
    assert np.mean([moved(of, truth + 2 * of.still[:, 2], label) for label in labels[:50]]) > 0.95  # engagement
