"""What a training positivity is worth that was seen on few cases, some of them left out.

The world of theorem 3.1: true rates ``r ~ Beta(b₁, b₀)``, labels Bernoulli, negatives kept for training at rate
``1 / τ``. Of n cases kept, k were positive. Then ``r`` has the density

    Q(r) ∝ (1 + (τ - 1) r)^-n  Beta(r; A, B),   A = b₁ + k,  B = b₀ + n - k

and its mean, which is the rate that the test will show, is a ratio of two hypergeometric functions. Here in a
form whose series has positive terms only, after Pfaff's transformation with ``w = (τ - 1) / τ``:

    E[r | k, n] = A / (A + B) / τ · F(A + 1, b₁ + b₀ + 1; A + B + 1; w) / F(A, b₁ + b₀; A + B; w)

For τ = 1 that is ``(k + b₁) / (n + b₁ + b₀)``. Of many cases, or for large τ, the functions are beyond floats
or lose their digits: there the two integrals are summed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import expit, hyp2f1, logit

from thence.base.errors import ConfigError, DataError, FitError
from thence.decide.sample import Sample, finite

_LEAST, _MOST = 1e-3, 1e4
_FEW, _MILD = 1000, 10.0
"""Cases and τ up to which series are right; for w > .9 SciPy's can be wrong without a word."""
_TOGETHER, _NODES, _HALVINGS, _FALLEN = 4096, 48, 30, 40.0


@dataclass(frozen=True)
class EvidencePosterior:
    """Rate over training positivity (the score) and how many cases it was seen on.

    The uncertainty that it takes is ``1 / (1 + n)``, n being the evidence: it falls as evidence grows.

    Args:
        positive: b₁, pseudo-count of positives of the prior of true rates.
        negative: b₀, of negatives.
        sampling: τ; negatives were kept for training at rate ``1 / τ``.

    References:
        Arora et al., Leveraging Uncertainty Estimates To Improve Classifier Performance, ICLR 2024, theorem
        3.1; the ratio of hypergeometric functions is derived here.

    Example:
        >>> EvidencePosterior(1, 15, 5).rate([0.5], [1 / 11]).round(4).tolist()
        [0.1248]
        >>> EvidencePosterior(1, 3).rate([1.0, 1.0], [1 / 5, 1.0]).tolist()
        [0.625, 0.25]
    """

    positive: float
    negative: float
    sampling: float = 1.0

    def __post_init__(self) -> None:
        if not (self.positive > 0 and self.negative > 0 and self.sampling >= 1):
            raise ConfigError(
                f"a prior of {self.positive}, {self.negative} and τ = {self.sampling}",
                fix="Counts are positive and τ is at least 1.",
            )

    def rate(self, score: ArrayLike, uncertainty: ArrayLike) -> np.ndarray:
        """Expected rates ``[n]`` float64.

        Args:
            score: ``[n]`` training positivity k / n, in [0, 1].
            uncertainty: ``[n]`` 1 / (1 + evidence), in (0, 1].

        Raises:
            DataError: a value out of range.
        """
        share, seen = finite(score, "score"), evidence(uncertainty)
        if share.size and (share.min() < 0 or share.max() > 1):
            raise DataError("outside [0, 1]", where="score", fix="Give the training positivity.")
        return expected_rate(share * seen, seen, self.positive, self.negative, self.sampling)

    @classmethod
    def fit(cls, sample: Sample, sampling: float = 1.0) -> EvidencePosterior:
        """The prior under which the labels of a sample are most likely.

        Args:
            sample: scores are training positivities, uncertainties ``1 / (1 + evidence)``; not the cases that
                the evidence was counted on.
            sampling: τ, which is known.

        Raises:
            DataError: a value out of range, or one class.
            FitError: no prior was found.
        """
        sample.both_classes()
        seen = evidence(sample.uncertainty)
        cells, of = np.unique(
            np.stack([np.round(sample.score * seen, 6), np.round(seen, 6)]), axis=1, return_inverse=True
        )
        of = np.ravel(of)
        cases, hits = np.bincount(of).astype(float), np.bincount(of, sample.label)

        def loss(at: np.ndarray) -> float:
            mean, strength = 1 / (1 + np.exp(-at[0])), np.exp(np.clip(at[1], np.log(_LEAST), np.log(_MOST)))
            rate = expected_rate(cells[0], cells[1], mean * strength, (1 - mean) * strength, sampling)
            rate = np.clip(rate, 1e-12, 1 - 1e-12)
            return -float(hits @ np.log(rate) + (cases - hits) @ np.log1p(-rate)) / cases.sum()

        base = float(sample.label.mean())
        tried = minimize(loss, np.array([np.log(base / (1 - base)), 1.0]), method="Nelder-Mead")
        if not np.isfinite(tried.fun):
            raise FitError("no prior of true rates was found", fix="Are scores training positivities?")
        mean, strength = (
            1 / (1 + np.exp(-tried.x[0])),
            np.exp(np.clip(tried.x[1], np.log(_LEAST), np.log(_MOST))),
        )
        return cls(float(mean * strength), float((1 - mean) * strength), sampling)


