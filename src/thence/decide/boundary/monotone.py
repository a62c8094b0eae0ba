"""The best thresholds that only rise, or only fall, with uncertainty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from thence.base.errors import ConfigError
from thence.decide.boundary.coarse import coarse
from thence.decide.boundary.exact import both
from thence.decide.boundary.kernel import combine_rising
from thence.decide.boundary.relax import climb, critical_rate, least_gain, tolerance
from thence.decide.boundary.stack import reachable
from thence.decide.goal import Goal
from thence.decide.levels import Spacing, curves, level_cuts
from thence.decide.rule import Thresholds
from thence.decide.sample import Sample

Direction = Literal["rising", "falling"]


@dataclass(frozen=True)
class Monotone:
    """Best thresholds per level of uncertainty among those monotone in it.

    Thresholds lie on one grid of scores. Exact on that grid: the fewest false positives for each number of true
    ones and each place b that the threshold has reached are
    ``D_i(b, t) = min(D_i(b - 1, t), D_{i-1}(b, t - p_i(b)) + f_i(b))``, after leaving out what
    :mod:`~thence.decide.boundary.relax` proves to be in no optimum.

    Args:
        levels: of uncertainty, at most.
        bins: of the score, the same for all levels, at most; None for every distinct score.
        direction: of the threshold as uncertainty rises; None for the better one.
        spacing: of levels, ``weight`` or ``span``.

    Example:
        >>> sample = Sample.make([0.9, 0.8, 0.7, 0.9, 0.8, 0.7], [1, 1, 1, 2, 2, 2], [1, 1, 1, 1, 0, 0])
        >>> Monotone(levels=2).fit(sample, Goal.recall(precision=1.0)).threshold.tolist()
        [0.7, 0.9]
        >>> Monotone(levels=2, direction="falling").fit(sample, Goal.recall(precision=1.0)).threshold.tolist()
        [0.9, 0.9]
    """

    levels: int = 10
    bins: int | None = 500
    direction: Direction | None = None
    spacing: Spacing = "weight"

    def fit(self, sample: Sample, goal: Goal) -> Thresholds:
        """The rule that is best on the sample.

        Raises:
            ConfigError: a direction that does not exist.
            FitError: no boundary keeps the goal's bound.
        """
        if self.direction not in (None, "rising", "falling"):
            raise ConfigError(f"direction {self.direction!r}", fix="rising, falling or None.")
        cuts = level_cuts(sample.uncertainty, self.levels, self.spacing)
        grid = coarse(curves(sample, np.empty(0))[0], self.bins)
        taken, positives = [], []
        for curve in curves(sample, cuts):
            place = np.append(0, np.searchsorted(-curve.score, -grid.score, side="right"))
            taken.append(curve.taken[place])
            positives.append(curve.positives[place])
        sizes = (len(sample), sample.positives)
        found = []
        if self.direction != "falling":  # a rising threshold has lower places at higher levels
            found.append(rising_places(taken[::-1], positives[::-1], goal, sizes)[::-1])
        if self.direction != "rising":
            found.append(rising_places(taken, positives, goal, sizes))
        n, t = np.array([both(taken, positives, places) for places in found]).T
        places = found[goal.pick(n, t, *sizes)]
        return Thresholds(cuts, np.append(np.inf, grid.score)[places])


def rising_places(
    taken: list[np.ndarray], positives: list[np.ndarray], goal: Goal, sizes: tuple[int, int]
) -> list[int]:
    """Best places that never fall from level to level.

    Args:
        taken: of each level, ``[places]`` int64 cases taken at each place of the common grid.
        positives: likewise.
        goal: what is sought.
        sizes: cases and positive cases in the sample.

    Raises:
        FitError: no boundary keeps the goal's bound.
    """
    keep = promising(np.array(taken), np.array(positives), goal, sizes)
    used = np.flatnonzero(keep.any(axis=0))
    n, t, keep = np.array(taken)[:, used], np.array(positives)[:, used], keep[:, used]
    low = np.where(keep, t, np.iinfo(np.int64).max).min(axis=1)
    size, loss = np.where(keep, t - low[:, None], 0), np.where(keep, n - t, 0).astype(np.int32)

    def forward(levels: int) -> np.ndarray:
        table = np.full((len(used), 1), 0, np.int32)
        for level in range(levels):
            width = table.shape[1] + int(size[level].max())
            table = combine_rising(table, keep[level], size[level], loss[level], width)
        return table

    table = forward(len(n))
    sums = reachable(table[-1])
    hits = sums + int(low.sum())
    total = int(sums[goal.pick(hits + table[-1][sums], hits, *sizes)])
    places, reached = [], len(used) - 1
    for level in reversed(range(len(n))):
        reached = int(np.argmax(table[: reached + 1, total] == table[reached, total]))
        places.append(int(used[reached]))
        total -= int(size[level, reached])
        table = forward(level)
    return places[::-1]


def promising(taken: np.ndarray, positives: np.ndarray, goal: Goal, sizes: tuple[int, int]) -> np.ndarray:
    """Whether a level's place may be in an optimum, ``[levels, places]`` bool."""
    rows = list(taken), list(positives)

    def most(rate: float) -> list[int]:
        gain = positives - rate * taken
        best, places = _best_before(gain), []
        reached = gain.shape[1]
        for level in reversed(range(len(gain))):
            reached = int(np.argmax((gain[level] + best[level])[:reached])) + 1
            places.append(reached - 1)
        return places[::-1]

    rate = critical_rate(goal, lambda rate: both(*rows, most(rate)), *sizes)
    n, t = both(*rows, climb(goal, *rows, most(rate), sizes, rising=True))
    worth = float(goal.worth(np.array([n]), np.array([t]))[0])
    gain = positives - rate * taken
    after = _best_before(gain[::-1, ::-1])[::-1, ::-1]
    through = _best_before(gain) + gain + after
    return through >= least_gain(goal, rate, worth, *sizes) - tolerance(sizes[0])


def _best_before(gain: np.ndarray) -> np.ndarray:
    """Greatest gain of the levels before, where none of them is at a higher place; ``[levels, places]``."""
    best = np.zeros_like(gain)
    for level in range(1, len(gain)):
        best[level] = np.maximum.accumulate(best[level - 1] + gain[level - 1])
    return best
