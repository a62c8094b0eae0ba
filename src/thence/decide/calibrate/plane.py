"""A smooth surface of rates over score and uncertainty: two-dimensional calibration.

    logit p = c0 + c1 z + f(z) + g(r) + h(z, r)

z is the log odds of the score, r the rank of the uncertainty in [0, 1]; f, g and h are natural cubic splines
and their products. Only c0 and c1 are free: f is held by one ridge, g and h by another, each chosen by
cross-fitting among many, of which the strongest leaves nothing. Where uncertainty says nothing the surface is
one of the score alone.

It tells rates. Boundaries stand on :class:`~thence.decide.surface.smooth.SmoothSurface`, which never falls
along the score, so that no higher score is held where a lower one is acted on; a calibrator need not promise
that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from thence.base.errors import ConfigError, DataError
from thence.decide.calibrate.grid import balanced_cuts, gathered, mid_ranks
from thence.decide.calibrate.ridges import Cells, chosen_ridges, fit_cells
from thence.decide.calibrate.scale import Scale, logits, scale_array, scale_of
from thence.decide.calibrate.splines import columns, natural_knots
from thence.decide.sample import Sample, finite

SCORE_CELLS, LEVEL_CELLS = 128, 24
ALONE = 2048
"""Cases up to which each is a cell of its own."""
BLOCK = 1 << 16


@dataclass(frozen=True, eq=False)
class Plane:
    """The surface; it implements ``rate(score, uncertainty)`` of :class:`thence.decide.rule.Surface`.

    Args:
        knots: ``[k]`` of z.
        ranks: ``[2, m]`` uncertainties and their ranks, between which it is linear.
        coefficients: of the columns that :func:`thence.decide.calibrate.splines.columns` makes, ``[K]``.
        ridges: of the score's and of the uncertainty's terms; infinity where they were left out.
        scale: of the scores.

    References:
        Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, 2009, sections 5.2, 5.7.

    Example:
        >>> z, r = np.tile(np.linspace(-3, 3, 61), 20), np.repeat(np.linspace(0, 1, 20), 61)
        >>> label = z + 2 * np.sin(7919.0 * np.arange(1220)) > 4 * (r - 0.5)  # rarer where unsure
        >>> fitted = Plane.fit(z, r, label, scale="log_odds")
        >>> sure, unsure = fitted.rate([1.0, 1.0], [0.1, 0.9]).tolist()
        >>> sure - unsure > 0.3, fitted.uses_uncertainty
        (True, True)
    """

    knots: np.ndarray
    ranks: np.ndarray
    coefficients: np.ndarray
    ridges: tuple[float, float]
    scale: Scale = "probability"

    @classmethod
    def fit(
        cls,
        score: ArrayLike,
        uncertainty: ArrayLike,
        label: ArrayLike,
        *,
        scale: Scale = "probability",
        folds: int = 5,
        seed: int = 0,
    ) -> Plane:
        """The surface of least penalised log-loss.

        More than 2,048 cases are first gathered into 128 × 24 cells, which stand for their means. Where no
        cases were, in the corners, the surface is what its polynomials make of the rest.

        Args:
            score: ``[n]`` probabilities, or log odds (any finite scale).
            uncertainty: ``[n]`` on any finite scale, of which only the order counts.
            label: ``[n]`` of 0 and 1.
            scale: of the scores.
            folds: of the cross-fitting that chooses the ridges.
            seed: of the folds.

        Raises:
            DataError: a value cannot be used, or all labels are alike.
            ConfigError: fewer than two folds.
        """
        if folds < 2:
            raise ConfigError(f"{folds} folds", fix="Give at least two.")
        sample = Sample.make(score, uncertainty, label).both_classes()
        z = logits(sample.score, scale)
        ranks = np.stack(mid_ranks(sample.uncertainty))
        r = np.interp(sample.uncertainty, *ranks)
        cells = _cells(z, r, sample.label, folds, seed)
        knots = natural_knots(z, sample.label)
        design, group = columns(cells.z, cells.r, knots)
        if ranks.shape[1] == 1:  # one uncertainty
            design, group = design[:, group < 2], group[group < 2]
        ridges = chosen_ridges(design, group, cells)
        found = fit_cells(design, group, cells.count, cells.positive, ridges)
        return cls(knots, ranks, found, ridges, scale)

    @property
    def uses_uncertainty(self) -> bool:
        """Whether cases of one score and different uncertainty have different rates."""
        return bool(np.isfinite(self.ridges[1]))

    def log_odds(self, score: ArrayLike, uncertainty: ArrayLike) -> np.ndarray:
        """Log odds ``[n]`` of cases ``[n]``."""
        z, unsure = logits(score, self.scale), finite(uncertainty, "uncertainty")
        if len(z) != len(unsure):
            raise DataError(f"{len(z)} scores and {len(unsure)} uncertainties", fix="Give one of each.")
        r = np.interp(unsure, *self.ranks)
        found = np.empty(len(z))
        for start in range(0, len(z), BLOCK):
            part = slice(start, start + BLOCK)
            design, _ = columns(z[part], r[part], self.knots, count=len(self.coefficients))
            found[part] = design @ self.coefficients
        return found

    def rate(self, score: ArrayLike, uncertainty: ArrayLike) -> np.ndarray:
        """Rates ``[n]`` in [0, 1] of cases ``[n]``."""
        return expit(self.log_odds(score, uncertainty))

    def arrays(self) -> dict[str, np.ndarray]:
        """What to keep."""
        kept = {"knots": self.knots, "ranks": self.ranks, "coefficients": self.coefficients}
        return kept | {"ridges": np.array(self.ridges), "scale": scale_array(self.scale)}

    @classmethod
    def of(cls, arrays: dict[str, np.ndarray]) -> Plane:
        """From what :meth:`arrays` kept."""
        first, second = arrays["ridges"].tolist()
        scale = scale_of(arrays["scale"])
        return cls(arrays["knots"], arrays["ranks"], arrays["coefficients"], (first, second), scale)


def _cells(z: np.ndarray, r: np.ndarray, label: np.ndarray, folds: int, seed: int) -> Cells:
    """What the fit sees: cells of each fold; single cases where they are no more than the cells."""
    from thence.base.rng import generator

    fold = np.empty(len(z), np.int64)
    for name, rows in (("positive", np.flatnonzero(label)), ("negative", np.flatnonzero(~label))):
        fold[generator(seed, "plane", name).permutation(rows)] = np.arange(len(rows)) % folds
    if len(z) <= ALONE:
        return Cells(z, r, np.ones(len(z)), label.astype(np.float64), fold)
    row = np.searchsorted(balanced_cuts(z, label, SCORE_CELLS), z, side="right")
    column = np.minimum((r * LEVEL_CELLS).astype(np.int64), LEVEL_CELLS - 1)
    cell = (row * LEVEL_CELLS + column) * folds + fold
    count, positive, means = gathered(cell, (z, r, fold.astype(np.float64)), label)
    return Cells(means[0], means[1], count, positive, means[2].round().astype(np.int64))
