"""The world of clicks: what is simulated is what the theorem says, and its Bayes rate is true."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta

from thence.base.errors import ConfigError
from thence.decide.clicks import ClicksConfig, simulate_clicks
from thence.decide.uncertainty.entropies import beta_entropy

TAUS = (1.0, 5.0)
WORLDS = {
    tau: simulate_clicks(ClicksConfig(ids=5_000, train=100_000, held=40_000, sampling=tau), 1) for tau in TAUS
}
each = pytest.mark.parametrize("tau", TAUS)


@each
def test_scores_and_uncertainties_are_of_what_was_seen(tau: float) -> None:
    world = WORLDS[tau]
    for part, sample in (("fit", world.fit), ("hold", world.hold), ("test", world.test)):
        k, n = world.hits[part], world.seen[part]
        assert (k <= n).all() and np.array_equal(sample.score, (k + 1) / (n + 2))
        few = slice(0, 200)
        assert np.allclose(sample.uncertainty[few], beta.entropy(k[few] + 1, (n - k)[few] + 1), atol=1e-6)


@each
def test_labels_come_true_at_the_true_rate_and_at_the_bayes_rate(tau: float) -> None:
    """Within tenths by each, labels are as many as told, to four standard errors."""
    world = WORLDS[tau]
    for told in (world.truth["test"], world.bayes("test")):
        order = np.argsort(told, kind="stable")
        for tenth in np.array_split(order, 10):
            error = np.sqrt((told[tenth] * (1 - told[tenth])).sum())
            # the ids of one world are drawn once: their scatter about the Bayes rate is not the labels' alone
            slack = 4 * error + 0.1 * told[tenth].sum()
            assert abs(world.test.label[tenth].sum() - told[tenth].sum()) < slack


def test_of_negatives_one_in_tau_is_kept() -> None:
    one, five = (WORLDS[tau] for tau in TAUS)
    for part in ("fit", "hold", "test"):
        away = (five.seen[part] - five.hits[part]).sum() / (one.seen[part] - one.hits[part]).sum()
        assert away == pytest.approx(1 / 5, rel=0.1)
        assert five.hits[part].mean() == pytest.approx(one.hits[part].mean(), rel=0.1)


@each
def test_the_surface_is_the_bayes_rate(tau: float) -> None:
    world = WORLDS[tau]
    k, n = world.hits["hold"], world.seen["hold"]
    assert np.allclose(world.posterior.rate(k / np.maximum(n, 1), 1 / (1 + n)), world.bayes("hold"), rtol=1e-8)


def test_a_seed_is_a_world() -> None:
    config = ClicksConfig(ids=50, train=500, held=100)
    one, same, other = (simulate_clicks(config, seed) for seed in (0, 0, 1))
    assert np.array_equal(one.test.score, same.test.score) and np.array_equal(one.fit.label, same.fit.label)
    assert not np.array_equal(one.test.score, other.test.score)
    assert repr(one).startswith("Clicks(50 ids")


def test_entropy_is_that_of_the_beta_distribution() -> None:
    a, b = np.array([1, 2, 0.5, 30]), np.array([1, 5, 0.5, 2.0])
    assert np.allclose(beta_entropy(a, b), beta.entropy(a, b))


@pytest.mark.parametrize(
    "wrong", [{"ids": 0}, {"train": 0}, {"held": 0}, {"prior": (0.0, 1.0)}, {"sampling": 0.5}]
)
def test_worlds_that_cannot_be_are_refused(wrong: dict) -> None:
    with pytest.raises(ConfigError):
        ClicksConfig(**wrong)
