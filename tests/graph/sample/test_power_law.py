"""The fitted power law against truth that was simulated, and against formulas by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import zeta

from thence.base.errors import ConfigError, DataError, FitError
from thence.graph.sample.power_law import PowerLaw, power_law


@pytest.mark.parametrize("alpha", [1.7, 2.3, 3.5])
def test_the_exponent_of_simulated_degrees_is_found(alpha: float) -> None:
    degree = np.random.default_rng(0).zipf(alpha, 40_000)
    law = power_law(degree, 1)
    assert abs(law.alpha - alpha) < 4 * (alpha - 1) / np.sqrt(40_000) * 1.6
    assert law.distance < 0.01 and law.num_nodes == 40_000


@pytest.mark.parametrize("d_min", [5, 12])
def test_the_least_degree_of_a_tail_is_found_too(d_min: int) -> None:
    """Below it degrees are uniform, from it on they follow the law."""
    rng = np.random.default_rng(1)
    weight = np.arange(d_min, 100_000, dtype=float) ** -2.5
    tail = d_min + rng.choice(len(weight), 8_000, p=weight / weight.sum())
    law = power_law(np.concatenate([tail, rng.integers(1, d_min, 8_000)]))
    assert d_min <= law.d_min <= d_min + 3
    assert abs(law.alpha - 2.5) < 0.1
    whole = power_law(np.concatenate([tail, rng.integers(1, d_min, 8_000)]), 1)
    assert whole.distance > 5 * law.distance


def test_hills_estimator_by_hand() -> None:
    law = power_law(np.array([2, 2, 4, 8, 1, 0]), 2, discrete=False)
    assert np.isclose(law.alpha, 1 + 4 / (np.log(2) + np.log(4))) and law.num_nodes == 4
    assert np.isclose(law.survival(np.array([8]))[0], 4 ** (1 - law.alpha))
    rng = np.random.default_rng(0)
    degree = np.floor(50 * (1 - rng.random(20_000)) ** (-1 / 1.4)).astype(int)
    assert abs(power_law(degree, 50, discrete=False).alpha - 2.4) < 0.05


def test_distance_against_every_integer() -> None:
    degree = np.array([1, 1, 1, 2, 2, 5, 9])
    law = power_law(degree, 1)
    gaps = [abs((degree <= d).mean() - (1 - zeta(law.alpha, d + 1) / zeta(law.alpha, 1))) for d in range(1, 50)]
    assert np.isclose(law.distance, max(gaps))


def test_means_are_sums() -> None:
    for alpha in (1.5, 2.0, 3.2):
        d = np.arange(3, 60_001, dtype=float)
        expected = (d ** (1 - alpha)).sum() / (d**-alpha).sum()
        assert np.isclose(PowerLaw(alpha, 3, 0, 1).mean(60_000), expected, rtol=1e-7)
    assert PowerLaw(2.0, 3, 0, 1).mean(2) == 3


def test_equal_degrees_have_no_tail() -> None:
    law = power_law(np.full(30, 4), 4)
    assert law.alpha == np.inf and law.survival(np.array([4, 5])).tolist() == [1, 0] and law.mean(9) == 4


def test_wrong_input_is_refused() -> None:
    with pytest.raises(FitError):
        power_law(np.zeros(5, int))
    with pytest.raises(FitError):
        power_law(np.array([], int))
    with pytest.raises(ConfigError):
        power_law(np.array([1, 2]), 0)
    for degree in (np.array([1.5]), np.array([np.nan]), np.array([[1]])):
        with pytest.raises(DataError):
            power_law(degree)
