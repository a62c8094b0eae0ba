"""DEFUSE: the stream of ES-DFM, with a label correction of what has not converted yet.

Rows are of four kinds: immediate positives (IP), copies of late conversions (DP), and rows without a conversion
by e that are fake (FN) or real negatives (RN), which cannot be told apart. With p_dp = P(y = 1, h > e | x) and
z = P(y = 1 | x, no conversion by e),

    IP          (1 + p_dp) · -log f
    DP          -log f
    FN or RN    z p_dp · -log f + (1 - z) (1 + p_dp) · -log(1 - f)

so that w_DP + w_FN = 1 + p_dp, the weight of a positive. The exact weights divide all of them by 1 + p_dp,
which leaves the minimiser p(x) alone and makes the mass of x that of its exposures.

Reference: Chen et al., "Asymptotically unbiased estimation for delayed feedback modeling via label correction",
WWW 2022.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from thence.conversion.delayed.maturing import Maturing
from thence.conversion.estimator import Estimator
from thence.conversion.exposures import Exposures
from thence.conversion.lab import Lab, Predict
from thence.conversion.rows import Rows, joined, late, once


class Defuse(Estimator):
    """DEFUSE with the two auxiliary classifiers of ES-DFM.

    Args:
        wait: waiting time e in microseconds.
        exact: divide all weights by 1 + p_dp.
        every: refreshes between two further passes of the classifiers over what has matured since; 0 for never.

    Example:
        >>> shown = Exposures.make([0, 10], [4, 30], window=50, until=40)
        >>> rows = Defuse(5).rows(shown, 0)
        >>> rows.index.tolist(), rows.label.tolist(), rows.columns["negative"].tolist()
        ([0, 1, 1], [1.0, 0.0, 1.0], [0.0, 1.0, 0.0])
    """

    def __init__(self, wait: int, *, exact: bool = False, every: int = 0) -> None:
        self.wait, self.exact = wait, exact
        self.beside = Maturing(wait, every)

    def begin(self, known: Exposures, lab: Lab) -> None:
        """Fit P(late conversion | x), and P(no conversion | x, none by e) on those without one by then."""
        self.beside.begin(known, lab)

    def refresh(self, known: Exposures, lab: Lab, predict: Predict) -> None:
        """Train both further where that is asked for."""
        self.beside.refresh(known, lab)

    def rows(self, known: Exposures, since: int) -> Rows:
        """One row at ``time + wait``, and a copy for each late conversion."""
        return weighed(self.beside, known, since, partial(weights, exact=self.exact))


def weighed(
    beside: Maturing, known: Exposures, since: int, weights: Callable[..., dict[str, np.ndarray]]
) -> Rows:
    """The rows of ES-DFM's stream, with weights that are computed when they are asked for.

    Args:
        beside: the two models.
        known: what is known now.
        since: the clock of the refresh before.
        weights: from label, whether the row is a copy, p_dp and p_rn, each ``[r]``, to further columns.

    Example:
        >>> shown = Exposures.make([0, 10], [4, 30], window=50, until=40)
        >>> weighed(Maturing(5), shown, 0, weights).columns["copied"].tolist()
        [0.0, 0.0, 1.0]
    """
    first = once(known, since, beside.wait)
    rows = joined(first, late(known, since, beside.wait))
    copies = np.arange(len(rows)) >= len(first)

    def of(some: Rows) -> dict[str, np.ndarray]:
        seen = beside.both(known.features.take(some.index))
        return weights(some.label, some.columns["copied"], *seen)

    return rows.adding({"copied": copies.astype(np.float32)}).asking(of)


def weights(
    label: np.ndarray, copied: np.ndarray, p_late: np.ndarray, p_never: np.ndarray, *, exact: bool = False
) -> dict[str, np.ndarray]:
    """The weights of both outcomes.

    Args:
        label: ``[r]`` 0 or 1, as it was seen.
        copied: ``[r]`` whether the row is the copy of a late conversion.
        p_late: ``[r]`` p_dp.
        p_never: ``[r]`` 1 - z.
        exact: divide by 1 + p_dp.

    Example:
        >>> found = weights(np.array([1.0, 1.0, 0.0]), np.array([0, 1, 0]), np.full(3, 0.25), np.full(3, 0.6))
        >>> {name: weight.round(3).tolist() for name, weight in found.items()}
        {'positive': [1.25, 1.0, 0.1], 'negative': [0.0, 0.0, 0.75]}
    """
    whole = 1 + p_late
    seen = np.where(copied, 1.0, whole)
    positive = label * seen + (1 - label) * (1 - p_never) * p_late
    negative = (1 - label) * p_never * whole
    scale = whole if exact else 1.0
    return {"positive": positive / scale, "negative": negative / scale}
