"""GMT: thresholds raised greedily, one bin of one level at a time."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from thence.decide.boundary.coarse import coarse
from thence.decide.boundary.stack import thresholds
from thence.decide.goal import Goal
from thence.decide.levels import Curve, Spacing, curves, level_cuts
from thence.decide.rule import Thresholds
from thence.decide.sample import Sample


@dataclass(frozen=True)
class Gmt:
    """Greedy multi-threshold: from taking everything, leave out the poorest of the levels' lowest bins, again.

    The best boundary on that path is chosen, for whatever goal. It looks one bin ahead, and so a poor bin above
    shields a rich one, where :class:`~thence.decide.boundary.mist.Mist` weighs both together.

    Args:
        levels: of uncertainty, at most.
        bins: of the score in each level, at most; a bin of one case says nothing.
        spacing: of levels, ``weight`` or ``span``.

    References:
        Arora et al., Leveraging Uncertainty Estimates To Improve Classifier Performance, ICLR 2024, section 4.

    Example:
        >>> sample = Sample.make([0.9, 0.8, 0.7, 0.9, 0.8, 0.7], [1, 1, 1, 2, 2, 2], [1, 1, 1, 1, 0, 0])
        >>> Gmt(levels=2, bins=3).fit(sample, Goal.recall(precision=1.0)).threshold.tolist()
        [0.7, 0.9]
    """

    levels: int = 10
    bins: int = 500
    spacing: Spacing = "weight"

    def fit(self, sample: Sample, goal: Goal) -> Thresholds:
        """The best rule on the greedy path over the sample.

        Raises:
            FitError: no boundary on the path keeps the goal's bound.
        """
        cuts = level_cuts(sample.uncertainty, self.levels, self.spacing)
        found = [coarse(curve, self.bins) for curve in curves(sample, cuts)]
        left = greedy_order(found)
        taken, positives = np.zeros((2, len(left) + 1), np.int64)
        places = [len(curve.score) for curve in found]
        taken[0], positives[0] = len(sample), sample.positives
        for step, level in enumerate(left):
            curve, place = found[level], places[level]
            taken[step + 1] = taken[step] - (curve.taken[place] - curve.taken[place - 1])
            positives[step + 1] = positives[step] - (curve.positives[place] - curve.positives[place - 1])
            places[level] -= 1
        chosen = goal.pick(taken, positives, len(sample), sample.positives)
        gone = np.bincount(left[:chosen], minlength=len(found))
        final = [len(curve.score) - int(less) for curve, less in zip(found, gone, strict=True)]
        return thresholds(cuts, found, final)


def greedy_order(levels: list[Curve]) -> np.ndarray:
    """Levels ``[bins]`` int64 in the order in which their lowest bins are left out, poorest first.

    Example:
        >>> sample = Sample.make([2, 1, 2, 1], [0, 0, 1, 1], [1, 1, 0, 1])
        >>> greedy_order(curves(sample, np.array([1.0]))).tolist()
        [0, 0, 1, 1]
    """
    rates = [np.diff(curve.positives) / np.diff(curve.taken) for curve in levels]
    heap = [(float(rate[-1]), level, len(rate)) for level, rate in enumerate(rates) if len(rate)]
    heapq.heapify(heap)
    order = []
    while heap:
        _, level, place = heap[0]
        order.append(level)
        if place > 1:
            heapq.heapreplace(heap, (float(rates[level][place - 2]), level, place - 1))
        else:
            heapq.heappop(heap)
    return np.array(order, np.int64)
