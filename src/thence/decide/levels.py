"""Levels of uncertainty, and within each what taking the highest scores brings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from thence.base.errors import ConfigError
from thence.decide.sample import Sample

Spacing = Literal["weight", "span"]


def level_cuts(uncertainty: ArrayLike, levels: int, spacing: Spacing = "weight") -> np.ndarray:
    """Where uncertainty is cut into levels.

    Args:
        uncertainty: ``[n]`` finite.
        levels: at most so many; equal values stay together, and so there may be fewer.
        spacing: ``weight`` for as many cases in each, ``span`` for as wide a range.

    Returns:
        ``[levels - 1]`` rising float64; a case belongs to the level of how many cuts lie at or below it.

    Raises:
        ConfigError: fewer than one level, or a spacing that does not exist.

    Example:
        >>> level_cuts([1, 1, 1, 2, 3, 4], 3).tolist()
        [2.0, 3.0]
        >>> level_cuts([0, 1, 2, 8], 2, "span").tolist(), level_cuts([5, 5], 4).tolist()
        ([4.0], [])
    """
    if levels < 1:
        raise ConfigError(f"{levels} levels", fix="Give at least one.")
    values = np.sort(np.asarray(uncertainty, np.float64))
    if spacing == "span":
        cuts = np.linspace(values[0], values[-1], levels + 1)[1:-1]
    elif spacing == "weight":
        cuts = values[np.arange(1, levels) * len(values) // levels]
        inside = cuts == values[0]  # a cut at the least value has nothing below: it moves to the next value
        cuts[inside] = values[min(np.searchsorted(values, values[0], "right"), len(values) - 1)]
    else:
        raise ConfigError(f"spacing {spacing!r}", fix="weight or span.")
    return np.unique(cuts[cuts > values[0]])


def level_of(uncertainty: ArrayLike, cuts: np.ndarray) -> np.ndarray:
    """Level ``[n]`` of each case.

    Example:
        >>> level_of([0.0, 2.0, 9.0], np.array([2.0, 3.0])).tolist()
        [0, 1, 2]
    """
    return np.searchsorted(cuts, np.asarray(uncertainty, np.float64), side="right")


@dataclass(frozen=True, eq=False)
class Curve:
    """What one level gives: the k-th entry is of taking every score of at least ``score[k - 1]``.

    Args:
        score: ``[m]`` distinct scores, falling.
        taken: ``[m + 1]`` cases taken, from 0.
        positives: ``[m + 1]`` positive ones among them.

    Example:
        >>> curve = curves(Sample.make([3, 1, 3, 2], None, [1, 0, 0, 1]), np.empty(0))[0]
        >>> curve.score.tolist(), curve.taken.tolist(), curve.positives.tolist()
        ([3.0, 2.0, 1.0], [0, 2, 3, 4], [0, 1, 2, 2])
        >>> curve.threshold(0), curve.threshold(2)
        (inf, 2.0)
    """

    score: np.ndarray
    taken: np.ndarray
    positives: np.ndarray

    def threshold(self, place: int) -> float:
        """The least score taken at an entry; infinity where nothing is."""
        return float(self.score[place - 1]) if place else float("inf")


def last_of_ties(ranked: np.ndarray) -> np.ndarray:
    """Places ``[m]`` at which each run of equal values ends, of values ``[n]`` in order.

    Example:
        >>> last_of_ties(np.array([3.0, 3.0, 1.0])).tolist()
        [1, 2]
    """
    return np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True)[: len(ranked)])


def curve_of(score: np.ndarray, label: np.ndarray) -> Curve:
    """The curve of cases of one level, ``[n]`` scores and ``[n]`` bool; equal scores are taken together."""
    order = np.argsort(-score, kind="stable")
    ranked, hits = score[order], np.cumsum(label[order])
    last = last_of_ties(ranked)
    return Curve(ranked[last], np.append(0, last + 1), np.append(0, hits[last]))


def curves(sample: Sample, cuts: np.ndarray) -> list[Curve]:
    """One curve for each of the ``len(cuts) + 1`` levels."""
    level = level_of(sample.uncertainty, cuts)
    parts = (level == at for at in range(len(cuts) + 1))
    return [curve_of(sample.score[inside], sample.label[inside]) for inside in parts]
