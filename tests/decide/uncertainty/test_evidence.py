"""Counts by id against worlds in which the rates are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from thence.base.errors import ConfigError, DataError
from thence.decide.uncertainty.evidence import EvidenceCounts, cells, effective, fit_prior


def world(seed: int = 0, ids: int = 3000, rows: int = 60_000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Zipf ids with rates from Beta(1, 4): codes, labels, rates by id."""
    rng = np.random.default_rng(seed)
    rate = rng.beta(1.0, 4.0, ids)
    often = 1 / np.arange(1, ids + 1)
    codes = rng.choice(ids, rows, p=often / often.sum())
    return codes[:, None], rng.random(rows) < rate[codes], rate


def test_one_column_is_its_exact_posterior() -> None:
    codes, label, _ = world()
    sure = EvidenceCounts.fit(codes, label, prior=(0.2, 5.0))
    n = np.bincount(codes[:, 0], minlength=3100)
    k = np.bincount(codes[label, 0], minlength=3100)
    told = sure.estimate(np.arange(3100)[:, None])
    assert np.allclose(told.alpha, 1 + k) and np.allclose(told.beta, 4 + n - k)
    assert np.allclose(told.uncertainty, -np.log(5 + n))


def test_the_prior_is_found_again() -> None:
    codes, label, _ = world(1)
    sure = EvidenceCounts.fit(codes, label)
    assert abs(sure.rate[0] - 0.2) < 0.02 and abs(sure.strength[0] - 5.0) < 0.7


def test_means_are_calibrated_and_intervals_cover() -> None:
    codes, label, rate = world(2)
    told = EvidenceCounts.fit(codes, label).estimate(np.arange(len(rate))[:, None])
    low, high = stats.beta(told.alpha, told.beta).ppf([[0.05], [0.95]])
    assert abs(((rate >= low) & (rate <= high)).mean() - 0.9) < 0.02
    assert abs((told.mean - rate).mean()) < 0.01


def test_more_evidence_is_less_epistemic_uncertainty() -> None:
    codes, label, rate = world(3)
    told = EvidenceCounts.fit(codes, label).estimate(np.arange(len(rate))[:, None])
    seen = np.bincount(codes[:, 0], minlength=len(rate))
    parts = [told.epistemic[(seen >= low) & (seen < 4 * low)].mean() for low in (1, 4, 16, 64, 256)]
    assert (np.diff(parts) < 0).all()
    assert (np.argsort(told.uncertainty, kind="stable") == np.argsort(-seen, kind="stable")).all()


def test_a_column_that_says_nothing_counts_for_nothing() -> None:
    codes, label, _ = world(4)
    noise = np.random.default_rng(5).integers(0, 50, len(codes))
    both = EvidenceCounts.fit(np.hstack([codes, noise[:, None]]), label)
    alone = EvidenceCounts.fit(codes, label)
    assert both.strength[1] > 1e3
    ratio = both.evidence(np.hstack([codes, noise[:, None]])) / alone.evidence(codes)
    assert ratio.min() > 0.5 and np.median(ratio) > 0.9


def test_two_columns_add_up_on_the_logit() -> None:
    rng = np.random.default_rng(6)
    effect = rng.normal(0, 1, (2, 40))
    ids = rng.integers(0, 40, (80_000, 2))
    true = 1 / (1 + np.exp(2 - effect[0, ids[:, 0]] - effect[1, ids[:, 1]]))
    told = EvidenceCounts.fit(ids, rng.random(len(ids)) < true).estimate(ids)
    assert np.corrcoef(told.mean, true)[0, 1] > 0.97


def test_a_models_rate_is_kept_as_mean() -> None:
    codes, label, _ = world(7)
    rates = np.linspace(0.01, 0.99, len(codes))
    told = EvidenceCounts.fit(codes, label).estimate((codes, rates))
    assert np.allclose(told.mean, rates)


def test_the_likelihood_of_a_prior_is_at_its_top() -> None:
    rng = np.random.default_rng(8)
    n = rng.integers(1, 30, 500)
    k = rng.binomial(n, rng.beta(2, 8, 500))
    mean, strength = fit_prior(n, k)

    def likelihood(m: float, s: float) -> float:
        return stats.betabinom(n, m * s, (1 - m) * s).logpmf(k).sum()

    best = likelihood(mean, strength)
    assert all(likelihood(mean + d, strength) < best for d in (-0.01, 0.01))
    assert all(likelihood(mean, strength * f) < best for f in (0.9, 1.1))


def test_cells_join_columns_and_keep_others_apart() -> None:
    ids = np.stack(np.meshgrid(np.arange(20), np.arange(20), np.arange(3)), -1).reshape(-1, 3)
    made = cells(ids, [[0, 1], [1]], 1 << 30)
    assert len(np.unique(made[:, 0])) == 400 and len(np.unique(made[:, 1])) == 20


@pytest.mark.parametrize("wrong", [[1, 2], [[0.5]], [[-1]], np.empty((3, 0), int), [["a"]]])
def test_wrong_ids_are_refused(wrong) -> None:
    sure = EvidenceCounts.fit([[0], [1]], [0, 1])
    with pytest.raises(DataError):
        sure.estimate(wrong)
    with pytest.raises(DataError):
        effective(np.full((2, 0), 1.0))


def test_what_cannot_be_fitted_is_said() -> None:
    with pytest.raises(DataError, match="all 2 labels"):
        EvidenceCounts.fit([[0], [1]], [1, 1])
    with pytest.raises(DataError):
        EvidenceCounts.fit([[0], [1]], [0, 1, 1])
    with pytest.raises(ConfigError):
        EvidenceCounts.fit([[0], [1]], [0, 1], prior=(0.0, 1.0))
    sure = EvidenceCounts.fit([[0], [1]], [0, 1])
    with pytest.raises(DataError, match="2 columns"):
        sure.estimate([[0, 1]])
    with pytest.raises(DataError):
        sure.estimate(([[0]], [1.0]))
    with pytest.raises(DataError):
        sure.estimate(([[0]], [0.5, 0.5]))
