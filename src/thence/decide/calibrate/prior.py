"""Prior correction: what a score means where positives are rarer than they were in training.

A model trained on all positives and on every τ-th negative sees odds that are τ times too high:

    p' = s / (s + τ (1 - s)),   logit p' = logit s - ln τ
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from thence.base.errors import ConfigError
from thence.decide.calibrate.logistic import logistic
from thence.decide.calibrate.scale import Scale, checked, logits, scale_array, scale_of


@dataclass(frozen=True)
class PriorShift:
    """Odds divided by τ; the order of scores stays.

    Args:
        tau: negatives were kept at the rate ``1 / tau`` in training; above 0, and 1 changes nothing.
        scale: of the scores.

    References:
        Elkan, "The foundations of cost-sensitive learning", IJCAI 2001, theorem 2; King and Zeng, "Logistic
        regression in rare events data", Political Analysis 2001, section 4.2.

    Example:
        >>> shift = PriorShift(3.0)
        >>> shift.rate([0.5, 0.0, 1.0]).tolist(), shift.inverse([0.25]).tolist()
        ([0.25, 0.0, 1.0], [0.5])
        >>> PriorShift.from_rates(trained=0.5, true=0.1).tau.__round__(6)
        9.0
    """

    tau: float
    scale: Scale = "probability"

    def __post_init__(self) -> None:
        if not (self.tau > 0 and math.isfinite(self.tau)):
            raise ConfigError(f"tau is {self.tau}", fix="Give a number above 0; 10 for one negative in ten.")

    @classmethod
    def from_rates(cls, *, trained: float, true: float, scale: Scale = "probability") -> PriorShift:
        """From base rates: τ is the ratio of the odds.

        Args:
            trained: share of positives in training.
            true: share of positives where the scores are used.
            scale: of the scores.

        Raises:
            ConfigError: a share is not between 0 and 1.
        """
        for rate in (trained, true):
            if not 0 < rate < 1:
                raise ConfigError(f"a base rate of {rate}", fix="Give shares between 0 and 1.")
        return cls(trained / (1 - trained) * (1 - true) / true, scale)

    @classmethod
    def fit(cls, score: ArrayLike, label: ArrayLike, *, scale: Scale = "probability") -> PriorShift:
        """The τ of least log-loss on cases at their natural rate.

        Args:
            score: ``[n]`` probabilities, or log odds.
            label: ``[n]`` of 0 and 1.
            scale: of the scores.

        Raises:
            DataError: a value cannot be used, or all labels are alike.
        """
        sample = checked(score, label, scale)
        odds = logits(sample.score, scale)
        start = np.array([np.log(sample.positives / (len(sample) - sample.positives)) - np.median(odds)])
        shift = logistic(np.ones((len(odds), 1)), sample.label.astype(np.float64), offset=odds, start=start)
        return cls(math.exp(-float(shift[0])), scale)

    def rate(self, score: ArrayLike) -> np.ndarray:
        """Corrected rates ``[n]`` in [0, 1] of scores ``[n]``."""
        if self.scale == "log_odds":
            return expit(self.log_odds(score))
        logits(score, self.scale)  # refuses what is no probability
        values = np.asarray(score, np.float64)
        return values / (values + self.tau * (1 - values))

    def log_odds(self, score: ArrayLike) -> np.ndarray:
        """Corrected log odds ``[n]`` of scores ``[n]``."""
        return logits(score, self.scale) - math.log(self.tau)

    def inverse(self, rate: ArrayLike) -> np.ndarray:
        """The score of each true rate ``[n]``, on the scale of the scores."""
        if self.scale == "log_odds":
            return logits(rate, "probability") + math.log(self.tau)
        return PriorShift(1 / self.tau).rate(rate)

    def arrays(self) -> dict[str, np.ndarray]:
        """What to keep."""
        return {"tau": np.array([self.tau]), "scale": scale_array(self.scale)}

    @classmethod
    def of(cls, arrays: dict[str, np.ndarray]) -> PriorShift:
        """From what :meth:`arrays` kept."""
        return cls(float(arrays["tau"][0]), scale_of(arrays["scale"]))
