"""VW-DPMT: the best thresholds on bins of unequal weight, with the number of cases taken as the state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thence.decide.boundary.coarse import coarse
from thence.decide.boundary.stack import Choices, reachable, tables, thresholds, trace
from thence.decide.goal import Goal
from thence.decide.levels import Spacing, curves, level_cuts
from thence.decide.rule import Thresholds
from thence.decide.sample import Sample


@dataclass(frozen=True)
class VwDpmt:
    """Dynamic programme over levels and cases: ``R(i, n) = max_j [pos(i, j) + R(i - 1, n - cases(i, j))]``.

    Exact on its bins. Time is levels × bins × cases, and so grows with the sample where
    :class:`~thence.decide.boundary.exact.Exact` grows with its positives.

    Args:
        levels: K, of uncertainty, at most.
        bins: L, of the score in each level, at most.
        spacing: of levels, ``weight`` or ``span``.

    References:
        Arora et al., Leveraging Uncertainty Estimates To Improve Classifier Performance, ICLR 2024, section 4
        (variable weight).

    Example:
        >>> sample = Sample.make([0.9, 0.8, 0.7, 0.9, 0.8, 0.7], [1, 1, 1, 2, 2, 2], [1, 1, 1, 1, 0, 0])
        >>> VwDpmt(levels=2, bins=3).fit(sample, Goal.recall(precision=1.0)).threshold.tolist()
        [0.7, 0.9]
    """

    levels: int = 10
    bins: int = 500
    spacing: Spacing = "weight"

    def fit(self, sample: Sample, goal: Goal) -> Thresholds:
        """The rule that is best on the sample among those on the bins.

        Raises:
            FitError: no boundary keeps the goal's bound.
        """
        cuts = level_cuts(sample.uncertainty, self.levels, self.spacing)
        found = [coarse(curve, self.bins) for curve in curves(sample, cuts)]
        choices = [Choices(curve.taken, -curve.positives, np.arange(len(curve.taken))) for curve in found]
        best = tables(choices)
        taken = reachable(best[-1])
        chosen = goal.pick(taken, -best[-1][taken], len(sample), sample.positives)
        return thresholds(cuts, found, trace(best, choices, int(taken[chosen])))
