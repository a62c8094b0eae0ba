"""Whether positivity falls or rises with uncertainty at equal score.

Scores are cut into groups, groups into fine bins, and each fine bin into levels by the rank of uncertainty in
it, so that the levels compared have the same scores. The sign rule: where training cases of an id are few its
training positivity lies too far from the base rate to either side; so at equal score positivity falls with
uncertainty above the base rate of training and rises below it. It is a rule for scores that are not shrunk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from thence.base.rng import generator
from thence.decide.calibrate.grid import balanced_cuts
from thence.decide.levels import level_cuts, level_of
from thence.decide.sample import Sample
from thence.evaluate.wilson import wilson

GROUPS, FINE, LEVELS = 5, 20, 4


@dataclass(frozen=True, eq=False)
class EqualScore:
    """Rates by level of uncertainty in each group of scores.

    Args:
        score: ``[groups]`` mean score.
        count: ``[groups, levels]`` cases.
        positive: ``[groups, levels]`` positive ones among them.
        base: rate of positives in training, with which the mean score is compared.
    """

    score: np.ndarray
    count: np.ndarray
    positive: np.ndarray
    base: float

    @property
    def rate(self) -> np.ndarray:
        """``[groups, levels]``; NaN where no case is."""
        return np.divide(self.positive, self.count, out=np.full(self.count.shape, np.nan), where=self.count > 0)

    def interval(self) -> tuple[np.ndarray, np.ndarray]:
        """95 % intervals of the rates, both ``[groups, levels]``."""
        low, high = wilson(self.positive.ravel(), np.maximum(self.count.ravel(), 1))
        return low.reshape(self.count.shape), high.reshape(self.count.shape)

    @property
    def errors(self) -> np.ndarray:
        """``[groups]`` z: by how many standard errors the least sure level is above the surest.

        ``z = (r_last - r_first) / sqrt(r (1 - r) (1/n_last + 1/n_first))``, r being the rate of both together;
        0 where one of them has no case.
        """
        n, k = self.count[:, [0, -1]].astype(np.float64), self.positive[:, [0, -1]]
        share = k.sum(1) / np.maximum(n.sum(1), 1)
        spread = np.sqrt(share * (1 - share) * (1 / np.maximum(n, 1)).sum(1))
        change = self.rate[:, -1] - self.rate[:, 0]
        return np.divide(change, spread, out=np.zeros(len(change)), where=(spread > 0) & (n > 0).all(1))

    @property
    def expected(self) -> np.ndarray:
        """``[groups]`` the sign that the rule foresees: -1 above the base rate of training, 1 below it."""
        return np.where(self.score > self.base, -1, 1)

    def data(self) -> list[dict[str, Any]]:
        """One entry a group."""
        low, high = self.interval()
        rows = zip(self.score, self.count, self.positive, self.rate, low, high, strict=True)
        return [
            {
                "score": float(score),
                "count": count.tolist(),
                "positive": positive.tolist(),
                "rate": [None if np.isnan(one) else float(one) for one in rate],
                "low": below.tolist(),
                "high": above.tolist(),
                "z": float(self.errors[place]),
                "expected": int(self.expected[place]),
            }
            for place, (score, count, positive, rate, below, above) in enumerate(rows)
        ]


def equal_score(
    sample: Sample, base: float, *, groups: int = GROUPS, fine: int = FINE, levels: int = LEVELS
) -> EqualScore:
    """Rates by uncertainty among cases of equal score.

    Args:
        sample: cases of both classes.
        base: rate of positives in training.
        groups: of scores, in which either class weighs a half.
        fine: bins of as many cases in each group.
        levels: of uncertainty inside each bin, of as many cases; equal uncertainties are dealt out at random,
            so that every level has the same scores.

    Example:
        >>> score, unsure = np.repeat([0.2, 0.8], 40), np.tile(np.arange(40.0), 2)
        >>> label = np.where(score > 0.5, unsure < 20, unsure >= 30)  # falls above, rises below
        >>> found = equal_score(Sample.make(score, unsure, label), 0.5, groups=2, levels=2)
        >>> found.rate.tolist(), (np.sign(found.errors) == found.expected).tolist()
        ([[0.0, 0.5], [1.0, 0.0]], [True, True])
    """
    splits = balanced_cuts(sample.score, sample.label, groups)
    lots = generator(0, "decide", "report", "ties").random(len(sample))
    group, level = level_of(sample.score, splits), np.empty(len(sample), np.int64)
    for at in range(len(splits) + 1):
        rows = np.flatnonzero(group == at)
        bin_ = level_of(sample.score[rows], level_cuts(sample.score[rows], fine))
        for one in range(bin_.max() + 1):
            inside = rows[bin_ == one]
            level[inside] = _rank_level(sample.uncertainty[inside], lots[inside], levels)
    shape = len(splits) + 1, levels
    cell = group * levels + level
    count = np.bincount(cell, minlength=shape[0] * levels).reshape(shape)
    positive = np.bincount(cell[sample.label], minlength=shape[0] * levels).reshape(shape)
    score = np.bincount(group, sample.score) / count.sum(1)
    return EqualScore(score, count, positive, base)


def _rank_level(values: np.ndarray, lots: np.ndarray, levels: int) -> np.ndarray:
    """Level by rank, ``[n]``; lots decide between equal values."""
    rank = np.empty(len(values), np.int64)
    rank[np.lexsort((lots, values))] = np.arange(len(values))
    return rank * levels // max(len(values), 1)
