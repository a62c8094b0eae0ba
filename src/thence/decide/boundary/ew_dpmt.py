"""EW-DPMT: the paper's dynamic programme on bins that all hold equally many cases."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thence.base.errors import ConfigError
from thence.decide.boundary.coarse import equal_places
from thence.decide.boundary.stack import Choices, reachable, tables, thresholds, trace
from thence.decide.goal import Goal
from thence.decide.levels import Curve, curves, level_cuts
from thence.decide.rule import Thresholds
from thence.decide.sample import Sample


@dataclass(frozen=True)
class EwDpmt:
    """Dynamic programme over levels and bins: ``R(i, m) = max_j [pos(i, j) + R(i - 1, m - j)]``.

    Here pos(i, j) are the positives in the top j bins of level i, m is how many bins are taken, and the
    precision of m of M bins is held to be ``R M / (m N)``. That is true only where bins do hold N/M cases each:
    with equal scores or uncertainties it is an approximation, and the bound may be missed even on the sample.
    A level that holds more cases than another, since equal uncertainties stay together, gets more bins.

    Args:
        levels: K, of uncertainty, at most.
        bins: L, of the score in a level, on average. Time is K²L².

    References:
        Arora et al., Leveraging Uncertainty Estimates To Improve Classifier Performance, ICLR 2024, section 4
        (equal weight).

    Example:
        >>> sample = Sample.make([0.9, 0.8, 0.7, 0.9, 0.8, 0.7], [1, 1, 1, 2, 2, 2], [1, 1, 1, 1, 0, 0])
        >>> EwDpmt(levels=2, bins=3).fit(sample, Goal.recall(precision=1.0)).threshold.tolist()
        [0.7, 0.9]
    """

    levels: int = 10
    bins: int = 500

    def fit(self, sample: Sample, goal: Goal) -> Thresholds:
        """The rule that is best on the sample, were all bins of equal weight.

        Raises:
            ConfigError: fewer than one bin.
            FitError: no boundary keeps the goal's bound.
        """
        if self.bins < 1:
            raise ConfigError(f"{self.bins} bins", fix="Give at least one.")
        cuts = level_cuts(sample.uncertainty, self.levels)
        found = curves(sample, cuts)
        choices = equal_weight(found, self.bins)
        best = tables(choices)
        bins = reachable(best[-1])
        taken = bins * (len(sample) / bins[-1])
        chosen = goal.pick(taken, -best[-1][bins], len(sample), sample.positives)
        return thresholds(cuts, found, trace(best, choices, int(bins[chosen])))


def equal_weight(levels: list[Curve], bins: int) -> list[Choices]:
    """Bins of about equal weight: so many a level on average, the more the more cases it holds.

    Returns:
        Choices of each level: size is how many bins are taken, loss minus the positives in them.

    Example:
        >>> sample = Sample.make([4, 3, 2, 1, 2, 1], [0, 0, 0, 0, 1, 1], [1, 0, 1, 0, 1, 0])
        >>> [level.size.tolist() for level in equal_weight(curves(sample, np.array([1.0])), 3)]
        [[0, 1, 2, 3, 4], [0, 1, 2]]
    """
    cases = sum(int(curve.taken[-1]) for curve in levels)
    found = []
    for curve in levels:
        inside = int(curve.taken[-1])
        count = min(max(1, round(inside * bins * len(levels) / cases)), inside)
        place = equal_places(curve.taken, count) if count else np.zeros(1, np.int64)
        found.append(Choices(np.arange(count + 1), -curve.positives[place], place))
    return found
