"""Which choices can be in an optimum at all: a bound from the Lagrangian relaxation, exact to the last case.

Take any rate r and call ``positives - r taken`` the gain of a boundary. No boundary gains more than the sum of
the levels' greatest gains. A boundary that keeps the goal's bound and is as good as one already known
gains at least :func:`least_gain`. So a choice that falls short of its level's greatest gain by more than
the difference of the two is in no optimum. Any r will do; the critical one leaves fewest choices.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from thence.decide.goal import Goal

HALVINGS = 60


def least_gain(goal: Goal, rate: float, worth: float, cases: int, total: int) -> float:
    """What a boundary gains at least that keeps the bound and is worth so much.

    With n taken and t positives among them, gain ``t - r n``: where ``t >= w`` and ``t >= p n`` (recall at a
    precision p) it is at least ``w (1 - r/p)``; where ``t >= R`` and ``t >= w n`` (precision at a recall) at
    least ``R (1 - r/w)``; where ``t >= w`` and ``n <= B`` (budget) at least ``w - r B``; and where
    ``t - c (n - t) >= w`` (cost) it is ``w / (1 + c)`` at ``r = c / (1 + c)``.

    Args:
        goal: what is sought.
        rate: r, at most p for recall and at most w for precision.
        worth: w, of a boundary already known.
        cases: in the sample.
        total: positive cases in the sample.

    Example:
        >>> least_gain(Goal.recall(precision=0.8), 0.4, 10, 100, 30)
        5.0
        >>> least_gain(Goal.budget(0.2), 0.25, 10, 100, 30)
        5.0
    """
    if goal.kind == "recall":
        return worth * (1 - rate / goal.bound)
    if goal.kind == "precision":
        return goal.bound * total * (1 - rate / worth) if worth > 0 else -np.inf
    if goal.kind == "budget":
        return worth - rate * goal.bound * cases
    return worth / (1 + goal.bound)


def critical_rate(goal: Goal, at: Callable[[float], tuple[int, int]], cases: int, total: int) -> float:
    """The rate at which what is taken just keeps the bound.

    Args:
        goal: what is sought.
        at: cases taken and positives among them of the boundary that gains most at a rate; both fall with it.
        cases: in the sample.
        total: positive cases in the sample.
    """
    if goal.kind == "cost":
        return goal.bound / (1 + goal.bound)

    def kept(rate: float) -> bool:
        taken, positives = at(rate)
        return bool(goal.allowed(np.array([taken]), np.array([positives]), cases, total)[0])

    falls = goal.kind == "precision"  # its bound asks for much, the others' for little
    low, high = 0.0, goal.bound if goal.kind == "recall" else 2.0
    if kept(low) and not falls:
        return low
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if kept(middle) == falls:
            low = middle
        else:
            high = middle
    return low if falls else high


def climb(
    goal: Goal,
    taken: list[np.ndarray],
    positives: list[np.ndarray],
    places: list[int],
    sizes: tuple[int, int],
) -> list[int]:
    """Better places, by looking for the best in one level at a time while the others stay.

    Args:
        goal: what is sought; its bound is kept at the start.
        taken: of each level, at each place.
        positives: likewise.
        places: to start from.
        sizes: cases and positive cases in the sample.

    Returns:
        Places that keep the bound, at least as good.
    """
    places = list(places)
    for level in [*range(len(places)), *reversed(range(len(places)))]:
        others = [k for k in range(len(places)) if k != level]
        n = sum(int(taken[k][places[k]]) for k in others) + taken[level]
        t = sum(int(positives[k][places[k]]) for k in others) + positives[level]
        places[level] = goal.pick(n, t, *sizes)
    return places


def tolerance(cases: int) -> float:
    """Room for rounding in a comparison of gains; more of it keeps more choices, and never loses one."""
    return 1e-9 * (1 + cases)
