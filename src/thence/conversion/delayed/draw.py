"""Some rows of many, for methods that have more rows than exposures."""

from __future__ import annotations

import numpy as np

from thence.base.rng import generator


def draw(many: int, count: int | None, seed: int, *names: str | int) -> np.ndarray:
    """Places of some rows, none twice, rising; all of them where no more are there.

    Args:
        many: how many rows there are.
        count: how many are asked for; None for all.
        seed: of the draw.
        names: of the draw.

    Example:
        >>> draw(3, None, 7, "rows"), len(draw(100, 10, 7, "rows")), len(draw(100, 0, 7, "rows"))
        (array([0, 1, 2]), 10, 0)
    """
    if count is None or count >= many:
        return np.arange(many)
    return np.sort(generator(seed, *names).choice(many, count, replace=False, shuffle=False))
