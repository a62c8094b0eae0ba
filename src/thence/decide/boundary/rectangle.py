"""The best rectangle: scores of at least one value, uncertainties on one side of another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thence.decide.boundary.kernel import FAR, sweep
from thence.decide.goal import Goal
from thence.decide.levels import level_cuts, level_of
from thence.decide.rule import Rectangle
from thence.decide.sample import Sample


@dataclass(frozen=True)
class BestRectangle:
    """Best pair of a threshold of the score and a limit of uncertainty, and on which side of it to act.

    Every distinct score is tried with every limit. Of equal ones the widest is chosen, so that uncertainty
    limits nothing where it says nothing. Time is limits × cases.

    Args:
        limits: of uncertainty, at most so many, with as many cases between them; None for every distinct one.
        below: act below the limit (True), above (False), or where it is better (None).

    Example:
        >>> sample = Sample.make([0.9, 0.8, 0.7, 0.9, 0.8, 0.7], [1, 1, 1, 2, 2, 2], [1, 1, 1, 1, 0, 0])
        >>> BestRectangle().fit(sample, Goal.recall(precision=1.0))
        Rectangle(score=0.7, uncertainty=1.0, below=True)
    """

    limits: int | None = 200
    below: bool | None = None

    def fit(self, sample: Sample, goal: Goal) -> Rectangle:
        """The rectangle that is best on the sample.

        Raises:
            FitError: none keeps the goal's bound.
        """
        values = np.unique(sample.uncertainty)
        if self.limits is None or len(values) <= self.limits:
            cuts = values[1:]
        else:
            cuts = level_cuts(sample.uncertainty, self.limits)
        least = np.append(values[0], cuts)  # of each level
        most = np.append(values[np.searchsorted(values, cuts) - 1], values[-1])
        order = np.argsort(-sample.score, kind="stable")
        score, label = sample.score[order], sample.label[order]
        level = level_of(sample.uncertainty[order], cuts)
        last = np.append(score[1:] != score[:-1], True)
        taken, found, sides = [], [], []
        for below in (True, False) if self.below is None else (self.below,):
            fewest = np.full(sample.positives + 1, FAR, np.int64)
            where = np.full((len(fewest), 2), -1, np.int64)
            fewest[0] = 0
            limits = np.arange(len(least))[:: -1 if below else 1]  # the widest first
            sweep(level, label, last, limits, below, fewest, where)
            kept = np.flatnonzero(fewest < FAR)
            taken.append(np.stack([kept + fewest[kept], kept]))
            found.append(where[kept])
            sides.append(np.full(len(kept), below))
        (n, t), places = np.concatenate(taken, axis=1), np.concatenate(found)
        chosen = goal.pick(n, t, len(sample), sample.positives)
        limit, row = places[chosen]
        below = bool(np.concatenate(sides)[chosen])
        if row < 0:
            return Rectangle(float("inf"), float(most[-1] if below else least[0]), below)
        return Rectangle(float(score[row]), float(most[limit] if below else least[limit]), below)
