"""Theorem 3.1: the expected rate by simulation, by two integrals, by its other formula and at its limits."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit, hyp2f1, log_expit
from scipy.stats import beta, binom

import thence.decide.surface.posterior as module
from thence.base.errors import ConfigError, DataError
from thence.base.rng import generator
from thence.decide.clicks import ClicksConfig, simulate_clicks
from thence.decide.sample import Sample
from thence.decide.surface.posterior import EvidencePosterior, evidence, log_integral

Case = tuple[float, float, float, float, float]  # k, n, b1, b0, tau
KNOWN: list[tuple[Case, float]] = [((5, 10, 1, 15, 5), 0.1248), ((7, 10, 1, 15, 20), 0.0960)]
SMALL: list[Case] = [
    (k, n, prior[0], prior[1], tau)
    for prior in ((1, 15), (0.3, 4), (30, 400))
    for tau in (1, 1.5, 5, 20)
    for n, k in ((1, 0), (1, 1), (10, 3), (10, 10), (90, 80), (100, 100), (150, 3))
]
LARGE: list[Case] = [
    (k, n, prior[0], prior[1], tau)
    for prior in ((1, 15), (2, 9), (300, 4000))
    for tau in (5, 20, 1000)
    for n, k in ((1_000, 0), (1_000, 10), (1_000, 1_000), (50_000, 25_000), (1_000_000, 900_000))
]


def rate(k: float, n: float, positive: float, negative: float, tau: float) -> float:
    return float(module.expected_rate(np.array([k]), np.array([n]), positive, negative, tau)[0])


def as_simulated() -> None:
    """Rates are drawn and cases kept; of those with k of n positive the mean rate is what it should be."""
    rng = generator(0, "theorem")
    for (k, n, positive, negative, tau), told in KNOWN:
        true = rng.beta(positive, negative, 2_000_000)
        kept = tau * true / ((tau - 1) * true + 1)
        hit = rng.binomial(int(n), kept) == k
        mean, error = true[hit].mean(), true[hit].std() / np.sqrt(hit.sum())
        found = rate(k, n, positive, negative, tau)
        assert hit.sum() > 10_000 and abs(found - mean) < 4 * error
        assert abs(found - told) < 5e-5


def as_integrated() -> None:
    """Q(r) of the theorem by adaptive quadrature, over the log odds of r."""
    for k, n, positive, negative, tau in SMALL:
        a, b = positive + k, negative + n - k
        found = rate(k, n, positive, negative, tau)
        middle = np.log(found / (1 - found))

        def log_density(x: float, a=a, b=b, n=n, tau=tau) -> float:
            return float(a * log_expit(x) + b * log_expit(-x) - n * np.log1p((tau - 1) * expit(x)))

        def density(x: float, up: int, peak: float = log_density(middle), log=log_density) -> float:
            return float(np.exp(log(x) - peak) * expit(x) ** up)

        ends = (middle - 120, middle - 10, middle - 1, middle, middle + 1, middle + 40)
        whole, mean = (sum(quad(density, *piece, args=(up,))[0] for piece in pairwise(ends)) for up in (0, 1))
        assert found == pytest.approx(mean / whole, rel=1e-6)


def as_in_the_other_form() -> None:
    """A / (A + B) · F(n, A + 1; A + B + 1; 1 - τ) / F(n, A; A + B; 1 - τ), where that stays within floats."""
    compared = 0
    for k, n, positive, negative, tau in SMALL:
        a, b = positive + k, negative + n - k
        above, below = hyp2f1(n, a + 1, a + b + 1, 1 - tau), hyp2f1(n, a, a + b, 1 - tau)
        if n <= 10 and np.isfinite(above) and below > 1e-30:
            compared += 1
            assert rate(k, n, positive, negative, tau) == pytest.approx(a / (a + b) * above / below, rel=1e-7)
    assert compared >= 40


def as_summed_of_many_cases() -> None:
    """Trapezoids over the log odds of r, fine where the density is."""
    for k, n, positive, negative, tau in LARGE:
        found = rate(k, n, positive, negative, tau)
        width = 1 / np.sqrt(k * (1 - k / n) + positive)
        x = np.log(found / (1 - found)) + np.linspace(-60, 30, 400_001) * min(width, 1.0)
        up, down = -np.logaddexp(0, -x), -np.logaddexp(0, x)
        density = (positive + k) * up + (negative + n - k) * down - n * np.log1p((tau - 1) * np.exp(up))
        density = np.exp(density - density.max())
        assert found == pytest.approx((density * np.exp(up)).sum() / density.sum(), rel=1e-6)


def limits() -> None:
    for positive, negative in ((1, 15), (0.3, 4)):
        for tau in (1, 5, 20):
            mean = positive / (positive + negative)
            assert rate(0, 0, positive, negative, tau) == pytest.approx(mean, rel=1e-12)
            assert rate(1e-9, 1e-8, positive, negative, tau) == pytest.approx(mean, rel=1e-6)
            for share in (0.05, 0.5, 0.9):
                shifted = share / (share + tau * (1 - share))
                assert rate(share * 1e7, 1e7, positive, negative, tau) == pytest.approx(shifted, rel=1e-4)
            if tau == 1:
                assert rate(3, 10, positive, negative, 1) == pytest.approx(
                    (3 + positive) / (10 + positive + negative)
                )
                assert rate(3, 10, positive, negative, 1 + 1e-9) == pytest.approx(
                    rate(3, 10, positive, negative, 1)
                )


def sign_rule() -> None:
    """Above s* what is known for sure is worth more than what is not (ξ), below it less.

    Without under-sampling the rate goes from the one to the other without turning; with it, only far from s*:
    at s* itself it lies above ξ wherever something, and not everything, is known.
    """
    seen = np.array([1e5, 3000, 1000, 300, 100, 30, 10, 3, 1, 0.01])
    for positive, negative in ((1, 15), (0.3, 4), (5, 5)):
        for tau in (1, 5, 20):
            mean = positive / (positive + negative)
            star = tau * mean / (tau * mean + 1 - mean)
            surface = EvidencePosterior(positive, negative, tau)
            for odds in (0.05, 0.3, 0.6, 1, 1.5, 3, 20):
                share = star * odds / (star * odds + 1 - star)
                along = surface.rate(np.full(len(seen), share), 1 / (1 + seen))
                assert along[-1] == pytest.approx(mean, rel=0.05)
                if odds == 1:
                    assert along[0] == pytest.approx(mean, rel=1e-3)
                    assert (along > mean if tau > 1 else np.isclose(along, mean)).all()
                    continue
                assert (along[0] > mean) == (odds > 1)
                if tau == 1 or not 0.1 < odds < 10:
                    assert (np.diff(along) < 0).all() if odds > 1 else (np.diff(along) > 0).all()


def fits_the_prior_of_the_world() -> None:
    for tau in (1.0, 5.0):
        world = simulate_clicks(ClicksConfig(prior=(1, 15), held=30_000, sampling=tau), seed=3)
        hits, seen = world.hits["fit"], world.seen["fit"]
        told = Sample.make(hits / np.maximum(seen, 1), 1 / (1 + seen), world.fit.label)
        found = EvidencePosterior.fit(told, tau)
        assert found.sampling == tau
        assert found.positive / (found.positive + found.negative) == pytest.approx(1 / 16, rel=0.1)
        assert 10 < found.positive + found.negative < 25


FACTS = [
    as_simulated,
    as_integrated,
    as_in_the_other_form,
    as_summed_of_many_cases,
    limits,
    sign_rule,
    fits_the_prior_of_the_world,
]


@pytest.mark.parametrize("fact", FACTS)
def test_facts_hold(fact: Callable[[], None]) -> None:
    fact()


def without_shift(hits, seen, positive, negative, sampling) -> np.ndarray:
    return REAL(hits, seen, positive, negative, 1.0)


def shift_turned(hits, seen, positive, negative, sampling) -> np.ndarray:
    a, b = positive + hits, negative + seen - hits
    return a / (a + b) * sampling


def shift_after_shrinkage(hits, seen, positive, negative, sampling) -> np.ndarray:
    shrunk = (positive + hits) / (positive + negative + seen)
    return shrunk / (shrunk + sampling * (1 - shrunk))


def prior_turned(hits, seen, positive, negative, sampling) -> np.ndarray:
    return REAL(hits, seen, negative, positive, sampling)


def no_shrinkage(hits, seen, positive, negative, sampling) -> np.ndarray:
    share = (hits + 1) / (seen + 2)
    return share / (share + sampling * (1 - share))


REAL = module.expected_rate


@pytest.mark.parametrize(
    "mutant", [without_shift, shift_turned, shift_after_shrinkage, prior_turned, no_shrinkage]
)
@pytest.mark.parametrize("fact", [as_simulated, limits, as_in_the_other_form, sign_rule])
def test_mutants_fail(mutant, fact: Callable[[], None], monkeypatch) -> None:
    monkeypatch.setattr(module, "expected_rate", mutant)
    with pytest.raises(AssertionError):
        fact()


def test_the_integral_is_the_beta_function_where_none_was_left_out() -> None:
    from scipy.special import betaln

    a, b = np.array([0.001, 0.3, 1, 50, 9e5]), np.array([7.0, 0.01, 1, 3000, 1e5])
    assert np.allclose(log_integral(a, b, a + b, 1.0), betaln(a, b), rtol=1e-10, atol=1e-8)


def test_posterior_is_the_mean_over_binomial_likelihoods() -> None:
    """By Bayes' rule on a grid of rates, with the binomial likelihood of what was kept."""
    grid = (np.arange(4000) + 0.5) / 4000
    for k, n, positive, negative, tau in SMALL[:12]:
        kept = tau * grid / ((tau - 1) * grid + 1)
        weight = beta.pdf(grid, positive, negative) * binom.pmf(k, n, kept)
        assert rate(k, n, positive, negative, tau) == pytest.approx(
            (weight * grid).sum() / weight.sum(), rel=2e-3
        )


def test_values_out_of_range_are_refused() -> None:
    surface = EvidencePosterior(1, 3, 2)
    for score in (-0.1, 1.1, np.nan):
        with pytest.raises(DataError, match="score"):
            surface.rate([score], [0.5])
    for unsure in (0.0, 1.1, -1.0):
        with pytest.raises(DataError, match="uncertainty"):
            surface.rate([0.5], [unsure])
    for wrong in ((0, 1, 1), (1, 0, 1), (1, 1, 0.5), (np.nan, 1, 1)):
        with pytest.raises(ConfigError, match="prior"):
            EvidencePosterior(*wrong)
    with pytest.raises(DataError, match="labels"):
        EvidencePosterior.fit(Sample.make([0.5, 0.5], [0.5, 0.5], [1, 1]))
    assert evidence([1.0, 0.5, 0.01]).round(9).tolist() == [0.0, 1.0, 99.0]
    assert surface.rate([], []).tolist() == []
