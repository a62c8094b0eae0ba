"""The boundary of theorem 3.1: one threshold on the rate that evidence counts leave possible."""

from __future__ import annotations

from dataclasses import dataclass

from thence.decide.boundary.nested import best_threshold
from thence.decide.goal import Goal
from thence.decide.rule import Above
from thence.decide.sample import Sample
from thence.decide.surface.posterior import EvidencePosterior


@dataclass(frozen=True)
class Evidence:
    """One threshold on the posterior mean of the true rate; its prior is fitted to the sample.

    Scores are training positivities, uncertainties ``1 / (1 + evidence)``.

    Args:
        sampling: τ; negatives were kept for training at rate ``1 / τ``.

    References:
        Arora et al., Leveraging Uncertainty Estimates To Improve Classifier Performance, ICLR 2024, theorem
        3.1.

    Example:
        >>> told = Sample.make([1, 1, 1, 0, 0, 0], [0.5, 0.5, 0.1, 0.1, 0.1, 0.5], [1, 0, 1, 0, 0, 0])
        >>> rule = Evidence().fit(told, Goal.recall(precision=1.0))
        >>> rule.act([1.0, 1.0], [0.1, 0.5]).tolist()
        [True, False]
    """

    sampling: float = 1.0

    def fit(self, sample: Sample, goal: Goal) -> Above:
        """The best rule among thresholds of the posterior mean.

        Raises:
            DataError: one class, scores outside [0, 1] or uncertainties outside (0, 1].
            FitError: nothing keeps the goal's bound.
        """
        surface = EvidencePosterior.fit(sample, self.sampling)
        rate = surface.rate(sample.score, sample.uncertainty)
        return Above(surface, best_threshold(rate, sample, goal))
