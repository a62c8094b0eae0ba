"""FNW and FNC: rows, losses, and the second fixed point of FNW."""

import numpy as np
import pytest
import torch

from thence.base.errors import ConfigError
from thence.conversion.delayed.fnc import HIGHEST, Fnc
from thence.conversion.delayed.fnw import Fnw, fnw_loss
from thence.conversion.exposures import NEVER, Exposures

PS = np.array([0.01, 0.3, 0.7, 0.94])


def slope(f: np.ndarray, p: np.ndarray | float, *, exact: bool, cap: float) -> np.ndarray:
    """The expected slope in the logit at predictions f: one negative, and with probability p a positive."""
    logit = torch.tensor(np.log(f / (1 - f)), requires_grad=True)
    total = torch.as_tensor(p, dtype=torch.float64) * fnw_loss(
        logit, torch.ones_like(logit), exact=exact, cap=cap
    )
    total = total + fnw_loss(logit, torch.zeros_like(logit), exact=exact, cap=cap)
    (found,) = torch.autograd.grad(total.sum(), logit)
    return found.numpy()


def descent(p: np.ndarray, cap: float, exact: bool) -> np.ndarray:
    """Where plain gradient descent from f = .999994 ends."""
    logit = np.full(len(p), 12.0)
    for _ in range(600):
        logit -= 2.0 * slope(1 / (1 + np.exp(-logit)), p, exact=exact, cap=cap)
    return 1 / (1 + np.exp(-logit))


@pytest.mark.parametrize("exact", [False, True])
def test_the_loss_is_the_published_one(exact: bool) -> None:
    rng = np.random.default_rng(0)
    f, label = rng.random(60), rng.integers(0, 2, 60)
    found = fnw_loss(torch.tensor(np.log(f / (1 - f))), torch.tensor(label), exact=exact, cap=0.8).numpy()
    literal = []
    for q, v in zip(f, label, strict=True):
        held = min(q, 0.8)
        scale = 1.0 if exact else 1.0 + held
        literal.append(-scale * np.log(q) if v else -scale * (1.0 - held) * np.log(1.0 - q))
    np.testing.assert_allclose(found, literal, rtol=1e-9)


@pytest.mark.parametrize("exact", [False, True])
def test_without_the_guard_there_are_two_fixed_points(exact: bool) -> None:
    f = np.array([0.05, 0.3, 0.9, 0.999999])
    found = slope(f, 0.3, exact=exact, cap=1.0)
    np.testing.assert_allclose(found, (1 - f) * (f - 0.3) * (1.0 if exact else 1 + f), rtol=1e-6, atol=1e-12)
    assert abs(found[1]) < 1e-12 and found[3] < 2e-6  # f = p, and f = 1
    assert descent(PS, 1.0, exact).min() > 0.99  # a model that over-predicts stays there


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("p", PS)
def test_with_the_guard_p_is_the_only_fixed_point(p: float, exact: bool) -> None:
    f = np.linspace(0.001, 0.999999, 20_001)
    found = slope(f, p, exact=exact, cap=0.95)
    away = np.abs(f - p) > 1e-3
    assert (np.sign(found[away]) == np.sign(f[away] - p)).all()
    factor = 1.0 if exact else 1.95
    above = f > 0.95
    np.testing.assert_allclose(found[above], factor * (0.05 * f - p * (1 - f))[above], rtol=1e-5, atol=1e-9)
    assert found[-1] > 0.049 * factor  # at f = 1 it is pulled back by as much as 1 - cap


@pytest.mark.parametrize("exact", [False, True])
def test_with_the_guard_a_model_that_over_predicts_comes_back(exact: bool) -> None:
    np.testing.assert_allclose(descent(PS, 0.95, exact), PS, atol=2e-3)


def test_above_the_cap_the_fixed_point_is_the_one_that_is_told() -> None:
    p, cap = 0.98, 0.9
    told = p / (p + 1 - cap)
    assert slope(np.array([told]), p, exact=True, cap=cap)[0] == pytest.approx(0.0, abs=1e-9)
    assert cap < told < p


def test_every_exposure_is_a_negative_and_every_conversion_a_positive() -> None:
    shown = Exposures.make([0, 10, 20, 30], [15, NEVER, 25, 200], window=50)
    for model in (Fnw(), Fnc()):
        rows = model.rows(shown.before(22), 10)
        assert rows.index.tolist() == [1, 2, 0] and rows.label.tolist() == [0.0, 0.0, 1.0]
        assert model.rows(shown.before(250), 22).index.tolist() == [3, 2]  # 200 is past the window of 30


def test_fnc_serves_odds_cut_below_one() -> None:
    b = np.array([0.01, 0.25, 0.499, 0.5, 0.9])
    found = Fnc().probability(torch.tensor(np.log(b / (1 - b)))[:, None]).numpy()
    np.testing.assert_allclose(found, np.minimum(b / (1 - b), HIGHEST), rtol=1e-9)


def test_fnc_learns_from_settled_labels_as_from_its_own_rows() -> None:
    model, logit = Fnc(), torch.linspace(-3, 3, 9, dtype=torch.float64)[:, None]
    zeros, ones = torch.zeros(9, dtype=torch.float64), torch.ones(9, dtype=torch.float64)
    negative, positive = model.loss(logit, {"label": zeros}), model.loss(logit, {"label": ones})
    np.testing.assert_allclose(model.settled_loss(logit, {"label": zeros}), negative)
    np.testing.assert_allclose(model.settled_loss(logit, {"label": ones}), negative + positive)


@pytest.mark.parametrize("cap", [0.0, 1.5, -1.0])
def test_the_cap_is_a_probability(cap: float) -> None:
    with pytest.raises(ConfigError, match="cap is"):
        Fnw(cap=cap)
