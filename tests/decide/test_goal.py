"""Goals: which pair of cases taken and positives is picked, by fractions and by mutants of the inequality."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from thence.base.errors import ConfigError, FitError
from thence.decide.goal import SLACK, Goal

BOUNDS = [Fraction(n, 20) for n in range(1, 21)]


def literal(kind: str, bound: Fraction, pairs: list[tuple[int, int]], cases: int, total: int) -> int | None:
    """Place of the best pair, with fractions alone."""
    keeps = {
        "recall": lambda t, p: p >= bound * t,
        "precision": lambda t, p: p >= bound * total,
        "cost": lambda t, p: True,
        "budget": lambda t, p: t <= bound * cases,
    }[kind]
    worth = {
        "recall": lambda t, p: Fraction(p),
        "precision": lambda t, p: Fraction(p, t) if t else Fraction(0),
        "cost": lambda t, p: p - bound * (t - p),
        "budget": lambda t, p: Fraction(p),
    }[kind]
    kept = [place for place, pair in enumerate(pairs) if keeps(*pair)]
    return min(kept, key=lambda at: (-worth(*pairs[at]), pairs[at][0], at)) if kept else None


def picks_as_fractions_do() -> None:
    rng = np.random.default_rng(0)
    for _ in range(150):
        pairs = sorted({(int(t), int(rng.integers(0, t + 1))) for t in rng.integers(0, 21, rng.integers(1, 9))})
        taken, positives = np.array(pairs).T
        for kind in ("recall", "precision", "cost", "budget"):
            bound = BOUNDS[rng.integers(len(BOUNDS))]
            goal, total = Goal(kind, float(bound)), int(rng.integers(1, 21))
            best = literal(kind, bound, pairs, 20, total)
            if best is None:
                with pytest.raises(FitError):
                    goal.pick(taken, positives, 20, total)
            else:
                assert goal.pick(taken, positives, 20, total) == best


def bounds_met_exactly_are_kept() -> None:
    for bound in BOUNDS:
        share = np.array([bound.numerator]), np.array([bound.denominator])
        assert Goal.recall(precision=float(bound)).allowed(share[1], share[0], 40, 40).all()
        assert Goal.precision(recall=float(bound)).allowed(share[1], share[0], 40, int(share[1][0])).all()
        assert Goal.budget(float(bound)).allowed(share[0], share[0], int(share[1][0]), 40).all()


FACTS = [picks_as_fractions_do, bounds_met_exactly_are_kept]


@pytest.mark.parametrize("fact", FACTS)
def test_facts_hold(fact: Callable[[], None]) -> None:
    fact()


def turned(self: Goal, taken, positives, cases, total) -> np.ndarray:
    return ~REAL(self, taken, positives, cases, total)


def strict(self: Goal, taken, positives, cases, total) -> np.ndarray:
    if self.kind == "recall":
        return positives > self.bound * taken * (1 + SLACK)
    if self.kind == "precision":
        return positives > self.bound * total * (1 + SLACK)
    return taken < self.bound * cases * (1 - SLACK) if self.kind == "budget" else np.ones(len(taken), bool)


def without_slack(self: Goal, taken, positives, cases, total) -> np.ndarray:
    taken, positives = np.asarray(taken, float), np.asarray(positives, float)
    if self.kind == "recall":
        return positives >= self.bound * taken * (1 + SLACK)
    return REAL(self, taken, positives, cases, total)


def most_taken(self: Goal, taken, positives, cases, total) -> int:
    allowed = self.allowed(taken, positives, cases, total)
    if not allowed.any():
        raise FitError("none")
    worth = np.where(allowed, self.worth(taken, positives), -np.inf)
    best = np.flatnonzero(worth >= worth.max() - SLACK)
    return int(best[-1])


def least_worth(self: Goal, taken, positives) -> np.ndarray:
    return -WORTH(self, taken, positives)


REAL, WORTH = Goal.allowed, Goal.worth


@pytest.mark.parametrize(
    ("name", "mutant", "fact"),
    [
        ("allowed", turned, picks_as_fractions_do),
        ("allowed", strict, bounds_met_exactly_are_kept),
        ("allowed", without_slack, bounds_met_exactly_are_kept),
        ("pick", most_taken, picks_as_fractions_do),
        ("worth", least_worth, picks_as_fractions_do),
    ],
)
def test_mutants_fail(name: str, mutant, fact: Callable[[], None], monkeypatch) -> None:
    monkeypatch.setattr(Goal, name, mutant)
    with pytest.raises((AssertionError, pytest.fail.Exception, FitError)):
        fact()


@pytest.mark.parametrize(("kind", "bound"), [("recall", 0), ("recall", 1.1), ("precision", -1), ("budget", 2)])
def test_bounds_that_cannot_be_are_refused(kind, bound: float) -> None:
    with pytest.raises(ConfigError, match="bound"):
        Goal(kind, bound)
    for odd in (float("nan"), float("inf")):
        with pytest.raises(ConfigError, match="bound"):
            Goal(kind, odd)


def test_costs_may_be_above_one_and_kinds_are_four() -> None:
    assert Goal.cost(7.0).bound == 7.0
    with pytest.raises(ConfigError, match="One of recall"):
        Goal("f1", 0.5)  # type: ignore[arg-type]
    assert [Goal(kind, 1).kept for kind in ("recall", "precision", "cost", "budget")] == [
        "precision", "recall", "cost", "share",
    ]  # fmt: skip


def test_who_takes_nothing_keeps_any_precision() -> None:
    assert Goal.recall(precision=1.0).pick(np.array([0, 5]), np.array([0, 4]), 9, 5) == 0
