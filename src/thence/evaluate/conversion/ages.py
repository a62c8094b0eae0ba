"""Ages that calibration is judged by: of the group of an exposure, and of the model that scored it.

A model can be right in the mean and wrong on what is new: a campaign of yesterday has had no time to convert.
With t the time of an exposure, g its group (an item, a campaign, a coupon) and T_k the refresh before it,

    age of the group   t - min{t_j : g_j = g}   over the whole log: how long there has been anything to learn
    age of the model   t - T_k                  how long ago the model last learned

``calibration by age`` in a bucket is Σ p / Σ y over the exposures judged in it, y the label at the end of the
window: the mean prediction at serving time against the matured rate.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from thence.base.errors import DataError
from thence.events.clock import DAY, HOUR

GROUP_EDGES = (1, 3, 7, 14, 30, 60)
"""Days between the buckets of the age of a group."""
GROUP_NAMES = ("0-1 d", "1-3 d", "3-7 d", "7-14 d", "14-30 d", "30-60 d", "60 d and more")
PARTS = 4
"""Buckets of the age of the model: equal parts of the time between two refreshes."""


def group_age(time: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Microseconds ``[n]`` since the first exposure of the same group.

    Args:
        time: ``[n]`` int64, of all exposures of the log, in any order.
        group: ``[n]`` ints.

    Raises:
        DataError: arrays differ in length.

    Example:
        >>> group_age(np.array([5, 7, 9, 30]), np.array([1, 2, 1, 2])).tolist()
        [0, 0, 4, 23]
    """
    time, group = np.asarray(time, np.int64), np.asarray(group)
    if time.shape != group.shape:
        raise DataError(f"{len(time):,} times and {len(group):,} groups")
    _, place = np.unique(group, return_inverse=True)
    first = np.full(int(place.max(initial=-1)) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, place, time)
    return time - first[place]


def group_bucket(age: np.ndarray) -> np.ndarray:
    """The place in ``GROUP_NAMES`` of ages in microseconds.

    Example:
        >>> [GROUP_NAMES[place] for place in group_bucket(np.array([0, DAY, 100 * DAY]))]
        ['0-1 d', '1-3 d', '60 d and more']
    """
    return np.searchsorted(np.array(GROUP_EDGES) * DAY, age, side="right")


def model_bucket(age: np.ndarray, step: int) -> np.ndarray:
    """The part of the time between two refreshes that ages in microseconds lie in.

    Example:
        >>> model_bucket(np.array([0, 5, 6, 23]), 24).tolist()
        [0, 0, 1, 3]
    """
    return np.clip(np.asarray(age) * PARTS // step, 0, PARTS - 1)


def model_names(step: int) -> tuple[str, ...]:
    """What these parts are called.

    Example:
        >>> model_names(24 * HOUR)
        ('0-6 h', '6-12 h', '12-18 h', '18-24 h')
        >>> model_names(28 * DAY)[-1]
        '21-28 d'
    """
    unit, name = (DAY, "d") if step >= 2 * DAY else (HOUR, "h")
    ends = [f"{part * step / PARTS / unit:.3g}" for part in range(PARTS + 1)]
    return tuple(f"{low}-{high} {name}" for low, high in pairwise(ends))
