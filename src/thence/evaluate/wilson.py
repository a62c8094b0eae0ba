"""How sure a share is: the Wilson interval."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def wilson(hits: ArrayLike, cases: ArrayLike, errors: float = 1.959964) -> tuple[np.ndarray, np.ndarray]:
    """The Wilson interval of shares, both ends ``[n]``.

    Args:
        hits: ``[n]`` successes.
        cases: ``[n]`` trials, at least 1.
        errors: standard errors on either side; 1.96 for 95 %.

    References:
        Wilson, "Probable inference, the law of succession, and statistical inference", JASA 1927.

    Example:
        >>> low, high = wilson([5], [10])
        >>> low.round(4).tolist(), high.round(4).tolist()
        ([0.2366], [0.7634])
    """
    n = np.asarray(cases, np.float64)
    share, square = np.asarray(hits, np.float64) / n, errors**2
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = errors * np.sqrt(share * (1 - share) / n + square / (4 * n * n)) / (1 + square / n)
    return np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0)
