"""Intervals cover the truth as often as they say, follow clusters, and are paired between methods."""

import numpy as np
import pytest

from thence.base.errors import ConfigError
from thence.evaluate.bootstrap import bootstrap, interval, relative_difference
from thence.evaluate.tallies import Tally


def test_replicates_are_ratios_of_sums_over_drawn_groups():
    """With two groups the only draws are both of one, or one of each: the values are known."""
    tally = Tally(np.array([1.0, 6.0]), np.array([4.0, 8.0]))
    replicates = bootstrap({"x": tally}, 400, seed=1)["x"]
    values, counts = np.unique(replicates.round(12), return_counts=True)
    assert values.tolist() == pytest.approx([1 / 4, 7 / 12, 6 / 8])
    assert counts / 400 == pytest.approx([1 / 4, 1 / 2, 1 / 4], abs=0.08)


def test_spread_is_that_of_a_mean_of_groups():
    rng = np.random.default_rng(0)
    gains = rng.normal(1, 1, 2000)
    replicates = bootstrap({"x": Tally(gains, np.ones(2000))}, 1000)["x"]
    assert replicates.std() == pytest.approx(gains.std() / np.sqrt(2000), rel=0.1)
    assert replicates.mean() == pytest.approx(gains.mean(), abs=0.01)


def test_cases_of_one_group_move_together():
    """Ten copies of each group's case say nothing new: the interval is as wide as that of single cases."""
    gains = np.random.default_rng(0).normal(size=300)
    single, copied = Tally(gains, np.ones(300)), Tally(10 * gains, np.full(300, 10.0))
    found = bootstrap({"single": single, "copied": copied}, 200)
    assert found["single"] == pytest.approx(found["copied"])


def test_intervals_cover_the_truth_as_often_as_they_say():
    rng, covered = np.random.default_rng(1), 0
    for trial in range(200):
        gains = rng.binomial(1, 0.3, 150).astype(float)
        replicates = bootstrap({"x": Tally(gains, np.ones(150))}, 200, seed=trial)["x"]
        found = interval(gains.mean(), replicates, 0.9)
        covered += found.low <= 0.3 <= found.high
    assert 0.83 <= covered / 200 <= 0.95


def test_methods_share_draws_so_that_a_steady_lead_is_seen():
    rng = np.random.default_rng(2)
    base = rng.gamma(0.3, 1, 400)
    tallies = {"a": Tally(1.1 * base, np.ones(400)), "b": Tally(base, np.ones(400))}
    found = bootstrap(tallies, 300)
    alone = interval(tallies["a"].value, found["a"])
    assert alone.low < tallies["b"].value < alone.high  # unpaired intervals overlap
    gap = relative_difference(tallies["a"].value, tallies["b"].value, found["a"], found["b"])
    assert (gap.value, gap.low, gap.high) == pytest.approx((0.1, 0.1, 0.1))
    assert gap.excludes_zero


def test_many_groups_are_merged_without_changing_the_spread():
    gains = np.random.default_rng(3).normal(1, 1, 20_000)
    replicates = bootstrap({"x": Tally(gains, np.ones(20_000))}, 400)["x"]
    assert replicates.std() == pytest.approx(gains.std() / np.sqrt(20_000), rel=0.15)
    assert replicates.mean() == pytest.approx(gains.mean(), abs=0.002)


def test_same_seed_same_replicates():
    tally = {"x": Tally(np.arange(9.0), np.ones(9))}
    assert np.array_equal(bootstrap(tally, 20, seed=1)["x"], bootstrap(tally, 20, seed=1)["x"])
    assert not np.array_equal(bootstrap(tally, 20, seed=1)["x"], bootstrap(tally, 20, seed=2)["x"])


def test_a_slice_that_a_draw_misses_is_left_out():
    rare = Tally(np.array([1.0] + [0.0] * 9), np.array([1.0] + [0.0] * 9))
    replicates = bootstrap({"x": rare}, 200)["x"]
    assert np.isnan(replicates).any()
    found = interval(1.0, replicates)
    assert (found.low, found.high) == (1, 1)
    nothing = interval(float("nan"), np.full(5, np.nan))
    assert np.isnan(nothing.low)


def test_settings_out_of_range_are_refused():
    tally = {"x": Tally(np.ones(3), np.ones(3))}
    with pytest.raises(ConfigError, match="resamples"):
        bootstrap(tally, 1)
    with pytest.raises(ConfigError, match="confidence"):
        interval(1.0, np.ones(3), 1.5)
    assert bootstrap({}) == {}
