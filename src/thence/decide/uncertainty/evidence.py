"""Evidence counts: how many training examples the ids of a case were in.

A column of ids (user, item, category, a cell of several) has n examples of an id, k of them positive. Rates of
a column's ids are Beta(κ ξ, κ (1 - ξ)), fitted by the likelihood of all its (n, k); then an id's rate is
believed to be Beta(κ ξ + k, κ (1 - ξ) + n - k). Columns j are combined as effects that add up on the logit,
each known with a variance in inverse proportion to n_j + κ_j:

    evidence = 1 / Σ_j 1 / (n_j + κ_j),    uncertainty = -ln evidence,
    logit mean = mean_j logit ξ_j + Σ_j (logit (κ_j ξ_j + k_j) / (κ_j + n_j) - logit ξ_j),

or, where the caller's model has a rate, that; and the belief is Beta(mean · evidence, (1 - mean) · evidence).
With one column it is that column's exact posterior. A column whose ids do not differ gets a great κ and
says nothing; an id that was never seen has κ alone.

References: Gelman et al., "Bayesian data analysis", 3rd ed., section 5.3 (beta-binomial). Arora et al.,
"Leveraging uncertainty estimates to improve classifier performance", ICLR 2024, section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from thence.base.errors import ArtifactError, ConfigError, DataError
from thence.decide.sample import Sample
from thence.decide.uncertainty.believed import Cost, Counts, column
from thence.decide.uncertainty.entropies import sigmoid
from thence.decide.uncertainty.kept import Kept

STRENGTH = 1e-2, 1e6
"""Between these a prior's strength is looked for."""
BUCKETS = 1 << 16


