"""Ours: near the Bayes rate where uncertainty tells, one threshold where it does not, bounds on new cases."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

import thence.decide.boundary.smooth as module
from thence.base.errors import DataError, FitError
from thence.base.rng import generator
from thence.decide.boundary.nested import steps
from thence.decide.boundary.single import Single
from thence.decide.boundary.smooth import Smooth
from thence.decide.clicks import Clicks, ClicksConfig, simulate_clicks
from thence.decide.goal import Goal
from thence.decide.rule import Above, Thresholds, outcome
from thence.decide.sample import Sample

BOUND = 0.4
SEEDS = (0, 1, 2)
GOAL = Goal.recall(precision=BOUND)


@cache
def world(seed: int) -> Clicks:
    """30,000 cases to fit to, no under-sampling; what it is judged by is larger."""
    made = simulate_clicks(ClicksConfig(held=80_000), seed)
    few = made.fit[:30_000]
    return Clicks(few, made.hold, made.test, made.seen, made.hits, made.truth, made.config)


def recall_at(value: np.ndarray, label: np.ndarray) -> float:
    """Most recall of a threshold on the value whose precision is the bound, on these very cases."""
    _, taken, positives = steps(value, label)
    return float(positives[positives >= BOUND * taken].max() / label.sum())


def most_of_what_bayes_gains() -> None:
    """At equal realised precision, at least 85 % of what the world's own posterior gains over one threshold."""
    shares = []
    for seed in SEEDS:
        made = world(seed)
        rule, test = Smooth().fit(made.fit, GOAL), made.test
        values = (test.score, rule.margin(test.score, test.uncertainty), made.bayes("test"))
        one, ours, bayes = (recall_at(value, test.label) for value in values)
        shares.append((ours - one) / (bayes - one))
        assert ours > 1.25 * one
    assert np.mean(shares) >= 0.85


def one_threshold_where_uncertainty_is_shuffled() -> None:
    for seed in SEEDS:
        told = world(seed).fit
        shuffled = generator(seed, "shuffle").permutation(told.uncertainty)
        blind = Sample(told.score, shuffled, told.label)
        rule = Smooth().fit(blind, GOAL)
        assert isinstance(rule, Thresholds) and not len(rule.cuts)
        assert rule.threshold.tolist() == Single().fit(blind, GOAL).threshold.tolist()


def bounds_are_nearly_kept_on_new_cases() -> None:
    for seed in SEEDS:
        made = world(seed)
        found = outcome(Smooth().fit(made.fit, GOAL), made.test)
        assert found.precision > BOUND - 0.04 and found.recall > 0.1


FACTS = [
    most_of_what_bayes_gains,
    one_threshold_where_uncertainty_is_shuffled,
    bounds_are_nearly_kept_on_new_cases,
]


@pytest.mark.parametrize("fact", FACTS)
def test_facts_hold(fact: Callable[[], None]) -> None:
    fact()


def always_better(value, other, sample, goal, **_) -> tuple[float, float]:
    return 1.0, 0.0


def never_better(value, other, sample, goal, **_) -> tuple[float, float]:
    better, error = REAL_GAIN(other, value, sample, goal)
    return better, error


def fitted_rates(sample: Sample, folds: int, seed: int):
    """Every case is told by the labels of its own neighbours, itself the first."""
    surface, unseen = REAL_FITTED(sample, folds, seed)
    return surface, unseen + 0.2 * sample.label


def turned_surface(sample: Sample, folds: int, seed: int):
    surface, unseen = REAL_FITTED(Sample(sample.score, -sample.uncertainty, sample.label), folds, seed)
    return surface, unseen


REAL_GAIN, REAL_FITTED = module.gain, module.cross_fitted


@pytest.mark.parametrize(
    ("name", "mutant", "fact"),
    [
        ("gain", always_better, one_threshold_where_uncertainty_is_shuffled),
        ("gain", never_better, most_of_what_bayes_gains),
        ("cross_fitted", fitted_rates, bounds_are_nearly_kept_on_new_cases),
        ("cross_fitted", turned_surface, most_of_what_bayes_gains),
    ],
)
def test_mutants_fail(name: str, mutant, fact: Callable[[], None], monkeypatch) -> None:
    monkeypatch.setattr(module, name, mutant)
    with pytest.raises(AssertionError):
        fact()


def test_every_goal_is_served() -> None:
    told = world(0).fit
    for goal in (Goal.precision(recall=0.3), Goal.cost(0.5), Goal.budget(0.02)):
        rule = Smooth().fit(told, goal)
        found, test = outcome(rule, told), outcome(rule, world(0).test)
        if goal.kind == "budget":
            assert test.share < 0.025
        elif goal.kind == "precision":
            assert test.recall > 0.27 and test.precision > 2 * told.label.mean()
        else:
            assert found.hits - 0.5 * (found.taken - found.hits) > 0


def test_little_or_nothing_to_choose_from() -> None:
    rng = generator(0, "constant")
    score, unsure = rng.random((2, 300))
    label = rng.random(300) < score
    for told in (Sample.make(score, None, label), Sample.make(score, np.full(300, 7.0), label)):
        assert isinstance(Smooth().fit(told, GOAL), Thresholds)
    constant = Smooth().fit(Sample.make(np.full(300, 0.5), unsure, label), Goal.recall(precision=0.3))
    assert outcome(constant, Sample.make(np.full(300, 0.5), unsure, label)).precision >= 0.3
    with pytest.raises(DataError, match="labels"):
        Smooth().fit(Sample.make(score, unsure, np.ones(300)), GOAL)
    with pytest.raises(FitError, match="two cases"):
        Smooth().fit(Sample.make([1, 2, 3], [1, 2, 3], [0, 0, 1]), GOAL)


def test_the_direction_is_learned() -> None:
    """Turned round, the uncertainty says the same."""
    rng = generator(1, "direction")
    score, unsure = rng.random((2, 4000))
    label = rng.random(4000) < score * (1 - unsure)
    one, other = (
        Smooth().fit(Sample.make(score, sign * unsure, label), Goal.recall(precision=0.7)) for sign in (1, -1)
    )
    assert isinstance(one, Above) and isinstance(other, Above)
    assert (
        one.act([0.95, 0.95], [0.05, 0.9]).tolist()
        == other.act([0.95, 0.95], [-0.05, -0.9]).tolist()
        == [True, False]
    )
