"""Isotonic calibration: the rising curve of best fit (pool adjacent violators), linear between its points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from thence.decide.calibrate.scale import checked
from thence.decide.sample import finite


@dataclass(frozen=True, eq=False)
class Isotonic:
    """A rising curve through points; scores beyond its ends have the rate of the end.

    Args:
        score: ``[k]`` rising.
        height: ``[k]`` rates there, never falling.

    References:
        Zadrozny and Elkan, "Transforming classifier scores into accurate multiclass probability estimates",
        KDD 2002.

    Example:
        >>> fitted = Isotonic.fit([1.0, 2.0, 3.0, 4.0], [0, 1, 0, 1])
        >>> fitted.rate([0.0, 2.0, 2.5, 3.5, 9.0]).tolist()
        [0.0, 0.5, 0.5, 0.75, 1.0]
    """

    score: np.ndarray
    height: np.ndarray

    @classmethod
    def fit(cls, score: ArrayLike, label: ArrayLike) -> Isotonic:
        """The rising curve of least squared error.

        Args:
            score: ``[n]`` on any finite scale.
            label: ``[n]`` of 0 and 1.

        Raises:
            DataError: a value cannot be used, or all labels are alike.
        """
        sample = checked(score, label)
        return cls(*rising(sample.score, sample.label.astype(np.float64)))

    def rate(self, score: ArrayLike) -> np.ndarray:
        """Calibrated rates ``[n]`` in [0, 1] of scores ``[n]``."""
        return np.interp(finite(score, "score"), self.score, self.height)

    def arrays(self) -> dict[str, np.ndarray]:
        """What to keep."""
        return {"score": self.score, "height": self.height}

    @classmethod
    def of(cls, arrays: dict[str, np.ndarray]) -> Isotonic:
        """From what :meth:`arrays` kept."""
        return cls(arrays["score"], arrays["height"])


def rising(
    values: np.ndarray, target: np.ndarray, weight: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Points ``(x, y)`` of the rising curve of least squared error; ends of flat pieces only.

    Args:
        values: ``[n]``; equal ones share a height.
        target: ``[n]``.
        weight: ``[n]``; 1 where not given.

    Example:
        >>> x, y = rising(np.array([3.0, 1.0, 1.0]), np.array([1.0, 0.0, 1.0]))
        >>> x.tolist(), y.tolist()
        ([1.0, 3.0], [0.5, 1.0])
    """
    from sklearn.isotonic import IsotonicRegression

    curve = IsotonicRegression(out_of_bounds="clip").fit(values, target, weight)
    return np.asarray(curve.X_thresholds_, np.float64), np.asarray(curve.y_thresholds_, np.float64)
