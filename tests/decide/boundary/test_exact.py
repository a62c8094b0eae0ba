"""The exact solver is the best of all thresholds, whatever is left out on the way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.decide.boundary.literal import BOUNDS, all_pairs, best, did, goals, keeps, reached, tiny, worth

from thence.decide.boundary.coarse import coarse
from thence.decide.boundary.exact import Exact, best_places, both, frontier, promising
from thence.decide.boundary.relax import climb, least_gain
from thence.decide.boundary.single import Single
from thence.decide.boundary.vw_dpmt import VwDpmt
from thence.decide.goal import Goal
from thence.decide.levels import curves, level_cuts
from thence.decide.rule import outcome
from thence.decide.sample import Sample

CASES = 1_000


def noisy(seed: int, n: int = 300, step: int = 40) -> Sample:
    """More cases, of rates that fall with uncertainty, with equal scores."""
    rng = np.random.default_rng(seed)
    unsure = rng.integers(0, 12, n)
    score = rng.integers(0, step, n) / step
    return Sample.make(score, unsure, rng.random(n) < score ** (1 + unsure / 6))


def test_it_is_the_best_of_all_thresholds() -> None:
    seen, wrong = set(), 0
    for seed in range(CASES):
        sample = tiny(seed)
        for goal, bound in goals(seed):
            rule = Exact(levels=1 + seed % 4).fit(sample, goal)
            seen.add(len(rule.threshold))
            pairs = all_pairs(sample, rule.cuts)
            wrong += reached(rule, goal, bound, sample) != best(pairs, goal, bound, sample)
    assert seen == {1, 2, 3, 4}
    assert wrong == 0


def test_one_level_is_the_single_threshold() -> None:
    for seed in range(100):
        sample = tiny(seed)
        for goal, bound in goals(seed):
            rule = Single().fit(sample, goal)
            found = reached(rule, goal, bound, sample)
            assert found == best(all_pairs(sample, np.empty(0)), goal, bound, sample)
            assert found == reached(Exact(levels=1).fit(sample, goal), goal, bound, sample)


def test_what_is_left_out_changes_nothing() -> None:
    for seed in range(40):
        sample = noisy(seed)
        for goal, bound in goals(seed):
            pruned, whole = (Exact(6, prune=prune).fit(sample, goal) for prune in (True, False))
            assert reached(pruned, goal, bound, sample) == reached(whole, goal, bound, sample)


def test_much_is_left_out() -> None:
    sample = noisy(1, 20_000, 5_000)
    levels = curves(sample, level_cuts(sample.uncertainty, 6))
    whole = sum(len(np.unique(curve.positives)) for curve in levels)
    for goal, _ in goals(1):
        assert sum(len(kept.place) for kept in promising(levels, goal)) < 0.2 * whole


def test_rules_do_what_the_frontier_says() -> None:
    for seed in range(60):
        sample = tiny(seed, 20)
        cuts = level_cuts(sample.uncertainty, 3)
        fewest: dict[int, int] = {}
        for taken, positives in all_pairs(sample, cuts):
            fewest[positives] = min(taken, fewest.get(positives, taken))
        taken, positives = frontier(curves(sample, cuts))
        assert dict(zip(positives.tolist(), taken.tolist(), strict=True)) == fewest


def test_with_bins_it_is_vw_dpmt() -> None:
    for seed in range(40):
        sample = noisy(seed)
        for goal, bound in goals(seed):
            exact, other = Exact(5, bins=7).fit(sample, goal), VwDpmt(5, bins=7).fit(sample, goal)
            assert reached(exact, goal, bound, sample) == reached(other, goal, bound, sample)


def test_bins_hold_equally_many() -> None:
    sample = noisy(3)
    curve = curves(sample, np.empty(0))[0]
    by_cases, by_positives = coarse(curve, 5), coarse(curve, 5, "positives")
    assert len(by_cases.score) <= 5 and by_cases.taken[-1] == by_positives.taken[-1] == len(sample)
    assert np.diff(by_cases.taken).max() < 60 + 30
    assert np.diff(by_positives.positives)[:-1].max() < sample.positives / 5 + 30
    assert coarse(curve, None) is curve and coarse(curve, 10_000) is curve


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(sorted(BOUNDS)), st.booleans())
def test_scales_do_not_matter(seed: int, kind, flipped: bool) -> None:
    sample, goal = tiny(seed, 30), Goal(kind, 0.5)
    unsure = sample.uncertainty
    cuts = level_cuts(unsure, 4)
    level = np.searchsorted(cuts, unsure, side="right")
    moved = Sample.make(
        np.exp(3 * sample.score), (-level if flipped else level).astype(float) ** 3, sample.label
    )
    turned = Exact(levels=len(cuts) + 1, spacing="weight")
    one, two = Exact(levels=4).fit(sample, goal), turned.fit(moved, goal)
    if len(two.threshold) == len(one.threshold):  # ties may merge levels otherwise
        assert outcome(one, sample) == outcome(two, moved)


def test_what_it_reports_is_what_thresholds_do() -> None:
    for seed in range(100):
        sample = tiny(seed)
        for goal, _ in goals(seed):
            rule = Exact(3).fit(sample, goal)
            assert did(rule, sample) == outcome(rule, sample)


@pytest.mark.parametrize("kind", sorted(BOUNDS))
def test_no_boundary_that_is_as_good_gains_less(kind) -> None:
    for seed in range(100):
        sample = tiny(seed)
        bound = BOUNDS[kind][seed % len(BOUNDS[kind])]
        goal = Goal(kind, float(bound))
        pairs = all_pairs(sample, level_cuts(sample.uncertainty, 3))
        top, _ = best(pairs, goal, bound, sample)
        most = {"recall": goal.bound, "precision": float(top)}.get(kind, 2.0)
        rate = most * (seed % 7) / 7
        if kind == "cost":
            rate = goal.bound / (1 + goal.bound)
        for n, t in pairs:
            if keeps((n, t), goal, bound, sample) and worth((n, t), goal, bound) == top:
                least = least_gain(goal, rate, float(top), len(sample), sample.positives)
                assert t - rate * n >= least - 1e-9


def test_climbing_never_loses() -> None:
    sample = noisy(5)
    levels = curves(sample, level_cuts(sample.uncertainty, 6))
    taken, positives = [curve.taken for curve in levels], [curve.positives for curve in levels]
    for goal, bound in goals(5):
        if goal.kind == "precision":
            start = [len(curve.taken) - 1 for curve in levels]
        else:
            start = [0] * len(levels)
        places = climb(goal, taken, positives, start, (len(sample), sample.positives))
        pair, began = both(taken, positives, places), both(taken, positives, start)
        assert keeps(pair, goal, bound, sample)
        assert worth(pair, goal, bound) >= worth(began, goal, bound)


def test_places_of_curves_alone() -> None:
    sample = noisy(2)
    levels = curves(sample, level_cuts(sample.uncertainty, 4))
    goal = Goal.recall(precision=0.8)
    rule = Exact(4).fit(sample, goal)
    places = best_places(levels, goal)
    assert [
        curve.threshold(place) for curve, place in zip(levels, places, strict=True)
    ] == rule.threshold.tolist()
