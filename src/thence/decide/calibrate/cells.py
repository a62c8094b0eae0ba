"""Rates in cells of score and uncertainty, each shrunk towards what its score alone gives.

Of a cell with n cases and k positives, in a score bin of rate q,

    rate = (k + m q) / (n + m),

where m, the cases that the bin's rate is worth, is that under which the counts are most likely if the true
rates of cells are drawn from Beta(m q, m (1 - q)). Where uncertainty says nothing m is large, and each rate
that of its bin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from thence.base.errors import ConfigError, DataError
from thence.decide.calibrate.grid import balanced_cuts
from thence.decide.calibrate.isotonic import rising
from thence.decide.levels import level_cuts, level_of
from thence.decide.sample import Sample, finite

MOST = 1e6
"""Strengths above it are taken for no difference between levels."""


@dataclass(frozen=True, eq=False)
class ShrunkCells:
    """A rising curve over the score for each level of uncertainty, linear between the bins' mean scores.

    Args:
        cuts: ``[levels - 1]`` rising uncertainties.
        at: ``[bins]`` rising, the mean score of each bin.
        height: ``[levels, bins]`` rates there.
        strength: m; infinity where levels do not differ.

    References:
        Griffin and Krutchkoff, "An empirical Bayes estimator for P[success] in the binomial distribution",
        Sankhya B 1971 (beta-binomial shrinkage).

    Example:
        >>> score, unsure = np.tile([1.0, 2.0], 200), np.repeat([0.0, 1.0], 200)
        >>> label = np.where(unsure == 0, score == 2, np.arange(400) % 4 < 2)  # order is lost where unsure
        >>> fitted = ShrunkCells.fit(score, unsure, label, bins=2, levels=2)
        >>> fitted.rate([1.0, 2.0, 1.0, 2.0], [0.0, 0.0, 1.0, 1.0]).round(1).tolist()
        [0.0, 1.0, 0.5, 0.5]
    """

    cuts: np.ndarray
    at: np.ndarray
    height: np.ndarray
    strength: float

    @classmethod
    def fit(
        cls,
        score: ArrayLike,
        uncertainty: ArrayLike,
        label: ArrayLike,
        *,
        bins: int = 30,
        levels: int = 10,
    ) -> ShrunkCells:
        """Shrunken rates, made to rise with the score.

        Args:
            score: ``[n]`` on any finite scale.
            uncertainty: ``[n]`` on any finite scale.
            label: ``[n]`` of 0 and 1.
            bins: of the score, with as much of both classes in each.
            levels: of the uncertainty, with as many cases in each.

        Raises:
            DataError: a value cannot be used, or all labels are alike.
            ConfigError: fewer than one bin or level.
        """
        if bins < 1:
            raise ConfigError(f"{bins} bins", fix="Give at least one.")
        sample = Sample.make(score, uncertainty, label).both_classes()
        cuts, splits = level_cuts(sample.uncertainty, levels), balanced_cuts(sample.score, sample.label, bins)
        inside, level = np.searchsorted(splits, sample.score, side="right"), level_of(sample.uncertainty, cuts)
        shape = len(cuts) + 1, len(splits) + 1
        cell = level * shape[1] + inside
        count = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float64)
        positive = np.bincount(cell, sample.label, shape[0] * shape[1]).reshape(shape)
        at = np.bincount(inside, sample.score, shape[1]) / count.sum(0)
        pooled = np.interp(at, *rising(at, positive.sum(0) / count.sum(0), count.sum(0)))
        strength = likely_strength(count, positive, pooled)
        return cls(cuts, at, _shrunk(count, positive, pooled, strength, at), strength)

    def rate(self, score: ArrayLike, uncertainty: ArrayLike) -> np.ndarray:
        """Rates ``[n]`` in [0, 1] of cases ``[n]``; scores beyond the outer bins have their rates."""
        values, unsure = finite(score, "score"), finite(uncertainty, "uncertainty")
        if len(values) != len(unsure):
            raise DataError(f"{len(values)} scores and {len(unsure)} uncertainties", fix="Give one of each.")
        level = level_of(unsure, self.cuts)
        found = np.empty(len(values))
        for one, height in enumerate(self.height):
            rows = level == one
            found[rows] = np.interp(values[rows], self.at, height)
        return found

    def arrays(self) -> dict[str, np.ndarray]:
        """What to keep."""
        return {"cuts": self.cuts, "at": self.at, "height": self.height, "strength": np.array([self.strength])}

    @classmethod
    def of(cls, arrays: dict[str, np.ndarray]) -> ShrunkCells:
        """From what :meth:`arrays` kept."""
        return cls(arrays["cuts"], arrays["at"], arrays["height"], float(arrays["strength"][0]))


def likely_strength(count: np.ndarray, positive: np.ndarray, pooled: np.ndarray) -> float:
    """The m of greatest beta-binomial likelihood; infinity above a million.

    Args:
        count: ``[levels, bins]`` cases.
        positive: ``[levels, bins]`` positive ones.
        pooled: ``[bins]`` rates q; bins of rate 0 or 1 say nothing.

    Example:
        >>> even = np.full((4, 1), 1000.0)
        >>> likely_strength(even, even / 2, np.array([0.5]))
        inf
        >>> 2 < likely_strength(even, np.array([[900.0], [100.0], [700.0], [300.0]]), np.array([0.5])) < 4
        True
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import betaln

    mixed = (pooled > 0) & (pooled < 1)
    n, k, q = count[:, mixed], positive[:, mixed], pooled[mixed]
    if not n.size:
        return float("inf")

    def unlikely(log_strength: float) -> float:
        m = np.exp(log_strength)
        return -float((betaln(k + m * q, n - k + m * (1 - q)) - betaln(m * q, m * (1 - q))).sum())

    grid = np.linspace(0.0, np.log(MOST), 29)
    best = int(np.argmin([unlikely(at) for at in grid]))
    if best == len(grid) - 1:
        return float("inf")
    low, high = grid[max(best - 1, 0)], grid[best + 1]
    found = minimize_scalar(unlikely, bounds=(float(low), float(high)), method="bounded")
    return float(np.exp(found.x))


def _shrunk(count, positive, pooled, strength, at) -> np.ndarray:
    """Rates ``[levels, bins]``, rising over the bins."""
    if np.isinf(strength):
        return np.broadcast_to(pooled, count.shape).copy()
    raw = (positive + strength * pooled) / (count + strength)
    weight = count + strength
    return np.stack([np.interp(at, *rising(at, row, w)) for row, w in zip(raw, weight, strict=True)])
