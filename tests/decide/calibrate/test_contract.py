"""What every calibrator promises: rates, clear errors, no sample too small, arrays that bring it back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from thence.base.artifact import open_artifact, write_artifact
from thence.base.errors import ArtifactError, ConfigError, DataError
from thence.base.rng import generator
from thence.decide.calibrate import (
    Beta,
    Isotonic,
    Plane,
    Platt,
    PriorShift,
    ShrunkCells,
    Temperature,
    VennAbers,
    VennAbersLevels,
    calibrator_of,
    kind_of,
)
from thence.decide.calibrate.keep import kinds
from thence.evaluate.conversion.metrics import nll

CURVES: dict[str, Callable[..., Any]] = {
    "temperature": Temperature.fit,
    "platt": Platt.fit,
    "beta": Beta.fit,
    "isotonic": Isotonic.fit,
    "venn_abers": VennAbers.fit,
    "prior": PriorShift.fit,
}
SURFACES: dict[str, Callable[..., Any]] = {
    "plane": Plane.fit,
    "cells": ShrunkCells.fit,
    "venn_abers_levels": VennAbersLevels.fit,
}
ALL = [*CURVES, *SURFACES]
SCALED = ("temperature", "platt", "beta", "prior", "plane")


def world(count: int = 4000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores that are too sure of themselves, the more so the higher the uncertainty, and labels."""
    rng = generator(0, "tests", "calibrate")
    z, unsure = rng.normal(-1, 1.5, count), rng.integers(0, 50, count) / 50
    label = rng.random(count) < 1 / (1 + np.exp(-(z * (1 - 0.8 * unsure) - 0.5)))
    return 1 / (1 + np.exp(-z)), unsure, label


def fit(name: str, score: Any, label: Any, unsure: Any = None, **more: Any) -> Callable[..., np.ndarray]:
    """Fit by name; gives rates of scores, and of uncertainties for a surface."""
    if name in CURVES:
        fitted = CURVES[name](score, label, **more)
        return lambda s, u=None: fitted.rate(s)
    fitted = SURFACES[name](score, np.zeros(len(score)) if unsure is None else unsure, label, **more)
    return lambda s, u=None: fitted.rate(s, np.zeros(len(s)) if u is None else u)


def test_every_kind_is_tested() -> None:
    assert sorted(kinds()) == sorted(ALL)


@pytest.mark.parametrize("name", ALL)
def test_rates_are_rates_and_better_than_the_scores(name: str) -> None:
    score, unsure, label = world()
    rate = fit(name, score, label, unsure)
    told = rate(score, unsure)
    assert told.dtype == np.float64 and told.shape == score.shape
    assert (told >= 0).all() and (told <= 1).all()
    assert nll(label, told) < nll(label, score) - (0 if name == "prior" else 0.005)
    beyond = rate(np.array([0.0, 1.0]), np.array([-5.0, 5.0]))
    assert np.isfinite(beyond).all() and ((beyond >= 0) & (beyond <= 1)).all()


@pytest.mark.parametrize("name", ALL)
def test_what_it_keeps_brings_it_back(name: str, tmp_path) -> None:
    score, unsure, label = world(600)
    fitted = (CURVES | SURFACES)[name](*((score, label) if name in CURVES else (score, unsure, label)))
    assert kind_of(fitted) == name
    with write_artifact(tmp_path / "kept", "test") as draft:
        for key, values in fitted.arrays().items():
            draft.array(key, values)
    opened = open_artifact(tmp_path / "kept", "test")
    again = calibrator_of(name, {key: opened.array(key) for key in fitted.arrays()})
    given = (score,) if name in CURVES else (score, unsure)
    assert type(again) is type(fitted)
    assert (again.rate(*given) == fitted.rate(*given)).all()


@pytest.mark.parametrize("name", ALL)
def test_faults_are_told(name: str) -> None:
    score, unsure, label = world(60)
    for wrong in (np.nan, np.inf):
        bad = np.where(np.arange(60) == 7, wrong, score)
        with pytest.raises(DataError, match="place 7"):
            fit(name, bad, label, unsure)
        with pytest.raises(DataError, match="score"):
            fit(name, score, label, unsure)(bad, unsure)
    for alike in (0, 1):
        with pytest.raises(DataError, match=f"all 60 labels are {alike}"):
            fit(name, score, np.full(60, alike), unsure)
    with pytest.raises(DataError, match="neither 0 nor 1"):
        fit(name, score, np.where(label, 2, 0), unsure)
    with pytest.raises(DataError):
        fit(name, [], [], [])


@pytest.mark.parametrize("name", SCALED)
def test_a_number_beyond_one_is_no_probability_but_may_be_log_odds(name: str) -> None:
    score, unsure, label = world(400)
    with pytest.raises(DataError, match="no probability"):
        fit(name, score * 3, label, unsure)
    with pytest.raises(ConfigError, match="probability or log_odds"):
        fit(name, score, label, unsure, scale="odds")
    odds = np.log(score / (1 - score))
    same = fit(name, odds, label, unsure, scale="log_odds")(odds, unsure)
    assert same == pytest.approx(fit(name, score, label, unsure)(score, unsure), abs=1e-6)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_one_score_for_all_gives_the_base_rate_where_it_can(name: str, value: float) -> None:
    label = np.array([1, 0, 0, 0] * 25)
    rate = fit(name, np.full(100, value), label)(np.array([value]))
    assert 0 <= rate[0] <= 1
    if name == "temperature":
        return  # it has no intercept: it can but go half way from the score to one half
    if name == "prior":
        assert rate == pytest.approx([0.25 if value == 0.3 else value], abs=1e-9)
    else:
        assert rate == pytest.approx([0.25], abs=0.01)


@pytest.mark.parametrize("name", ALL)
def test_the_smallest_samples_and_classes_set_apart(name: str) -> None:
    for score, label in (([0.2, 0.7], [0, 1]), ([0.7, 0.2], [0, 1]), ([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1])):
        rate = fit(name, score, label)(np.linspace(0, 1, 11))
        assert np.isfinite(rate).all() and ((rate >= 0) & (rate <= 1)).all()


@pytest.mark.parametrize("name", ["temperature", "beta", "isotonic", "venn_abers", "prior", "cells"])
def test_a_higher_score_never_has_a_lower_rate(name: str) -> None:
    score, unsure, label = world(1000)
    for labels in (label, ~label):
        rate = fit(name, score, labels, unsure)(np.linspace(0, 1, 501), np.full(501, 0.5))
        assert (np.diff(rate) >= -1e-15).all()


@pytest.mark.parametrize("name", ALL)
def test_ties_and_order_of_cases_do_not_matter(name: str) -> None:
    score, unsure, label = world(500)
    score = score.round(1).clip(0.05, 0.95)
    at = np.linspace(0.01, 0.99, 50), np.linspace(0, 1, 50)
    first = fit(name, score, label, unsure)(*at)
    if name == "plane":
        return  # its folds are drawn by the place of a case
    order = generator(3, "tests").permutation(500)
    assert fit(name, score[order], label[order], unsure[order])(*at) == pytest.approx(first, abs=1e-9)


def test_a_stranger_is_not_kept_nor_found() -> None:
    with pytest.raises(ArtifactError, match="cannot be kept"):
        kind_of(object())
    with pytest.raises(ArtifactError, match="platt"):
        calibrator_of("plat", {})
    with pytest.raises(ArtifactError, match="'line' of a platt"):
        calibrator_of("platt", {})
    with pytest.raises(ArtifactError, match="other shapes"):
        calibrator_of("platt", {"line": np.zeros(3), "scale": np.zeros(1, np.uint8)})
