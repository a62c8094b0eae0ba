"""The power law that degrees follow: P(D = d) proportional to d^-α from some least degree on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import zeta

from thence.base.errors import ConfigError, DataError, FitError

FEWEST = 25
"""Nodes that a tail has at least when the least degree is chosen."""
CANDIDATES = 64


@dataclass(frozen=True)
class PowerLaw:
    """A fitted law.

    Args:
        alpha: the exponent, above 1; infinite when all degrees of the tail are equal.
        d_min: the degree from which on it holds.
        distance: Kolmogorov-Smirnov distance between the tail and the law.
        num_nodes: nodes of the tail.
        discrete: whether degrees are taken as ints (else as a continuum, as Hill does).
    """

    alpha: float
    d_min: int
    distance: float
    num_nodes: int
    discrete: bool = True

    def survival(self, degree: np.ndarray) -> np.ndarray:
        """``P(D ≥ d | D ≥ d_min)`` of some degrees, float64; 1 up to d_min.

        Example:
            >>> PowerLaw(2.0, 1, 0.0, 9, discrete=False).survival(np.array([1, 2, 4])).tolist()
            [1.0, 0.5, 0.25]
        """
        above = np.maximum(degree, self.d_min).astype(np.float64)
        if not np.isfinite(self.alpha):
            return (above <= self.d_min).astype(np.float64)
        if self.discrete:
            return zeta(self.alpha, above) / zeta(self.alpha, self.d_min)
        return (above / self.d_min) ** (1 - self.alpha)

    def mean(self, d_max: int) -> float:
        """The mean of d from d_min to d_max under the law: Σ d^(1 - α) / Σ d^-α.

        Example:
            >>> PowerLaw(2.0, 1, 0.0, 9).mean(2)  # (1 + 1/2) / (1 + 1/4)
            1.2
        """
        if not np.isfinite(self.alpha) or d_max <= self.d_min:
            return float(self.d_min)
        return _power_sum(self.alpha - 1, self.d_min, d_max) / _power_sum(self.alpha, self.d_min, d_max)


def power_law(degree: np.ndarray, d_min: int | None = None, *, discrete: bool = True) -> PowerLaw:
    """Fit the power law of some degrees by maximum likelihood.

    As ints, α maximises -N ln ζ(α, d_min) - α Σ ln d. As a continuum, α = 1 + N / Σ ln(d / d_min), Hill's
    estimator: BLADE's formula, which overstates α where d_min is small. Without ``d_min``, that
    one is taken whose tail is nearest to its law by the Kolmogorov-Smirnov distance.

    Args:
        degree: ints; those below ``d_min`` are left out.
        d_min: the degree from which on the law is to hold, at least 1.
        discrete: degrees are ints.

    Raises:
        DataError: degrees are no ints.
        ConfigError: ``d_min`` is below 1.
        FitError: no degree reaches ``d_min``.

    Example:
        >>> law = power_law(np.array([1, 1, 2, 4, 0]), d_min=1, discrete=False)
        >>> round(law.alpha, 4)  # 1 + 4 / ln 8
        2.9236
        >>> law.num_nodes
        4

    References:
        Clauset, Shalizi, Newman, "Power-law distributions in empirical data", SIAM Review 2009, sections 3.1
        and 3.3. Hill, "A simple general approach to inference about the tail of a distribution", 1975.
    """
    values = np.asarray(degree)
    if values.ndim != 1 or (len(values) and values.dtype.kind not in "iu"):
        raise DataError(f"degrees are {values.dtype} of shape {values.shape}", fix="Give a list of ints.")
    if d_min is not None and d_min < 1:
        raise ConfigError(f"d_min is {d_min}", fix="It is at least 1.")
    unique, count = np.unique(values[values >= (d_min or 1)], return_counts=True)
    if not len(unique):
        raise FitError(f"no degree is {d_min or 1} or more")
    if d_min is not None:
        return _fit(unique, count, d_min, discrete)
    tail = np.cumsum(count[::-1])[::-1]
    enough = unique[tail >= min(FEWEST, int(tail[0]))]
    if len(enough) > CANDIDATES:
        enough = enough[np.unique(np.geomspace(1, len(enough), CANDIDATES).astype(np.int64)) - 1]
    fits = [_fit(unique[unique >= d], count[unique >= d], int(d), discrete) for d in enough]
    return min(fits, key=lambda law: law.distance)


def _fit(unique: np.ndarray, count: np.ndarray, d_min: int, discrete: bool) -> PowerLaw:
    """The law from d_min on of a tail given by its different degrees and how often each is there."""
    num = int(count.sum())
    logs = float((np.log(unique / d_min) * count).sum()) / num
    if logs == 0:
        alpha = float("inf")
    elif not discrete:
        alpha = 1 + 1 / logs
    else:

        def loss(alpha: float) -> float:
            return float(np.log(zeta(alpha, d_min)) + alpha * (np.log(d_min) + logs))

        most = min(40.0, 600 / np.log(d_min + 1))
        found: Any = minimize_scalar(loss, bounds=(1 + 1e-6, most), method="bounded")
        alpha = float(found.x)
    law = PowerLaw(alpha, d_min, 0.0, num, discrete)
    below = np.cumsum(count) / num
    before = np.concatenate([[0.0], below[:-1]])
    upto = 1 - law.survival(unique + 1 if discrete else unique)
    short = 1 - law.survival(unique)
    distance = float(max(np.abs(below - upto).max(), np.abs(before - short).max()))
    return PowerLaw(alpha, d_min, distance, num, discrete)


def _power_sum(power: float, first: int, last: int) -> float:
    """Σ d^-power for d from first to last; beyond some thousands by the integral from d - ½ to d + ½."""
    middle = min(last, first + 4096)
    total = float((np.arange(first, middle + 1, dtype=np.float64) ** -power).sum())
    low, high = middle + 0.5, last + 0.5
    if power == 1:
        return total + float(np.log(high / low))
    return total + (high ** (1 - power) - low ** (1 - power)) / (1 - power)
