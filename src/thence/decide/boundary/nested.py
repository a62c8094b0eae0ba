"""Nested boundaries: one value for each case, and a threshold on it."""

from __future__ import annotations

import numpy as np

from thence.base.rng import generator
from thence.decide.goal import Goal
from thence.decide.levels import curve_of, last_of_ties
from thence.decide.sample import Sample

AROUND = (0.9, 0.95, 1.0, 1.05)
"""Bounds, as shares of the goal's, over which families are compared: one alone is too noisy."""


def steps(value: np.ndarray, label: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What each threshold takes: thresholds from infinity down, cases taken, positive ones among them.

    Args:
        value: ``[n]``; equal values are taken together.
        label: ``[n]`` bool.

    Example:
        >>> [column.tolist() for column in steps(np.array([1.0, 3.0, 3.0]), np.array([True, True, False]))]
        [[inf, 3.0, 1.0], [0, 2, 3], [0, 1, 2]]
    """
    curve = curve_of(value, label)
    return np.append(np.inf, curve.score), curve.taken, curve.positives


def best_threshold(value: np.ndarray, sample: Sample, goal: Goal) -> float:
    """The threshold on a value that is best for a goal.

    Args:
        value: ``[n]`` of each case of the sample.
        sample: its labels count.
        goal: what to be best in.

    Raises:
        FitError: no threshold keeps the goal's bound.

    Example:
        >>> sample = Sample.make([0, 0, 0], None, [1, 1, 0])
        >>> best_threshold(np.array([0.9, 0.5, 0.5]), sample, Goal.recall(precision=0.6))
        0.5
    """
    threshold, taken, positives = steps(value, sample.label)
    return float(threshold[goal.pick(taken, positives, len(sample), sample.positives)])


def gain(
    value: np.ndarray, other: np.ndarray, sample: Sample, goal: Goal, draws: int = 40, seed: int = 0
) -> tuple[float, float]:
    """By how much one family of boundaries is better for a goal than another, and how sure that is.

    What the best threshold of each reaches is averaged over bounds around the goal's (``AROUND``); both see the
    same bootstrap draws (Poisson weights). Of cases with equal values any share may be taken, with as many
    positives as that share has on average: a family is not better for having fewer ties.

    Args:
        value: ``[n]`` of each case in the one family; from models that have not seen the case.
        other: ``[n]`` in the other.
        sample: its labels count.
        goal: what to be best in.
        draws: bootstrap draws.
        seed: of the draws.

    Returns:
        The difference on the sample, and its standard error. Recalls, precisions and shares of the positives;
        for a cost in units of one missed positive for each positive.
    """
    families = [_Sorted(column, sample.label) for column in (value, other)]
    goals = [goal] if goal.kind == "cost" else [Goal(goal.kind, min(goal.bound * by, 1.0)) for by in AROUND]

    def difference(weight: np.ndarray) -> float:
        ours, theirs = (np.mean(family.reach(weight, goals)) for family in families)
        return float(ours - theirs)

    rng = generator(seed, "decide", "gain")
    drawn = [difference(rng.poisson(1.0, len(sample)).astype(float)) for _ in range(draws)]
    return difference(np.ones(len(sample))), float(np.std(drawn, ddof=1))


class _Sorted:
    """Cases in the order of a value, for many weights."""

    def __init__(self, value: np.ndarray, label: np.ndarray) -> None:
        self.order = np.argsort(-value, kind="stable")
        self.last = last_of_ties(value[self.order])
        self.label = label[self.order]

    def reach(self, weight: np.ndarray, goals: list[Goal]) -> list[float]:
        """What the best threshold reaches for each goal."""
        weight = weight[self.order]
        taken, hits = np.cumsum(weight), np.cumsum(weight * self.label)
        cases, total = taken[-1], max(hits[-1], 1.0)
        hits = np.interp(taken, np.append(0, taken[self.last]), np.append(0, hits[self.last]))
        found = []
        for goal in goals:
            worth = goal.worth(taken, hits)[goal.allowed(taken, hits, cases, total)]
            best = max(float(worth.max()), 0.0) if len(worth) else 0.0
            found.append(best if goal.kind == "precision" else best / total)
        return found