def evidence(uncertainty: ArrayLike) -> np.ndarray:
    """How many cases were seen, ``[n]``, from ``1 / (1 + n)``.

    Raises:
        DataError: a value outside (0, 1].
    """
    unsure = finite(uncertainty, "uncertainty")
    if unsure.size and (unsure.min() <= 0 or unsure.max() > 1):
        raise DataError("outside (0, 1]", where="uncertainty", fix="Give 1 / (1 + evidence).")
    return 1 / unsure - 1


def expected_rate(
    hits: np.ndarray, seen: np.ndarray, positive: float, negative: float, sampling: float
) -> np.ndarray:
    """Mean of the true rate, ``[n]``, given k of n kept cases positive (see the head of this file).

    Args:
        hits: ``[n]`` k.
        seen: ``[n]`` n.
        positive: b₁.
        negative: b₀.
        sampling: τ, at least 1.

    Example:
        >>> expected_rate(np.array([7.0]), np.array([10.0]), 1, 15, 20).round(3).tolist()
        [0.096]
    """
    a, b, prior = positive + hits, negative + seen - hits, positive + negative
    if sampling == 1:
        return a / (a + b)
    rate, few = np.full(np.shape(a), np.nan), (seen <= _FEW) & (sampling <= _MILD)
    rate[few] = _by_series(a[few], b[few], prior, sampling)
    rest = np.flatnonzero(~np.isfinite(rate))
    pairs, of = np.unique(np.stack([a[rest], seen[rest]]), axis=1, return_inverse=True)
    found = np.empty(pairs.shape[1])
    for part in range(0, len(found), _TOGETHER):
        one, count = pairs[:, part : part + _TOGETHER]
        top, bottom = (log_integral(one + up, prior + count - one, count, sampling) for up in (1, 0))
        found[part : part + _TOGETHER] = np.exp(top - bottom)
    rate[rest] = found[np.ravel(of)]
    return rate


def _by_series(a: np.ndarray, b: np.ndarray, prior: float, sampling: float) -> np.ndarray:
    """The ratio at the head of this file, ``[n]``; not finite where it is beyond floats."""
    w = (sampling - 1) / sampling
    with np.errstate(all="ignore"):
        above, below = hyp2f1(a + 1, prior + 1, a + b + 1, w), hyp2f1(a, prior, a + b, w)
        return a / (a + b) / sampling * above / below


def log_integral(a: np.ndarray, b: np.ndarray, seen: np.ndarray, sampling: float) -> np.ndarray:
    """Logarithm ``[m]`` of what normalises Q(r), ∫ (1 + (τ - 1) r)^-n r^(A - 1) (1 - r)^(B - 1) dr.

    Over the log odds of r the integrand is log-concave. From its mode to either side it is summed by the rule
    of Gauss and Legendre to where it has fallen by ``e^-40``, at nodes that are dense near the mode.

    Args:
        a: ``[m]`` A; one more for the numerator of the mean.
        b: ``[m]`` B.
        seen: ``[m]`` n.
        sampling: τ.

    Example:
        >>> from scipy.special import betaln
        >>> found = log_integral(np.array([3.0]), np.array([2000.0]), np.array([1900.0]), 1.0)
        >>> bool(abs(found[0] - betaln(3.0, 2000.0)) < 1e-9)
        True
    """

    def log_density(odds: np.ndarray) -> np.ndarray:
        up = -np.logaddexp(0, -odds)
        return ((a + b) * up.T - b * odds.T - seen * np.log1p((sampling - 1) * np.exp(up)).T).T

    def rises(odds: np.ndarray) -> np.ndarray:
        rate = expit(odds)
        pull = seen * (sampling - 1) * rate / (1 + (sampling - 1) * rate)
        return a * (1 - rate) > b * rate + pull * (1 - rate)

    mode = _halved(logit(a / (a + b + seen * sampling)) - 1, logit(a / (a + b)) + 1, rises)
    peak, total = log_density(mode), np.zeros(len(mode))
    node, weight = np.polynomial.legendre.leggauss(_NODES)
    node, weight = (node + 1) / 2, weight / 2
    for side in (-1, 1):

        def near(far: np.ndarray, side: int = side) -> np.ndarray:
            return log_density(mode + side * far) > peak - _FALLEN

        far = np.ones(len(mode))
        while (inside := near(far)).any():
            far[inside] *= 2
        reach = _halved(np.zeros(len(mode)), far, near)[:, None]
        total += (
            np.exp(log_density(mode[:, None] + side * reach * node**3) - peak[:, None]) * reach * node**2
        ) @ (3 * weight)
    return peak + np.log(total)


def _halved(low: np.ndarray, high: np.ndarray, holds: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Where something ceases to hold that holds at ``low`` and not at ``high``, ``[m]``."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        inside = holds(middle)
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return (low + high) / 2
