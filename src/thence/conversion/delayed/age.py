"""The age of an exposure as features, for models beside the main one."""

from __future__ import annotations

import numpy as np

from thence.conversion.features import Features

SHORTEST = 1e-5
"""The youngest age told apart, as a fraction of the window: 26 seconds of 30 days."""


def aged(features: Features, elapsed: np.ndarray) -> Features:
    """The same rows with their age behind the other numbers, plain and as a logarithm.

    Args:
        features: ``[r]`` rows.
        elapsed: ``[r]`` ages as fractions of the window.

    Example:
        >>> aged(Features.none(2), np.array([1.0, 0.01])).numbers.round(2)
        array([[ 1.  ,  0.  ],
               [ 0.01, -4.61]], dtype=float32)
    """
    part = np.clip(elapsed, SHORTEST, 1.0)
    return features.adding(np.stack([part, np.log(part)], 1).astype(np.float32), ("elapsed", "log elapsed"))
