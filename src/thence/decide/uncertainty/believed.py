"""What an estimator says of each case: a mean rate, how unsure it is, and of which kind.

With p the rate of a case, believed to be distributed somehow, and H(p) = -p ln p - (1 - p) ln(1 - p):

    total H(E p) = aleatoric E H(p) + epistemic (mutual information of the label and the model)

Aleatoric uncertainty stays however much is learned; epistemic vanishes with evidence. All are in nats. Every
belief has a mean and a variance of p, and so a Beta distribution of the same two moments, if it is none itself.

Reference: Depeweg et al., "Decomposition of uncertainty in Bayesian deep learning", ICML 2018.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import psi

from thence.base.errors import DataError
from thence.decide.uncertainty.entropies import SURE, beta_entropy, entropy, sigmoid

NODES = 32
"""Points of the Gauss-Hermite rule that integrates over a normal logit."""
_STRENGTH = 1e-6, 1e12


@dataclass(frozen=True)
class Cost:
    """What an estimate costs beside the plain model.

    Args:
        passes: forward passes for one estimate; 1 is that of the plain model.
        memory: bytes kept beyond the plain model's.
    """

    passes: float
    memory: int


class UncertaintyEstimator(Protocol):
    """Anything that says how sure it is."""

    @property
    def cost(self) -> Cost:
        """Stated cost of an estimate."""
        ...

    def estimate(self, inputs: Any) -> Believed:
        """What is believed of each row of the inputs."""
        ...


class Believed:
    """Beliefs about the rates of ``n`` cases; its arrays are read-only ``[n]`` float64."""

    @cached_property
    def mean(self) -> np.ndarray:
        """Expected rate of each case, in (0, 1)."""
        raise NotImplementedError

    @cached_property
    def uncertainty(self) -> np.ndarray:
        """The number that the method is known for; more is less sure, and the scale is its own."""
        raise NotImplementedError

    @cached_property
    def variance(self) -> np.ndarray:
        """Variance of the rate of each case."""
        raise NotImplementedError

    @cached_property
    def aleatoric(self) -> np.ndarray:
        """Expected entropy of the label, nats."""
        raise NotImplementedError

    @cached_property
    def epistemic(self) -> np.ndarray:
        """Mutual information of label and model, nats, never negative."""
        return _frozen(np.maximum(entropy(self._exact_mean) - self.aleatoric, 0.0))

    @property
    def alpha(self) -> np.ndarray:
        """First parameter of the Beta distribution with this mean and variance."""
        return _frozen(self.mean * self._strength)

    @property
    def beta(self) -> np.ndarray:
        """Second parameter of that Beta distribution."""
        return _frozen((1 - self.mean) * self._strength)

    def __len__(self) -> int:
        """How many cases."""
        return len(self.mean)

    def __repr__(self) -> str:
        """One line."""
        return f"{type(self).__name__}({len(self):,} cases)"

    @property
    def _exact_mean(self) -> np.ndarray:
        return self.mean

    @cached_property
    def _strength(self) -> np.ndarray:
        spread = np.maximum(self.variance, np.finfo(float).tiny)
        return np.clip(self.mean * (1 - self.mean) / spread - 1, *_STRENGTH)


@dataclass(frozen=True, eq=False, repr=False)
class Counts(Believed):
    """Beta beliefs: so many positive and negative cases have been seen, the prior's among them.

    Args:
        positive: ``[n]`` alpha, above 0.
        negative: ``[n]`` beta, above 0.
        unsure: ``[n]`` or None for the differential entropy of the Beta.

    Example:
        >>> seen = Counts.make([1.0, 100.0], [1.0, 100.0])
        >>> seen.mean.tolist(), seen.uncertainty.round(3).tolist(), seen.epistemic.round(4).tolist()
        ([0.5, 0.5], [0.0, -1.926], [0.1931, 0.0025])

    References:
        Charpentier et al., "Posterior network", NeurIPS 2020, section 3.
    """

    positive: np.ndarray
    negative: np.ndarray
    unsure: np.ndarray | None = None

    @classmethod
    def make(cls, positive: ArrayLike, negative: ArrayLike, unsure: ArrayLike | None = None) -> Counts:
        """Checked and made read-only.

        Raises:
            DataError: a count is not above 0 and finite, or lengths differ.
        """
        columns = [column(values, "counts", low=0.0) for values in (positive, negative)]
        told = None if unsure is None else column(unsure, "uncertainty")
        if len({len(c) for c in (*columns, *([] if told is None else [told]))}) > 1:
            raise DataError("columns of different lengths", fix="Give one number of each for every case.")
        return cls(columns[0], columns[1], told)

    @classmethod
    def told(cls, rows: np.ndarray, finite: bool) -> Counts:
        """From a kernel's rows alpha, beta, entropy and mean.

        Raises:
            DataError: they are not finite.
        """
        _refuse(finite)
        made = cls(*_frozen(rows)[:3])
        made.__dict__["mean"] = rows[3]
        return made

    @property
    def alpha(self) -> np.ndarray:
        """As it was given."""
        return self.positive

    @property
    def beta(self) -> np.ndarray:
        """As it was given."""
        return self.negative

    @cached_property
    def mean(self) -> np.ndarray:
        """``alpha / (alpha + beta)``."""
        return _frozen(self.positive / (self.positive + self.negative))

    @cached_property
    def uncertainty(self) -> np.ndarray:
        """What was given, or the differential entropy of the Beta."""
        return _frozen(beta_entropy(self.positive, self.negative)) if self.unsure is None else self.unsure

    @cached_property
    def variance(self) -> np.ndarray:
        """``mean (1 - mean) / (alpha + beta + 1)``."""
        return _frozen(self.mean * (1 - self.mean) / (self.positive + self.negative + 1))

    @cached_property
    def aleatoric(self) -> np.ndarray:
        """ψ(a + b + 1) - a / (a + b) ψ(a + 1) - b / (a + b) ψ(b + 1)."""
        a, b = self.positive, self.negative
        return _frozen(psi(a + b + 1) - self.mean * psi(a + 1) - (1 - self.mean) * psi(b + 1))


@dataclass(frozen=True, eq=False, repr=False)
class NormalLogits(Believed):
    """Logits believed to be normal; the mean is sigmoid(m / √(1 + π v / 8)), the uncertainty v.

    Args:
        logit: ``[n]`` m.
        spread: ``[n]`` v, not negative.

    Example:
        >>> NormalLogits.make([2.0, 2.0], [0.0, 8.0]).mean.round(3).tolist()
        [0.881, 0.728]

    References:
        MacKay, "The evidence framework applied to classification networks", Neural Computation 1992.
    """

    logit: np.ndarray
    spread: np.ndarray

    @classmethod
    def make(cls, logit: ArrayLike, spread: ArrayLike) -> NormalLogits:
        """Checked and made read-only.

        Raises:
            DataError: a value is not finite, a variance negative, or lengths differ.
        """
        logits, spreads = column(logit, "logit"), column(spread, "variance", low=-SURE)
        if len(logits) != len(spreads):
            raise DataError(f"{len(logits)} logits and {len(spreads)} variances")
        return cls(logits, spreads)

    @classmethod
    def told(cls, rows: np.ndarray, finite: bool) -> NormalLogits:
        """From a kernel's rows logit, variance and mean.

        Raises:
            DataError: they are not finite.
        """
        _refuse(finite)
        made = cls(*_frozen(rows)[:2])
        made.__dict__["mean"] = rows[2]
        return made

    @cached_property
    def mean(self) -> np.ndarray:
        """The probit approximation of the expected rate."""
        return _frozen(sigmoid(self.logit / np.sqrt(1 + np.pi / 8 * self.spread)))

    @cached_property
    def uncertainty(self) -> np.ndarray:
        """Variance of the logit."""
        return self.spread

    @cached_property
    def variance(self) -> np.ndarray:
        """By quadrature."""
        return self._integrals[1]

    @cached_property
    def aleatoric(self) -> np.ndarray:
        """By quadrature."""
        return self._integrals[2]

    @property
    def _exact_mean(self) -> np.ndarray:
        return self._integrals[0]

    @cached_property
    def _integrals(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
        rates = sigmoid(self.logit[:, None] + np.sqrt(np.maximum(self.spread, 0.0))[:, None] * nodes)
        share = weights / weights.sum()
        mean = rates @ share
        return _frozen(mean), _frozen((rates - mean[:, None]) ** 2 @ share), _frozen(entropy(rates) @ share)


@dataclass(frozen=True, eq=False, repr=False)
class Members(Believed):
    """Several models, each as likely; the mean is that of their rates, the uncertainty the sd of their logits.

    Args:
        logits: ``[members, n]``.

    Example:
        >>> two = Members.make([[0.0, 2.0], [0.0, -2.0]])
        >>> two.mean.round(3).tolist(), two.uncertainty.tolist(), two.epistemic.round(3).tolist()
        ([0.5, 0.5], [0.0, 2.0], [0.0, 0.328])
    """

    logits: np.ndarray

    @classmethod
    def make(cls, logits: ArrayLike) -> Members:
        """Checked and made read-only.

        Raises:
            DataError: not at least two rows of finite logits.
        """
        found = np.array(logits, np.float64)
        if found.ndim != 2 or len(found) < 2:
            raise DataError(f"logits of shape {found.shape}", fix="Give [members, cases], two members or more.")
        if not _all_finite(found):
            raise DataError("a member's logit is NaN or infinite")
        return cls(_frozen(found))

    @classmethod
    def told(cls, logits: np.ndarray, rows: np.ndarray, finite: bool) -> Members:
        """From a kernel's logits ``[members, n]`` and rows mean and deviation.

        Raises:
            DataError: they are not finite.
        """
        _refuse(finite)
        made = cls(_frozen(logits))
        made.__dict__["mean"], made.__dict__["uncertainty"] = _frozen(rows)
        return made

    @cached_property
    def _rates(self) -> np.ndarray:
        return sigmoid(self.logits)

    @cached_property
    def mean(self) -> np.ndarray:
        """Of the members' rates."""
        return _frozen(np.add.reduce(self._rates) / len(self.logits))

    @cached_property
    def uncertainty(self) -> np.ndarray:
        """Standard deviation of the members' logits, of the members themselves (no Bessel correction)."""
        away = self.logits - np.add.reduce(self.logits) / len(self.logits)
        return _frozen(np.sqrt(np.einsum("mn,mn->n", away, away) / len(away)))

    @cached_property
    def variance(self) -> np.ndarray:
        """Of the members' rates."""
        return _frozen(self._rates.var(axis=0))

    @cached_property
    def aleatoric(self) -> np.ndarray:
        """Mean of the members' entropies."""
        return _frozen(entropy(self._rates).mean(axis=0))


def column(values: ArrayLike, name: str, low: float = -np.inf) -> np.ndarray:
    """A read-only column of finite numbers above a limit, ``[n]`` float64.

    Raises:
        DataError: it is none.
    """
    found = np.array(values, np.float64)
    if found.ndim != 1:
        raise DataError(f"shape {found.shape}", where=name, fix="Give one column.")
    if not _all_finite(found) or (low > -np.inf and not np.all(found > low)):
        raise DataError("a value is NaN, infinite or out of range", where=name)
    return _frozen(found)


def _refuse(finite: bool) -> None:
    if not finite:
        raise DataError("the network gives NaN or infinity", fix="Look at the inputs, or train it again.")


def _all_finite(values: np.ndarray) -> bool:
    """One sum tells, but for finite values whose sum is not."""
    return math.isfinite(np.add.reduce(values, axis=None)) or bool(np.isfinite(values).all())


def _frozen(values: np.ndarray) -> np.ndarray:
    values.flags.writeable = False
    return values
