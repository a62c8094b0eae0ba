"""Rules: to act is to have a margin of at least 0, exactly; moved rules act where the margin is that much."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from thence.decide.rule import Above, Outcome, Rectangle, Thresholds, outcome, raised
from thence.decide.sample import Sample
from thence.decide.surface.posterior import EvidencePosterior
from thence.decide.surface.smooth import SmoothSurface

INF = np.inf
KNOTS = np.array([0.0, 0.5, 1.0])
SMOOTH = SmoothSurface(KNOTS, KNOTS, np.array([[-3.0, -2.0, -4.0], [-1.0, 0.0, -1.0], [3.0, 1.0, 0.3]]))
RULES: dict[str, Any] = {
    "single": Thresholds(np.empty(0), np.array([0.7])),
    "levels": Thresholds(np.array([0.3, 0.6]), np.array([0.1, 0.7, 0.3])),
    "never in one": Thresholds(np.array([0.3, 0.6]), np.array([0.1, INF, 0.3])),
    "always in one": Thresholds(np.array([0.3, 0.6]), np.array([-INF, 0.7, 0.3])),
    "below": Rectangle(0.7, 0.6),
    "above": Rectangle(0.7, 0.6, below=False),
    "all scores": Rectangle(-INF, 0.6),
    "smooth": Above(SMOOTH, 0.3),
    "evidence": Above(EvidencePosterior(1, 3, 5), 0.2),
    "never": Above(SMOOTH, INF),
    "always": Above(SMOOTH, -INF),
}
each = pytest.mark.parametrize("name", RULES)
GRID = np.round(np.linspace(0, 1, 41), 3)
SCORE, UNSURE = (axis.ravel() for axis in np.meshgrid(GRID, np.append(GRID[1:], 0.3)))


def literally(rule: Any) -> np.ndarray:
    """Whether each case of the grid is acted on, case by case, without a difference."""
    found = []
    for score, unsure in zip(SCORE, UNSURE, strict=True):
        if isinstance(rule, Thresholds):
            found.append(score >= rule.threshold[sum(unsure >= cut for cut in rule.cuts)])
        elif isinstance(rule, Rectangle):
            inside = unsure <= rule.uncertainty if rule.below else unsure >= rule.uncertainty
            found.append(inside and score >= rule.score)
    if isinstance(rule, Above):
        return rule.surface.rate(SCORE, UNSURE) >= rule.threshold
    return np.array(found)


def acts_as_it_reads() -> None:
    for rule in RULES.values():
        act = rule.act(SCORE, UNSURE)
        assert act.dtype == bool and np.array_equal(act, literally(rule))
        assert np.array_equal(act, rule.margin(SCORE, UNSURE) >= 0)
        assert not np.isnan(rule.margin(SCORE, UNSURE)).any()


def moved_rules_act_where_the_margin_is_that_much() -> None:
    rng = np.random.default_rng(0)
    for rule in RULES.values():
        margin = rule.margin(SCORE, UNSURE)
        finite = margin[np.isfinite(margin)]
        drawn = rng.choice(finite, 12) if len(finite) else []
        for by in [*drawn, 0.0, 0.05, -0.05, 1e-300]:
            assert rule.tightened(float(by)).act(SCORE, UNSURE).tolist() == (margin >= by).tolist()
        assert not rule.tightened(INF).act(SCORE, UNSURE).any()
        assert rule.tightened(-INF).act(SCORE, UNSURE).all()


def tighter_rules_are_nested() -> None:
    for rule in RULES.values():
        act = rule.act(SCORE, UNSURE)
        for by in (0.01, 0.2, 0.5):
            fewer, more = rule.tightened(by).act(SCORE, UNSURE), rule.tightened(-by).act(SCORE, UNSURE)
            assert (fewer <= act).all() and (act <= more).all()
            twice = rule.tightened(by).tightened(by).act(SCORE, UNSURE)
            assert (twice <= fewer).all()


FACTS = [acts_as_it_reads, moved_rules_act_where_the_margin_is_that_much, tighter_rules_are_nested]


@pytest.mark.parametrize("fact", FACTS)
def test_facts_hold(fact: Callable[[], None]) -> None:
    fact()


def margin_alone(self: Any, score, uncertainty) -> np.ndarray:
    return self.margin(score, uncertainty) > 0


def other_way(self: Any, score, uncertainty) -> np.ndarray:
    return self.margin(score, uncertainty) <= 0


def turned_margin(self: Any, score, uncertainty) -> np.ndarray:
    return self.surface.rate(score, uncertainty) + self.threshold


def other_side(self: Any, score, uncertainty) -> np.ndarray:
    inside = (
        np.asarray(uncertainty) >= self.uncertainty
        if self.below
        else np.asarray(uncertainty) <= self.uncertainty
    )
    return np.where(inside, np.asarray(score) - self.score, -INF)


def open_side(self: Any, score, uncertainty) -> np.ndarray:
    inside = (
        np.asarray(uncertainty) < self.uncertainty if self.below else np.asarray(uncertainty) > self.uncertainty
    )
    return np.where(inside, np.asarray(score) - self.score, -INF)


def loosened(self: Any, by: float) -> Any:
    return Above(self.surface, self.threshold - by)


def rounded(self: Any, by: float) -> Any:
    return Thresholds(self.cuts, np.where(np.isinf(self.threshold), self.threshold, self.threshold + by))


moved = moved_rules_act_where_the_margin_is_that_much


@pytest.mark.parametrize(
    ("kind", "name", "mutant", "fact"),
    [
        *((kind, "act", mutant, acts_as_it_reads) for kind in (Thresholds, Rectangle, Above)
          for mutant in (margin_alone, other_way)),
        (Above, "margin", turned_margin, acts_as_it_reads),
        (Rectangle, "margin", other_side, acts_as_it_reads),
        (Rectangle, "margin", open_side, acts_as_it_reads),
        (Above, "tightened", loosened, moved),
        (Above, "tightened", loosened, tighter_rules_are_nested),
        (Thresholds, "tightened", rounded, moved),
    ],
)  # fmt: skip
def test_mutants_fail(kind, name: str, mutant, fact: Callable[[], None], monkeypatch) -> None:
    if (kind, mutant) == (Above, margin_alone):  # its grid must hold a case on the boundary
        at = float(SMOOTH.rate(SCORE[7:8], UNSURE[7:8])[0])
        monkeypatch.setitem(RULES, "smooth", Above(SMOOTH, at))
    monkeypatch.setattr(kind, name, mutant)
    with pytest.raises(AssertionError):
        fact()


def test_raised_is_the_least_number_that_far_off() -> None:
    rng = np.random.default_rng(1)
    for _ in range(400):
        threshold = float(rng.normal() * 10.0 ** rng.integers(-6, 6))
        value = float(rng.normal() * 10.0 ** rng.integers(-6, 6))
        by = value - threshold
        least = raised(threshold, by)
        assert least - threshold >= by
        assert not np.nextafter(least, -INF) - threshold >= by
        assert least <= value


def test_outcomes_are_counts() -> None:
    sample = Sample.make([0.9, 0.8, 0.7, 0.6], None, [1, 0, 1, 1])
    found = outcome(Thresholds(np.empty(0), np.array([0.7])), sample)
    assert found == Outcome(3, 2, 4, 3)
    assert (found.precision, found.recall, found.share) == (2 / 3, 2 / 3, 3 / 4)
    none = outcome(Thresholds(np.empty(0), np.array([INF])), sample)
    assert np.isnan(none.precision) and none.recall == 0
    assert np.isnan(Outcome(1, 0, 2, 0).recall)
