"""Logistic regression by Newton's method: few columns, exact to rounding, deterministic.

    minimise  Σ w_i [ln(1 + exp η_i) - t_i η_i] + ½ Σ_j λ_j c_j²,   η = offset + X c

Targets may lie anywhere in [0, 1], so that one row can stand for many cases.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from thence.base.errors import FitError

STEPS = 200
ENOUGH = 1e-11
"""The Newton decrement, as a share of the total weight, at which the fit is done."""


def logistic(
    design: np.ndarray,
    target: np.ndarray,
    *,
    weight: np.ndarray | None = None,
    ridge: np.ndarray | float = 0.0,
    offset: np.ndarray | float = 0.0,
    start: np.ndarray | None = None,
) -> np.ndarray:
    """Coefficients ``[k]`` of least loss.

    Args:
        design: ``[n, k]`` float64; bring a column of ones where an intercept is wanted.
        target: ``[n]`` in [0, 1].
        weight: ``[n]`` cases that each row stands for; 1 where not given.
        ridge: λ, one for all columns or ``[k]``.
        offset: ``[n]`` added to the log odds.
        start: ``[k]`` where to begin; zeros where not given.

    Raises:
        FitError: no minimum was reached (classes that are set apart, and no ridge).

    Example:
        >>> ones = np.ones((4, 1))
        >>> logistic(ones, np.array([1.0, 0, 0, 0])).round(6).tolist()  # ln(1/3)
        [-1.098612]

    References:
        Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, 2009, section 4.4.1.
    """
    weight = np.ones(len(target)) if weight is None else weight
    penalty = np.broadcast_to(np.asarray(ridge, np.float64), design.shape[1])
    at = np.zeros(design.shape[1]) if start is None else start.astype(np.float64)
    loss = _loss(design, target, weight, penalty, offset, at)
    scale = float(weight.sum())
    for _ in range(STEPS):
        rate = expit(offset + design @ at)
        slope = design.T @ (weight * (rate - target)) + penalty * at
        bend = (design * (weight * rate * (1 - rate))[:, None]).T @ design + np.diag(penalty)
        step = _solve(bend, slope)
        gain = float(slope @ step)
        if gain <= ENOUGH**2 * scale:
            return _finite(at - step, loss, scale, penalty)
        at, loss, moved = _shorten(at, step, loss, gain, (design, target, weight, penalty, offset))
        if not moved:  # no step lowers the loss by more than rounding
            return _finite(at, loss, scale, penalty)
    raise FitError("the logistic fit did not settle", fix="Look for columns that depend on each other.")


def _finite(at: np.ndarray, loss: float, scale: float, penalty: np.ndarray) -> np.ndarray:
    """Coefficients, unless they are on their way to infinity."""
    if loss < 1e-9 * scale and not penalty.any():
        raise FitError("the classes are set apart: no logistic curve is best", fix="Use Platt, or more cases.")
    return at


def _shorten(at, step, loss: float, gain: float, terms) -> tuple[np.ndarray, float, bool]:
    """Halve a step until the loss falls as it should (Armijo)."""
    for halvings in range(40):
        length = 0.5**halvings
        tried = at - length * step
        found = _loss(*terms, at=tried)
        if found < loss and found <= loss - 1e-4 * length * gain:
            return tried, found, True
    return at, loss, False


def _loss(design, target, weight, penalty, offset, at) -> float:
    odds = offset + design @ at
    return float((weight * (np.logaddexp(0.0, odds) - target * odds)).sum() + 0.5 * (penalty * at * at).sum())


def _solve(bend: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """A Newton step, with columns brought to one scale first; the shortest where columns are dependent."""
    size = np.sqrt(np.maximum(np.diag(bend), 1e-300))
    scaled = bend / size[:, None] / size
    return np.linalg.lstsq(scaled, slope / size, rcond=1e-13)[0] / size
