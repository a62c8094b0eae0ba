"""How strongly a surface is held: two ridges, chosen by cross-fitting; what does not help is left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thence.decide.calibrate.logistic import logistic
from thence.decide.calibrate.splines import SCORE, UNSURE

RIDGES = tuple(float(10.0**power) for power in np.arange(4.0, -2.5, -1.0))
"""Tried from the strongest on; before them comes leaving the columns out."""
TINY = 1e-8
"""On the free columns, so that a score that sets the classes apart still has a curve."""
ERRORS = 2.0
"""Standard errors by which a weaker ridge must be better."""


@dataclass(frozen=True, eq=False)
class Cells:
    """Cases, gathered: each ``[cells]``.

    Args:
        z: mean log odds.
        r: mean rank of the uncertainty.
        count: cases.
        positive: positive ones among them.
        fold: which fold they belong to.
    """

    z: np.ndarray
    r: np.ndarray
    count: np.ndarray
    positive: np.ndarray
    fold: np.ndarray


def fit_cells(
    design: np.ndarray,
    group: np.ndarray,
    count: np.ndarray,
    positive: np.ndarray,
    ridges: tuple[float, float],
    start: np.ndarray | None = None,
) -> np.ndarray:
    """Coefficients ``[K]`` under a ridge for each group; 0 of columns whose ridge is infinite.

    Args:
        design: ``[cells, K]``.
        group: ``[K]``.
        count: ``[cells]`` cases.
        positive: ``[cells]`` positive ones.
        ridges: of the groups 1 and 2.
        start: ``[K]`` where to begin.
    """
    ridge = np.array([TINY, *ridges])[group]
    kept = np.isfinite(ridge)
    found = np.zeros(len(group))
    begin = None if start is None else start[kept]
    found[kept] = logistic(design[:, kept], positive / count, weight=count, ridge=ridge[kept], start=begin)
    return found


def chosen_ridges(design: np.ndarray, group: np.ndarray, cells: Cells) -> tuple[float, float]:
    """The ridge of the score's bends with no uncertainty, and then that of the uncertainty's columns.

    Each begins at infinity; a weaker one is taken where held-out log-loss falls by more than two standard
    errors beside the one that is held so far.

    Args:
        design: ``[cells, K]``.
        group: ``[K]``.
        cells: with their folds.
    """
    infinite = float("inf")
    found = [infinite, infinite]
    for place, which in enumerate((SCORE, UNSURE)):
        if not (group == which).any():
            continue
        best = _held_out(design, group, cells, (found[0], found[1]))
        start, rising = None, 0
        for ridge in RIDGES:
            tried = list(found)
            tried[place] = ridge
            losses, start = _held_out_from(design, group, cells, (tried[0], tried[1]), start)
            gain, error = _gain(best, losses, cells)
            if gain > ERRORS * error:
                found, best, rising = tried, losses, 0
            elif gain < 0:
                rising += 1
                if rising == 2:
                    break
    return found[0], found[1]


def _held_out(design, group, cells: Cells, ridges: tuple[float, float]) -> np.ndarray:
    return _held_out_from(design, group, cells, ridges, None)[0]


def _held_out_from(design, group, cells: Cells, ridges, starts) -> tuple[np.ndarray, list[np.ndarray]]:
    """Log-losses ``[2, cells]`` of a negative and of a positive case by a fit that did not see them."""
    losses, fits = np.empty((2, len(cells.z))), []
    for fold in range(int(cells.fold.max()) + 1):
        rest, held = cells.fold != fold, cells.fold == fold
        if not cells.positive[rest].any() or not (cells.count - cells.positive)[rest].any():
            rest = np.ones(len(held), bool)  # the only case of a class cannot be left out
        start = None if starts is None else starts[fold]
        fits.append(fit_cells(design[rest], group, cells.count[rest], cells.positive[rest], ridges, start))
        odds = design[held] @ fits[-1]
        losses[:, held] = np.logaddexp(0.0, odds), np.logaddexp(0.0, -odds)
    return losses, fits


def _gain(before: np.ndarray, after: np.ndarray, cells: Cells) -> tuple[float, float]:
    """How much lower the loss is in sum, and the standard error of that, cases being independent."""
    less = before - after
    negative = cells.count - cells.positive
    gain = float((negative * less[0] + cells.positive * less[1]).sum())
    squares = float((negative * less[0] ** 2 + cells.positive * less[1] ** 2).sum())
    total = float(cells.count.sum())
    return gain, max(squares - gain * gain / total, 0.0) ** 0.5
