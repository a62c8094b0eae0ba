"""The best thresholds there are, one for each level of uncertainty, without score bins.

With ``f_i(t)`` the fewest false positives that come with t true ones in level i, the fewest over all levels
are ``D_i(t) = min_a D_{i-1}(t - a) + f_i(a)``. Whatever the goal, the fewer false positives come with t the
better, so that the pairs ``(t + D(t), t)`` hold the optimum of all four. The sums are of positives, not of
cases, which is why it takes O(positives²), and no bins. What :mod:`~thence.decide.boundary.relax` proves to be
in no optimum is left out before.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thence.decide.boundary.coarse import coarse
from thence.decide.boundary.mist import Path, path
from thence.decide.boundary.relax import climb, least_gain, tolerance
from thence.decide.boundary.stack import Choices, reachable, tables, thresholds, trace
from thence.decide.goal import Goal
from thence.decide.levels import Curve, Spacing, curves, level_cuts
from thence.decide.rule import Thresholds
from thence.decide.sample import Sample


@dataclass(frozen=True)
class Exact:
    """Best thresholds per level of uncertainty, over all of them.

    Args:
        levels: of uncertainty, at most.
        spacing: of levels, ``weight`` or ``span``.
        bins: of the score in each level, at most; None for every distinct score.
        prune: whether choices that cannot be in an optimum are left out first; it changes the time alone.

    References:
        The problem: Arora et al., ICLR 2024, section 4. Min-plus convolution for multiple-choice knapsacks:
        Kellerer, Pferschy, Pisinger, Knapsack Problems, 2004, chapter 11.

    Example:
        >>> sample = Sample.make([0.9, 0.8, 0.7, 0.9, 0.8, 0.7], [1, 1, 1, 2, 2, 2], [1, 1, 1, 1, 0, 0])
        >>> Exact(levels=2).fit(sample, Goal.recall(precision=1.0)).threshold.tolist()
        [0.7, 0.9]
    """

    levels: int = 10
    spacing: Spacing = "weight"
    bins: int | None = None
    prune: bool = True

    def fit(self, sample: Sample, goal: Goal) -> Thresholds:
        """The rule that is best on the sample.

        Raises:
            FitError: no boundary keeps the goal's bound.
        """
        cuts = level_cuts(sample.uncertainty, self.levels, self.spacing)
        found = [coarse(curve, self.bins) for curve in curves(sample, cuts)]
        return thresholds(cuts, found, best_places(found, goal, self.prune))


def best_places(levels: list[Curve], goal: Goal, prune: bool = True) -> list[int]:
    """The entry of each level's curve that together are best for a goal.

    Args:
        levels: curves of all levels.
        goal: what is sought.
        prune: whether choices that cannot be in an optimum are left out first.

    Raises:
        FitError: no boundary keeps the goal's bound.
    """
    choices = promising(levels, goal) if prune else [steps(curve) for curve in levels]
    low = [int(level.size[0]) for level in choices]
    moved = [
        Choices(level.size - least, level.loss, level.place) for level, least in zip(choices, low, strict=True)
    ]
    found = tables(moved)
    sums = reachable(found[-1])
    positives = sums + sum(low)
    chosen = goal.pick(positives + found[-1][sums], positives, *counts(levels))
    return trace(found, moved, int(sums[chosen]))


def frontier(levels: list[Curve]) -> tuple[np.ndarray, np.ndarray]:
    """Fewest cases taken for each number of positives that can be had.

    Returns:
        ``taken`` and ``positives``, ``[m]`` int64; positives rise.

    Example:
        >>> sample = Sample.make([0.9, 0.8, 0.7], None, [1, 0, 1])
        >>> [side.tolist() for side in frontier(curves(sample, np.empty(0)))]
        [[0, 1, 3], [0, 1, 2]]
    """
    last = tables([steps(curve) for curve in levels])[-1]
    positives = reachable(last)
    return positives + last[positives], positives


def steps(curve: Curve) -> Choices:
    """Those entries of a curve that take a positive more than the one before: all that can be in an optimum."""
    place = np.flatnonzero(np.append(True, np.diff(curve.positives) > 0))
    positives = curve.positives[place]
    return Choices(positives, curve.taken[place] - positives, place)


def promising(levels: list[Curve], goal: Goal) -> list[Choices]:
    """Those entries of each curve that may be in an optimum; :mod:`~thence.decide.boundary.relax` tells why.

    Raises:
        FitError: no boundary keeps the goal's bound.
    """
    sizes = counts(levels)
    all_steps = [steps(curve) for curve in levels]
    positives = [level.size for level in all_steps]
    taken = [level.size + level.loss for level in all_steps]
    way = path(taken, positives)
    start = way.places(goal.pick(way.taken, way.positives, *sizes))
    known = both(taken, positives, climb(goal, taken, positives, start, sizes))
    rate = critical(goal, way, sizes)
    worth = float(goal.worth(np.array([known[0]]), np.array([known[1]]))[0])
    gains = [t - rate * n for n, t in zip(taken, positives, strict=True)]
    room = sum(gain.max() for gain in gains) - least_gain(goal, rate, worth, *sizes) + tolerance(sizes[0])
    kept = [np.flatnonzero(gain >= gain.max() - room) for gain in gains]
    return [
        Choices(level.size[k], level.loss[k], level.place[k]) for level, k in zip(all_steps, kept, strict=True)
    ]


def critical(goal: Goal, way: Path, sizes: tuple[int, int]) -> float:
    """The rate at which MIST's path just keeps the bound."""
    if goal.kind == "cost":
        return goal.bound / (1 + goal.bound)
    kept = np.flatnonzero(goal.allowed(way.taken, way.positives, *sizes))
    if goal.kind == "precision":
        return min(float(way.rate[kept[0]]), 1.0)
    return float(way.rate[kept[-1] + 1]) if kept[-1] + 1 < len(way.rate) else 0.0


def both(taken: list[np.ndarray], positives: list[np.ndarray], places: list[int]) -> tuple[int, int]:
    """Cases taken and positives among them, summed over levels, at a place in each."""
    return (
        sum(int(n[place]) for n, place in zip(taken, places, strict=True)),
        sum(int(t[place]) for t, place in zip(positives, places, strict=True)),
    )


def counts(levels: list[Curve]) -> tuple[int, int]:
    """Cases and positive cases of all levels."""
    return sum(int(curve.taken[-1]) for curve in levels), sum(int(curve.positives[-1]) for curve in levels)
