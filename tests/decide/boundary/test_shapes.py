"""Rectangles and monotone thresholds are the best of their kind, and find the direction by themselves."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from tests.decide.boundary.literal import Pair, all_pairs, best, goals, reached, tiny

from thence.base.errors import ConfigError
from thence.decide.boundary.exact import Exact
from thence.decide.boundary.monotone import Monotone
from thence.decide.boundary.rectangle import BestRectangle
from thence.decide.boundary.single import Single
from thence.decide.goal import Goal
from thence.decide.rule import outcome
from thence.decide.sample import Sample


def rectangles(sample: Sample, sides: tuple[bool, ...]) -> set[Pair]:
    """What every rectangle takes."""
    rows = list(zip(sample.score.tolist(), sample.uncertainty.tolist(), sample.label.tolist(), strict=True))
    found = set()
    for least, limit in itertools.product({*sample.score.tolist(), np.inf}, set(sample.uncertainty.tolist())):
        for below in sides:
            labels = [y for s, u, y in rows if s >= least and (u <= limit if below else u >= limit)]
            found.add((len(labels), sum(labels)))
    return found


def told(seed: int, sign: float, n: int = 3_000) -> Sample:
    """Where uncertainty lowers (sign +1) or raises (-1) the rate at equal score."""
    rng = np.random.default_rng(seed)
    score, unsure = rng.random(n), rng.normal(size=n)
    return Sample.make(score, unsure, rng.random(n) < np.clip(score - 0.25 * sign * unsure, 0, 1))


def test_the_rectangle_is_the_best_of_all() -> None:
    for seed in range(250):
        sample = tiny(seed, 14)
        sides = [(True, False), (True,), (False,)][seed % 3]
        solver = BestRectangle(None, None if len(sides) == 2 else sides[0])
        for goal, bound in goals(seed):
            rule = solver.fit(sample, goal)
            assert rule.below in sides
            assert reached(rule, goal, bound, sample) == best(rectangles(sample, sides), goal, bound, sample)


def test_few_limits_keep_the_bound_and_lose_little() -> None:
    sample = told(1, 1.0)
    for goal, bound in goals(1):
        few, all_limits = (BestRectangle(limits).fit(sample, goal) for limits in (20, None))
        assert reached(few, goal, bound, sample)[0] >= 0.9 * reached(all_limits, goal, bound, sample)[0]
        assert reached(few, goal, bound, sample)[0] <= reached(all_limits, goal, bound, sample)[0]


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_direction_is_learned(sign: float) -> None:
    sample, goal = told(2, sign), Goal.recall(precision=0.8)
    assert BestRectangle().fit(sample, goal).below == (sign > 0)
    threshold = Monotone(5).fit(sample, goal).threshold
    assert (np.diff(sign * threshold) >= 0).all() and threshold[0] != threshold[-1]
    forced = {way: Monotone(5, direction=way).fit(sample, goal) for way in ("rising", "falling")}
    right, wrong = ("rising", "falling") if sign > 0 else ("falling", "rising")
    assert (forced[right].threshold == threshold).all()
    assert outcome(forced[wrong], sample).hits < outcome(forced[right], sample).hits
    assert (np.diff(-sign * forced[wrong].threshold) >= 0).all()


def test_uncertainty_that_says_nothing_limits_nothing() -> None:
    sample = Sample.make([0.9, 0.8, 0.7, 0.6], [1, 2, 1, 2], [1, 1, 0, 0])
    rule = BestRectangle().fit(sample, Goal.recall(precision=1.0))
    assert rule.below and rule.uncertainty == 2 and rule.score == 0.8


def test_monotone_is_the_best_of_all() -> None:
    for seed in range(150):
        sample = tiny(seed, 10)
        for goal, bound in goals(seed):
            order = (0, 1, -1)[seed % 3]
            solver = Monotone(1 + seed % 4, direction=(None, "rising", "falling")[seed % 3])
            rule = solver.fit(sample, goal)
            ways = (1, -1) if not order else (order,)
            pairs = set().union(*(all_pairs(sample, rule.cuts, way) for way in ways))
            assert reached(rule, goal, bound, sample) == best(pairs, goal, bound, sample)


def test_monotone_lies_between_one_threshold_and_free_ones() -> None:
    for seed in range(10):
        sample = told(seed, (-1.0) ** seed, 500)
        for goal, bound in goals(seed):
            one, way, free = (
                reached(solver.fit(sample, goal), goal, bound, sample)[0]
                for solver in (Single(), Monotone(6, bins=None), Exact(6))
            )
            assert one <= way <= free


def test_monotone_on_bins_keeps_the_bound() -> None:
    sample = told(3, 1.0)
    for goal, bound in goals(3):
        few, many = (Monotone(6, bins=bins).fit(sample, goal) for bins in (20, 500))
        assert 0 <= reached(few, goal, bound, sample)[0] <= 1.02 * reached(many, goal, bound, sample)[0]


def test_a_direction_that_does_not_exist() -> None:
    with pytest.raises(ConfigError, match="sideways"):
        Monotone(direction="sideways").fit(tiny(1), Goal.cost(1.0))  # type: ignore[arg-type]
