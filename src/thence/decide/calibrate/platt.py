"""Platt scaling: a logistic curve over the score.

p = sigmoid(slope · f + intercept),   f = logit(s), or the score as it is
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from thence.decide.calibrate.logistic import logistic
from thence.decide.calibrate.scale import Scale, checked, logits, scale_array, scale_of


@dataclass(frozen=True)
class Platt:
    """A slope and an intercept; where all scores are the same the slope is 0.

    Args:
        slope: of the log odds; negative where high scores speak against the positive class.
        intercept: of the log odds.
        scale: of the scores.

    References:
        Platt, "Probabilistic outputs for support vector machines", 1999; Lin, Lin and Weng, "A note on Platt's
        probabilistic outputs for support vector machines", Machine Learning 2007.

    Example:
        >>> fitted = Platt.fit([-2.0, -1.0, 1.0, 2.0], [0, 0, 1, 1], scale="log_odds")
        >>> fitted.rate([-2.0, 0.0, 2.0]).round(3).tolist()
        [0.206, 0.5, 0.794]
    """

    slope: float
    intercept: float
    scale: Scale = "probability"

    @classmethod
    def fit(
        cls, score: ArrayLike, label: ArrayLike, *, scale: Scale = "probability", smooth: bool = True
    ) -> Platt:
        """The curve of least log-loss.

        Args:
            score: ``[n]`` probabilities, or log odds (any finite scale).
            label: ``[n]`` of 0 and 1.
            scale: of the scores.
            smooth: fit to ``(P + 1) / (P + 2)`` and ``1 / (N + 2)`` in place of 1 and 0, of P positive and N
                negative cases, which keeps the curve finite where a score sets the classes apart.

        Raises:
            DataError: a value cannot be used, or all labels are alike.
            FitError: the classes are set apart and ``smooth`` is False.
        """
        sample = checked(score, label, scale)
        target = smoothed(sample.label) if smooth else sample.label.astype(np.float64)
        return cls(*best_line(logits(sample.score, scale), target), scale)

    def rate(self, score: ArrayLike) -> np.ndarray:
        """Calibrated rates ``[n]`` in [0, 1] of scores ``[n]``."""
        return expit(self.slope * logits(score, self.scale) + self.intercept)

    def arrays(self) -> dict[str, np.ndarray]:
        """What to keep."""
        return {"line": np.array([self.slope, self.intercept]), "scale": scale_array(self.scale)}

    @classmethod
    def of(cls, arrays: dict[str, np.ndarray]) -> Platt:
        """From what :meth:`arrays` kept."""
        slope, intercept = arrays["line"].tolist()
        return cls(slope, intercept, scale_of(arrays["scale"]))


def smoothed(label: np.ndarray) -> np.ndarray:
    """Targets ``[n]`` a little inside 0 and 1: the posterior mean of each class under a uniform prior.

    Example:
        >>> smoothed(np.array([True, False, False])).tolist()
        [0.6666666666666666, 0.25, 0.25]
    """
    positive = int(label.sum())
    return np.where(label, (positive + 1) / (positive + 2), 1 / (len(label) - positive + 2))


def best_line(values: np.ndarray, target: np.ndarray) -> tuple[float, float]:
    """Slope and intercept of least log-loss of targets ``[n]`` in [0, 1] over values ``[n]``.

    Example:
        >>> best_line(np.array([5.0, 5.0]), np.array([0.5, 0.5]))
        (0.0, 0.0)
    """
    middle, spread = float(values.mean()), float(values.std())
    alike = not spread > 1e-12 * max(abs(middle), 1e-300)
    spread = 1.0 if alike else spread
    columns = [np.ones(len(values))] if alike else [np.ones(len(values)), (values - middle) / spread]
    found = logistic(np.stack(columns, 1), target)
    slope = 0.0 if alike else float(found[1]) / spread
    return slope, float(found[0]) - slope * middle
