"""Bounds that hold on new cases: a literal tail, misses counted over draws, and mutants that miss."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

import thence.decide.guarantee as module
from thence.base.errors import ConfigError
from thence.base.rng import generator
from thence.decide.goal import Goal
from thence.decide.guarantee import Guaranteed, guaranteed_threshold

PRECISION, RECALL = Goal.recall(precision=0.8), Goal.precision(recall=0.7)
Part = tuple[np.ndarray, np.ndarray]
Find = Callable[[Part, Part, Goal, float], Guaranteed]
DRAWS = 300
MOST = 0.05 + 3 * math.sqrt(0.05 * 0.95 / DRAWS)
"""Share of misses at a confidence of .95, with three standard errors of so many draws."""


def part(rng: np.random.Generator, count: int = 600) -> Part:
    """Values that are rates: above a threshold t the precision is (1 + t) / 2, the recall 1 - t²."""
    value = rng.random(count)
    return value, rng.random(count) < value


def tail(hits: int, trials: int, bound: float) -> float:
    """The chance of at least so many hits, summed literally."""
    return math.fsum(
        math.comb(trials, j) * bound**j * (1 - bound) ** (trials - j) for j in range(hits, trials + 1)
    )


def the_last_hypothesis_was_rejected_by_the_tail() -> None:
    shown = 0
    for seed in range(40):
        rng = generator(seed, "tail")
        known, (value, label) = part(rng), part(rng, 300)
        for goal in (PRECISION, RECALL):
            found = guaranteed_threshold(known, (value, label), goal)
            if not found.shown:
                continue
            shown += 1
            inside = value >= found.threshold
            hits, trials = int(label[inside].sum()), int(inside.sum() if goal is PRECISION else label.sum())
            assert found.p_value <= 0.05
            assert math.isclose(found.p_value, tail(hits, trials, goal.bound), rel_tol=1e-9)
    assert shown > 60


def missed(find: Find, goal: Goal) -> float:
    """Share of draws whose threshold misses the bound in truth."""
    count = 0
    for seed in range(DRAWS):
        rng = generator(seed, "missed")
        found = find(part(rng), part(rng), goal, 0.95)
        true = (1 + found.threshold) / 2 if goal is PRECISION else 1 - max(found.threshold, 0) ** 2
        count += found.shown and true < goal.bound
    return count / DRAWS


def shown_of_nothing(find: Find, goal: Goal) -> float:
    """Share of draws in which something is shown of a family that is at its bound and no better."""
    count = 0
    for seed in range(DRAWS):
        rng = generator(seed, "nothing")
        (one, two), bound = rng.random((2, 600)), goal.bound
        if goal is PRECISION:  # every threshold's precision is the bound
            known, new = ((value, rng.random(600) < bound) for value in (one, two))
        else:  # of two values, the positive ones at 1 as often as the bound says
            known, new = (((value < bound) * 1.0, rng.random(600) < 0.5) for value in (one, two))
        found = find(known, new, goal, 0.95)
        count += found.shown and found.threshold > 0  # that all are taken is no finding
    return count / DRAWS


def rejections_are_few() -> None:
    for goal in (PRECISION, RECALL):
        assert missed(module.guaranteed_threshold, goal) <= MOST
        assert shown_of_nothing(module.guaranteed_threshold, goal) <= MOST


FACTS = [the_last_hypothesis_was_rejected_by_the_tail, rejections_are_few]


@pytest.mark.parametrize("fact", FACTS)
def test_facts_hold(fact: Callable[[], None]) -> None:
    fact()


@pytest.mark.parametrize("goal", [PRECISION, RECALL])
def test_what_is_shown_is_near_the_best(goal: Goal) -> None:
    """In truth .6 is the best threshold for a precision of .8, and √.3 for a recall of .7."""
    found = []
    for seed in range(20):
        rng = generator(seed, "near")
        found.append(guaranteed_threshold(part(rng, 5000), part(rng, 5000), goal).threshold)
    best = 0.6 if goal is PRECISION else math.sqrt(0.3)
    assert abs(np.mean(found) - best) < 0.05


# ---- mutants


def any_start(known: Part, new: Part, goal: Goal, confidence: float) -> Guaranteed:
    """Every hypothesis is tested at the full level, wherever the ones before it ended."""
    order = module._order(*known, goal, share=len(new[0]) / len(known[0]))
    taken, hits = module._counts(new[0], order), module._counts(new[0][new[1]], order)
    trials = taken if goal.kind == "recall" else np.full(len(order), int(new[1].sum()))
    rejected = np.flatnonzero(module.binom.sf(hits - 1, trials, goal.bound) <= 1 - confidence)
    at = float(order[rejected[-1]]) if len(rejected) else np.inf
    return Guaranteed(at, len(rejected) > 0, 0.0, len(order))


@pytest.mark.parametrize("goal", [PRECISION])
def test_testing_from_every_start_misses_more(goal: Goal) -> None:
    assert shown_of_nothing(any_start, goal) > 2 * MOST


@pytest.mark.parametrize("goal", [PRECISION, RECALL])
def test_testing_on_the_cases_that_the_family_was_made_of_misses(goal: Goal) -> None:
    """A family that has learned its own cases by heart: there positives are higher than elsewhere."""

    def learned(rng: np.random.Generator) -> Part:
        value, label = part(rng)
        return value + 0.3 * label, label

    counts = {"leak": 0, "sound": 0}
    for seed in range(100):
        rng = generator(seed, "heart")
        known, new = learned(rng), part(rng)
        for name, tested in (("leak", known), ("sound", new)):
            found = guaranteed_threshold(known, tested, goal)
            true = (1 + found.threshold) / 2 if goal is PRECISION else 1 - min(max(found.threshold, 0), 1) ** 2
            counts[name] += found.shown and true < goal.bound
    assert counts["sound"] <= 100 * (0.05 + 3 * math.sqrt(0.05 * 0.95 / 100)) < 50 < counts["leak"]


class TailOneFurther:
    """The chance of more hits than were seen."""

    @staticmethod
    def sf(hits, trials, bound):
        return REAL.sf(hits + 1, trials, bound)


class LowerTail:
    """The chance of so few."""

    @staticmethod
    def sf(hits, trials, bound):
        return REAL.cdf(hits, trials, bound)


REAL = module.binom


def strictly_above(value: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    return len(value) - np.searchsorted(np.sort(value), thresholds, "right")


def below(value: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    return np.searchsorted(np.sort(value), thresholds, "left")


@pytest.mark.parametrize(
    ("name", "mutant"), [("binom", TailOneFurther), ("binom", LowerTail), ("_counts", below)]
)
def test_mutants_fail(name: str, mutant, monkeypatch) -> None:
    monkeypatch.setattr(module, name, mutant)
    with pytest.raises(AssertionError):
        the_last_hypothesis_was_rejected_by_the_tail()


def test_equal_values_are_counted_with_their_threshold(monkeypatch) -> None:
    rng = generator(0, "ties")
    value, label = part(rng, 2000)
    value = np.round(value, 1)
    fact = guaranteed_threshold((value, label), (value, label), PRECISION)
    inside = value >= fact.threshold
    assert fact.shown and math.isclose(
        fact.p_value, tail(int(label[inside].sum()), int(inside.sum()), 0.8), rel_tol=1e-9
    )
    monkeypatch.setattr(module, "_counts", strictly_above)
    assert guaranteed_threshold((value, label), (value, label), PRECISION).threshold < fact.threshold


# ---- edges


def test_where_nothing_is_shown_it_never_acts_and_for_recall_always() -> None:
    value, label = np.linspace(0, 1, 40), np.zeros(40, bool)
    label[:3] = True
    found = guaranteed_threshold((value, label), (value, label), PRECISION)
    assert found == Guaranteed(np.inf, False, 1.0, found.tested)
    assert guaranteed_threshold((value, label), (value, label), Goal.precision(recall=1.0)).threshold == -np.inf
    assert not guaranteed_threshold((value, label), (value, label), Goal.recall(precision=1.0)).shown


def test_who_is_outside_is_never_a_threshold() -> None:
    rng = generator(1, "outside")
    (value, label), new = part(rng, 2000), part(rng, 2000)
    outside = rng.random(2000) < 0.5
    known, shown = (np.where(outside, -np.inf, value), label), (np.where(outside, -np.inf, new[0]), new[1])
    for goal in (PRECISION, Goal.precision(recall=0.3)):
        found = guaranteed_threshold(known, shown, goal)
        assert found.shown and np.isfinite(found.threshold)
    # a recall that only those outside could bring cannot be shown by a threshold
    assert guaranteed_threshold(known, shown, Goal.precision(recall=0.9)) == Guaranteed(-np.inf, False, 1.0, 1)
    never = np.full(2000, -np.inf)
    assert guaranteed_threshold((never, label), (never, new[1]), PRECISION) == Guaranteed(np.inf, False, 1.0, 0)


def test_settings_are_checked() -> None:
    cases = np.arange(4.0), np.array([0, 1, 0, 1], bool)
    for goal in (Goal.cost(0.5), Goal.budget(0.5)):
        with pytest.raises(ConfigError, match="no guarantee"):
            guaranteed_threshold(cases, cases, goal)
    for confidence in (0, 1, 1.5, float("nan")):
        with pytest.raises(ConfigError, match="confidence"):
            guaranteed_threshold(cases, cases, PRECISION, confidence)
