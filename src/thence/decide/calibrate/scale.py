"""What a score is: a probability, or a number on the scale of log odds, which may be any finite one."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from thence.base.errors import ConfigError, DataError
from thence.decide.sample import Sample, finite

Scale = Literal["probability", "log_odds"]
SCALES: tuple[Scale, ...] = ("probability", "log_odds")
EPSILON = float(np.finfo(np.float64).eps)
"""Probabilities are kept so far from 0 and 1 before their logarithm is taken."""


def checked(score: ArrayLike, label: ArrayLike, scale: Scale = "log_odds") -> Sample:
    """Scores and labels to fit to.

    Args:
        score: ``[n]`` finite; within [0, 1] on the scale ``probability``.
        label: ``[n]`` of 0 and 1.
        scale: of the scores.

    Raises:
        DataError: a score or label cannot be used, or all labels are alike.
        ConfigError: the scale does not exist.
    """
    sample = Sample.make(score, None, label).both_classes()
    logits(sample.score, scale)
    return sample


def logits(score: ArrayLike, scale: Scale) -> np.ndarray:
    """Scores ``[n]`` as log odds, float64; on the scale ``log_odds`` as they are.

    Raises:
        DataError: a score is not finite, or outside [0, 1] on the scale ``probability``.
        ConfigError: the scale does not exist.

    Example:
        >>> logits([0.5, 0.9], "probability").round(3).tolist(), logits([3.0], "log_odds").tolist()
        ([0.0, 2.197], [3.0])
    """
    low, high = log_pair(score, scale) if scale == "probability" else (finite(score, "score"), 0.0)
    if scale not in SCALES:
        raise ConfigError(f"scale {scale!r}", fix="probability or log_odds.")
    return low - high


def log_pair(score: ArrayLike, scale: Scale) -> tuple[np.ndarray, np.ndarray]:
    """``ln s`` and ``ln(1 - s)`` of scores, both ``[n]``; without loss for large log odds.

    Raises:
        DataError: as for :func:`logits`.
    """
    values = finite(score, "score")
    if scale == "log_odds":
        return -np.logaddexp(0.0, -values), -np.logaddexp(0.0, values)
    outside = (values < 0) | (values > 1)
    if outside.any():
        raise DataError(
            f"{values[outside][0]:g} is no probability",
            where="score",
            fix="Give scores in [0, 1], or name their scale log_odds.",
        )
    inside = np.clip(values, EPSILON, 1 - EPSILON)
    return np.log(inside), np.log1p(-inside)


def scale_array(scale: Scale) -> np.ndarray:
    """The scale as an array that can be kept."""
    return np.array([SCALES.index(scale)], np.uint8)


def scale_of(kept: np.ndarray) -> Scale:
    """The scale that :func:`scale_array` kept."""
    return SCALES[int(kept[0])]
