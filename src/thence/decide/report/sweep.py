"""Precision against recall of everything at least as high, and what one threshold has at the same precision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from thence.base.rng import generator
from thence.decide.goal import SLACK
from thence.decide.levels import curve_of, last_of_ties
from thence.decide.rule import Rule
from thence.decide.sample import Sample
from thence.evaluate.bootstrap import Interval, interval

POINTS = 300


@dataclass(frozen=True, eq=False)
class Sweep:
    """All thresholds of one value, from the highest down.

    Args:
        threshold: ``[m]`` falling.
        taken: ``[m]`` cases at or above it.
        hits: ``[m]`` positive ones among them.
        positives: in the sample.
    """

    threshold: np.ndarray
    taken: np.ndarray
    hits: np.ndarray
    positives: int

    @classmethod
    def of(cls, value: np.ndarray, label: np.ndarray) -> Sweep:
        """Of values ``[n]`` and labels ``[n]`` bool.

        Example:
            >>> sweep = Sweep.of(np.array([3.0, 2.0, 2.0, 1.0]), np.array([True, True, False, False]))
            >>> sweep.precision.round(2).tolist(), sweep.recall.tolist()
            ([1.0, 0.67, 0.5], [0.5, 1.0, 1.0])
            >>> sweep.best(0.6), sweep.best(0.9)
            (1, 0)
        """
        curve = curve_of(value, label)
        return cls(curve.score, curve.taken[1:], curve.positives[1:], int(label.sum()))

    @property
    def precision(self) -> np.ndarray:
        """``[m]``."""
        return self.hits / self.taken

    @property
    def recall(self) -> np.ndarray:
        """``[m]``; NaN where there are no positives."""
        return self.hits / self.positives if self.positives else np.full(len(self.hits), np.nan)

    def best(self, precision: float) -> int | None:
        """Place of the most hits whose precision is at least this; None where none is."""
        kept = np.flatnonzero(self.hits >= precision * self.taken * (1 - SLACK))
        return int(kept[np.argmax(self.hits[kept])]) if len(kept) else None

    def at(self, precision: float) -> dict[str, Any] | None:
        """Threshold, recall, precision and cases of the best place; None where there is none."""
        place = self.best(precision)
        if place is None:
            return None
        return {
            "threshold": float(self.threshold[place]),
            "recall": float(self.recall[place]),
            "precision": float(self.precision[place]),
            "taken": int(self.taken[place]),
        }

    def line(self) -> tuple[np.ndarray, np.ndarray]:
        """Recall and precision at no more than 300 places, evenly spread over recall."""
        places = np.unique(np.searchsorted(self.hits, np.linspace(self.hits[0], self.positives, POINTS)))
        places = np.minimum(places, len(self.hits) - 1)
        return self.recall[places], self.precision[places]


def matched_gains(
    sample: Sample, rules: Mapping[str, Rule], resamples: int = 200, seed: int = 0
) -> dict[str, Interval]:
    """By rule, its recall over that of one threshold of the score at the precision that the rule has.

    The threshold is the best of all on the same cases, and so is judged kindly. Intervals are a bootstrap over
    cases, the same draws for all, in which rules stay and the threshold is sought anew; cases weigh as Poisson
    draws of mean 1.

    Args:
        sample: cases that the rules were not chosen on.
        rules: judged, by name.
        resamples: how many; below 2 there is no interval.
        seed: of the draws.

    Returns:
        Ratios; NaN where a rule takes no positive, or no threshold has its precision.

    Example:
        >>> from thence.decide.rule import Thresholds
        >>> sample = Sample.make([1, 2, 3, 4], [1, 0, 1, 0], [0, 1, 0, 1])
        >>> sure = Thresholds(np.array([1.0]), np.array([2.0, 5.0]))  # the sure ones: all are positive
        >>> matched_gains(sample, {"sure": sure}, 0)["sure"].value  # one threshold has one of two so
        2.0

    References:
        Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13 (percentile intervals).
    """
    order = np.argsort(-sample.score, kind="stable")
    score, label = sample.score[order], sample.label[order].astype(np.float64)
    acts = [rule.act(score, sample.uncertainty[order]) for rule in rules.values()]
    ends = last_of_ties(score)
    rng = generator(seed, "decide", "report", "bootstrap")
    found = [_ratios(acts, label, np.ones(len(label)), ends)]
    for _ in range(resamples if resamples > 1 else 0):
        found.append(_ratios(acts, label, rng.poisson(1.0, len(label)).astype(np.float64), ends))
    return {
        name: interval(found[0][at], np.array([row[at] for row in found[1:]])) for at, name in enumerate(rules)
    }


def _ratios(acts: list[np.ndarray], label: np.ndarray, weight: np.ndarray, ends: np.ndarray) -> list[float]:
    """Hits of each rule over the most hits of a threshold with its precision; cases stand by falling score."""
    weighed = label * weight
    all_taken, all_hits = np.cumsum(weight)[ends], np.cumsum(weighed)[ends]
    ratios = []
    for act in acts:
        taken, hits = float(weight @ act), float(weighed @ act)
        kept = all_hits * taken >= hits * all_taken * (1 - SLACK)
        most = float(all_hits.max(where=kept, initial=0.0))
        ratios.append(hits / most if hits and most else float("nan"))
    return ratios
