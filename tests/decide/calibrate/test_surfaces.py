"""Rates over score and uncertainty: against known truth, a fit to all rows, and where there is nothing."""

from __future__ import annotations

import numpy as np
import pytest

from thence.base.errors import ConfigError, DataError
from thence.base.rng import generator
from thence.decide.calibrate import Plane, Platt, ShrunkCells, VennAbersLevels
from thence.decide.calibrate.cells import likely_strength
from thence.decide.calibrate.grid import balanced_cuts, gathered
from thence.decide.calibrate.ridges import fit_cells
from thence.decide.calibrate.splines import columns, natural
from thence.decide.clicks import ClicksConfig, simulate_clicks
from thence.evaluate.conversion.metrics import ece, nll

FITS = {"plane": Plane.fit, "cells": ShrunkCells.fit, "venn_abers_levels": VennAbersLevels.fit}


def null(seed: int, count: int = 20_000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Uncertainty that is independent of the label given the score."""
    rng = generator(seed, "tests", "surfaces", "null")
    score = rng.beta(1, 4, count).clip(1e-6, 1 - 1e-6)
    return score, rng.random(count) + score, rng.random(count) < score


@pytest.mark.parametrize("name", FITS)
def test_the_world_of_clicks_is_calibrated_and_better_told_than_by_the_score(name: str) -> None:
    world = simulate_clicks(ClicksConfig(ids=10_000, train=200_000, held=60_000), seed=1)
    fit, test = world.fit, world.test
    rate = FITS[name](fit.score, fit.uncertainty, fit.label).rate(test.score, test.uncertainty)
    alone = Platt.fit(fit.score, fit.label).rate(test.score)
    best = nll(test.label, world.bayes("test"))
    assert ece(test.label, rate) < 0.02
    assert nll(test.label, alone) - nll(test.label, rate) > 0.6 * (nll(test.label, alone) - best)


def test_uncertainty_that_says_nothing_is_left_out() -> None:
    used, strong = 0, 0
    for seed in range(10):
        score, unsure, label = null(seed, 3000)
        used += Plane.fit(score, unsure, label).uses_uncertainty
        strong += ShrunkCells.fit(score, unsure, label).strength > 100
    assert used <= 2 and strong >= 8


def test_one_uncertainty_makes_a_curve_of_the_score() -> None:
    score, _, label = null(0, 3000)
    fitted = Plane.fit(score, np.full(3000, 7.0), label)
    assert not fitted.uses_uncertainty
    assert (fitted.rate(score, np.full(3000, 7.0)) == fitted.rate(score, np.full(3000, -7.0))).all()
    cells = ShrunkCells.fit(score, np.full(3000, 7.0), label)
    assert cells.height.shape[0] == 1


def test_the_sign_rule_is_learned_in_both_directions() -> None:
    """Above the base rate positivity falls with uncertainty, below it rises: a surface shows both."""
    rng = generator(2, "tests", "surfaces")
    score, seen = rng.random(40_000) * 0.8, np.exp(rng.uniform(0, 5, 40_000))
    label = rng.random(40_000) < (seen * score + 3) / (seen + 10)  # of a prior Beta(3, 7)
    for name, fit in FITS.items():
        rate = fit(score, 1 / seen, label).rate(
            np.array([0.1, 0.1, 0.6, 0.6]), np.array([0.02, 0.5, 0.02, 0.5])
        )
        assert rate[0] < rate[1] - 0.05 and rate[2] > rate[3] + 0.05, name


def test_cells_stand_for_all_rows() -> None:
    rng = generator(3, "tests", "surfaces")
    z, r = rng.normal(-2, 1.5, 40_000), rng.random(40_000)
    label = rng.random(40_000) < 1 / (1 + np.exp(-(z * (1 - 0.6 * r) - 0.3)))
    fitted = Plane.fit(z, r, label, scale="log_odds")
    rank = np.interp(r, *fitted.ranks)
    design, group = columns(z, rank, fitted.knots)
    whole = fit_cells(design, group, np.ones(len(z)), label.astype(float), fitted.ridges)
    told = 1 / (1 + np.exp(-(design @ whole)))
    gap = np.abs(told - fitted.rate(z, r))
    assert gap.max() < 0.02 and gap.mean() < 0.001


def test_only_the_order_of_uncertainty_counts() -> None:
    score, unsure, label = null(4, 2000)
    label = label & (unsure < np.median(unsure))
    first = Plane.fit(score, unsure, label)
    second = Plane.fit(score, np.exp(5 * unsure), label)
    assert second.rate(score, np.exp(5 * unsure)) == pytest.approx(first.rate(score, unsure), abs=0.02)
    assert (first.rate(score, unsure) == Plane.fit(score, unsure, label).rate(score, unsure)).all()


def test_splines_are_linear_beyond_their_knots_and_smooth_between() -> None:
    knots = np.array([-1.0, 0.0, 0.5, 2.0])
    at = np.linspace(-4, 6, 2001)
    bends = natural(at, knots)
    second = np.diff(bends, 2, axis=0) / (at[1] - at[0]) ** 2
    outside = (at[1:-1] < -1.01) | (at[1:-1] > 2.01)
    assert np.abs(second[outside]).max() < 1e-6
    assert np.abs(np.diff(second, axis=0)).max() < 0.05  # no kink, and no jump of the curvature
    assert np.linalg.matrix_rank(bends) == 3


def test_cells_of_balanced_classes_hold_half_of_each() -> None:
    rng = generator(5, "tests", "surfaces")
    values = rng.normal(size=10_000)
    label = rng.random(10_000) < 0.02 * np.exp(values).clip(0, 40)
    cuts = balanced_cuts(values, label, 10)
    bin_ = np.searchsorted(cuts, values, side="right")
    share = 0.5 * np.bincount(bin_, label) / label.sum() + 0.5 * np.bincount(bin_, ~label) / (~label).sum()
    assert len(cuts) == 9 and share == pytest.approx(np.full(10, 0.1), abs=0.01)


def test_gathering_keeps_the_sums() -> None:
    rng = generator(6, "tests", "surfaces")
    cell, column, label = rng.integers(0, 9, 500), rng.random(500), rng.random(500) < 0.3
    count, positive, (mean,) = gathered(cell, (column,), label)
    assert count.sum() == 500 and positive.sum() == label.sum()
    assert float(count @ mean) == pytest.approx(column.sum())


def test_strength_finds_how_much_levels_differ() -> None:
    rng = generator(7, "tests", "surfaces")
    pooled = np.array([0.1, 0.3, 0.6])
    for truth in (5.0, 50.0):
        rates = rng.beta(truth * pooled, truth * (1 - pooled), (400, 3))
        count = np.full((400, 3), 300.0)
        found = likely_strength(count, rng.binomial(300, rates).astype(float), pooled)
        assert found == pytest.approx(truth, rel=0.15)
    assert likely_strength(count, rng.binomial(300, np.broadcast_to(pooled, (400, 3))) * 1.0, pooled) > 2000
    assert likely_strength(count, count, np.ones(3)) == float("inf")


@pytest.mark.parametrize("name", FITS)
def test_faults_of_uncertainty_are_told(name: str) -> None:
    score, unsure, label = null(8, 300)
    with pytest.raises(DataError, match="uncertainty"):
        FITS[name](score, np.where(unsure > 1, np.nan, unsure), label)
    with pytest.raises(DataError, match="300 scores, 299 uncertainties"):
        FITS[name](score, unsure[1:], label)
    fitted = FITS[name](score, unsure, label)
    with pytest.raises(DataError, match="uncertainty"):
        fitted.rate([0.5], [np.inf])
    with pytest.raises(DataError, match="2 scores and 1"):
        fitted.rate([0.5, 0.5], [1.0])


def test_settings_that_cannot_be() -> None:
    score, unsure, label = null(9, 300)
    for wrong in (
        lambda: Plane.fit(score, unsure, label, folds=1),
        lambda: ShrunkCells.fit(score, unsure, label, bins=0),
        lambda: ShrunkCells.fit(score, unsure, label, levels=0),
        lambda: VennAbersLevels.fit(score, unsure, label, enough=0),
    ):
        with pytest.raises(ConfigError):
            wrong()
