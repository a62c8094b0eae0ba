"""Rates and counts in cells of score and uncertainty, and where rules begin to act among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from thence.decide.calibrate.grid import balanced_cuts
from thence.decide.levels import level_cuts, level_of
from thence.decide.rule import Rule
from thence.decide.sample import Sample

BINS, LEVELS = 12, 6
FINE = 24


@dataclass(frozen=True, eq=False)
class Heat:
    """Cells of a sample.

    Args:
        score_edges: ``[bins + 1]`` rising, from the least score to the greatest.
        unsure_edges: ``[levels + 1]`` rising.
        count: ``[levels, bins]`` cases.
        positive: ``[levels, bins]`` positive ones among them.
    """

    score_edges: np.ndarray
    unsure_edges: np.ndarray
    count: np.ndarray
    positive: np.ndarray

    @property
    def rate(self) -> np.ndarray:
        """``[levels, bins]`` share of positives; NaN in empty cells."""
        return np.divide(self.positive, self.count, out=np.full(self.count.shape, np.nan), where=self.count > 0)

    def acts(self, rule: Rule) -> np.ndarray:
        """Whether a rule acts at 24 × 24 points of each cell, ``[levels · 24, bins · 24]`` bool."""
        score, unsure = np.meshgrid(_between(self.score_edges), _between(self.unsure_edges))
        return rule.act(score.ravel(), unsure.ravel()).reshape(score.shape)

    def data(self) -> dict[str, Any]:
        """Everything as lists; the rate of an empty cell is None."""
        rate = [[None if np.isnan(one) else one for one in row] for row in self.rate.tolist()]
        return {
            "score_edges": self.score_edges.tolist(),
            "uncertainty_edges": self.unsure_edges.tolist(),
            "count": self.count.tolist(),
            "positive": self.positive.tolist(),
            "rate": rate,
        }


def heat(sample: Sample, bins: int = BINS, levels: int = LEVELS) -> Heat:
    """The cells: levels of as many cases, bins in which either class weighs a half.

    Args:
        sample: cases of both classes.
        bins: of the score, at most.
        levels: of the uncertainty, at most.

    Example:
        >>> found = heat(Sample.make([1, 2, 1, 2], [0, 0, 5, 5], [0, 1, 0, 0]), 2, 2)
        >>> found.count.tolist(), found.rate.tolist()
        ([[1, 1], [1, 1]], [[0.0, 1.0], [0.0, 0.0]])
        >>> found.score_edges.tolist(), found.unsure_edges.tolist()
        ([1.0, 2.0, 2.0], [0.0, 5.0, 5.0])
    """
    splits, cuts = balanced_cuts(sample.score, sample.label, bins), level_cuts(sample.uncertainty, levels)
    shape = len(cuts) + 1, len(splits) + 1
    cell = level_of(sample.uncertainty, cuts) * shape[1] + level_of(sample.score, splits)
    count = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)
    positive = np.bincount(cell[sample.label], minlength=shape[0] * shape[1]).reshape(shape)
    return Heat(_edges(sample.score, splits), _edges(sample.uncertainty, cuts), count, positive)


def _edges(values: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    return np.concatenate([[values.min()], cuts, [values.max()]])


def _between(edges: np.ndarray) -> np.ndarray:
    """24 values of each cell, from just inside its lower edge to just inside its upper one."""
    inside = (np.arange(FINE) + 0.5) / FINE
    return (edges[:-1, None] + np.diff(edges)[:, None] * inside).ravel()
