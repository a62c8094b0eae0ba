"""Naive, waiting and oracle labels: what everything else is measured against.

pretrained   no label at all: the model that the stream began with
naive    the label after a waiting time e, which stays: late conversions remain negatives
wait     the final label, a whole window W late
oracle   the final label at once, which nobody can have
"""

from __future__ import annotations

import numpy as np

from thence.base.rng import generator
from thence.conversion.estimator import Estimator
from thence.conversion.exposures import Exposures
from thence.conversion.rows import Rows, once, settled


class Pretrained(Estimator):
    """The model that the stream begins with, which never moves: what learning on must be worth more than.

    Example:
        >>> len(Pretrained().rows(Exposures.make([0, 10], [4, 30], window=50, until=40), 0))
        0
    """

    def rows(self, known: Exposures, since: int) -> Rows:
        """None."""
        return Rows(np.empty(0, np.int64), np.empty(0, np.float32))


class Naive(Estimator):
    """The label after a waiting time, taken for final.

    Args:
        wait: microseconds.

    Example:
        >>> shown = Exposures.make([0, 10], [4, 30], window=50, until=40)
        >>> Naive(5).rows(shown, 0).label.tolist()
        [1.0, 0.0]
    """

    def __init__(self, wait: int) -> None:
        self.wait = wait

    def rows(self, known: Exposures, since: int) -> Rows:
        """One row for each exposure, ``wait`` after it."""
        return once(known, since, self.wait)


class Wait(Estimator):
    """The final label, as soon as it is final.

    Example:
        >>> shown = Exposures.make([0, 10], [4, 30], window=25, until=40)
        >>> Wait().rows(shown, 0).label.tolist()
        [1.0, 1.0]
    """

    def rows(self, known: Exposures, since: int) -> Rows:
        """One row for each exposure that has become mature."""
        return settled(known, since)


class Oracle(Estimator):
    """The final label at once: a bound, for evaluation alone.

    Args:
        truth: the exposures as they are known in the end.
        revisit: older exposures of the window, drawn at random, that are looked at again for each new one.
            Where little comes, a model that forgets less would else be ahead of its bound.

    Example:
        >>> truth = Exposures.make([0, 10], [4, 30], window=25)
        >>> Oracle(truth).rows(truth.before(20), 0).label.tolist()
        [1.0, 1.0]
    """

    def __init__(self, truth: Exposures, revisit: float = 0.0) -> None:
        self.truth, self.revisit = truth, revisit

    def rows(self, known: Exposures, since: int) -> Rows:
        """One row for each new exposure, with the label that it will have; and some older ones."""
        new = once(known, since, 0).index
        start, first = known.since(known.until - known.window), known.since(since)
        count = min(round(self.revisit * len(new)), max(first - start, 0))
        drawn = start + generator(0, "oracle", int(known.until)).permutation(max(first - start, 0))[:count]
        index = np.concatenate([np.sort(drawn), new])
        return Rows(index, self.truth.converted[index].astype("f"))
