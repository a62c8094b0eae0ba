"""A smooth rate over score and uncertainty, between one threshold and anything that the data can show.

The log odds of the rate are given at knots of score × uncertainty, and between them linearly (hat functions).
They minimise

    NLL + bend · |Δ²θ along the score|² + tilt · |Δθ along the uncertainty|²

so that as ``tilt`` grows the rate forgets the uncertainty: what is left is a function of the score, and its
boundary one threshold. Knots stand where cases are, and denser where positives are. Along the score the rate
never falls: a higher score is never held where a lower one, as uncertain, is acted on.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from thence.base.errors import FitError
from thence.base.rng import generator
from thence.decide.sample import Sample

SCORE_KNOTS, UNSURE_KNOTS = 20, 10
BENDS, TILTS = (1.0, 10.0, 100.0), (0.3, 3.0, 30.0)
"""Strengths to choose from."""
_SCORE_CELLS, _UNSURE_CELLS = 256, 64
_TURNS, _STRIDE, _STILL, _FLOOR = 25, 3.0, 1e-5, 1e-6


@dataclass(frozen=True, eq=False)
class SmoothSurface:
    """Rates between knots; make it with :func:`fit_smooth`.

    Args:
        score_knots: ``[m]`` rising.
        unsure_knots: ``[q]`` rising.
        log_odds: ``[m, q]`` of the rate at the knots, never falling along the first axis.
        bend: strength against curvature along the score.
        tilt: strength against slope along the uncertainty.

    Example:
        >>> knots = np.array([0.0, 1.0])
        >>> surface = SmoothSurface(knots, knots, np.array([[-2.0, -2.0], [2.0, 0.0]]), 1, 1)
        >>> surface.log_odds_of([0.5, 1.0, 9.0], [0.0, 0.5, 1.0]).tolist()
        [0.0, 1.0, 0.0]
    """

    score_knots: np.ndarray
    unsure_knots: np.ndarray
    log_odds: np.ndarray
    bend: float
    tilt: float

    def log_odds_of(self, score: ArrayLike, uncertainty: ArrayLike) -> np.ndarray:
        """Log odds of the rate, ``[n]`` float64; beyond the knots as at the nearest."""
        place, weight = _hats(score, uncertainty, self.score_knots, self.unsure_knots)
        return (self.log_odds.ravel()[place] * weight).sum(axis=1)

    def rate(self, score: ArrayLike, uncertainty: ArrayLike) -> np.ndarray:
        """Rates ``[n]`` float64 in (0, 1)."""
        return 1 / (1 + np.exp(-self.log_odds_of(score, uncertainty)))


def fit_smooth(sample: Sample, bend: float = 10.0, tilt: float = 3.0) -> SmoothSurface:
    """The surface of a sample at given strengths.

    Args:
        sample: cases of both classes.
        bend: strength against curvature along the score.
        tilt: strength against slope along the uncertainty.

    Raises:
        DataError: one class.
        FitError: the odds do not settle.

    References:
        Eilers and Marx, Flexible smoothing with B-splines and penalties, Statistical Science 1996, for
        penalties on differences; here of first degree, on two axes with different strengths.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> score, unsure = rng.random((2, 4000))
        >>> sample = Sample.make(score, unsure, rng.random(4000) < score * (1 - unsure))
        >>> fit_smooth(sample).rate([0.9, 0.9], [0.1, 0.9]).round(1).tolist()
        [0.8, 0.2]
    """
    knots = _knots(sample.both_classes())
    return _surface(_Cells.of(sample, *knots), knots, bend, tilt)


def cross_fitted(sample: Sample, folds: int = 5, seed: int = 0) -> tuple[SmoothSurface, np.ndarray]:
    """The surface whose strengths predict best what they have not seen, and what it says of unseen cases.

    Each fold is predicted by surfaces of the others, at every strength; the strengths with the least NLL are
    those of the surface, which is then fitted to all.

    Args:
        sample: cases of both classes.
        folds: parts; fewer where one class has fewer cases.
        seed: of the parts.

    Returns:
        The surface, and ``[n]`` rates of each case by a surface that has not seen it.

    Raises:
        DataError: one class.
        FitError: fewer than two cases of a class, or the odds do not settle.
    """
    fold = _folds(sample.both_classes(), folds, seed)
    knots = _knots(sample)
    place, weight = _hats(sample.score, sample.uncertainty, *knots)
    odds = {strength: np.empty(len(sample)) for strength in product(BENDS, TILTS)}
    for part in range(fold.max() + 1):
        inside = fold == part
        cells = _Cells.of(sample[~inside], *knots)
        for strength, found in odds.items():
            theta = _surface(cells, knots, *strength).log_odds.ravel()
            found[inside] = (theta[place[inside]] * weight[inside]).sum(axis=1)
    sign = np.where(sample.label, -1.0, 1.0)
    best = min(odds, key=lambda strength: float(np.logaddexp(0, sign * odds[strength]).mean()))
    return _surface(_Cells.of(sample, *knots), knots, *best), 1 / (1 + np.exp(-odds[best]))


@dataclass(frozen=True, eq=False)
class _Cells:
    """Cases of nearly the same score and uncertainty, told together."""

    hats: sparse.csr_matrix
    cases: np.ndarray
    hits: np.ndarray

    @classmethod
    def of(cls, sample: Sample, score_knots: np.ndarray, unsure_knots: np.ndarray) -> _Cells:
        row = np.searchsorted(_ranks(sample.score, _SCORE_CELLS), sample.score, "right")
        column = np.searchsorted(_ranks(sample.uncertainty, _UNSURE_CELLS), sample.uncertainty, "right")
        code = row * (_UNSURE_CELLS + 2) + column
        cases = np.bincount(code)
        used = np.flatnonzero(cases)
        mean = [np.bincount(code, values)[used] / cases[used] for values in (sample.score, sample.uncertainty)]
        place, weight = _hats(*mean, score_knots, unsure_knots)
        shape = len(used), len(score_knots) * len(unsure_knots)
        hats = sparse.csr_matrix((weight.ravel(), place.ravel(), np.arange(0, 4 * len(used) + 1, 4)), shape)
        return cls(hats, cases[used].astype(float), np.bincount(code, sample.label)[used])


def _surface(cells: _Cells, knots: tuple[np.ndarray, np.ndarray], bend: float, tilt: float) -> SmoothSurface:
    """Newton's method on the penalised NLL, whose steps are cut where they are long."""
    m, q = len(knots[0]), len(knots[1])
    along, across = np.diff(np.eye(m), 2, axis=0), np.diff(np.eye(q), 1, axis=0)
    penalty = np.kron(bend * along.T @ along, np.eye(q)) + np.kron(np.eye(m), tilt * across.T @ across)
    penalty += _FLOOR * np.eye(m * q)
    share = (cells.hits.sum() + 0.5) / (cells.cases.sum() + 1)
    theta, hats = np.full(m * q, np.log(share / (1 - share))), cells.hats
    for _ in range(_TURNS):
        rate = 1 / (1 + np.exp(-(hats @ theta)))
        curve = (hats.T @ hats.multiply((cells.cases * rate * (1 - rate))[:, None])).toarray() + penalty
        step = np.linalg.solve(curve, hats.T @ (cells.cases * rate - cells.hits) + penalty @ theta)
        theta = theta - np.clip(step, -_STRIDE, _STRIDE)
        if np.abs(step).max() < _STILL:
            break
    if not np.isfinite(theta).all():
        raise FitError("the rates over score and uncertainty do not settle", fix="Are the scores finite?")
    return SmoothSurface(*knots, np.maximum.accumulate(theta.reshape(m, q), axis=0), bend, tilt)


