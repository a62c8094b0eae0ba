"""One threshold of the score for every case, whatever its uncertainty: the plain baseline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thence.decide.goal import Goal
from thence.decide.levels import curve_of
from thence.decide.rule import Thresholds
from thence.decide.sample import Sample


@dataclass(frozen=True)
class Single:
    """Best single threshold, over all distinct scores.

    Example:
        >>> sample = Sample.make([0.9, 0.8, 0.7, 0.6], None, [1, 1, 0, 1])
        >>> Single().fit(sample, Goal.recall(precision=0.75)).threshold.tolist()
        [0.6]
    """

    def fit(self, sample: Sample, goal: Goal) -> Thresholds:
        """The threshold that is best on the sample.

        Raises:
            FitError: none keeps the goal's bound.
        """
        curve = curve_of(sample.score, sample.label)
        place = goal.pick(curve.taken, curve.positives, len(sample), sample.positives)
        return Thresholds(np.empty(0), np.array([curve.threshold(place)]))
