"""Ours: one threshold on a smooth, cross-fitted rate, and on the score alone where uncertainty buys nothing.

A boundary that is best on the sample is no aim: the exact optimum is known (:mod:`.exact`), and most of what it
gains over one threshold is lost on new cases. So this one is chosen by what it does to cases that it has not
seen: how much it may bend and tilt, whether it looks at the uncertainty at all, and its threshold.
"""

from __future__ import annotations

from dataclasses import dataclass

from thence.decide.boundary.nested import best_threshold, gain
from thence.decide.boundary.single import Single
from thence.decide.goal import Goal
from thence.decide.rule import Above, Thresholds
from thence.decide.sample import Sample
from thence.decide.surface.smooth import cross_fitted


@dataclass(frozen=True)
class Smooth:
    """A boundary that generalises.

    Args:
        folds: of cross-fitting.
        caution: standard errors by which the surface must beat the score alone on unseen cases; below that one
            threshold is taken.
        seed: of folds and bootstrap draws.

    Example:
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> score, unsure = rng.random((2, 4000))
        >>> told = Sample.make(score, unsure, rng.random(4000) < score * (1 - unsure))
        >>> type(Smooth().fit(told, Goal.recall(precision=0.7))).__name__
        'Above'
        >>> blind = Sample.make(score, unsure, rng.random(4000) < score)
        >>> type(Smooth().fit(blind, Goal.recall(precision=0.7))).__name__
        'Thresholds'
    """

    folds: int = 5
    caution: float = 1.0
    seed: int = 0

    def fit(self, sample: Sample, goal: Goal) -> Above | Thresholds:
        """The rule: above a threshold of the rate, or a single threshold of the score.

        Raises:
            DataError: one class.
            FitError: nothing keeps the goal's bound, or a class has fewer than two cases.
        """
        sample.both_classes()
        if sample.uncertainty.min() == sample.uncertainty.max():
            return Single().fit(sample, goal)
        surface, unseen = cross_fitted(sample, self.folds, self.seed)
        better, error = gain(unseen, sample.score, sample, goal, seed=self.seed)
        if better <= self.caution * error:
            return Single().fit(sample, goal)
        return Above(surface, best_threshold(unseen, sample, goal))
