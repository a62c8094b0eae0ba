"""Two probabilities that several methods weigh with, learned from exposures whose label is final.

    p_dp = P(y = 1, h > e | x)                      late conversions
    p_rn = P(y = 0 | x, no conversion by e)         real negatives

The published methods fit both once, before the stream begins. Here they are fitted on what is mature then, and
may be trained further on what has matured since. Where both are asked for, one network has an output for each,
so that a row costs one forward pass.
"""

from __future__ import annotations

import numpy as np

from thence.conversion.exposures import Exposures
from thence.conversion.features import Features
from thence.conversion.lab import Classifiers, Lab

BLANK = {"late": 0.0, "never": 1.0}
"""What is said of each before anything was learned, and where it is not asked for."""


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
        self.wait, self.every = wait, every
        self.asked = [name for name, wanted in (("late", late), ("never", never)) if wanted]
        self.models = self._blank()
        self.refreshes, self.learned = 0, 0

    def begin(self, known: Exposures, lab: Lab) -> None:
        """Fit both on all that is mature."""
        self.learned, self.models = 0, self._blank()
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
        columns = {"late": (y & ~soon, np.ones(len(y), bool)), "never": (~y, ~soon)}
        label, weight = (np.stack([columns[name][place] for name in self.asked], 1) for place in (0, 1))
        some = np.flatnonzero(weight.any(axis=1))
        self.models = lab.together(
            self.models,
            known.features.take(index[some]),
            label[some],
            weight[some],
            name=" ".join(self.asked),
            turn=self.refreshes,
        )

    def _blank(self) -> Classifiers:
        return Classifiers(None, np.array([BLANK[name] for name in self.asked]))

    def both(self, features: Features, still: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """p_dp and p_rn of rows of features, each ``[r]``.

        Args:
            features: ``[r]`` rows.
            still: ``[r]`` bool: rows that p_rn alone is asked of, 1 elsewhere; all when None.
        """
        found = {name: np.full(len(features), BLANK[name]) for name in BLANK}
        if still is None or "late" in self.asked:
            found |= dict(zip(self.asked, self.models.predict(features).T, strict=True))
        else:
            found["never"][still] = self.models.predict(features.take(np.flatnonzero(still)))[:, 0]
        return found["late"], found["never"]

    def p_late(self, features: Features) -> np.ndarray:
        """p_dp of rows of features, ``[r]``."""
        return self.both(features)[0]

    def p_never(self, features: Features) -> np.ndarray:
        """p_rn of rows of features, ``[r]``."""
        return self.both(features)[1]
