"""Beta calibration: what two beta distributions, one for each class, make of a score.

logit p = a ln s - b ln(1 - s) + c,   a, b >= 0
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from thence.decide.calibrate.logistic import logistic
from thence.decide.calibrate.scale import Scale, checked, log_pair, scale_array, scale_of

RIDGE = 1e-11
"""On a and b, so that a score that sets the classes apart still has a curve."""


@dataclass(frozen=True)
class Beta:
    """Three numbers; ``a = b = 1, c = 0`` leaves the score as it is, which a logistic curve over s cannot.

    Args:
        a: weight of ``ln s``.
        b: weight of ``-ln(1 - s)``.
        c: intercept.
        scale: of the scores; of log odds the probability is taken first.

    References:
        Kull, Silva Filho and Flach, "Beta calibration: a well-founded and easily implemented improvement on
        logistic calibration for binary classifiers", AISTATS 2017, section 3.3.

    Example:
        >>> Beta(1.0, 1.0, 0.0).rate([0.2, 0.7]).round(12).tolist()
        [0.2, 0.7]
        >>> constant = Beta.fit([0.3, 0.3, 0.3, 0.3], [0, 0, 0, 1])
        >>> constant.rate([0.3]).round(6).tolist()
        [0.25]
    """

    a: float
    b: float
    c: float
    scale: Scale = "probability"

    @classmethod
    def fit(cls, score: ArrayLike, label: ArrayLike, *, scale: Scale = "probability") -> Beta:
        """The curve of least log-loss.

        Args:
            score: ``[n]`` probabilities, or log odds.
            label: ``[n]`` of 0 and 1.
            scale: of the scores.

        Raises:
            DataError: a value cannot be used, or all labels are alike.
            FitError: the fit did not settle.
        """
        sample = checked(score, label, scale)
        low, high = log_pair(sample.score, scale)
        return cls(*best_beta(low, -high, sample.label.astype(np.float64)), scale)

    def rate(self, score: ArrayLike) -> np.ndarray:
        """Calibrated rates ``[n]`` in [0, 1] of scores ``[n]``."""
        low, high = log_pair(score, self.scale)
        return expit(self.a * low - self.b * high + self.c)

    def arrays(self) -> dict[str, np.ndarray]:
        """What to keep."""
        return {"beta": np.array([self.a, self.b, self.c]), "scale": scale_array(self.scale)}

    @classmethod
    def of(cls, arrays: dict[str, np.ndarray]) -> Beta:
        """From what :meth:`arrays` kept."""
        a, b, c = arrays["beta"].tolist()
        return cls(a, b, c, scale_of(arrays["scale"]))


def best_beta(low: np.ndarray, high: np.ndarray, target: np.ndarray) -> tuple[float, float, float]:
    """a, b and c of least log-loss; a weight that comes out negative is left out and the rest fitted again.

    Args:
        low: ``[n]`` ln s.
        high: ``[n]`` -ln(1 - s).
        target: ``[n]`` in [0, 1].

    As published a is looked at first. Where the other weight is then negative as well both are 0.

    Example:
        >>> falling = np.array([0.2, 0.2, 0.8, 0.8])  # high scores are negative
        >>> best_beta(np.log(falling), -np.log1p(-falling), np.array([1.0, 1, 0, 0]))
        (0.0, 0.0, 0.0)
    """
    if np.ptp(low) == 0:  # one score
        return 0.0, 0.0, _fit([], target)[0]
    c, a, b = _fit([low, high], target)
    if a < 0:
        c, b = _fit([high], target)
        a = 0.0
    elif b < 0:
        c, a = _fit([low], target)
        b = 0.0
    if a < 0 or b < 0:
        return 0.0, 0.0, _fit([], target)[0]
    return a, b, c


def _fit(columns: list[np.ndarray], target: np.ndarray) -> list[float]:
    """Intercept and weights."""
    design = np.stack([np.ones(len(target)), *columns], 1)
    return logistic(design, target, ridge=np.array([0.0] + [RIDGE] * len(columns))).tolist()
