"""MIST: isotonic regression in each level of uncertainty, then one threshold on the recalibrated rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thence.decide.boundary.coarse import coarse
from thence.decide.boundary.kernel import upper_hull
from thence.decide.boundary.stack import thresholds
from thence.decide.goal import Goal
from thence.decide.levels import Curve, Spacing, curves, level_cuts
from thence.decide.rule import Thresholds
from thence.decide.sample import Sample


@dataclass(frozen=True, eq=False)
class Blocks:
    """Isotonic regression of one level: scores that share a rate.

    Args:
        rate: ``[b]`` share of positives, strictly falling.
        place: ``[b + 1]`` entries of the level's curve between which blocks lie, from 0.
    """

    rate: np.ndarray
    place: np.ndarray

    def above(self, rate: float) -> int:
        """Entry of the curve at which every block of at least a rate is taken."""
        return int(self.place[np.searchsorted(-self.rate, -rate, side="right")])


@dataclass(frozen=True)
class Mist:
    """Multi-isotonic, single threshold.

    PAV's blocks are the edges of the least concave curve above a level's (taken, positives), and a common
    threshold takes them in the order of their slopes. So it solves the linear relaxation of the problem, and
    misses the best thresholds on the sample by less than one block. Boundaries of different thresholds are
    nested. Blocks of the same rate in several levels count as one.

    Args:
        levels: of uncertainty, at most.
        spacing: of levels, ``weight`` or ``span``.
        bins: of the score in each level, at most; None for every distinct score.

    References:
        Arora et al., Leveraging Uncertainty Estimates To Improve Classifier Performance, ICLR 2024, section 4.

    Example:
        >>> sample = Sample.make([0.9, 0.8, 0.7, 0.9, 0.8, 0.7], [1, 1, 1, 2, 2, 2], [1, 1, 1, 1, 0, 0])
        >>> Mist(levels=2).fit(sample, Goal.recall(precision=1.0)).threshold.tolist()
        [0.7, 0.9]
    """

    levels: int = 10
    spacing: Spacing = "weight"
    bins: int | None = None

    def fit(self, sample: Sample, goal: Goal) -> Thresholds:
        """The best rule on the sample among those of a common threshold.

        Raises:
            FitError: no boundary of a common threshold keeps the goal's bound.
        """
        cuts = level_cuts(sample.uncertainty, self.levels, self.spacing)
        found = [coarse(curve, self.bins) for curve in curves(sample, cuts)]
        isotonic = [blocks(curve) for curve in found]
        rate, taken, positives = path(found, isotonic)
        chosen = goal.pick(taken, positives, len(sample), sample.positives)
        return thresholds(cuts, found, [level.above(float(rate[chosen])) for level in isotonic])


def blocks(curve: Curve) -> Blocks:
    """Isotonic regression of labels on scores by PAV; equal scores weigh together.

    Example:
        >>> curve = curves(Sample.make([4, 3, 2, 1], None, [1, 0, 1, 0]), np.empty(0))[0]
        >>> blocks(curve).rate.tolist(), blocks(curve).place.tolist()
        ([1.0, 0.5, 0.0], [0, 1, 3, 4])
    """
    place = upper_hull(curve.taken, curve.positives)
    return Blocks(np.diff(curve.positives[place]) / np.diff(curve.taken[place]), place)


def path(levels: list[Curve], isotonic: list[Blocks]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What every common threshold takes, from nothing to everything.

    Returns:
        Rates ``[m]`` falling from infinity, cases taken and positives among them ``[m]`` int64.

    Example:
        >>> curve = curves(Sample.make([4, 3, 2, 1], None, [1, 0, 1, 0]), np.empty(0))[0]
        >>> [column.tolist() for column in path([curve, curve], [blocks(curve), blocks(curve)])]
        [[inf, 1.0, 0.5, 0.0], [0, 2, 6, 8], [0, 2, 4, 4]]
    """
    rate = np.concatenate([level.rate for level in isotonic])
    taken = np.concatenate(
        [np.diff(curve.taken[level.place]) for curve, level in zip(levels, isotonic, strict=True)]
    )
    positives = np.concatenate(
        [np.diff(curve.positives[level.place]) for curve, level in zip(levels, isotonic, strict=True)]
    )
    order = np.argsort(-rate, kind="stable")
    rate = rate[order]
    last = np.flatnonzero(np.append(rate[1:] != rate[:-1], True))
    return (
        np.append(np.inf, rate[last]),
        np.append(0, np.cumsum(taken[order])[last]),
        np.append(0, np.cumsum(positives[order])[last]),
    )
