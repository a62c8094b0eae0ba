"""Which share of the conversions has come by an age, and does x foretell how soon?

Where x does not foretell it, those that convert soon stand for those that convert late: a conversion by age a
is one of S(a) of all that its x will have, whatever x is.
"""

from __future__ import annotations

import numpy as np
from scipy.special import logit

from thence.base.rng import generator
from thence.conversion.delayed.ratio import surprise
from thence.conversion.exposures import Exposures
from thence.conversion.lab import Lab

FEWEST = 1_000
"""Mature conversions below which nobody can say that x does not foretell."""


def delays(known: Exposures, index: np.ndarray) -> np.ndarray:
    """Time from exposure to conversion of some mature exposures that converted, shortest first, µs.

    Example:
        >>> delays(Exposures.make([0, 10], [9, 13], window=50), np.array([0, 1])).tolist()
        [3, 9]
    """
    return np.sort(known.conversion_time[index] - known.time[index])


def share_by(age: np.ndarray, shortest_first: np.ndarray) -> np.ndarray:
    """S(a), the share of conversions that have come by each age ``[r]``; 1 where no delay is known.

    Args:
        age: ``[r]`` µs.
        shortest_first: delays of conversions, sorted, µs.

    Example:
        >>> share_by(np.array([0, 3, 5, 9]), np.array([3, 4, 9, 9])).tolist()
        [0.0, 0.25, 0.5, 1.0]
    """
    if not len(shortest_first):
        return np.ones(len(age))
    return np.searchsorted(shortest_first, age, side="right") / len(shortest_first)


def foretold(known: Exposures, index: np.ndarray, lab: Lab) -> bool:
    """Whether x foretells if a conversion comes before the median delay.

    A classifier of each half of the conversions is asked about the other half: it foretells where its
    cross-entropy is better than that of the half's rate by more than two standard errors.

    Args:
        known: what is known now.
        index: ``[r]`` mature exposures that converted.
        lab: trains the classifiers.

    Returns:
        True also where there are fewer than a thousand, or all came at once.
    """
    if len(index) < FEWEST:
        return True
    delay = known.conversion_time[index] - known.time[index]
    early = delay <= np.median(delay)
    if early.all():
        return True
    half = generator(lab.seed, "soon", "halves").integers(0, 2, len(index)) == 0
    better = np.empty(len(index))
    for part, name in ((half, "soon, first half"), (~half, "soon, second half")):
        there = index[~part]
        model = lab.classifier(known.features.take(there), early[~part], name=name)
        told = logit(np.clip(model.predict(known.features.take(index[part])), 1e-4, 1 - 1e-4))
        rate = np.full(int(part.sum()), logit(np.clip(early[~part].mean(), 1e-4, 1 - 1e-4)))
        better[part] = surprise(rate, early[part]) - surprise(told, early[part])
    return float(better.mean()) > 2 * float(better.std()) / len(better) ** 0.5