@dataclass(frozen=True, eq=False, repr=False)
class EvidenceCounts:
    """Counts of training examples by id; make it with :meth:`fit`.

    Args:
        seen: for each column ``[ids]`` examples with each id.
        positive: for each column ``[ids]`` positive ones.
        rate: ``[columns]`` ξ, the prior's mean.
        strength: ``[columns]`` κ, the prior's examples.

    Example:
        >>> sure = EvidenceCounts.fit([[0]] * 8 + [[1]] * 2, [1] * 4 + [0] * 4 + [0, 0], prior=(0.5, 2.0))
        >>> told = sure.estimate([[0], [1], [7]])
        >>> told.alpha.round(9).tolist(), told.beta.round(9).tolist(), told.uncertainty.round(2).tolist()
        ([5.0, 1.0, 1.0], [5.0, 3.0, 1.0], [-2.3, -1.39, -0.69])
    """

    seen: tuple[np.ndarray, ...]
    positive: tuple[np.ndarray, ...]
    rate: np.ndarray
    strength: np.ndarray

    @classmethod
    def fit(
        cls, ids: ArrayLike, label: ArrayLike, *, prior: tuple[float, float] | None = None
    ) -> EvidenceCounts:
        """Count the training rows; with negatives kept at a rate of 1/τ, those that were kept.

        Args:
            ids: ``[n, columns]`` integers from 0.
            label: ``[n]`` 0 or 1.
            prior: mean and strength for all columns; fitted to each when None.

        Raises:
            ConfigError: a prior out of range.
            DataError: ids are not whole numbers from 0, or labels do not fit them or are all the same.
        """
        codes = ids_of(ids)
        labels = Sample.make(np.zeros(len(codes)), None, label).both_classes().label
        seen = tuple(np.bincount(column) for column in codes.T)
        positive = tuple(
            np.bincount(column[labels], minlength=len(n)) for column, n in zip(codes.T, seen, strict=True)
        )
        if prior is not None and not (0 < prior[0] < 1 and 0 < prior[1] < np.inf):
            raise ConfigError(f"a prior of {prior}", fix="Give a mean in (0, 1) and a strength above 0.")
        priors = [prior or fit_prior(n, k) for n, k in zip(seen, positive, strict=True)]
        rate, strength = np.array(priors, np.float64).T
        return cls(seen, positive, rate, strength)

    def kept(self) -> Kept:
        """What to keep."""
        columns = zip(self.seen, self.positive, strict=True)
        arrays = {"rate": self.rate, "strength": self.strength}
        for place, (n, k) in enumerate(columns):
            arrays |= {f"seen.{place}": n, f"positive.{place}": k}
        return Kept({"columns": len(self.seen)}, arrays)

    @classmethod
    def of(cls, kept: Kept) -> EvidenceCounts:
        """From what :meth:`kept` gave.

        Raises:
            ArtifactError: an array is missing or of another shape.
        """
        arrays, columns = kept.arrays, range(int(kept.told["columns"]))
        try:
            seen, positive = (
                tuple(arrays[f"{name}.{place}"] for place in columns) for name in ("seen", "positive")
            )
            rate, strength = arrays["rate"], arrays["strength"]
        except KeyError as error:
            raise ArtifactError(f"evidence without {error}") from error
        fits = all(
            n.ndim == 1 and n.shape == k.shape and n.dtype.kind in "iu" and (n >= k).all() and (k >= 0).all()
            for n, k in zip(seen, positive, strict=True)
        )
        if not fits or not rate.shape == strength.shape == (len(columns),) or not (strength > 0).all():
            raise ArtifactError("the evidence does not fit together")
        return cls(seen, positive, rate, strength)

    @property
    def cost(self) -> Cost:
        """No pass of a network; two whole numbers for each id."""
        return Cost(0.0, sum(each.nbytes for each in (*self.seen, *self.positive)))

    def counts(self, ids: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Examples and positive examples of each id ``[n, columns]``; 0 for ids that were never seen.

        Raises:
            DataError: ids are not whole numbers from 0, or of other columns.
        """
        codes = ids_of(ids)
        if codes.shape[1] != len(self.seen):
            raise DataError(f"{codes.shape[1]} columns of ids, fitted on {len(self.seen)}")
        found = np.zeros((2, *codes.shape), np.int64)
        for place, (n, k) in enumerate(zip(self.seen, self.positive, strict=True)):
            known = codes[:, place] < len(n)
            found[0, known, place] = n[codes[known, place]]
            found[1, known, place] = k[codes[known, place]]
        return found[0], found[1]

    def evidence(self, ids: ArrayLike) -> np.ndarray:
        """Evidence ``[n]`` of each row of ids: examples, the prior's among them."""
        return effective(self.counts(ids)[0], self.strength)

    def estimate(self, inputs: Any) -> Counts:
        """What is believed of each row.

        Args:
            inputs: ids ``[n, columns]``; or a tuple of them and the rates ``[n]`` of a model.

        Raises:
            DataError: ids are not whole numbers from 0, of other columns, or rates are not in (0, 1).
        """
        ids, given = inputs if isinstance(inputs, tuple) else (inputs, None)
        seen, positive = self.counts(ids)
        strength = effective(seen, self.strength)
        mean = self._mean(seen, positive) if given is None else _rates(given, len(seen))
        return Counts.make(mean * strength, (1 - mean) * strength, -np.log(strength))

    def _mean(self, seen: np.ndarray, positive: np.ndarray) -> np.ndarray:
        prior = _logit(self.rate)
        shrunken = (self.strength * self.rate + positive) / (self.strength + seen)
        return sigmoid(prior.mean() + (_logit(shrunken) - prior).sum(axis=1))


def effective(counts: ArrayLike, strength: ArrayLike = 1.0) -> np.ndarray:
    """Evidence ``[n]`` of rows whose columns have so many examples: 1 / Σ 1 / (n_j + κ_j).

    Args:
        counts: ``[n, columns]``, from a log or from anywhere.
        strength: ``[columns]`` κ, or one for all.

    Raises:
        DataError: counts are no table of numbers from 0 up, or there is no column.

    Example:
        >>> effective([[0, 9], [9, 9], [999, 9]]).round(2).tolist()
        [0.91, 5.0, 9.9]
    """
    found, least = np.asarray(counts, np.float64), np.asarray(strength, np.float64)
    if found.ndim != 2 or not found.shape[1] or not np.isfinite(found).all() or (found < 0).any():
        raise DataError(f"counts of shape {found.shape}", fix="Give [cases, columns] numbers from 0 up.")
    return 1 / (1 / (found + least)).sum(axis=1)


def fit_prior(seen: ArrayLike, positive: ArrayLike) -> tuple[float, float]:
    """Mean and strength of the Beta distribution that a column's rates come from, by maximum likelihood.

        Σ_ids ln B(κ ξ + k, κ (1 - ξ) + n - k) - ln B(κ ξ, κ (1 - ξ))

    Args:
        seen: ``[ids]`` n; ids with none do not count.
        positive: ``[ids]`` k.

    Example:
        >>> mean, strength = fit_prior([1000, 1000], [300, 300])  # ids that do not differ
        >>> round(mean, 2), strength > 1e5
        (0.3, True)
    """
    from scipy.optimize import minimize
    from scipy.special import betaln

    n, k = np.asarray(seen, np.float64), np.asarray(positive, np.float64)
    (n, k), often = np.unique(np.stack([n, k])[:, n > 0], axis=1, return_counts=True)
    start = np.clip(k @ often / (n @ often), 1e-6, 1 - 1e-6)

    def negative(at: np.ndarray) -> float:
        mean, strength = sigmoid(at[:1])[0], np.exp(np.clip(at[1], *np.log(STRENGTH)))
        a, b = mean * strength, (1 - mean) * strength
        return -float(often @ (betaln(a + k, b + n - k) - betaln(a, b)))

    starts = [np.array([_logit(start), log]) for log in (0.0, np.log(30.0), np.log(STRENGTH[1]))]
    found = min((minimize(negative, at, method="Nelder-Mead") for at in starts), key=lambda each: each.fun)
    return float(sigmoid(found.x[:1])[0]), float(np.exp(np.clip(found.x[1], *np.log(STRENGTH))))


def cells(ids: ArrayLike, groups: Sequence[Sequence[int]], buckets: int = BUCKETS) -> np.ndarray:
    """Cells ``[n, groups]`` of several columns at once, hashed: for tables whose columns have few values each.

    Args:
        ids: ``[n, columns]`` integers from 0.
        groups: of each cell its columns.
        buckets: as many cells of each group.

    Example:
        >>> cells([[0, 1], [0, 1], [1, 0]], [[0, 1]], 1000)[:, 0].tolist()
        [932, 932, 461]
    """
    codes = ids_of(ids).astype(np.uint64)
    made = np.empty((len(codes), len(groups)), np.int64)
    for place, group in enumerate(groups):
        mixed = np.full(len(codes), np.uint64(0x9E3779B97F4A7C15))
        for each in group:
            mixed = (mixed ^ codes[:, each]) * np.uint64(0xBF58476D1CE4E5B9)
            mixed ^= mixed >> np.uint64(29)
        made[:, place] = mixed % np.uint64(buckets)
    return made


def ids_of(ids: ArrayLike) -> np.ndarray:
    """Ids as ``[n, columns]`` whole numbers.

    Raises:
        DataError: they are none, or below 0.
    """
    codes = np.asarray(ids)
    if codes.ndim != 2 or not codes.shape[1] or codes.dtype.kind not in "iu":
        raise DataError(f"ids {codes.dtype} of shape {codes.shape}", fix="Give [cases, columns] whole numbers.")
    if len(codes) and codes.min() < 0:
        raise DataError("an id is below 0", fix="Give codes from 0; a code that training never saw is welcome.")
    return codes


def _rates(given: ArrayLike, rows: int) -> np.ndarray:
    rates = column(given, "rate", low=0.0)
    if len(rates) != rows or (rates >= 1).any():
        raise DataError("rates are not one in (0, 1) for each row of ids", where="rate")
    return rates


def _logit(rate: ArrayLike) -> np.ndarray:
    rates = np.asarray(rate, np.float64)
    return np.log(rates) - np.log1p(-rates)
