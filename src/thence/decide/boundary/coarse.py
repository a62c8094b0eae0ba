"""Fewer entries for a curve: bins of about as many cases, or of as many positives."""

from __future__ import annotations

from typing import Literal

import numpy as np

from thence.base.errors import ConfigError
from thence.decide.levels import Curve


def coarse(curve: Curve, bins: int | None, equal: Literal["taken", "positives"] = "taken") -> Curve:
    """A curve of at most so many bins; equal scores stay together.

    Args:
        curve: of one level.
        bins: at most so many, and one more where ``positives`` leave none for the last; None leaves the curve.
        equal: what each bin holds as much of: all cases ``taken``, or ``positives`` alone.

    Raises:
        ConfigError: fewer than one bin.

    Example:
        >>> from thence.decide.levels import curves
        >>> from thence.decide.sample import Sample
        >>> curve = curves(Sample.make([5, 4, 4, 2, 1], None, [1, 0, 1, 0, 0]), np.empty(0))[0]
        >>> coarse(curve, 2).score.tolist(), coarse(curve, 2).positives.tolist()
        ([4.0, 1.0], [0, 2, 2])
    """
    if bins is None:
        return curve
    if bins < 1:
        raise ConfigError(f"{bins} bins", fix="Give at least one, or None for every distinct score.")
    if len(curve.score) <= bins:
        return curve
    places = np.unique(np.append(equal_places(getattr(curve, equal), bins), len(curve.score)))
    return Curve(curve.score[places[1:] - 1], curve.taken[places], curve.positives[places])


def equal_places(weight: np.ndarray, bins: int) -> np.ndarray:
    """Entries ``[bins + 1]`` at which the first ``j`` of so many equal bins are taken, equal scores and all.

    Args:
        weight: ``[m + 1]`` int64, what a curve's entries take, from 0; never falls.
        bins: how many.

    Example:
        >>> equal_places(np.array([0, 1, 3, 4]), 2).tolist()
        [0, 2, 3]
    """
    wanted = np.arange(bins + 1) * int(weight[-1]) // bins
    return np.searchsorted(weight, wanted)
