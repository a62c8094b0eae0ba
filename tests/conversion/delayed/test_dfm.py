"""DFM of three delays: likelihoods that add up to one, written a second time; rows looked at again."""

import math

import numpy as np
import pytest
import torch

from thence.base.errors import ConfigError
from thence.conversion.delayed.dfm import Dfm, Law, censored_loss, log_delay
from thence.conversion.delayed.dfm_hazard import BOUNDARIES, DfmHazard, log_intervals
from thence.conversion.exposures import NEVER, Exposures

ENDS = (0.1, 0.25, 0.6, 1.0)


def weibull(d: float, e: float, rate: float, shape: float) -> tuple[float, float]:
    """Density and survival given a conversion within the window, from the distribution function."""

    def below(t: float) -> float:
        return 1 - math.exp(-((rate * t) ** shape))

    density = shape * rate * (rate * d) ** (shape - 1) * math.exp(-((rate * d) ** shape)) / below(1.0)
    return density, 1 - below(e) / below(1.0)


@pytest.mark.parametrize("law", ["exponential", "weibull"])
def test_the_likelihood_is_the_one_of_the_delay_cut_off_at_the_window(law: Law) -> None:
    rng = np.random.default_rng(0)
    model = Dfm(law)
    model.mean_delay = 0.5
    logits = rng.normal(size=(40, model.heads)) * 0.5
    elapsed, label = np.where(rng.random(40) < 0.3, 1.0, rng.random(40)), rng.integers(0, 2, 40)
    delay = elapsed * rng.uniform(0.01, 1, 40)
    batch = {"label": label, "elapsed": elapsed, "delay": delay}
    found = model.loss(torch.tensor(logits), {k: torch.tensor(v) for k, v in batch.items()}).numpy()
    for row in range(40):
        p = 1 / (1 + math.exp(-logits[row, 0]))
        shape = math.exp(logits[row, 2]) if law == "weibull" else 1.0
        g, s = weibull(delay[row], elapsed[row], math.exp(logits[row, 1]) / model.mean_delay, shape)
        literal = -math.log(p) - math.log(g) if label[row] else -math.log(1 - p + p * s)
        assert found[row] == pytest.approx(literal, rel=1e-6, abs=1e-9)


