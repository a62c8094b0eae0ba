"""Whether rates come true: in bins of the rate, over all cases and within each level of uncertainty."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from thence.base.errors import ConfigError
from thence.decide.levels import level_cuts, level_of
from thence.decide.sample import Sample
from thence.evaluate.wilson import wilson


@dataclass(frozen=True, eq=False)
class Reliability:
    """A table with a row for each level of uncertainty and bin of the rate that holds a case.

    Args:
        level: ``[rows]`` int64, from 0, the surest.
        count: ``[rows]`` cases.
        rate: ``[rows]`` mean rate that was told.
        seen: ``[rows]`` share of positives.
        low: ``[rows]`` lower end of the 95 % interval of the share (Wilson).
        high: ``[rows]`` upper end.
        cuts: ``[levels - 1]`` uncertainties between levels.
        ece: over all cases, with bins of equal mass.
        level_ece: ``[levels]``.
    """

    level: np.ndarray
    count: np.ndarray
    rate: np.ndarray
    seen: np.ndarray
    low: np.ndarray
    high: np.ndarray
    cuts: np.ndarray
    ece: float
    level_ece: np.ndarray


def reliability(
    rate: ArrayLike, uncertainty: ArrayLike | None, label: ArrayLike, *, bins: int = 10, levels: int = 3
) -> Reliability:
    """The table, bins being of equal mass within each level.

    Args:
        rate: ``[n]`` in [0, 1].
        uncertainty: ``[n]`` finite; None for one level.
        label: ``[n]`` of 0 and 1.
        bins: of the rate; equal rates share one.
        levels: of the uncertainty, of as many cases each.

    Raises:
        DataError: a value cannot be used.
        ConfigError: fewer than one bin or level.

    Example:
        >>> found = reliability([0.2, 0.2, 0.8, 0.8], [0, 1, 0, 1], [0, 1, 1, 1], bins=2, levels=2)
        >>> found.level.tolist(), found.seen.tolist(), found.level_ece.round(2).tolist()
        ([0, 0, 1, 1], [0.0, 1.0, 1.0, 1.0], [0.2, 0.5])
    """
    from thence.evaluate.conversion.metrics import ece

    if bins < 1:
        raise ConfigError(f"{bins} bins", fix="Give at least one.")
    sample = Sample.make(rate, uncertainty, label)
    total = ece(sample.label, sample.score, bins)
    cuts = level_cuts(sample.uncertainty, levels)
    level = level_of(sample.uncertainty, cuts)
    rows, errors = [], []
    for at in range(len(cuts) + 1):
        inside = sample[level == at]
        errors.append(ece(inside.label, inside.score, bins))
        splits = level_cuts(inside.score, bins)
        place = level_of(inside.score, splits)
        for one in np.unique(place):
            case = place == one
            rows.append((at, case.sum(), inside.score[case].mean(), inside.label[case].mean()))
    table = np.array(rows, np.float64).T
    low, high = wilson(table[3] * table[1], table[1])
    return Reliability(
        table[0].astype(np.int64),
        table[1].astype(np.int64),
        table[2],
        table[3],
        low,
        high,
        cuts,
        total,
        np.array(errors),
    )
