"""MIST: isotonic regression in each level of uncertainty, then one threshold on the recalibrated rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thence.decide.boundary.coarse import coarse
from thence.decide.boundary.kernel import upper_hull
from thence.decide.boundary.stack import thresholds
from thence.decide.goal import Goal
from thence.decide.levels import Spacing, curves, level_cuts
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


@dataclass(frozen=True, eq=False)
class Path:
    """Blocks of all levels in the order of their rates, from nothing to everything.

    Args:
        rate: ``[m]`` of the block taken last, falling from infinity.
        taken: ``[m]`` cases taken.
        positives: ``[m]`` positive ones among them.
        level: ``[m - 1]`` whose block comes next.
        blocks: of each level.
    """

    rate: np.ndarray
    taken: np.ndarray
    positives: np.ndarray
    level: np.ndarray
    blocks: list[Blocks]

    def places(self, step: int) -> list[int]:
        """Entry of each level's curve after so many blocks."""
        passed = np.bincount(self.level[:step], minlength=len(self.blocks))
        return [int(level.place[count]) for level, count in zip(self.blocks, passed, strict=True)]


@dataclass(frozen=True)
class Mist:
    """Multi-isotonic, single threshold.

    PAV's blocks are the edges of the least concave curve above a level's (taken, positives), and a common
    threshold takes them in the order of their slopes. So it solves the linear relaxation of the problem, and
    misses the best thresholds on the sample by less than one block. For that, blocks of the same rate in
    several levels come one by one, the surest level first; a common threshold as such would take all or none of
    them. Boundaries of different bounds are nested.

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
        way = path([curve.taken for curve in found], [curve.positives for curve in found])
        chosen = goal.pick(way.taken, way.positives, len(sample), sample.positives)
        return thresholds(cuts, found, way.places(chosen))


def blocks(taken: np.ndarray, positives: np.ndarray) -> Blocks:
    """Isotonic regression of labels on scores by PAV; equal scores weigh together.

    Args:
        taken: ``[m]`` int64 of a curve, strictly rising from 0.
        positives: ``[m]`` int64.

    Example:
        >>> found = blocks(np.array([0, 1, 2, 3, 4]), np.array([0, 1, 1, 2, 2]))
        >>> found.rate.tolist(), found.place.tolist()
        ([1.0, 0.5, 0.0], [0, 1, 3, 4])
    """
    place = upper_hull(taken, positives)
    return Blocks(np.diff(positives[place]) / np.diff(taken[place]), place)


def path(taken: list[np.ndarray], positives: list[np.ndarray]) -> Path:
    """What every common threshold takes.

    Args:
        taken: of each level's curve, ``[m]`` int64, strictly rising from 0.
        positives: likewise.

    Example:
        >>> taken, positives = np.array([0, 1, 2, 3, 4]), np.array([0, 1, 1, 2, 2])
        >>> found = path([taken, taken[:2]], [positives, positives[:2]])
        >>> found.rate.tolist(), found.taken.tolist(), found.positives.tolist()
        ([inf, 1.0, 1.0, 0.5, 0.0], [0, 1, 2, 4, 5], [0, 1, 2, 3, 3])
        >>> found.places(3)
        [3, 1]
    """
    levels = [blocks(n, t) for n, t in zip(taken, positives, strict=True)]
    rate = np.concatenate([level.rate for level in levels])
    order = np.argsort(-rate, kind="stable")
    sums = (
        np.concatenate([np.diff(one[level.place]) for one, level in zip(side, levels, strict=True)])[order]
        for side in (taken, positives)
    )
    wide, high = (np.append(0, np.cumsum(one)) for one in sums)
    whose = np.repeat(np.arange(len(levels)), [len(level.rate) for level in levels])[order]
    return Path(np.append(np.inf, rate[order]), wide, high, whose, levels)
