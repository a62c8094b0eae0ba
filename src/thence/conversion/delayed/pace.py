"""How exposures come: evenly or in bursts, and how many now for each of before."""

from __future__ import annotations

import numpy as np

from thence.conversion.exposures import Exposures


def volume(known: Exposures, index: np.ndarray, now: int, step: int) -> np.ndarray:
    """How many exposures come now for each that came in a step around older ones ``[r]``; .2 to 5."""
    time = known.time[index]
    then = np.searchsorted(known.time, time + step // 2) - np.searchsorted(known.time, time - step // 2)
    return np.clip(now / np.maximum(then, 1), 0.2, 5.0)


def in_bursts(known: Exposures) -> bool:
    """Whether the counts of thirty equal parts of the last window spread wider than their mean.

    Example:
        >>> from thence.conversion.exposures import NEVER
        >>> never = np.full(60, NEVER)
        >>> in_bursts(Exposures.make(range(60), never, window=60, until=60))
        False
        >>> in_bursts(Exposures.make([9] * 60, never, window=60, until=60))
        True
    """
    last = known.time[known.since(known.until - known.window) :]
    count, _ = np.histogram(last, 30, (known.until - known.window, known.until))
    return len(last) > 0 and float(count.std()) > float(count.mean())
