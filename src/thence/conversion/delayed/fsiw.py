"""FSIW, the feedback shift importance weight: one row an exposure, weighted by how far to trust its label.

At the clock T a row has its label so far v and its elapsed time e. With s = 1 where a conversion is seen by T,

    w1 = 1 / P(s = 1 | y = 1, x, e),    w0 = P(y = 0 | v = 0, x, e)

Two classifiers on x and e learn both at a counterfactual deadline T - τ, where what became of each exposure is
known by T: among those that converted by T, whether that was seen at the deadline; among those that were open
at the deadline, whether they are unconverted at T. Nothing later than T enters. An exposure is followed for τ
after the deadline; only with τ = W are all labels final, a shorter τ trades bias for newer data.

P(s = 1 | y = 1) goes to 0 with e, where no positives stand for those to come, so w1 is capped.

Reference: Yasui et al., "A feedback shift correction in predicting conversion rates under delayed feedback",
WWW 2020, equations 9 to 12.
"""

from __future__ import annotations

import numpy as np

from thence.base.errors import ConfigError
from thence.conversion.delayed.age import aged
from thence.conversion.estimator import Estimator
from thence.conversion.exposures import Exposures
from thence.conversion.lab import Classifier, Lab, Predict
from thence.conversion.rows import Rows, standing


class Fsiw(Estimator):
    """The feedback shift importance weight.

    Args:
        tau: τ, from the counterfactual deadline to the clock, as a fraction of the window.
        every: refreshes between two further passes of the classifiers, at a later deadline; 0 for never.
        cap: the largest w1.

    Raises:
        ConfigError: a setting is out of range.
    """

    def __init__(self, tau: float = 1.0, *, every: int = 0, cap: float = 100.0) -> None:
        if not 0 < tau <= 1 or every < 0 or cap < 1:
            raise ConfigError(
                f"tau {tau}, every {every}, cap {cap}",
                fix="Give tau in (0, 1], every at least 0, cap at least 1.",
            )
        self.tau, self.every, self.cap = tau, every, cap
        self.turn = 0
        self.seen, self.never = Classifier(None, 1.0), Classifier(None, 1.0)

    def begin(self, known: Exposures, lab: Lab) -> None:
        """Fit both classifiers at the counterfactual deadline."""
        self.turn = 0
        self._learn(known, lab)

    def refresh(self, known: Exposures, lab: Lab, predict: Predict) -> None:
        """Train them further, at a later deadline, where it is time to."""
        self.turn += 1
        if self.every and self.turn % self.every == 0:
            self._learn(known, lab)

    def _learn(self, known: Exposures, lab: Lab) -> None:
        then = known.before(known.until - round(self.tau * known.window))
        rows = standing(then, np.flatnonzero(~then.mature))
        y, seen = known.converted[rows.index], rows.label > 0
        features = aged(known.features.take(rows.index), rows.columns["elapsed"])
        late, still = np.flatnonzero(y), np.flatnonzero(~seen)
        self.seen = lab.further(self.seen, features.take(late), seen[late], name="seen", turn=self.turn)
        self.never = lab.further(self.never, features.take(still), ~y[still], name="never", turn=self.turn)

    def rows(self, known: Exposures, since: int) -> Rows:
        """The exposures since the last refresh, labelled and weighted as they stand now."""
        rows = standing(known, np.arange(known.since(since), len(known)))
        return rows.asking(lambda some: self._weights(known, some))

    def _weights(self, known: Exposures, rows: Rows) -> dict[str, np.ndarray]:
        """One classifier is asked of the converted, the other of the others."""
        features = aged(known.features.take(rows.index), rows.columns["elapsed"])
        converted, still = np.flatnonzero(rows.label > 0), np.flatnonzero(rows.label == 0)
        p_seen, p_never = np.ones(len(rows)), np.ones(len(rows))
        p_seen[converted] = self.seen.predict(features.take(converted))
        p_never[still] = self.never.predict(features.take(still))
        return weights(rows.label, p_seen, p_never, self.cap)


def weights(
    label: np.ndarray, p_seen: np.ndarray, p_never: np.ndarray, cap: float = 100.0
) -> dict[str, np.ndarray]:
    """The weights of both outcomes.

    Args:
        label: ``[r]`` label so far.
        p_seen: ``[r]`` P(s = 1 | y = 1, x, e).
        p_never: ``[r]`` P(y = 0 | v = 0, x, e).
        cap: the largest weight of a positive.

    Example:
        >>> found = weights(np.array([1.0, 0.0]), np.array([0.25, 0.5]), np.array([0.5, 0.75]))
        >>> {name: weight.tolist() for name, weight in found.items()}
        {'positive': [4.0, 0.0], 'negative': [0.0, 0.75]}
    """
    return {
        "positive": label / np.maximum(p_seen, 1 / cap),
        "negative": (1 - label) * p_never,
    }