def _knots(sample: Sample) -> tuple[np.ndarray, np.ndarray]:
    return (
        _rises(sample.score, sample.score[sample.label], SCORE_KNOTS),
        _rises(sample.uncertainty, sample.uncertainty[sample.label], UNSURE_KNOTS),
    )


def _rises(every: np.ndarray, positive: np.ndarray, count: int) -> np.ndarray:
    """Quantiles of all cases and of the positive ones, mixed, with both ends; at least two."""
    at = np.linspace(0, 1, count)
    mixed = np.concatenate([np.quantile(every, at), np.quantile(positive, at)])
    knots = np.unique(np.concatenate([np.quantile(mixed, at[1:-1]), [every.min(), every.max()]]))
    return knots if len(knots) > 1 else knots[0] + np.array([0.0, 1.0])


def _ranks(values: np.ndarray, count: int) -> np.ndarray:
    return np.unique(np.quantile(values, np.linspace(0, 1, count + 1)))


def _hats(
    score: ArrayLike, uncertainty: ArrayLike, score_knots: np.ndarray, unsure_knots: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Of each case the four knots around it ``[n, 4]`` and their weights ``[n, 4]``, which sum to one."""
    (i, a), (j, b) = _between(score, score_knots), _between(uncertainty, unsure_knots)
    first = i * len(unsure_knots) + j
    place = np.stack([first, first + 1, first + len(unsure_knots), first + len(unsure_knots) + 1], axis=1)
    return place, np.stack([(1 - a) * (1 - b), (1 - a) * b, a * (1 - b), a * b], axis=1)


def _between(values: ArrayLike, knots: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    column = np.asarray(values, np.float64)
    below = np.clip(np.searchsorted(knots, column, "right") - 1, 0, len(knots) - 2)
    return below, np.clip((column - knots[below]) / (knots[below + 1] - knots[below]), 0, 1)


def _folds(sample: Sample, folds: int, seed: int) -> np.ndarray:
    """Fold ``[n]`` of each case, as even as can be within each class."""
    count = min(folds, sample.positives, len(sample) - sample.positives)
    if count < 2:
        raise FitError("fewer than two cases of a class", fix="Give more labelled cases.")
    order = np.lexsort((generator(seed, "decide", "folds").random(len(sample)), sample.label))
    fold = np.empty(len(sample), np.int64)
    fold[order] = np.arange(len(sample)) % count
    return fold
