"""A smooth rate over score and uncertainty, between one threshold and anything that the data can show.

The log odds of the rate are given at knots of score × uncertainty, and between them linearly (hat functions).
They minimise

    NLL + ½ bend · |Δ²θ along the score|² + ½ tilt · |Δθ along the uncertainty|²

so that as ``tilt`` grows the rate forgets the uncertainty: what is left is a function of the score, and its
boundary one threshold. Knots stand where cases are, and denser where positives are. Along the score the rate
never falls: a higher score is never held where a lower one, as uncertain, is acted on.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import solveh_banded
from scipy.special import expit

from thence.base.errors import FitError
from thence.base.rng import generator
from thence.decide.sample import Sample

SCORE_KNOTS, UNSURE_KNOTS = 20, 10
BENDS, TILTS = (100.0, 10.0, 1.0), (100.0, 10.0, 1.0)
"""Strengths that surfaces are averaged over."""
DOUBT = 2.0
"""Standard errors of the NLL by which a strength may be behind the best one and still count."""
_SCORE_CELLS, _UNSURE_CELLS = 128, 32
_TURNS, _STRIDE, _STILL, _FLOOR = 25, 3.0, 1e-4, 1e-6


@dataclass(frozen=True, eq=False)
class SmoothSurface:
    """Rates between knots; make it with :func:`fit_smooth`.

    Args:
        score_knots: ``[m]`` rising.
        unsure_knots: ``[q]`` rising.
        log_odds: ``[m, q]`` of the rate at the knots, never falling along the first axis.

    Example:
        >>> knots = np.array([0.0, 1.0])
        >>> surface = SmoothSurface(knots, knots, np.array([[-2.0, -2.0], [2.0, 0.0]]))
        >>> surface.log_odds_of([0.5, 1.0, 9.0], [0.0, 0.5, 1.0]).tolist()
        [0.0, 1.0, 0.0]
    """

    score_knots: np.ndarray
    unsure_knots: np.ndarray
    log_odds: np.ndarray

    def log_odds_of(self, score: ArrayLike, uncertainty: ArrayLike) -> np.ndarray:
        """Log odds of the rate, ``[n]`` float64; beyond the knots as at the nearest."""
        place, weight = _hats(score, uncertainty, self.score_knots, self.unsure_knots)
        return (self.log_odds.ravel()[place] * weight).sum(axis=1)

    def rate(self, score: ArrayLike, uncertainty: ArrayLike) -> np.ndarray:
        """Rates ``[n]`` float64 in (0, 1)."""
        return expit(self.log_odds_of(score, uncertainty))


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
    return SmoothSurface(*knots, _rising(_solve(_Cells.of(sample, *knots), knots, [(bend, tilt)])[0], knots))


def cross_fitted(sample: Sample, folds: int = 5, seed: int = 0) -> tuple[SmoothSurface, np.ndarray]:
    """A surface averaged over strengths, and what its likes say of cases that they have not seen.

    Each fold is predicted by surfaces of the others, at every strength. The log odds of all strengths whose NLL
    there cannot be told from the best one's (``DOUBT``) are averaged: with few cases nearly all of them are,
    with many the right one remains. The mean of such surfaces is one again.

    Args:
        sample: cases of both classes.
        folds: parts; fewer where one class has fewer cases.
        seed: of the parts.

    Returns:
        The surface of all cases, and ``[n]`` rates of each case by surfaces that have not seen it.

    Raises:
        DataError: one class.
        FitError: fewer than two cases of a class, or the odds do not settle.
    """
    fold, strengths = _folds(sample.both_classes(), folds, seed), list(product(BENDS, TILTS))
    odds = np.empty((len(strengths), len(sample)))
    for part in range(fold.max() + 1):
        inside = fold == part
        others = sample[~inside]
        knots = _knots(others)  # they stand where positives are, and so they too may not see the fold
        for row, theta in enumerate(_solve(_Cells.of(others, *knots), knots, strengths)):
            surface = SmoothSurface(*knots, _rising(theta, knots))
            odds[row, inside] = surface.log_odds_of(sample.score[inside], sample.uncertainty[inside])
    loss = np.logaddexp(0, np.where(sample.label, -1.0, 1.0) * odds)
    behind = loss - loss[np.argmin(loss.mean(axis=1))]
    good = behind.mean(axis=1) <= DOUBT * behind.std(axis=1) / np.sqrt(len(sample))
    chosen = [strength for strength, kept in zip(strengths, good, strict=True) if kept]
    knots = _knots(sample)
    theta = _solve(_Cells.of(sample, *knots), knots, chosen)
    mean = np.mean([_rising(each, knots) for each in theta], axis=0)
    return SmoothSurface(*knots, mean), expit(odds[good].mean(axis=0))


@dataclass(frozen=True, eq=False)
class _Cells:
    """Cases of nearly the same score and uncertainty, told together."""

    place: np.ndarray
    weight: np.ndarray
    cases: np.ndarray
    hits: np.ndarray

    @classmethod
    def of(cls, sample: Sample, score_knots: np.ndarray, unsure_knots: np.ndarray) -> _Cells:
        row = np.searchsorted(_ranks(sample.score, _SCORE_CELLS), sample.score, "right")
        column = np.searchsorted(_ranks(sample.uncertainty, _UNSURE_CELLS), sample.uncertainty, "right")
        code = row * (_UNSURE_CELLS + 2) + column
        cases = np.bincount(code)
        used = np.flatnonzero(cases)
        score = np.bincount(code, sample.score)[used] / cases[used]
        unsure = np.bincount(code, sample.uncertainty)[used] / cases[used]
        place, weight = _hats(score, unsure, score_knots, unsure_knots)
        return cls(place, weight, cases[used].astype(float), np.bincount(code, sample.label)[used])


def _solve(
    cells: _Cells, knots: tuple[np.ndarray, np.ndarray], strengths: list[tuple[float, float]]
) -> list[np.ndarray]:
    """Log odds ``[m * q]`` at each strength, by Newton's method whose long steps are cut.

    Knots are numbered along the uncertainty first, so that a knot meets others at most 2 q + 1 places on, and
    the matrix of each step is a band.
    """
    m, q = len(knots[0]), len(knots[1])
    along, across = np.diff(np.eye(m), 2, axis=0), np.diff(np.eye(q), 1, axis=0)
    bent = _band(np.kron(along.T @ along, np.eye(q)), 2 * q + 1)
    tilted = _band(np.kron(np.eye(m), across.T @ across), 2 * q + 1)
    least = np.zeros_like(bent)
    least[0] = _FLOOR
    share = (cells.hits.sum() + 0.5) / (cells.cases.sum() + 1)
    theta, found = np.full(m * q, np.log(share / (1 - share))), []
    for bend, tilt in strengths:
        penalty = bend * bent + tilt * tilted + least
        for _ in range(_TURNS):
            rate = expit((theta[cells.place] * cells.weight).sum(axis=1))
            slope = np.bincount(
                cells.place.ravel(),
                (cells.weight * (cells.cases * rate - cells.hits)[:, None]).ravel(),
                m * q,
            )
            curve = penalty + _squares(cells, cells.cases * rate * (1 - rate), penalty.shape)
            step = solveh_banded(curve, slope + _times(penalty, theta), lower=True)
            theta = theta - np.clip(step, -_STRIDE, _STRIDE)
            if np.abs(step).max() < _STILL:
                break
        if not np.isfinite(theta).all():
            raise FitError("the rates over score and uncertainty do not settle", fix="Are the scores finite?")
        found.append(theta)
    return found


def _squares(cells: _Cells, weight: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Hats × weight × hats, as a lower band."""
    band = np.zeros(shape[0] * shape[1])
    for i in range(4):
        for j in range(i, 4):
            at = (cells.place[:, j] - cells.place[:, i]) * shape[1] + cells.place[:, i]
            band += np.bincount(at, cells.weight[:, i] * cells.weight[:, j] * weight, len(band))
    return band.reshape(shape)


def _band(matrix: np.ndarray, width: int) -> np.ndarray:
    """The diagonal of a symmetric matrix and ``width`` below it, ``[width + 1, n]``."""
    band = np.zeros((width + 1, len(matrix)))
    for off in range(min(width + 1, len(matrix))):
        band[off, : len(matrix) - off] = np.diagonal(matrix, -off)
    return band


def _times(band: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """A symmetric matrix, given as a lower band, times a vector."""
    found = band[0] * vector
    for off in range(1, min(len(band), len(vector))):
        found[off:] += band[off, :-off] * vector[:-off]
        found[:-off] += band[off, :-off] * vector[off:]
    return found


def _rising(theta: np.ndarray, knots: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Log odds ``[m, q]`` that never fall along the score."""
    return np.maximum.accumulate(theta.reshape(len(knots[0]), len(knots[1])), axis=0)


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
