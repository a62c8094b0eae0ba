"""The best thresholds that only rise, or only fall, with uncertainty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from thence.base.errors import ConfigError
from thence.decide.boundary.coarse import coarse
from thence.decide.boundary.exact import both
from thence.decide.boundary.rising import rising_places
from thence.decide.goal import Goal
from thence.decide.levels import Spacing, curves, level_cuts
from thence.decide.rule import Thresholds
from thence.decide.sample import Sample

Direction = Literal["rising", "falling"]


@dataclass(frozen=True)
class Monotone:
    """Best thresholds per level of uncertainty among those monotone in it.

    Thresholds lie on one grid of scores, with as many positives in each bin. Exact on that grid: the fewest
    false positives for each number of true ones and each place b that the threshold has reached are
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
        grid = coarse(curves(sample, np.empty(0))[0], self.bins, "positives")
        taken, positives = [], []
        for curve in curves(sample, cuts):
            place = np.append(0, np.searchsorted(-curve.score, -grid.score, side="right"))
            taken.append(curve.taken[place])
            positives.append(curve.positives[place])
        sizes = (len(sample), sample.positives)
        found: list[list[int]] = []
        for falling in [self.direction == "falling"] if self.direction else [False, True]:
            turn = slice(None, None, 1 if falling else -1)  # places fall where thresholds rise
            n, t = np.array(taken[turn]), np.array(positives[turn])
            places = rising_places(n, t, goal, sizes, found[0][turn] if found else None)
            if places is not None:
                found.append(places[turn])
        n, t = np.array([both(taken, positives, places) for places in found]).T
        return Thresholds(cuts, np.append(np.inf, grid.score)[found[goal.pick(n, t, *sizes)]])
