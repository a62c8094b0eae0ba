"""DEFER: the minimiser on infinitely much data, the loss literally, and which rows there are."""

import numpy as np
import pytest
import torch
from tests.conversion.population import Population, minimiser, probability, training_mass

from thence.conversion.delayed.defer import Defer, weights
from thence.conversion.exposures import NEVER, Exposures

PEOPLE = Population.random(3)


@pytest.mark.parametrize("wait", [0, 1, 3, 6])
@pytest.mark.parametrize("start", [-3.0, 2.0])
def test_the_minimiser_is_p_from_wherever_it_starts(wait: int, start: float) -> None:
    rows, model = PEOPLE.again(wait), Defer(wait)
    columns = {"late": PEOPLE.late(wait)[rows.x]}
    logits = minimiser(rows, model.loss, columns, start=start)
    np.testing.assert_allclose(probability(model, logits), PEOPLE.p, rtol=0, atol=1e-4)
    # two rows an exposure, whatever became of it
    np.testing.assert_allclose(training_mass(rows, model.loss, logits, columns), 2 * PEOPLE.mass, rtol=1e-3)


def test_the_loss_is_the_published_one() -> None:
    rng = np.random.default_rng(0)
    f, label = rng.uniform(0.2, 0.9, 40), rng.integers(0, 2, 40).astype(float)
    late = f * rng.random(40)
    columns = {"label": torch.tensor(label), "late": torch.tensor(late)}
    found = Defer(0).loss(torch.tensor(np.log(f / (1 - f)))[:, None], columns).numpy()
    literal = [
        -p / (p - d / 2) * np.log(p) if v else -(1 - p) / (1 - p + d / 2) * np.log(1 - p)
        for p, d, v in zip(f, late, label, strict=True)
    ]
    np.testing.assert_allclose(found, literal, rtol=1e-9)


def test_its_own_prediction_is_held_back() -> None:
    logit = torch.zeros(1, 1, dtype=torch.float64, requires_grad=True)
    columns = {"label": torch.ones(1), "late": torch.full((1,), 0.4)}
    Defer(0).loss(logit, columns).sum().backward()
    assert logit.grad is not None
    assert logit.grad.item() == pytest.approx(-0.5 * 0.5 / 0.3)


def test_weights_stay_between_0_and_2() -> None:
    p, late = (
        part.ravel()
        for part in torch.meshgrid(torch.linspace(0, 1, 21), torch.linspace(0, 1, 21), indexing="ij")
    )
    positive, negative = weights(p, late)
    assert ((positive >= 1) & (positive <= 2 + 1e-5)).all()
    assert ((negative >= 0) & (negative <= 1)).all()


def test_every_exposure_gives_two_rows() -> None:
    time = np.arange(300)
    ends = np.select([time % 3 == 0, time % 3 == 1], [time + 2, time + 30], NEVER)
    shown, model = Exposures.make(time, ends, window=50), Defer(10)
    parts = [model.rows(shown.before(clock), clock - 25) for clock in range(25, 401, 25)]
    index, label = (np.concatenate([getattr(part, name) for part in parts]) for name in ("index", "label"))
    assert (np.bincount(index) == 2).all()
    np.testing.assert_array_equal(
        np.bincount(index, label), np.select([time % 3 == 0, time % 3 == 1], [2, 1], 0)
    )
