"""Nested boundaries: steps and best thresholds by trying all, and gains that ties and nothing cannot make."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from tests.decide.boundary.literal import above, best, goals, keeps, tiny, worth

import thence.decide.boundary.nested as module
from thence.base.rng import generator
from thence.decide.boundary.nested import best_threshold, gain, steps
from thence.decide.goal import Goal
from thence.decide.sample import Sample

GOALS = [Goal.recall(precision=0.6), Goal.precision(recall=0.4), Goal.cost(0.5), Goal.budget(0.2)]


def steps_are_what_thresholds_take() -> None:
    for seed in range(150):
        sample = tiny(seed)
        threshold, taken, positives = steps(sample.score, sample.label)
        assert threshold.tolist() == [np.inf, *sorted(set(sample.score.tolist()), reverse=True)]
        rows = list(zip(sample.score.tolist(), sample.label.astype(int).tolist(), strict=True))
        for at, pair in zip(threshold, zip(taken, positives, strict=True), strict=True):
            assert pair == above(rows, at)


def thresholds_are_best() -> None:
    for seed in range(200):
        sample = tiny(seed)
        rows = list(zip(sample.score.tolist(), sample.label.astype(int).tolist(), strict=True))
        pairs = [above(rows, at) for at in [np.inf, *sample.score.tolist()]]
        for goal, bound in goals(seed):
            found = above(rows, best_threshold(sample.score, sample, goal))
            assert keeps(found, goal, bound, sample)
            assert (worth(found, goal, bound), found[0]) == best(pairs, goal, bound, sample)


def nothing_gains_nothing() -> None:
    told = world()
    for goal in GOALS:
        for same in (told.score, 3 * told.score - 1, told.score**3):
            assert gain(same, told.score, told, goal, draws=5) == (0.0, 0.0)


def the_better_family_gains() -> None:
    told = world()
    truth = told.score * (1 - told.uncertainty)
    for goal in GOALS:
        more, error = gain(truth, told.score, told, goal)
        less, other = gain(told.score, truth, told, goal)
        assert more > 3 * error > 0
        assert (more, error) == (-less, other)


def ties_are_no_loss() -> None:
    """Labels know the score to one digit alone: its further digits neither gain nor lose, to three errors."""
    far = []
    for seed in range(8):
        rng = generator(seed, "ties")
        fine = rng.random(4000)
        coarse = np.round(fine * 4) / 4
        sample = Sample.make(fine, None, rng.random(4000) < coarse)
        for goal in (Goal.recall(precision=0.82), Goal.budget(0.3)):
            difference, error = gain(fine, coarse, sample, goal, seed=seed)
            far.append(difference / error)
    assert max(np.abs(far)) < 4 and abs(np.mean(far)) < 1


def world() -> Sample:
    rng = generator(0, "nested")
    score, unsure = rng.random((2, 3000))
    return Sample.make(score, unsure, rng.random(3000) < score * (1 - unsure))


FACTS = [
    steps_are_what_thresholds_take,
    thresholds_are_best,
    nothing_gains_nothing,
    the_better_family_gains,
    ties_are_no_loss,
]


@pytest.mark.parametrize("fact", FACTS)
def test_facts_hold(fact: Callable[[], None]) -> None:
    fact()


def steps_of_cases(value: np.ndarray, label: np.ndarray):
    order = np.argsort(-value, kind="stable")
    count = np.arange(1, len(value) + 1)
    return np.append(np.inf, value[order]), np.append(0, count), np.append(0, np.cumsum(label[order]))


def steps_from_below(value: np.ndarray, label: np.ndarray):
    return REAL_STEPS(-value, label)


def steps_one_off(value: np.ndarray, label: np.ndarray):
    threshold, taken, positives = REAL_STEPS(value, label)
    return np.append(threshold[1:], threshold[-1]), taken, positives


def whole_ties(self, weight: np.ndarray, goals: list[Goal]) -> list[float]:
    """All cases of equal value, or none."""
    weight = weight[self.order]
    taken, hits = np.cumsum(weight), np.cumsum(weight * self.label)
    found = []
    for goal in goals:
        some, right = taken[self.last], hits[self.last]
        kept = goal.worth(some, right)[goal.allowed(some, right, taken[-1], hits[-1])]
        found.append(max(float(kept.max()), 0.0) / hits[-1] if len(kept) else 0.0)
    return found


def lucky_ties(self, weight: np.ndarray, goals: list[Goal]) -> list[float]:
    """Of cases of equal value the positive ones come first."""
    order = np.lexsort((~self.label, np.repeat(np.arange(len(self.last)), np.diff(np.append(-1, self.last)))))
    weight, label = weight[self.order][order], self.label[order]
    taken, hits = np.cumsum(weight), np.cumsum(weight * label)
    found = []
    for goal in goals:
        kept = goal.worth(taken, hits)[goal.allowed(taken, hits, taken[-1], hits[-1])]
        found.append(max(float(kept.max()), 0.0) / hits[-1] if len(kept) else 0.0)
    return found


REAL_STEPS = module.steps


@pytest.mark.parametrize(
    ("where", "name", "mutant", "fact"),
    [
        (module, "steps", steps_of_cases, thresholds_are_best),
        (module, "steps", steps_from_below, thresholds_are_best),
        (module, "steps", steps_one_off, thresholds_are_best),
        (module._Sorted, "reach", whole_ties, ties_are_no_loss),
        (module._Sorted, "reach", lucky_ties, ties_are_no_loss),
    ],
)
def test_mutants_fail(where, name: str, mutant, fact: Callable[[], None], monkeypatch) -> None:
    monkeypatch.setattr(where, name, mutant)
    with pytest.raises(AssertionError):
        fact()


def test_a_gain_is_drawn_from_its_seed() -> None:
    told = world()
    truth = told.score * (1 - told.uncertainty)
    one, same, other = (gain(truth, told.score, told, GOALS[0], draws=8, seed=seed) for seed in (0, 0, 1))
    assert one == same and one[0] == other[0] and one[1] != other[1]


def test_the_error_of_a_gain_is_that_of_new_samples() -> None:
    rng = generator(9, "repeated")
    found = []
    for _ in range(30):
        score, unsure = rng.random((2, 1500))
        told = Sample.make(score, unsure, rng.random(1500) < score * (1 - unsure))
        found.append(gain(score * (1 - unsure), score, told, GOALS[0], draws=30))
    difference, error = np.array(found).T
    assert 0.6 < error.mean() / difference.std(ddof=1) < 1.7
