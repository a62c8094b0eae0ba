"""ULC: labels of exposures that have not converted yet are corrected by a model of what will become of them.

An exposure is labelled as it stands at the clock T: v = 1 where a conversion was seen. The loss is

    v · -log f + (1 - v) (w · -log f + (1 - w) · -log(1 - f)),    w = P(y = 1 | x, e, v = 0)

with the elapsed time e. The model of w learns from counterfactual labels: of the exposures that were open and
unconverted at T - τ, which converted by T. It starts from the embeddings of the conversion model, which is then
trained on corrected labels; both take turns. A τ below the window W misses conversions later than τ after the
deadline, as published; a τ of W misses none, but looks at older exposures.

Here a turn is ``every`` refreshes of the stream. The first fits w from nothing; further ones go on from it,
with one pass over as many counterfactual labels, drawn at random, as a tenth of the exposures that came since
(at least ``FEWEST``). A fit to all that is open costs the more the longer the window is: at twenty refreshes
a window, three times the conversion model's own steps. ``afresh`` fits w from nothing at each turn, as
published. At each refresh as many rows as exposures came are drawn from those of the last ``span``, so that
an exposure is seen about once at a random age, as in the published retraining on the days before T.

Reference: Wang et al., "Unbiased delayed feedback label correction for conversion rate prediction", KDD 2023.
"""

from __future__ import annotations

import numpy as np

from thence.base.errors import ConfigError
from thence.conversion.delayed.age import aged
from thence.conversion.delayed.draw import draw
from thence.conversion.estimator import Estimator
from thence.conversion.exposures import Exposures
from thence.conversion.features import Features
from thence.conversion.lab import Classifier, Lab, Predict
from thence.conversion.rows import Rows, standing

SHARE, FEWEST = 0.1, 5_000


class Ulc(Estimator):
    """Label correction by a model fitted on counterfactual labels.

    Args:
        tau: from the counterfactual deadline to the clock, as a fraction of the window.
        span: how far back exposures are drawn from, as a fraction of the window; 0 for those that came since
            the last refresh.
        every: refreshes from one turn to the next; 0 for a single one, when the stream begins.
        drawn: rows at each refresh as a multiple of the exposures that came; 0 for all of the span.
        afresh: whether every turn fits w from nothing, as published.

    Raises:
        ConfigError: a setting is out of range.

    Example:
        >>> shown = Exposures.make([0, 10, 20], [4, 30, 99], window=50, until=100).before(36)
        >>> rows = Ulc(drawn=0).rows(shown, 0)
        >>> rows.label.tolist(), rows.columns["negative"].tolist()
        ([1.0, 1.0, 0.0], [0.0, 0.0, 1.0])
    """

    def __init__(
        self, tau: float = 0.25, *, span: float = 1.0, every: int = 5, drawn: float = 1.0, afresh: bool = False
    ) -> None:
        if not 0 < tau <= 1 or not 0 <= span <= 1 or every < 0 or drawn < 0:
            raise ConfigError(
                f"tau {tau}, span {span}, every {every}, drawn {drawn}",
                fix="Give tau in (0, 1], span in [0, 1], every and drawn at least 0.",
            )
        self.tau, self.span, self.every, self.drawn = tau, span, every, drawn
        self.afresh = afresh
        self.turn, self.seed, self.learned = 0, 0, 0
        self.corrector = Classifier(None, 0.0)

    def begin(self, known: Exposures, lab: Lab) -> None:
        """Fit w on counterfactual labels, from the conversion model's embeddings."""
        self.seed, self.learned = lab.seed, known.until
        features, label = self._counterfactual(known)
        if len(label):
            self.corrector = lab.classifier(features, label, name="corrector", like=lab.main)

    def _counterfactual(self, known: Exposures, count: int | None = None) -> tuple[Features, np.ndarray]:
        """Exposures that were open at the deadline, so many drawn or all, and which have converted since."""
        then = known.before(known.until - round(self.tau * known.window))
        index = np.flatnonzero(~then.mature & ~then.converted)
        index = index[draw(len(index), count, self.seed, "ulc", "corrector", known.until)]
        return aged(known.features.take(index), then.elapsed[index] / then.window), known.converted[index]

    def refresh(self, known: Exposures, lab: Lab, predict: Predict) -> None:
        """Take the next turn where it is time to."""
        self.turn += 1
        if not self.every or self.turn % self.every:
            return
        if self.afresh or self.corrector.learner is None:
            self.begin(known, lab)
            return
        came = len(known) - known.since(self.learned)
        features, label = self._counterfactual(known, max(FEWEST, round(SHARE * came)))
        self.learned = known.until
        self.corrector = lab.further(self.corrector, features, label, name="corrector", turn=self.turn)

    def rows(self, known: Exposures, since: int) -> Rows:
        """Exposures as they stand now, with corrected labels."""
        came = known.since(since)
        first = min(came, known.since(known.until - round(self.span * known.window)))
        count = round(self.drawn * (len(known) - came)) if self.drawn else None
        index = first + draw(len(known) - first, count, self.seed, "ulc", known.until)
        return standing(known, index).asking(lambda some: self._weights(known, some))

    def _weights(self, known: Exposures, rows: Rows) -> dict[str, np.ndarray]:
        """The corrector is asked of exposures that may still convert."""
        elapsed = rows.columns["elapsed"]
        still = np.flatnonzero((rows.label == 0) & (elapsed < 1))
        later = np.zeros(len(rows))
        later[still] = self.corrector.predict(aged(known.features.take(rows.index[still]), elapsed[still]))
        return weights(rows.label, later)


def weights(label: np.ndarray, later: np.ndarray) -> dict[str, np.ndarray]:
    """The weights of both outcomes.

    Args:
        label: ``[r]`` label so far.
        later: ``[r]`` w = P(y = 1 | x, e, v = 0).

    Example:
        >>> found = weights(np.array([1.0, 0.0]), np.array([0.25, 0.25]))
        >>> {name: weight.tolist() for name, weight in found.items()}
        {'positive': [1.0, 0.25], 'negative': [0.0, 0.75]}
    """
    positive = label + (1 - label) * later
    return {"positive": positive, "negative": 1 - positive}