def test_a_hazard_of_intervals_is_the_product_of_what_was_survived() -> None:
    rng = np.random.default_rng(1)
    model = DfmHazard(ENDS)
    logits, label = rng.normal(size=(60, 4)), rng.integers(0, 2, 60)
    elapsed = np.where(rng.random(60) < 0.2, 1.0, rng.random(60))
    delay = elapsed * rng.random(60)
    batch = {"label": label, "elapsed": elapsed, "delay": delay}
    found = model.loss(torch.tensor(logits), {k: torch.tensor(v) for k, v in batch.items()}).numpy()
    for row in range(60):
        p, *hazards = 1 / (1 + np.exp(-logits[row]))
        left, mass = 1.0, []
        for h in [*hazards, 1.0]:
            mass.append(left * h)
            left -= mass[-1]
        gone = np.interp(elapsed[row], [0.0, *ENDS], np.concatenate([[0.0], np.cumsum(mass)]))
        fell = mass[int(np.searchsorted(ENDS, delay[row]))]
        literal = -math.log(p * fell) if label[row] else -math.log(1 - p * gone)
        assert found[row] == pytest.approx(literal, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("model", [Dfm(), Dfm("weibull"), DfmHazard(ENDS)])
def test_all_that_can_be_seen_at_an_age_has_probability_one(model: Dfm | DfmHazard) -> None:
    logits = torch.tensor(np.random.default_rng(2).normal(size=(1, model.heads)))
    for age in (0.05, 0.4, 1.0):
        d = (np.arange(20_000) + 0.5) / 20_000 * age
        batch = {"label": np.ones(20_000), "delay": d, "elapsed": np.full(20_000, age)}
        each = model.loss(logits.expand(20_000, -1), {k: torch.tensor(v) for k, v in batch.items()})
        density = torch.exp(-each).numpy()
        if isinstance(model, DfmHazard):  # masses of intervals, evenly within them
            ends = np.array([0.0, *ENDS])
            density /= np.diff(ends)[np.searchsorted(ENDS, d)]
        one = torch.ones(1, dtype=torch.float64)
        open_ = model.loss(logits, {"label": 0 * one, "delay": age * one, "elapsed": age * one})
        assert density.mean() * age + float(torch.exp(-open_)) == pytest.approx(1.0, abs=2e-3)


@pytest.mark.parametrize("model", [Dfm(), Dfm("weibull"), DfmHazard()])
def test_a_settled_row_tells_the_conversion_apart_from_the_delay(model: Dfm | DfmHazard) -> None:
    logits = torch.zeros(1, model.heads, requires_grad=True)
    one = torch.ones(1)
    loss = model.settled_loss(logits, {"label": 0 * one, "delay": one, "elapsed": one})
    assert loss.item() == pytest.approx(math.log(2), rel=1e-6)  # -log(1 - p), whatever the delay
    (slope,) = torch.autograd.grad(loss.sum(), logits)
    np.testing.assert_allclose(slope[0], [0.5] + [0.0] * (model.heads - 1), atol=1e-6)


@pytest.mark.parametrize("model", [Dfm(), Dfm("weibull"), DfmHazard()])
def test_no_logit_makes_the_loss_or_its_slope_infinite(model: Dfm | DfmHazard) -> None:
    values = torch.tensor([-80.0, -20.0, 0.0, 20.0, 80.0])
    ages = torch.tensor([1e-7, 0.3, 0.9999999, 1.0])
    grid = torch.cartesian_prod(values, values, ages, torch.tensor([0.0, 1.0]))
    logits = grid[:, [0] + [1] * (model.heads - 1)].clone().requires_grad_(True)
    for delay in (torch.full_like(grid[:, 2], 1e-9), grid[:, 2]):
        loss = model.loss(logits, {"label": grid[:, 3], "elapsed": grid[:, 2], "delay": delay})
        (slope,) = torch.autograd.grad(loss.sum(), logits)
        assert torch.isfinite(loss).all() and torch.isfinite(slope).all()


def test_an_exposure_is_looked_at_when_it_is_new_and_again_at_its_ages() -> None:
    shown = Exposures.make([0, 40, 60, 95], [70, NEVER, 92, 99], window=100)
    rows = Dfm(again=(0.5, 1.0)).rows(shown.before(100), 90)
    assert rows.index.tolist() == [3, 1]  # 95 came; 40 reached half a window of 100; nobody reached all of it
    assert rows.label.tolist() == [1.0, 0.0]
    np.testing.assert_allclose(rows.columns["elapsed"], [0.05, 0.6])
    np.testing.assert_allclose(rows.columns["delay"], [0.04, 0.6])
    assert DfmHazard(again=(1.0,)).rows(shown.before(101), 96).index.tolist() == [0]


def test_settled_rows_carry_delays_and_set_the_scale_of_rates() -> None:
    shown = Exposures.make([0, 10, 20, 90], [20, 60, NEVER, 99], window=50, until=100)
    model = Dfm()
    rows = model.settled_rows(shown)
    assert rows.index.tolist() == [0, 1, 2] and rows.label.tolist() == [1.0, 1.0, 0.0]
    np.testing.assert_allclose(rows.columns["elapsed"], 1.0)
    assert model.mean_delay == pytest.approx((0.4 + 1.0) / 2)
    assert DfmHazard().settled_rows(shown).columns["delay"].tolist() == rows.columns["delay"].tolist()


def test_intervals_are_closed_at_their_ends() -> None:
    logits = torch.tensor([[0.0, 1.0, -1.0]])
    for k, end in enumerate(ENDS):
        mass, survival = log_intervals(logits, torch.tensor([end]), torch.tensor([end]), ENDS)
        inside, _ = log_intervals(logits, torch.tensor([end - 0.01]), torch.tensor([end]), ENDS)
        assert float(mass) == float(inside)
        assert math.isinf(float(survival)) == (k == len(ENDS) - 1)


def test_a_short_rate_is_a_uniform_delay() -> None:
    density, survival = log_delay(torch.tensor([[-5.0]]), torch.tensor([0.3]), torch.tensor([0.25]), 1.0)
    assert float(density) == pytest.approx(0.0, abs=0.01)
    assert float(survival) == pytest.approx(math.log(0.75), abs=0.01)


def test_the_mixture_is_the_chance_of_never_and_of_not_yet() -> None:
    found = censored_loss(torch.tensor([1.0]), torch.zeros(1), torch.zeros(1), torch.tensor([math.log(0.2)]))
    p = 1 / (1 + math.exp(-1.0))
    assert float(found) == pytest.approx(-math.log(1 - p + 0.2 * p), rel=1e-6)


def test_settings_out_of_range_say_so() -> None:
    with pytest.raises(ConfigError, match="law 'gamma'"):
        Dfm("gamma")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="ages"):
        DfmHazard(again=(1.5,))
    for wrong in ((), (0.5,), (0.5, 0.4, 1.0), (0.0, 1.0)):
        with pytest.raises(ConfigError, match="boundaries"):
            DfmHazard(wrong)
    assert DfmHazard().heads == len(BOUNDARIES)
