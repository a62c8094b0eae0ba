"""Temperature scaling: one number that makes a model less, or more, sure of itself.

p = sigmoid(logit(s) / T)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from thence.decide.calibrate.scale import Scale, checked, logits, scale_array, scale_of

RANGE = (0.01, 100.0)
"""Temperatures that are looked at."""


@dataclass(frozen=True)
class Temperature:
    """Log odds divided by a temperature: a rate of one half stays one half, the order stays.

    Args:
        temperature: T, within [0.01, 100].
        scale: of the scores.

    References:
        Guo et al., "On calibration of modern neural networks", ICML 2017, section 4.2.

    Example:
        >>> sure = np.array([0.9, 0.9, 0.9, 0.1, 0.1, 0.1])  # two of three are right
        >>> fitted = Temperature.fit(sure, [1, 1, 0, 0, 0, 1])
        >>> fitted.rate([0.9, 0.5]).round(4).tolist()
        [0.6667, 0.5]
    """

    temperature: float
    scale: Scale = "probability"

    @classmethod
    def fit(cls, score: ArrayLike, label: ArrayLike, *, scale: Scale = "probability") -> Temperature:
        """The temperature of least log-loss.

        Args:
            score: ``[n]`` probabilities, or log odds (any finite scale).
            label: ``[n]`` of 0 and 1.
            scale: of the scores.

        Raises:
            DataError: a value cannot be used, or all labels are alike.
        """
        sample = checked(score, label, scale)
        return cls(best_temperature(logits(sample.score, scale), sample.label), scale)

    def rate(self, score: ArrayLike) -> np.ndarray:
        """Calibrated rates ``[n]`` in [0, 1] of scores ``[n]``."""
        return expit(logits(score, self.scale) / self.temperature)

    def arrays(self) -> dict[str, np.ndarray]:
        """What to keep."""
        return {"temperature": np.array([self.temperature]), "scale": scale_array(self.scale)}

    @classmethod
    def of(cls, arrays: dict[str, np.ndarray]) -> Temperature:
        """From what :meth:`arrays` kept."""
        return cls(float(arrays["temperature"][0]), scale_of(arrays["scale"]))


def best_temperature(log_odds: np.ndarray, label: np.ndarray) -> float:
    """The T within [0.01, 100] at which ``Σ (sigmoid(z / T) - y) z = 0``, or the end that is nearer to it.

    Args:
        log_odds: ``[n]`` z.
        label: ``[n]`` bool.

    The sum rises with 1 / T, so that bisection finds its zero.

    Example:
        >>> best_temperature(np.array([2.0, 2.0, -2.0, -2.0]), np.array([True, False, False, True]))
        100.0
        >>> best_temperature(np.zeros(2), np.array([True, False]))  # every T is as good
        1.0
    """
    from scipy.optimize import brentq

    if not log_odds.any():
        return 1.0

    def slope(coldness: float) -> float:
        return float(((expit(coldness * log_odds) - label) * log_odds).sum())

    hot, cold = 1 / RANGE[1], 1 / RANGE[0]
    if slope(hot) >= 0:
        return RANGE[1]
    if slope(cold) <= 0:
        return RANGE[0]
    return 1 / float(np.asarray(brentq(slope, hot, cold, xtol=1e-14)))
