"""The smooth surface: its penalised likelihood minimised another way, its limits, and folds that see not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit

import thence.decide.surface.smooth as module
from thence.base.errors import DataError, FitError
from thence.base.rng import generator
from thence.decide.sample import Sample
from thence.decide.surface.smooth import SmoothSurface, cross_fitted, fit_smooth

KNOTS = np.array([0.0, 0.3, 0.5, 0.8, 1.0]), np.array([0.0, 0.4, 1.0])


def world(count: int = 1500, seed: int = 0) -> Sample:
    rng = generator(seed, "tests", "smooth")
    score, unsure = rng.random((2, count))
    return Sample.make(score, unsure, rng.random(count) < score * (1 - 0.8 * unsure))


def hat(value: float, knots: np.ndarray) -> np.ndarray:
    """Weights of all knots for one value: what linear interpolation takes of each."""
    return np.array([np.interp(value, knots, row) for row in np.eye(len(knots))])


def literal_loss(theta: np.ndarray, sample: Sample, hats: np.ndarray, bend: float, tilt: float) -> float:
    odds = hats @ theta
    nll = np.logaddexp(0, np.where(sample.label, -odds, odds)).sum()
    grid = theta.reshape(len(KNOTS[0]), len(KNOTS[1]))
    bends = grid[2:] - 2 * grid[1:-1] + grid[:-2]
    tilts = grid[:, 1:] - grid[:, :-1]
    return nll + bend / 2 * (bends**2).sum() + tilt / 2 * (tilts**2).sum() + 0.5e-6 * (theta**2).sum()


def minimises_the_penalised_likelihood() -> None:
    """On few knots and few values, so that each value is a cell by itself."""
    rng = generator(1, "few values")
    score, unsure = rng.integers(0, 9, 500) / 8, rng.integers(0, 6, 500) / 5
    sample = Sample.make(score, unsure, rng.random(500) < score * (1 - 0.7 * unsure))
    cells = module._Cells.of(sample, *KNOTS)
    assert len(cells.cases) == 54
    hats = np.array(
        [np.outer(hat(s, KNOTS[0]), hat(u, KNOTS[1])).ravel() for s, u in zip(score, unsure, strict=True)]
    )
    strengths = [(10.0, 3.0), (1.0, 100.0), (0.1, 0.1)]
    for (bend, tilt), found in zip(strengths, module._solve(cells, KNOTS, strengths), strict=True):
        best = minimize(
            literal_loss,
            np.zeros(15),
            (sample, hats, bend, tilt),
            "BFGS",
            options={"gtol": 1e-7, "maxiter": 2000},
        )
        for _ in range(3):  # Newton's steps on dense matrices, from where that ended
            best_x = dense_step(best.x, sample, hats, bend, tilt)
            best.x = best_x
        assert np.abs(found - best.x).max() < 1e-5
        loss = literal_loss(found, sample, hats, bend, tilt)
        assert loss <= literal_loss(best.x, sample, hats, bend, tilt) + 1e-9
        for nearby in found + 1e-3 * rng.normal(size=(20, 15)):
            assert literal_loss(nearby, sample, hats, bend, tilt) > loss


def dense_step(theta: np.ndarray, sample: Sample, hats: np.ndarray, bend: float, tilt: float) -> np.ndarray:
    along, across = np.diff(np.eye(5), 2, axis=0), np.diff(np.eye(3), axis=0)
    penalty = bend * np.kron(along.T @ along, np.eye(3)) + tilt * np.kron(np.eye(5), across.T @ across)
    penalty += 1e-6 * np.eye(15)
    rate = expit(hats @ theta)
    curve = hats.T @ (hats * (rate * (1 - rate))[:, None]) + penalty
    return theta - np.linalg.solve(curve, hats.T @ (rate - sample.label) + penalty @ theta)


def bands_are_the_matrices() -> None:
    rng = generator(2, "bands")
    for size, width in ((7, 2), (5, 9), (1, 0), (12, 3)):
        dense = np.array([[(abs(i - j) <= width) * rng.normal() for j in range(size)] for i in range(size)])
        dense = dense + dense.T
        band, vector = module._band(dense, width), rng.normal(size=size)
        assert band.shape == (width + 1, size)
        assert all(band[i - j, j] == dense[i, j] for i in range(size) for j in range(i + 1) if i - j <= width)
        assert np.allclose(module._times(band, vector), dense @ vector)
    cells = module._Cells.of(world(300), *KNOTS)
    weight, hats = rng.random(len(cells.cases)), np.zeros((len(cells.cases), 15))
    np.add.at(hats, (np.arange(len(hats))[:, None], cells.place), cells.weight)
    squares = module._squares(cells, weight, (2 * 3 + 2, 15))
    assert np.allclose(squares, module._band(hats.T @ (hats * weight[:, None]), 7))


def never_falls_along_the_score() -> None:
    steps = np.linspace(-0.2, 1.2, 60)
    rng = generator(3, "noise")
    noise = Sample.make(rng.random(400), rng.random(400), rng.random(400) < 0.3)
    turned = Sample.make(-world().score, world().uncertainty, world().label)
    for sample in (world(), noise, turned):
        for surface in (fit_smooth(sample, 0.1, 0.1), cross_fitted(sample)[0]):
            for unsure in (-1, 0, 0.33, 0.9, 5):
                assert (np.diff(surface.rate(steps - (sample is turned), np.full(60, unsure))) >= -1e-12).all()


def blind_to_the_own_fold() -> None:
    """Labels of one fold are turned; what is said of that fold is the same, for every strength."""
    sample = world(400)
    fold = np.arange(len(sample)) % 4
    turned = Sample(sample.score, sample.uncertainty, sample.label ^ (fold == 2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_folds", lambda *_: fold)
        patch.setattr(
            module, "DOUBT", 1e12
        )  # all strengths count: which do is the one thing that all labels say
        before, after = (cross_fitted(each)[1] for each in (sample, turned))
    assert np.array_equal(before[fold == 2], after[fold == 2])
    assert all((before[fold == part] != after[fold == part]).any() for part in (0, 1, 3))


FACTS = [
    minimises_the_penalised_likelihood,
    bands_are_the_matrices,
    never_falls_along_the_score,
    blind_to_the_own_fold,
]


@pytest.mark.parametrize("fact", FACTS)
def test_facts_hold(fact: Callable[[], None]) -> None:
    fact()


def band_of_above(matrix: np.ndarray, width: int) -> np.ndarray:
    return REAL_BAND(np.tril(matrix).T, width)


def one_side(band: np.ndarray, vector: np.ndarray) -> np.ndarray:
    found = band[0] * vector
    for off in range(1, min(len(band), len(vector))):
        found[off:] += band[off, :-off] * vector[:-off]
    return found


def as_solved(theta: np.ndarray, knots: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    return theta.reshape(len(knots[0]), len(knots[1]))


def falling(theta: np.ndarray, knots: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    return np.minimum.accumulate(theta.reshape(len(knots[0]), len(knots[1])), axis=0)


REAL_KNOTS, REAL_BAND, REAL_CELLS = module._knots, module._band, module._Cells.of


@pytest.mark.parametrize(
    ("name", "mutant", "fact"),
    [
        ("_band", band_of_above, bands_are_the_matrices),
        ("_band", band_of_above, minimises_the_penalised_likelihood),
        ("_times", one_side, bands_are_the_matrices),
        ("_times", one_side, minimises_the_penalised_likelihood),
        ("_rising", as_solved, never_falls_along_the_score),
        ("_rising", falling, never_falls_along_the_score),
    ],
)
def test_mutants_fail(name: str, mutant, fact: Callable[[], None], monkeypatch) -> None:
    monkeypatch.setattr(module, name, mutant)
    with pytest.raises((AssertionError, np.linalg.LinAlgError, FitError)):
        fact()


@pytest.mark.parametrize("leak", ["knots", "cells"])
def test_folds_that_see_themselves_are_found_out(leak: str, monkeypatch) -> None:
    sample = world(400)
    fold = np.arange(len(sample)) % 4
    turned = Sample(sample.score, sample.uncertainty, sample.label ^ (fold == 2))
    said = []
    monkeypatch.setattr(module, "_folds", lambda *_: fold)
    monkeypatch.setattr(module, "DOUBT", 1e12)
    for each in (sample, turned):
        with monkeypatch.context() as patch:
            if leak == "knots":
                patch.setattr(module, "_knots", lambda _, each=each: REAL_KNOTS(each))
            else:
                patch.setattr(module._Cells, "of", lambda _, *knots, each=each: REAL_CELLS(each, *knots))
            said.append(cross_fitted(each)[1][fold == 2])
    assert not np.array_equal(*said)


def test_rates_are_interpolated_and_held_beyond_the_knots() -> None:
    rng = generator(4, "points")
    surface = SmoothSurface(*KNOTS, np.sort(rng.normal(size=(5, 3)), axis=0))
    score, unsure = rng.random((2, 200)) * 1.6 - 0.3
    literal = [
        hat(s, KNOTS[0]) @ surface.log_odds @ hat(u, KNOTS[1]) for s, u in zip(score, unsure, strict=True)
    ]
    assert np.allclose(surface.log_odds_of(score, unsure), literal)
    assert np.allclose(surface.rate(score, unsure), expit(literal))
    far = SmoothSurface(*KNOTS, np.full((5, 3), -800.0))
    assert far.rate([0.5], [0.5]).tolist() == [0.0]


def test_a_strong_tilt_forgets_the_uncertainty() -> None:
    surface = fit_smooth(world(), bend=1.0, tilt=1e9)
    assert np.ptp(surface.log_odds, axis=1).max() < 1e-5
    assert np.ptp(fit_smooth(world(), bend=1.0, tilt=1.0).log_odds, axis=1).max() > 1


def test_a_strong_bend_leaves_a_line_along_even_knots() -> None:
    theta = module._solve(module._Cells.of(world(), *KNOTS), KNOTS, [(1e7, 1.0)])[0].reshape(5, 3)
    assert np.abs(np.diff(theta, 2, axis=0)).max() < 1e-3


def test_rates_are_near_the_truth() -> None:
    told = world(40_000)
    fitted, (averaged, unseen) = fit_smooth(told), cross_fitted(told)
    score, unsure = (axis.ravel() for axis in np.meshgrid(np.linspace(0.1, 0.9, 9), np.linspace(0.1, 0.9, 9)))
    true = score * (1 - 0.8 * unsure)
    for surface in (fitted, averaged):
        assert np.abs(surface.rate(score, unsure) - true).mean() < 0.015
    assert np.abs(unseen - told.score * (1 - 0.8 * told.uncertainty)).mean() < 0.02


def test_the_order_of_rows_does_not_matter(monkeypatch) -> None:
    sample, order = world(2000), generator(5, "order").permutation(2000)
    turned = sample[order]
    assert np.allclose(fit_smooth(sample).log_odds, fit_smooth(turned).log_odds, atol=1e-9)
    fold = np.arange(2000) % 5
    monkeypatch.setattr(module, "_folds", lambda *_: fold)
    surface, unseen = cross_fitted(sample)
    monkeypatch.setattr(module, "_folds", lambda *_: fold[order])
    again, seen = cross_fitted(turned)
    assert np.allclose(surface.log_odds, again.log_odds, atol=1e-9)
    assert np.allclose(unseen[order], seen, atol=1e-9)


def test_folds_are_even_within_classes() -> None:
    sample = world(1003)
    fold = module._folds(sample, 5, 0)
    for kind in (True, False):
        counts = np.bincount(fold[sample.label == kind])
        assert len(counts) == 5 and np.ptp(counts) <= 1
    assert np.array_equal(fold, module._folds(sample, 5, 0))
    assert not np.array_equal(fold, module._folds(sample, 5, 1))


@pytest.mark.parametrize("constant", ["score", "uncertainty", "both"])
def test_constant_columns_can_be_fitted(constant: str) -> None:
    told = world(300)
    same = np.full(300, 0.5)
    sample = Sample(
        told.score if constant == "uncertainty" else same,
        told.uncertainty if constant == "score" else same,
        told.label,
    )
    surface, unseen = cross_fitted(sample)
    for fitted in (surface, fit_smooth(sample)):
        rates = fitted.rate(sample.score, sample.uncertainty)
        assert np.isfinite(rates).all()
        if constant == "both":
            assert np.ptp(rates) < 1e-12 and abs(rates[0] - told.label.mean()) < 0.01
    assert ((unseen > 0) & (unseen < 1)).all()


def test_few_cases_are_fitted_or_refused() -> None:
    two = Sample.make([0.1, 0.9], [0.0, 1.0], [0, 1])
    rates = fit_smooth(two).rate(two.score, two.uncertainty)
    assert 0 < rates[0] < 0.5 < rates[1] < 1
    with pytest.raises(FitError, match="fewer than two"):
        cross_fitted(two)
    four = Sample.make([0.1, 0.9, 0.2, 0.8], [0, 1, 2, 3], [0, 1, 0, 1])
    assert np.isfinite(cross_fitted(four)[1]).all()
    one = Sample.make([0.1, 0.9], [0.0, 1.0], [1, 1])
    for fit in (fit_smooth, cross_fitted):
        with pytest.raises(DataError, match="labels"):
            fit(one)


def test_separable_cases_settle() -> None:
    score = np.linspace(0, 1, 400)
    sample = Sample.make(score, np.zeros(400), score > 0.5)
    rates = cross_fitted(sample)[0].rate(score, np.zeros(400))
    assert (rates[score < 0.3] < 0.2).all() and (rates[score > 0.7] > 0.8).all()
