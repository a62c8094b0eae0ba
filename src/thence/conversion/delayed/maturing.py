"""Two probabilities that several methods weigh with, learned from exposures whose label is final.

    p_dp = P(y = 1, h > e | x)                      late conversions
    p_rn = P(y = 0 | x, no conversion by e)         real negatives

The published methods fit both once, before the stream begins. Here they are fitted on what is mature then, and
may be trained further on what has matured since.
"""

from __future__ import annotations

import numpy as np

from thence.conversion.exposures import Exposures
from thence.conversion.features import Features
from thence.conversion.lab import Classifier, Lab


class Maturing:
    """The models of p_dp and p_rn.

    Args:
        wait: waiting time e in microseconds.
        every: refreshes between two further passes over what has matured since; 0 for never.
        late: whether p_dp is asked for; 0 where not.
        never: whether p_rn is asked for; 1 where not.

    Example:
        >>> from thence.conversion.exposures import NEVER
        >>> shown = Exposures.make(range(8), [NEVER, NEVER] + [900] * 6, window=2000, until=5000)
        >>> models = Maturing(wait=50)
        >>> models.begin(shown, Lab())
        >>> models.p_late(shown.features[:4]).round(2).tolist()
        [0.75, 0.75, 0.75, 0.75]
    """

    def __init__(self, wait: int, every: int = 0, *, late: bool = True, never: bool = True) -> None:
        self.wait, self.every, self.late, self.never = wait, every, late, never
        self.models = {"late": Classifier(None, 0.0), "never": Classifier(None, 1.0)}
        self.refreshes, self.learned = 0, 0

    def begin(self, known: Exposures, lab: Lab) -> None:
        """Fit both on all that is mature."""
        self.learned = 0
        self._learn(known, lab)

    def refresh(self, known: Exposures, lab: Lab) -> None:
        """Count one refresh, and learn from what has matured since where it is time to."""
        self.refreshes += 1
        if self.every and self.refreshes % self.every == 0:
            self._learn(known, lab)

    def _learn(self, known: Exposures, lab: Lab) -> None:
        """Labels: whether it converted late; and of those without a conversion by e, whether it never did."""
        stop = known.since(known.until - known.window)
        index, self.learned = np.arange(self.learned, stop), stop
        y = known.converted[index]
        soon = y & (known.conversion_time[index] - known.time[index] <= self.wait)
        if self.late:
            self._further("late", known.features.take(index), y & ~soon, lab)
        if self.never:
            self._further("never", known.features.take(index[~soon]), ~y[~soon], lab)

    def _further(self, name: str, features: Features, label: np.ndarray, lab: Lab) -> None:
        model = self.models[name]
        self.models[name] = lab.further(model, features, label, name=name, turn=self.refreshes)

    def p_late(self, features: Features) -> np.ndarray:
        """p_dp of rows of features, ``[r]``."""
        return self.models["late"].predict(features)

    def p_never(self, features: Features) -> np.ndarray:
        """p_rn of rows of features, ``[r]``."""
        return self.models["never"].predict(features)
