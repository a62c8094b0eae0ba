"""The paper's programmes, GMT and MIST against literal recurrences, other packages and the optimum."""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np
import pytest
from tests.decide.boundary.literal import all_pairs, best, goals, keeps, reached, rows_of, tiny, worth

from thence.base.errors import ConfigError
from thence.decide.boundary.coarse import coarse
from thence.decide.boundary.ew_dpmt import EwDpmt
from thence.decide.boundary.exact import Exact
from thence.decide.boundary.gmt import Gmt, greedy_order
from thence.decide.boundary.mist import Mist, blocks, path
from thence.decide.boundary.vw_dpmt import VwDpmt
from thence.decide.goal import Goal
from thence.decide.levels import curves, level_cuts
from thence.decide.rule import outcome
from thence.decide.sample import Sample


def grid(seed: int, levels: int, bins: int, weight: int) -> Sample:
    """Levels of bins that hold equally many cases, no two scores equal."""
    rng = np.random.default_rng(seed)
    n = levels * bins * weight
    score = rng.permutation(n) / n
    return Sample.make(score, np.repeat(np.arange(levels), n // levels), rng.random(n) < score**2 + 0.2)


def bins_of(sample: Sample, levels: int, bins: int) -> list[list[int]]:
    """Positives of each bin, from the top, of a sample of :func:`grid`."""
    found = []
    for rows in rows_of(sample, np.arange(1, levels)):
        labels = [label for _, label in sorted(rows, reverse=True)]
        step = len(labels) // bins
        found.append([sum(labels[start : start + step]) for start in range(0, len(labels), step)])
    return found


@pytest.mark.parametrize("seed", range(40))
def test_ew_dpmt_is_its_recurrence_and_the_best_of_its_grid(seed: int) -> None:
    levels, bins, weight = 1 + seed % 4, 2 + seed % 3, 1 + seed % 5
    sample = grid(seed, levels, bins, weight)
    table = bins_of(sample, levels, bins)

    @cache
    def most(i: int, m: int) -> int:
        """R(i, m); far below zero where m bins cannot be taken from so many levels."""
        if i == 0:
            return 0 if m == 0 else -(10**9)
        return max(sum(table[i - 1][:j]) + most(i - 1, m - j) for j in range(min(bins, m) + 1))

    each = itertools.product(*[[(j * weight, sum(row[:j])) for j in range(bins + 1)] for row in table])
    tried = {tuple(int(side) for side in np.sum(chosen, axis=0)) for chosen in each}
    for goal, bound in goals(seed):
        found = reached(EwDpmt(levels, bins).fit(sample, goal), goal, bound, sample)
        recurred = [(m * weight, most(levels, m)) for m in range(levels * bins + 1)]
        assert found == best(recurred, goal, bound, sample) == best(tried, goal, bound, sample)


def test_ew_dpmt_may_miss_the_bound_where_scores_are_equal() -> None:
    sample = Sample.make([1] * 2 + [0] * 8, None, [1, 1] + [0] * 8)
    rule = EwDpmt(levels=1, bins=10).fit(sample, Goal.recall(precision=0.9))
    assert outcome(rule, sample).precision == 1.0
    tied = Sample.make([1] * 5 + [0] * 5, None, [1, 1, 0, 0, 0] + [0] * 5)
    missed = outcome(EwDpmt(levels=1, bins=10).fit(tied, Goal.recall(precision=0.9)), tied)
    assert missed.taken == 5 and missed.precision < 0.9
    kept = outcome(Exact(levels=1).fit(tied, Goal.recall(precision=0.9)), tied)
    assert kept.taken == 0


def test_vw_dpmt_is_the_best_of_all_thresholds_where_bins_are_enough() -> None:
    for seed in range(150):
        sample = tiny(seed)
        for goal, bound in goals(seed):
            rule = VwDpmt(levels=1 + seed % 4).fit(sample, goal)
            found = reached(rule, goal, bound, sample)
            assert found == best(all_pairs(sample, rule.cuts), goal, bound, sample)


@pytest.mark.parametrize("seed", range(30))
def test_gmt_keeps_the_bound_and_is_never_better_than_the_best(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 200
    score, unsure = rng.integers(0, 50, n) / 50, rng.integers(0, 9, n)
    sample = Sample.make(score, unsure, rng.random(n) < score)
    for goal, bound in goals(seed):
        rule, top = Gmt(4, 8).fit(sample, goal), Exact(4, bins=8).fit(sample, goal)
        did, ideal = outcome(rule, sample), outcome(top, sample)
        assert keeps((did.taken, did.hits), goal, bound, sample)
        assert worth((did.taken, did.hits), goal, bound) <= worth((ideal.taken, ideal.hits), goal, bound)


@pytest.mark.parametrize("seed", range(20))
def test_gmt_leaves_out_the_poorest_lowest_bin(seed: int) -> None:
    sample = tiny(seed, 40)
    levels = [coarse(curve, 4) for curve in curves(sample, level_cuts(sample.uncertainty, 3))]
    bins = [
        [(t, n) for t, n in zip(np.diff(curve.positives), np.diff(curve.taken), strict=True)]
        for curve in levels
    ]
    for level in greedy_order(levels).tolist():
        lowest = [row[-1][0] / row[-1][1] if row else np.inf for row in bins]
        assert lowest[level] == min(lowest)
        bins[level].pop()
    assert not any(bins)


def noisy(seed: int, n: int = 400) -> Sample:
    rng = np.random.default_rng(seed)
    score, unsure = np.round(rng.random(n), 2), rng.integers(0, 12, n)
    return Sample.make(score, unsure, rng.random(n) < score ** (1 + unsure / 6))


def test_blocks_are_isotonic_regression() -> None:
    from sklearn.isotonic import IsotonicRegression

    for seed in range(20):
        sample = noisy(seed)
        curve = curves(sample, np.empty(0))[0]
        found = blocks(curve.taken, curve.positives)
        mine = np.repeat(found.rate, np.diff(found.place))  # of each distinct score, falling
        fitted = IsotonicRegression().fit(sample.score, sample.label).predict(curve.score)
        assert np.allclose(mine, fitted, atol=1e-12)
        assert (np.diff(found.rate) < 0).all()


@pytest.mark.parametrize("seed", range(40))
def test_mist_misses_the_best_by_less_than_the_block_that_follows(seed: int) -> None:
    sample = noisy(seed)
    levels = curves(sample, level_cuts(sample.uncertainty, 5))
    way = path([curve.taken for curve in levels], [curve.positives for curve in levels])
    for goal, bound in goals(seed):
        mist, exact = (outcome(solver.fit(sample, goal), sample) for solver in (Mist(5), Exact(5)))
        assert keeps((mist.taken, mist.hits), goal, bound, sample)
        least, most = ((side.taken, side.hits) for side in (mist, exact))
        assert worth(least, goal, bound) <= worth(most, goal, bound)
        if goal.kind in ("recall", "budget"):
            step = int(np.flatnonzero(way.positives == mist.hits)[-1])
            following = int(np.diff(way.positives)[step]) if step + 1 < len(way.taken) else 1
            assert exact.hits - mist.hits < max(following, 1)
        if goal.kind == "cost":
            assert worth(least, goal, bound) == worth(most, goal, bound)  # nothing binds the levels together


def test_mist_is_nested_and_takes_equal_rates_one_by_one() -> None:
    sample = noisy(1)
    before = np.full(5, np.inf)
    for precision in (0.99, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6):
        rule = Mist(5).fit(sample, Goal.recall(precision=precision))
        assert (rule.threshold <= before).all()
        before = rule.threshold
    twin = Sample.make([1, 1, 0, 1, 1, 0], [0, 0, 0, 1, 1, 1], [1, 0, 0, 1, 0, 0])
    rule = Mist(2).fit(twin, Goal.budget(0.4))  # room for one of two blocks of rate 1/2: the surer comes first
    assert outcome(rule, twin).taken == 2 and rule.threshold.tolist() == [1.0, np.inf]


def test_bins_are_at_least_one() -> None:
    sample = tiny(1)
    for solver in (EwDpmt(bins=0), VwDpmt(bins=0), Gmt(bins=0), Exact(bins=0), Mist(bins=0)):
        with pytest.raises(ConfigError, match="bins"):
            solver.fit(sample, Goal.cost(1.0))
