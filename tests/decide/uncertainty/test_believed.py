"""Beliefs against scipy's distributions and integrals by brute force."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import expit

from thence.base.errors import DataError
from thence.decide.uncertainty.believed import Counts, Members, NormalLogits
from thence.decide.uncertainty.entropies import beta_entropy, entropy

A, B = np.array([0.05, 0.4, 1.0, 3.0, 250.0, 4e4]), np.array([3.0, 0.7, 1.0, 90.0, 2.0, 9e5])


def test_beta_entropy_is_scipys() -> None:
    assert np.allclose(beta_entropy(A, B), stats.beta(A, B).entropy(), rtol=1e-9, atol=1e-9)


def test_beta_entropy_of_great_strengths_goes_on_where_it_was() -> None:
    below, above = beta_entropy([0.999e6], [0.999e6]), beta_entropy([1.001e6], [1.001e6])
    assert np.isclose(below - above, 0.5 * np.log(1.001 / 0.999), atol=1e-6)


def test_counts_have_the_moments_of_the_beta() -> None:
    told, true = Counts.make(A, B), stats.beta(A, B)
    assert np.allclose(told.mean, true.mean()) and np.allclose(told.variance, true.var())
    for a, b, aleatoric in list(zip(A, B, told.aleatoric, strict=True))[1:5]:
        found = stats.beta(a, b).expect(lambda p: entropy(p))
        assert np.isclose(aleatoric, found, rtol=1e-6)
    assert (told.epistemic >= 0).all()


def test_normal_logits_are_integrals_over_the_normal() -> None:
    logit, spread = np.array([-4.0, -1.0, 0.3]), np.array([0.2, 1.0, 3.0])
    told = NormalLogits.make(logit, spread)
    for place, (m, v) in enumerate(zip(logit, spread, strict=True)):
        law = stats.norm(m, v**0.5)
        mean = integrate.quad(lambda z: expit(z) * law.pdf(z), m - 15, m + 15)[0]  # noqa: B023
        square = integrate.quad(lambda z: expit(z) ** 2 * law.pdf(z), m - 15, m + 15)[0]  # noqa: B023
        inside = integrate.quad(lambda z: entropy(expit(z)) * law.pdf(z), m - 15, m + 15)[0]  # noqa: B023
        assert np.isclose(told.variance[place], square - mean**2, rtol=1e-4)
        assert np.isclose(told.aleatoric[place], inside, rtol=1e-4)
        assert np.isclose(told.epistemic[place], entropy(mean) - inside, rtol=1e-3, atol=1e-7)
        assert abs(told.mean[place] - mean) < 0.01  # the probit approximation


def test_every_belief_has_a_beta_of_its_moments() -> None:
    told = Members.make([[0.0, 1.0, -3.0], [0.5, -1.0, -2.0], [1.0, 2.0, -4.0]])
    same = Counts.make(told.alpha, told.beta)
    assert np.allclose(same.mean, told.mean) and np.allclose(same.variance, told.variance)


def test_members_that_agree_know_all_there_is() -> None:
    told = Members.make(np.zeros((4, 2)))
    assert (
        (told.uncertainty == 0).all()
        and np.allclose(told.epistemic, 0)
        and np.allclose(told.aleatoric, np.log(2))
    )


def test_arrays_are_read_only() -> None:
    for told in (Counts.make([1.0], [2.0]), NormalLogits.make([1.0], [2.0]), Members.make([[1.0], [2.0]])):
        for name in ("mean", "alpha", "beta", "variance", "uncertainty", "epistemic", "aleatoric"):
            with pytest.raises(ValueError, match="read-only"):
                getattr(told, name)[0] = 0.0


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Counts.make([0.0], [1.0]),
        lambda: Counts.make([1.0, 2.0], [1.0]),
        lambda: Counts.make([1.0], [1.0], [np.nan]),
        lambda: NormalLogits.make([np.inf], [1.0]),
        lambda: NormalLogits.make([1.0], [-1.0]),
        lambda: NormalLogits.make([1.0], [1.0, 2.0]),
        lambda: Members.make([[1.0]]),
        lambda: Members.make([1.0, 2.0]),
        lambda: Members.make([[np.nan], [1.0]]),
    ],
)
def test_wrong_beliefs_are_refused(wrong) -> None:
    with pytest.raises(DataError):
        wrong()
