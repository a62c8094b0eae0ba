"""One choice for each level, so that a sum is met at the least loss: the dynamic programme of all solvers.

With true positives as the sum and false positives as the loss it is the exact solver; with cases as the sum
and minus the positives as the loss it is VW-DPMT; with equal bins as the sum it is EW-DPMT.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thence.base.errors import DataError
from thence.decide.boundary.kernel import FAR, combine
from thence.decide.levels import Curve
from thence.decide.rule import Thresholds


@dataclass(frozen=True, eq=False)
class Choices:
    """What one level can do.

    Args:
        size: ``[c]`` int64, rising, what each choice adds to the sum.
        loss: ``[c]`` int64, what it loses.
        place: ``[c]`` int64, its entry in the level's curve.
    """

    size: np.ndarray
    loss: np.ndarray
    place: np.ndarray


def tables(choices: list[Choices]) -> list[np.ndarray]:
    """Least loss of each sum over the first levels: ``D_i(s) = min_k D_{i-1}(s - size_k) + loss_k``.

    Time is levels times sums times choices, memory levels times sums.

    Args:
        choices: of each level.

    Returns:
        ``len(choices) + 1`` tables int32, from a sum of 0 on; :func:`reachable` tells which can be met.

    Raises:
        DataError: more cases than 32-bit losses can hold.

    Example:
        >>> levels = [Choices(np.array([0, 1]), np.array([0, 2]), np.arange(2))] * 2
        >>> [table.tolist() for table in tables(levels)]
        [[0], [0, 2], [0, 2, 4]]
    """
    if sum(int(np.abs(level.loss).max()) + int(level.size[-1]) for level in choices) >= FAR // 2:
        raise DataError("more than 500 million cases", fix="Fit to a part of them.")
    found = [np.zeros(1, np.int32)]
    for level in choices:
        found.append(combine(found[-1], level.size.astype(np.int64), level.loss.astype(np.int32)))
    return found


def reachable(table: np.ndarray) -> np.ndarray:
    """Sums ``[m]`` int64 that some choices meet.

    Example:
        >>> reachable(tables([Choices(np.array([0, 2]), np.array([0, 1]), np.arange(2))])[-1]).tolist()
        [0, 2]
    """
    return np.flatnonzero(table < FAR // 2)


def trace(found: list[np.ndarray], choices: list[Choices], total: int) -> list[int]:
    """Places, one for each level, that meet a sum at the least loss; nothing but the tables is needed.

    Example:
        >>> levels = [Choices(np.array([0, 1]), np.array([0, loss]), np.arange(2)) for loss in (2, 1)]
        >>> trace(tables(levels), levels, 1)
        [0, 1]
    """
    places = []
    for before, after, level in zip(found[-2::-1], found[:0:-1], choices[::-1], strict=True):
        rest = total - level.size
        inside = np.flatnonzero((rest >= 0) & (rest < len(before)))
        fits = before[rest[inside]] + level.loss[inside] == after[total]
        chosen = inside[np.argmax(fits)]
        places.append(int(level.place[chosen]))
        total = int(rest[chosen])
    return places[::-1]


def thresholds(cuts: np.ndarray, levels: list[Curve], places: list[int]) -> Thresholds:
    """The rule of a place in each level's curve; a level without cases is never acted on."""
    return Thresholds(
        cuts, np.array([curve.threshold(place) for curve, place in zip(levels, places, strict=True)])
    )
