"""Parametric curves against second formulas, known answers and reference packages."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize, minimize_scalar

from thence.base.errors import ConfigError, FitError
from thence.base.rng import generator
from thence.decide.calibrate import Beta, Isotonic, Platt, PriorShift, Temperature
from thence.decide.calibrate.logistic import logistic
from thence.decide.calibrate.platt import smoothed
from thence.evaluate.conversion.metrics import ece, nll


def made(seed: int, power: float = 1.5, count: int = 800) -> tuple[np.ndarray, np.ndarray]:
    rng = generator(seed, "tests", "curves")
    score = rng.beta(1, 3, count).clip(0.001, 0.999)
    return score, rng.random(count) < score**power


def surprise(odds: np.ndarray, target: np.ndarray) -> float:
    return float((np.logaddexp(0, odds) - target * odds).sum())


def literal_beta(score: np.ndarray, label: np.ndarray) -> np.ndarray:
    """a, b >= 0 and c by a general optimiser with bounds."""

    def loss(at: np.ndarray) -> float:
        return surprise(at[0] * np.log(score) - at[1] * np.log(1 - score) + at[2], label)

    bounds = [(0, None), (0, None), (None, None)]
    return minimize(loss, [1, 1, 0], bounds=bounds, method="L-BFGS-B", options={"ftol": 1e-15, "gtol": 1e-9}).x


@pytest.mark.parametrize(("seed", "power"), [(0, 1.5), (1, 0.5), (2, 3.0), (3, 1.0)])
def test_beta_equals_a_general_optimiser(seed: int, power: float) -> None:
    score, label = made(seed, power)
    fitted, (a, b, c) = Beta.fit(score, label), literal_beta(score, label)
    at = np.linspace(0.01, 0.99, 99)
    literal = 1 / (1 + np.exp(-(a * np.log(at) - b * np.log(1 - at) + c)))
    ours = surprise(fitted.a * np.log(score) - fitted.b * np.log(1 - score) + fitted.c, label)
    theirs = surprise(a * np.log(score) - b * np.log(1 - score) + c, label)
    assert ours <= theirs + 1e-9
    assert fitted.rate(at) == pytest.approx(literal, abs=1e-4)  # as near as a general optimiser comes


def test_beta_without_the_weight_that_would_be_negative() -> None:
    """Rates that rise and fall need a or b below 0, which is left out: a is looked at first."""
    rng = generator(7, "tests", "curves")
    score = rng.random(4000).clip(0.01, 0.99)
    for turned in (False, True):
        odds = 3 * np.log(score) + 2 * np.log(1 - score) + 2
        if turned:
            odds = -3 * np.log(1 - score) - 2 * np.log(score) - 2
        label = rng.random(4000) < 1 / (1 + np.exp(-odds))
        fitted = Beta.fit(score, label)
        assert (fitted.b == 0 and fitted.a > 0) if not turned else (fitted.a == 0 and fitted.b > 0)
        assert np.array([fitted.a, fitted.b, fitted.c]) == pytest.approx(literal_beta(score, label), abs=2e-3)


def test_beta_equals_the_reference_package(monkeypatch) -> None:
    """Its own solver stops early (rates are up to .01 off); with one that goes on they are the same."""
    reference = pytest.importorskip("betacal.beta_calibration")
    from sklearn.linear_model import LogisticRegression

    def patient(C: float) -> LogisticRegression:
        return LogisticRegression(C=C, tol=1e-13, max_iter=10_000, solver="newton-cholesky")

    monkeypatch.setattr(reference, "LogisticRegression", patient)
    at = np.linspace(0.001, 0.999, 500)
    for seed, power in ((0, 1.5), (1, 0.4), (2, 4.0), (3, 1.0)):
        score, label = made(seed, power, 300)
        theirs = reference._BetaCal().fit(score, label.astype(int)).predict(at)
        assert np.abs(Beta.fit(score, label).rate(at) - theirs).max() < 1e-6


def test_beta_finds_the_truth() -> None:
    rng = generator(8, "tests", "curves")
    score = rng.random(200_000).clip(1e-6, 1 - 1e-6)
    odds = 0.6 * np.log(score) - 1.7 * np.log(1 - score) - 1.2
    fitted = Beta.fit(score, rng.random(200_000) < 1 / (1 + np.exp(-odds)))
    assert (fitted.a, fitted.b, fitted.c) == pytest.approx((0.6, 1.7, -1.2), abs=0.05)


def test_platt_equals_a_general_optimiser_and_a_package() -> None:
    from sklearn.calibration import _sigmoid_calibration

    score, label = made(4)
    fitted = Platt.fit(score * 9 - 2, label, scale="log_odds")
    slope, intercept = _sigmoid_calibration(score * 9 - 2, label.astype(float))
    at = np.linspace(-2, 7, 50)
    assert fitted.rate(at) == pytest.approx(1 / (1 + np.exp(slope * at + intercept)), abs=1e-5)
    target = smoothed(label)
    literal = minimize(lambda at: surprise(at[0] * (score * 9 - 2) + at[1], target), [0, 0], tol=1e-12).x
    assert (fitted.slope, fitted.intercept) == pytest.approx(literal, abs=1e-4)


def test_platt_on_scales_far_from_one() -> None:
    score, label = made(5)
    first = Platt.fit(score, label, scale="log_odds").rate(score)
    for shift, size in ((1e6, 1.0), (0.0, 1e-9), (-3.0, 1e9)):
        moved = score * size + shift
        assert Platt.fit(moved, label, scale="log_odds").rate(moved) == pytest.approx(first, abs=1e-6)


def test_platt_learns_the_direction() -> None:
    score, label = made(6)
    assert Platt.fit(score, label).slope > 0 > Platt.fit(score, ~label).slope


def test_classes_set_apart_have_no_best_curve_without_smoothing() -> None:
    with pytest.raises(FitError, match="set apart"):
        Platt.fit([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1], smooth=False)
    assert Platt.fit([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1]).slope > 0


def test_temperature_equals_a_general_optimiser() -> None:
    score, label = made(9, 1.0)
    for sharpen in (0.4, 1.0, 3.0):
        odds = np.log(score / (1 - score)) * sharpen
        found = Temperature.fit(odds, label, scale="log_odds").temperature
        literal = minimize_scalar(
            lambda log_t, odds=odds: surprise(odds / np.exp(log_t), label),
            bounds=(-3, 3),
            method="bounded",
            options={"xatol": 1e-9},
        )
        assert found == pytest.approx(float(np.exp(literal.x)), rel=1e-5)
        assert found == pytest.approx(sharpen, rel=0.15)


def test_temperature_stays_within_its_range() -> None:
    assert Temperature.fit([0.1, 0.9], [0, 1]).temperature == 0.01
    assert Temperature.fit([0.1, 0.9], [1, 0]).temperature == 100.0


def test_prior_correction_gives_back_the_rate_of_a_model_of_fewer_negatives() -> None:
    """One in τ negatives kept makes p τ / (p τ + 1 - p) of a rate p; the correction undoes it."""
    rate, tau = np.linspace(0, 1, 101), 7.0
    trained = rate * tau / (rate * tau + 1 - rate)
    shift = PriorShift(tau)
    assert shift.rate(trained) == pytest.approx(rate, abs=1e-12)
    assert shift.inverse(rate) == pytest.approx(trained, abs=1e-12)
    inside = slice(1, -1)
    odds = np.log(trained[inside] / (1 - trained[inside]))
    turned = PriorShift(tau, "log_odds")
    assert turned.rate(odds) == pytest.approx(rate[inside], abs=1e-12)
    assert turned.inverse(rate[inside]) == pytest.approx(odds, abs=1e-12)
    assert shift.log_odds(trained[inside]) == pytest.approx(np.log(rate[inside] / (1 - rate[inside])), abs=1e-9)


def test_prior_correction_finds_tau() -> None:
    rng = generator(10, "tests", "curves")
    rate = rng.beta(1, 20, 400_000)
    label = rng.random(400_000) < rate
    score = rate * 10 / (rate * 10 + 1 - rate)
    assert PriorShift.fit(score, label).tau == pytest.approx(10, rel=0.05)
    kept = label | (rng.random(400_000) < 0.1)
    by_rates = PriorShift.from_rates(trained=float(label[kept].mean()), true=float(label.mean()))
    assert by_rates.tau == pytest.approx(10, rel=0.03)
    assert ece(label, by_rates.rate(score)) < 0.005 < ece(label, score)


@pytest.mark.parametrize("tau", [0.0, -1.0, float("nan"), float("inf")])
def test_a_rate_that_cannot_be(tau: float) -> None:
    with pytest.raises(ConfigError):
        PriorShift(tau)
    with pytest.raises(ConfigError):
        PriorShift.from_rates(trained=0.5, true=1.0)


def test_isotonic_is_the_lowest_squared_error_of_rising_curves() -> None:
    score, label = made(11, 1.0, 60)
    score = score.round(1)
    fitted = Isotonic.fit(score, label).rate(score)
    distinct = np.unique(score)
    for at in distinct:  # min-max formula
        starts, ends = distinct[distinct <= at], distinct[distinct >= at]
        means = [[label[(score >= a) & (score <= b)].mean() for b in ends] for a in starts]
        assert fitted[score == at][0] == pytest.approx(max(min(row) for row in means), abs=1e-12)


def test_rows_that_stand_for_many_are_as_good_as_many_rows() -> None:
    score, label = made(12)
    score = score.round(1)
    design = np.stack([np.ones(len(score)), score, score**2], 1)
    ridge = np.array([0.0, 0.5, 2.0])
    one_each = logistic(design, label.astype(float), ridge=ridge)
    at, group, count = np.unique(score, return_inverse=True, return_counts=True)
    share = np.bincount(group, label) / count
    few = logistic(np.stack([np.ones(len(at)), at, at**2], 1), share, weight=count.astype(float), ridge=ridge)
    assert few == pytest.approx(one_each, abs=1e-8)
    literal = minimize(
        lambda c: surprise(design @ c, label) + 0.5 * float(ridge @ c**2), np.zeros(3), tol=1e-12, method="BFGS"
    )
    assert one_each == pytest.approx(literal.x, abs=1e-4)


def test_every_curve_is_calibrated_where_its_form_is_the_truth() -> None:
    rng = generator(13, "tests", "curves")
    score = rng.beta(1, 4, 100_000).clip(1e-6, 1 - 1e-6)
    odds = 0.7 * np.log(score / (1 - score)) - 0.4
    label = rng.random(100_000) < 1 / (1 + np.exp(-odds))
    half = 50_000
    assert ece(label[half:], score[half:]) > 0.03
    for kind in (Platt, Beta, Isotonic):
        rate = kind.fit(score[:half], label[:half]).rate(score[half:])
        assert ece(label[half:], rate) < 0.01
        assert nll(label[half:], rate) < nll(label[half:], score[half:])
