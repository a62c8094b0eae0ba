"""Venn-Abers against its definition, two isotonic fits a case, and against the reference package."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from thence.base.rng import generator
from thence.decide.calibrate import VennAbers, VennAbersLevels
from thence.decide.calibrate.venn_abers import merged
from thence.decide.levels import level_of


def literal(score: np.ndarray, label: np.ndarray, at: float) -> tuple[float, float]:
    """The definition: the case is added as negative, and as positive, and read from an isotonic fit."""
    found = []
    for one in (0, 1):
        curve = IsotonicRegression().fit(np.append(score, at), np.append(label, one).astype(float))
        found.append(float(curve.predict([at])[0]))
    return found[0], found[1]


def mean_rule(score: np.ndarray, label: np.ndarray, at: float, one: int) -> float:
    """The same by the min-max formula: max over starts of min over ends of the mean label between."""
    x, y = np.append(score, at), np.append(label, one)
    distinct = np.unique(x)
    place = int(np.searchsorted(distinct, at))
    return max(
        min(float(y[(x >= low) & (x <= high)].mean()) for high in distinct[place:])
        for low in distinct[: place + 1]
    )


@settings(max_examples=150, deadline=None)
@given(
    cases=st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=2, max_size=25),
    at=st.integers(-1, 18),
)
def test_equals_two_isotonic_fits(cases: list[tuple[int, bool]], at: int) -> None:
    score = np.array([float(s) for s, _ in cases])
    label = np.array([y for _, y in cases])
    if label.all() or not label.any():
        label[0] = not label[0]
    low, high = VennAbers.fit(score, label).interval([at / 2])
    assert (low[0], high[0]) == pytest.approx(literal(score, label, at / 2), abs=1e-12)
    assert low[0] == pytest.approx(mean_rule(score, label, at / 2, 0), abs=1e-12)
    assert high[0] == pytest.approx(mean_rule(score, label, at / 2, 1), abs=1e-12)


def test_equals_two_isotonic_fits_on_continuous_scores() -> None:
    rng = generator(1, "tests", "venn-abers")
    score = rng.random(300)
    label = rng.random(300) < score**2
    at = np.concatenate([rng.random(40), score[:40], [-3.0, 3.0]])
    low, high = VennAbers.fit(score, label).interval(at)
    expected = np.array([literal(score, label, x) for x in at])
    assert np.abs(low - expected[:, 0]).max() < 1e-12
    assert np.abs(high - expected[:, 1]).max() < 1e-12


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # the package takes minima of nothing
def test_equals_the_reference_package() -> None:
    reference = pytest.importorskip("venn_abers")
    rng = generator(2, "tests", "venn-abers")
    for count, digits in ((20, 1), (200, 9), (2000, 2)):
        score = rng.beta(1, 3, count).round(digits)
        label = rng.random(count) < score
        label[:2] = 0, 1
        at = rng.random(300)
        theirs = reference.VennAbers()
        theirs.fit(np.stack([1 - score, score], 1), label.astype(int))
        rate, pair = theirs.predict_proba(np.stack([1 - at, at], 1))
        ours = VennAbers.fit(score, label)
        low, high = ours.interval(at)
        assert np.abs(low - pair[:, 0]).max() < 1e-6 and np.abs(high - pair[:, 1]).max() < 1e-6
        assert np.abs(ours.rate(at) - rate[:, 1]).max() < 1e-6


def test_the_interval_narrows_with_cases_and_holds_the_rate() -> None:
    rng = generator(3, "tests", "venn-abers")
    widths = []
    for count in (100, 10_000):
        score = rng.random(count)
        fitted = VennAbers.fit(score, rng.random(count) < score)
        low, high = fitted.interval(np.linspace(0, 1, 101))
        rate = fitted.rate(np.linspace(0, 1, 101))
        assert (low < high).all() and (low <= rate).all() and (rate <= high).all()
        assert (np.diff(low) >= 0).all() and (np.diff(high) >= 0).all()
        widths.append(float((high - low)[5:-5].mean()))
    assert widths[1] < widths[0] / 5


def test_one_of_two_rates_is_perfectly_calibrated() -> None:
    """Theorem 1: of cases left out in turn, p1 of the positive and p0 of the negative add up to the labels.

    So they do among those of which they say the same, whatever the scores.
    """
    rng = generator(4, "tests", "venn-abers")
    for _ in range(20):
        score = rng.integers(0, 6, 40).astype(float)
        label = rng.random(40) < score / 6
        label[:4] = 0, 0, 1, 1
        told = np.empty(40)
        for out in range(40):
            rest = np.arange(40) != out
            pair = VennAbers.fit(score[rest], label[rest]).interval(score[out : out + 1])
            told[out] = pair[int(label[out])][0]
        for value in np.unique(told.round(9)):
            alike = told.round(9) == value
            assert label[alike].mean() == pytest.approx(value, abs=1e-8)


def test_levels_with_too_few_positives_take_the_pooled_fit() -> None:
    rng = generator(5, "tests", "venn-abers")
    score, unsure = rng.random(3000), rng.random(3000)
    label = rng.random(3000) < np.where(unsure < 0.8, score, 0.02)
    fitted = VennAbersLevels.fit(score, unsure, label, levels=5, enough=50)
    level = level_of(unsure, fitted.cuts)
    for at in range(5):
        alone = VennAbers.fit(score[level == at], label[level == at])
        expected = alone if label[level == at].sum() >= 50 else fitted.pooled
        rows = level == at
        assert (fitted.rate(score[rows], unsure[rows]) == expected.rate(score[rows])).all()
    assert fitted.own == [True, True, True, True, False]
    low, high = fitted.interval(score, unsure)
    assert (merged(low, high) == fitted.rate(score, unsure)).all()
