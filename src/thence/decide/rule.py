"""What decides on one case: a rule from its score and its uncertainty. Rules know nothing of labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from thence.decide.levels import level_of
from thence.decide.sample import Sample


class Rule(Protocol):
    """Anything that says of each case whether to act, and by how much: its margin is at least 0 where it
    acts."""

    def act(self, score: ArrayLike, uncertainty: ArrayLike) -> np.ndarray:
        """Whether to act, ``[n]`` bool, of scores and uncertainties ``[n]``."""
        ...

    def margin(self, score: ArrayLike, uncertainty: ArrayLike) -> np.ndarray:
        """How far each case is inside, ``[n]`` float64, in the unit of what the rule looks at."""
        ...

    def tightened(self, by: float) -> Rule:
        """The rule that acts where the margin is at least this much; where that is positive, on fewer cases.

        By infinity it never acts, by minus infinity always.
        """
        ...


@dataclass(frozen=True, eq=False)
class Thresholds:
    """One threshold of the score for each level of uncertainty: act where ``score >= threshold[level]``.

    With no cuts it is the single threshold that everybody knows.

    Args:
        cuts: ``[levels - 1]`` rising.
        threshold: ``[levels]``; infinity never acts, minus infinity always does.

    References:
        Arora et al., Leveraging Uncertainty Estimates To Improve Classifier Performance, ICLR 2024, section 4.

    Example:
        >>> rule = Thresholds(np.array([1.0]), np.array([0.5, 0.8]))
        >>> rule.act([0.6, 0.6, 0.8], [0.0, 1.0, 2.0]).tolist()
        [True, False, True]
    """

    cuts: np.ndarray
    threshold: np.ndarray

    def act(self, score: ArrayLike, uncertainty: ArrayLike) -> np.ndarray:
        """Whether to act, ``[n]`` bool."""
        return self.margin(score, uncertainty) >= 0

    def margin(self, score: ArrayLike, uncertainty: ArrayLike) -> np.ndarray:
        """The score less its threshold, ``[n]``."""
        return np.asarray(score, np.float64) - self.threshold[level_of(uncertainty, self.cuts)]

    def tightened(self, by: float) -> Thresholds:
        """All thresholds raised; those that are infinite stay as they are, unless ``by`` is infinite."""
        return Thresholds(self.cuts, np.array([raised(float(least), by) for least in self.threshold]))


@dataclass(frozen=True)
class Rectangle:
    """Act where the score is at least one value and the uncertainty at most (or at least) another.

    Args:
        score: least score.
        uncertainty: limit of uncertainty.
        below: whether it is the most (True) or the least that is acted on.

    Example:
        >>> Rectangle(0.5, 1.0).act([0.6, 0.6, 0.4], [1.0, 2.0, 0.0]).tolist()
        [True, False, False]
    """

    score: float
    uncertainty: float
    below: bool = True

    def act(self, score: ArrayLike, uncertainty: ArrayLike) -> np.ndarray:
        """Whether to act, ``[n]`` bool."""
        return self.margin(score, uncertainty) >= 0

    def margin(self, score: ArrayLike, uncertainty: ArrayLike) -> np.ndarray:
        """The score less the least one, ``[n]``; minus infinity outside the limit of uncertainty."""
        unsure = np.asarray(uncertainty, np.float64)
        inside = unsure <= self.uncertainty if self.below else unsure >= self.uncertainty
        return np.where(inside, np.asarray(score, np.float64) - self.score, -np.inf)

    def tightened(self, by: float) -> Rectangle:
        """The least score raised; the limit of uncertainty stays, unless ``by`` is minus infinity."""
        limit = self.uncertainty if by > -np.inf else np.inf if self.below else -np.inf
        return Rectangle(raised(self.score, by), limit, self.below)


class Surface(Protocol):
    """A rate of positives over score and uncertainty, fitted to a sample."""

    def rate(self, score: ArrayLike, uncertainty: ArrayLike) -> np.ndarray:
        """Rates ``[n]`` float64 in [0, 1] of scores and uncertainties ``[n]``."""
        ...


@dataclass(frozen=True, eq=False)
class Above:
    """Act where a surface is at least a threshold: nested boundaries, one for each threshold.

    Args:
        surface: gives the rate of a case.
        threshold: least rate acted on; infinity never acts.
    """

    surface: Surface
    threshold: float

    def act(self, score: ArrayLike, uncertainty: ArrayLike) -> np.ndarray:
        """Whether to act, ``[n]`` bool."""
        return self.margin(score, uncertainty) >= 0

    def margin(self, score: ArrayLike, uncertainty: ArrayLike) -> np.ndarray:
        """The rate less the threshold, ``[n]``."""
        return self.surface.rate(score, uncertainty) - self.threshold

    def tightened(self, by: float) -> Above:
        """The threshold raised."""
        return Above(self.surface, raised(self.threshold, by))


def raised(threshold: float, by: float) -> float:
    """The least number whose difference from a threshold is at least this much, in floats as they round.

    ``threshold + by`` can lie one step off, and then whole groups of equal scores fall on the wrong side.

    Example:
        >>> 0.7 + (0.9 - 0.7) > 0.9, raised(0.7, 0.9 - 0.7) <= 0.9
        (False, True)
        >>> raised(float("inf"), 1.0), raised(0.5, float("-inf"))
        (inf, -inf)
    """
    if np.isinf(by):
        return by
    if np.isinf(threshold):
        return threshold
    room = 4 * float(np.spacing(max(abs(threshold), abs(by), abs(threshold + by))))
    low, high = threshold + by - room, threshold + by + room
    while low < (middle := low + (high - low) / 2) < high:
        low, high = (low, middle) if middle - threshold >= by else (middle, high)
    return high


@dataclass(frozen=True)
class Outcome:
    """What a rule did to a sample.

    Args:
        taken: cases acted on.
        hits: positive ones among them.
        cases: in the sample.
        positives: in the sample.

    Example:
        >>> found = outcome(Rectangle(0.5, 1.0), Sample.make([0.6, 0.9, 0.4], [1, 1, 1], [1, 0, 1]))
        >>> found.precision, found.recall, found.share
        (0.5, 0.5, 0.6666666666666666)
    """

    taken: int
    hits: int
    cases: int
    positives: int

    @property
    def precision(self) -> float:
        """Share of positives among the taken; NaN where nothing is taken."""
        return self.hits / self.taken if self.taken else float("nan")

    @property
    def recall(self) -> float:
        """Share of the positives that are taken; NaN where there are none."""
        return self.hits / self.positives if self.positives else float("nan")

    @property
    def share(self) -> float:
        """Share of the cases that are taken."""
        return self.taken / self.cases


def outcome(rule: Rule, sample: Sample) -> Outcome:
    """What the rule does to the sample."""
    act = rule.act(sample.score, sample.uncertainty)
    return Outcome(int(act.sum()), int(sample.label[act].sum()), len(sample), sample.positives)
