"""Inductive Venn-Abers: two rates for each score, one of which is right, and one made of the two.

A case of score s is added to the calibration set, once as negative and once as positive. The isotonic fits at s
are p0 and p1, and

    p = p1 / (1 - p0 + p1)

Whatever the scores, one of p0 and p1 is perfectly calibrated where cases are exchangeable.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from thence.decide.calibrate.scale import checked
from thence.decide.sample import finite


@dataclass(frozen=True, eq=False)
class VennAbers:
    """Both rates as steps over the score, from which any score is read in O(log n).

    Args:
        below: ``[k0]`` rising scores from which on a step of p0 holds; before the first p0 is 0.
        p0: ``[k0]`` those steps, rising.
        above: ``[k1]`` rising scores up to which a step of p1 holds; after the last p1 is 1.
        p1: ``[k1]`` those steps, rising.

    References:
        Vovk and Petej, "Venn-Abers predictors", UAI 2014; Vovk, Petej and Fedorova, "Large-scale probabilistic
        predictors with and without guarantees of validity", NeurIPS 2015.

    Example:
        >>> fitted = VennAbers.fit([1.0, 2.0, 3.0, 4.0], [0, 1, 0, 1])
        >>> low, high = fitted.interval([0.0, 2.0, 9.0])
        >>> low.round(3).tolist(), high.round(3).tolist()
        ([0.0, 0.333, 0.5], [0.5, 0.667, 1.0])
        >>> fitted.rate([2.0]).tolist()
        [0.5]
    """

    below: np.ndarray
    p0: np.ndarray
    above: np.ndarray
    p1: np.ndarray

    @classmethod
    def fit(cls, score: ArrayLike, label: ArrayLike) -> VennAbers:
        """Both rates at every calibration score, O(n log n).

        Args:
            score: ``[n]`` on any finite scale.
            label: ``[n]`` of 0 and 1.

        Raises:
            DataError: a value cannot be used, or all labels are alike.
        """
        sample = checked(score, label)
        at, p0, p1 = multiprobabilities(sample.score, sample.label)
        starts = np.append(
            True, p0[1:] != p0[:-1]
        )  # the first score of each step of p0, the last of each of p1
        ends = np.append(p1[1:] != p1[:-1], True)
        return cls(at[starts], p0[starts], at[ends], p1[ends])

    def interval(self, score: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """p0 and p1 of scores ``[n]``, both ``[n]`` in [0, 1]."""
        values = finite(score, "score")
        low = np.append(0.0, self.p0)[np.searchsorted(self.below, values, side="right")]
        high = np.append(self.p1, 1.0)[np.searchsorted(self.above, values, side="left")]
        return low, high

    def rate(self, score: ArrayLike) -> np.ndarray:
        """Calibrated rates ``[n]`` in [0, 1] of scores ``[n]``."""
        return merged(*self.interval(score))

    def arrays(self) -> dict[str, np.ndarray]:
        """What to keep."""
        return {"below": self.below, "p0": self.p0, "above": self.above, "p1": self.p1}

    @classmethod
    def of(cls, arrays: dict[str, np.ndarray]) -> VennAbers:
        """From what :meth:`arrays` kept."""
        return cls(arrays["below"], arrays["p0"], arrays["above"], arrays["p1"])


def multiprobabilities(score: np.ndarray, label: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distinct scores ``[m]``, and p0 and p1 of a case that has each of them, ``[m]``.

    Args:
        score: ``[n]`` finite.
        label: ``[n]`` bool.

    Example:
        >>> at, p0, p1 = multiprobabilities(np.array([1.0, 2.0]), np.array([False, True]))
        >>> p0.tolist(), p1.tolist()
        ([0.0, 0.5], [0.5, 1.0])
    """
    from thence.decide.calibrate.kernel import with_one_more

    at, group, count = np.unique(score, return_inverse=True, return_counts=True)
    positive = np.bincount(group, label, len(at)).astype(np.int64)
    count = count.astype(np.int64)
    negative = (count - positive)[::-1].copy()
    return at, 1 - with_one_more(count[::-1].copy(), negative)[::-1], with_one_more(count, positive)


def merged(p0: np.ndarray, p1: np.ndarray) -> np.ndarray:
    """The rate of least regret in log-loss, ``p1 / (1 - p0 + p1)``.

    Example:
        >>> merged(np.array([0.2]), np.array([0.3])).round(4).tolist()
        [0.2727]
    """
    return p1 / (1 - p0 + p1)
