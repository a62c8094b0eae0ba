"""Solvers and rules that turn an inequality round must not pass for right.

Each fact holds of the code as it is; every mutant of that code breaks it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from tests.decide.boundary.literal import all_pairs, best, goals, reached, tiny

import thence.decide.boundary.ew_dpmt as ew_dpmt
import thence.decide.boundary.exact as exact
import thence.decide.boundary.gmt as gmt
import thence.decide.boundary.mist as mist
import thence.decide.boundary.monotone as monotone
import thence.decide.boundary.rectangle as rectangle
import thence.decide.boundary.rising as rising
import thence.decide.boundary.stack as stack
from thence.base.errors import FitError
from thence.decide.boundary.ew_dpmt import EwDpmt
from thence.decide.boundary.exact import Exact
from thence.decide.boundary.gmt import Gmt
from thence.decide.boundary.mist import Mist
from thence.decide.boundary.monotone import Monotone
from thence.decide.boundary.rectangle import BestRectangle
from thence.decide.boundary.single import Single
from thence.decide.boundary.vw_dpmt import VwDpmt
from thence.decide.goal import SLACK, Goal
from thence.decide.levels import Curve, level_of
from thence.decide.rule import Rectangle, Thresholds, outcome
from thence.decide.sample import Sample

ROWS = Sample.make([0.9, 0.8, 0.7, 0.9, 0.8, 0.7], [1, 1, 1, 2, 2, 2], [1, 1, 1, 1, 0, 0])


# ---- the facts


def best_of_all(solver: Exact | VwDpmt | Monotone, ways: tuple[int, ...] = (0,), cases: int = 60) -> None:
    for seed in range(cases):
        sample = tiny(seed)
        for goal, bound in goals(seed):
            rule = replace(solver, levels=1 + seed % 4).fit(sample, goal)
            pairs = set().union(*(all_pairs(sample, rule.cuts, way) for way in ways))
            assert reached(rule, goal, bound, sample) == best(pairs, goal, bound, sample)


def exact_is_best() -> None:
    best_of_all(Exact())


def whole_exact_is_best() -> None:
    best_of_all(Exact(prune=False))


def vw_dpmt_is_best() -> None:
    best_of_all(VwDpmt())


def monotone_is_best() -> None:
    best_of_all(Monotone(), (1, -1))


def rising_is_best() -> None:
    best_of_all(Monotone(direction="rising"), (1,))


def single_is_best() -> None:
    for seed in range(60):
        sample = tiny(seed)
        for goal, bound in goals(seed):
            pairs = all_pairs(sample, np.empty(0))
            assert reached(Single().fit(sample, goal), goal, bound, sample) == best(pairs, goal, bound, sample)


def each_level_has_its_threshold() -> None:
    for solver in (Exact(2), Mist(2), Gmt(2), VwDpmt(2), EwDpmt(2, 3), Monotone(2)):
        rule = solver.fit(ROWS, Goal.recall(precision=1.0))
        assert rule.threshold.tolist() == [0.7, 0.9]
        assert outcome(rule, ROWS).hits == outcome(rule, ROWS).taken == 4


def the_rectangle_is_on_the_sure_side() -> None:
    rule = BestRectangle().fit(ROWS, Goal.recall(precision=1.0))
    assert rule == Rectangle(0.7, 1.0, True)
    assert outcome(rule, ROWS).hits == outcome(rule, ROWS).taken == 3
    turned = Sample.make(ROWS.score, -ROWS.uncertainty, ROWS.label)
    rule = BestRectangle().fit(turned, Goal.recall(precision=1.0))
    assert rule == Rectangle(0.7, -1.0, False)
    assert outcome(rule, turned).hits == outcome(rule, turned).taken == 3


FACTS = [
    exact_is_best,
    whole_exact_is_best,
    vw_dpmt_is_best,
    monotone_is_best,
    rising_is_best,
    single_is_best,
    each_level_has_its_threshold,
    the_rectangle_is_on_the_sure_side,
]


@pytest.mark.parametrize("fact", FACTS)
def test_facts_hold(fact: Callable[[], None]) -> None:
    fact()


# ---- the mutants


def above_alone(self: Thresholds, score, uncertainty) -> np.ndarray:
    return np.asarray(score) > self.threshold[level_of(uncertainty, self.cuts)]


def levels_turned(self: Thresholds, score, uncertainty) -> np.ndarray:
    return np.asarray(score) >= self.threshold[::-1][level_of(uncertainty, self.cuts)]


def inside_alone(self: Rectangle, score, uncertainty) -> np.ndarray:
    unsure = np.asarray(uncertainty)
    inside = unsure < self.uncertainty if self.below else unsure > self.uncertainty
    return inside & (np.asarray(score) >= self.score)


def other_side(self: Rectangle, score, uncertainty) -> np.ndarray:
    unsure = np.asarray(uncertainty)
    inside = unsure >= self.uncertainty if self.below else unsure <= self.uncertainty
    return inside & (np.asarray(score) >= self.score)


def score_alone(self: Rectangle, score, uncertainty) -> np.ndarray:
    unsure = np.asarray(uncertainty)
    inside = unsure <= self.uncertainty if self.below else unsure >= self.uncertainty
    return inside & (np.asarray(score) > self.score)


def sense_turned(self: Goal, taken, positives, cases, total) -> np.ndarray:
    taken, positives = np.asarray(taken, float), np.asarray(positives, float)
    if self.kind == "recall":
        return positives <= self.bound * taken
    if self.kind == "precision":
        return positives <= self.bound * total
    return taken >= self.bound * cases if self.kind == "budget" else np.ones(len(taken), bool)


def bound_left_out(self: Goal, taken, positives, cases, total) -> np.ndarray:
    taken, positives = np.asarray(taken, float), np.asarray(positives, float)
    if self.kind == "recall":
        return (positives > self.bound * taken * (1 + SLACK)) | (taken == 0)
    return np.ones(len(taken), bool) if self.kind == "cost" else positives >= 0


def one_further(self: Curve, place: int) -> float:
    return float(self.score[min(place, len(self.score) - 1)]) if place else float("inf")


def sweep_turned(level, label, last, limits, below, best, found) -> None:
    real_sweep(level, label, last, limits, not below, best, found)


real_sweep, real_need, real_combine = rectangle.sweep, exact.least_gain, stack.combine
real_rising, real_path, real_order = monotone.rising_places, mist.path, gmt.greedy_order


def need_too_much(*arguments) -> float:
    return real_need(*arguments) + 1.5


def last_choice_lost(before, size, loss) -> np.ndarray:
    after = real_combine(before, size[:-1], loss[:-1]) if len(size) > 1 else real_combine(before, size, loss)
    return np.append(after, np.full(len(before) + size[-1] - len(after), 1 << 30, np.int32))


def falling_for_rising(taken, positives, goal, sizes, known=None):
    found = real_rising(taken[::-1], positives[::-1], goal, sizes, known)
    return None if found is None else found[::-1]


def poorest_blocks_first(taken, positives):
    way = real_path(taken, positives)
    return replace(way, level=way.level[::-1].copy())


def richest_bins_left_out(levels) -> np.ndarray:
    return real_order(levels)[::-1].copy()


def levels_swapped(levels, bins):
    return real_equal_weight(levels[::-1], bins)


real_equal_weight = ew_dpmt.equal_weight
MUTANTS = [
    (Thresholds, "act", above_alone, exact_is_best),
    (Thresholds, "act", above_alone, single_is_best),
    (Thresholds, "act", above_alone, each_level_has_its_threshold),
    (Thresholds, "act", levels_turned, each_level_has_its_threshold),
    (Rectangle, "act", inside_alone, the_rectangle_is_on_the_sure_side),
    (Rectangle, "act", other_side, the_rectangle_is_on_the_sure_side),
    (Rectangle, "act", score_alone, the_rectangle_is_on_the_sure_side),
    (Goal, "allowed", sense_turned, exact_is_best),
    (Goal, "allowed", sense_turned, single_is_best),
    (Goal, "allowed", bound_left_out, exact_is_best),
    (Goal, "allowed", bound_left_out, single_is_best),
    (Curve, "threshold", one_further, exact_is_best),
    (Curve, "threshold", one_further, single_is_best),
    (rectangle, "sweep", sweep_turned, the_rectangle_is_on_the_sure_side),
    (exact, "least_gain", need_too_much, exact_is_best),
    (rising, "least_gain", need_too_much, monotone_is_best),
    (stack, "combine", last_choice_lost, whole_exact_is_best),
    (stack, "combine", last_choice_lost, vw_dpmt_is_best),
    (monotone, "rising_places", falling_for_rising, rising_is_best),
    (mist, "path", poorest_blocks_first, each_level_has_its_threshold),
    (gmt, "greedy_order", richest_bins_left_out, each_level_has_its_threshold),
    (ew_dpmt, "equal_weight", levels_swapped, each_level_has_its_threshold),
]


@pytest.mark.parametrize(("where", "name", "mutant", "fact"), MUTANTS)
def test_mutants_fail(where, name: str, mutant, fact: Callable[[], None], monkeypatch) -> None:
    monkeypatch.setattr(where, name, mutant)
    with pytest.raises((AssertionError, FitError, IndexError, ValueError)):  # nothing may be left
        fact()
