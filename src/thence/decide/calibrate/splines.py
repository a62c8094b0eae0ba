"""Columns of a natural cubic spline surface: cubic between knots, linear beyond them."""

from __future__ import annotations

import numpy as np

from thence.decide.calibrate.grid import balanced_cuts

SCORE_KNOTS = 10
RANK_KNOTS = np.linspace(0.03, 0.97, 6)
FREE, SCORE, UNSURE = 0, 1, 2
"""Groups of columns: unpenalised, of the score alone, and with the uncertainty in them."""


def natural_knots(z: np.ndarray, label: np.ndarray, knots: int = SCORE_KNOTS) -> np.ndarray:
    """Knots ``[k]`` at quantiles in which either class weighs a half; at least two.

    Example:
        >>> natural_knots(np.zeros(4), np.array([True, False, True, False])).tolist()
        [0.0, 1.0]
    """
    cuts = balanced_cuts(z, label, 40)
    if len(cuts) < 3:
        low, high = float(z.min()), float(z.max())
        return np.array([low, high if high > low else low + 1.0])
    return np.unique(np.quantile(cuts, np.linspace(0.02, 0.98, knots)))


def natural(values: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """``[n, k - 1]``: the value itself, from 0 to 1 between the outer knots, and ``k - 2`` bends.

    With ``d_j(x) = ((x - t_j)+³ - (x - t_k)+³) / (t_k - t_j)`` the bends are ``d_j - d_{k-1}``.

    Example:
        >>> line = natural(np.array([0.0, 1.0, 2.0, 3.0]), np.array([0.0, 1.0, 2.0]))
        >>> line[:, 0].tolist(), line[:, 1].round(3).tolist()
        ([0.0, 0.5, 1.0, 1.5], [0.0, 0.125, 0.75, 1.5])

    References:
        Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, 2009, equations 5.4 and 5.5.
    """
    low, high = knots[0], knots[-1]
    x, t = (values - low) / (high - low), (knots - low) / (high - low)
    end = np.maximum(x - 1.0, 0.0) ** 3
    pieces = [(np.maximum(x - at, 0.0) ** 3 - end) / (1.0 - at) for at in t[:-1]]
    return np.stack([x, *(piece - pieces[-1] for piece in pieces[:-1])], 1)


def columns(
    z: np.ndarray, r: np.ndarray, knots: np.ndarray, *, count: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The columns of the surface, and the group of each.

    Args:
        z: ``[n]`` log odds.
        r: ``[n]`` ranks in [0, 1].
        knots: ``[k]`` of z.
        count: only so many first columns; all where not given.

    Returns:
        ``[n, K]``: one, z, the k - 2 bends of z, the 5 columns of r and the 5 (k - 1) products; ``[K]`` groups.

    Example:
        >>> design, group = columns(np.array([0.5]), np.array([0.5]), np.array([0.0, 0.5, 1.0]))
        >>> group.tolist()
        [0, 0, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]
    """
    score = natural(z, knots)
    group = [FREE, FREE] + [SCORE] * (score.shape[1] - 1)
    ones = np.ones((len(z), 1))
    parts = [ones, score]
    if count is None or count > len(group):
        unsure = natural(r, RANK_KNOTS) - natural(np.array([0.5]), RANK_KNOTS)
        products = ((score - 0.5)[:, :, None] * unsure[:, None, :]).reshape(len(z), -1)
        parts += [unsure, products]
        group += [UNSURE] * (unsure.shape[1] + products.shape[1])
    return np.concatenate(parts, 1), np.array(group)
