"""ES-DFM: label after a waiting time, a positive copy of late conversions, and importance weights.

With p_dp = P(y = 1, h > e | x) and p_rn = P(y = 0 | x, no conversion by e),

    as published   w1 = 1 + p_dp,   w0 = (1 + p_dp) p_rn
    exact          w1 = 1,          w0 = p_rn

Both have the minimiser p(x). The exact weights are those of the joint P(X, Y) over the joint Q(X, Y) of the
rows emitted, so that the mass of x stays p(x); as published it becomes p(x) (1 + p_dp(x)).

Reference: Yang et al., "Capturing delayed feedback in conversion rate prediction via elapsed-time sampling",
AAAI 2021.
"""

from __future__ import annotations

import numpy as np

from thence.conversion.delayed.maturing import Maturing
from thence.conversion.estimator import Estimator
from thence.conversion.exposures import Exposures
from thence.conversion.lab import Lab, Predict
from thence.conversion.rows import Rows, copied


class EsDfm(Estimator):
    """ES-DFM with two auxiliary classifiers, fitted on what is mature when the stream begins.

    Args:
        wait: waiting time e in microseconds.
        exact: leave out the factor 1 + p_dp.
        every: refreshes between two further passes of the classifiers over what has matured since; 0 for never,
            as published.

    Example:
        >>> shown = Exposures.make([0, 10], [4, 30], window=50, until=40)
        >>> EsDfm(5).rows(shown, 0).label.tolist()
        [1.0, 0.0, 1.0]
    """

    def __init__(self, wait: int, *, exact: bool = False, every: int = 0) -> None:
        self.wait, self.exact = wait, exact
        self.beside = Maturing(wait, every, late=not exact)

    def begin(self, known: Exposures, lab: Lab) -> None:
        """Fit P(late conversion | x), and P(no conversion | x, none by e) on those without one by then."""
        self.beside.begin(known, lab)

    def refresh(self, known: Exposures, lab: Lab, predict: Predict) -> None:
        """Train both further where that is asked for."""
        self.beside.refresh(known, lab)

    def rows(self, known: Exposures, since: int) -> Rows:
        """One row at ``time + wait``, and a copy for each late conversion."""
        rows = copied(known, since, self.wait)
        return rows.asking(lambda some: self._weights(known, some))

    def _weights(self, known: Exposures, rows: Rows) -> dict[str, np.ndarray]:
        seen = self.beside.both(known.features.take(rows.index), rows.label == 0)
        return weights(rows.label, *seen)


def weights(label: np.ndarray, p_late: np.ndarray | float, p_never: np.ndarray) -> dict[str, np.ndarray]:
    """The weights of both outcomes.

    Args:
        label: ``[r]`` 0 or 1.
        p_late: ``[r]`` p_dp; 0 for the exact weights.
        p_never: ``[r]`` p_rn.

    Example:
        >>> found = weights(np.array([1.0, 0.0]), 0.25, np.array([0.5, 0.5]))
        >>> {name: weight.tolist() for name, weight in found.items()}
        {'positive': [1.25, 0.0], 'negative': [0.0, 0.625]}
    """
    return {"positive": label * (1 + p_late), "negative": (1 - label) * (1 + p_late) * p_never}
