"""DEFER: the label after a waiting time, and the final label of every exposure once more.

Each exposure gives one row at e and one at W, whatever became of it, so that q(x) = p(x) exactly, and

    q(1 | x) = p - p_dp / 2,    w1 = p / (p - p_dp / 2),    w0 = (1 - p) / (1 - p + p_dp / 2)

with p_dp = P(y = 1, h > e | x) from an auxiliary classifier, and p from the model's own prediction, held back
from the gradient. As p_dp <= p, the share that is late is taken to be at most the prediction: w1 <= 2.

Reference: Gu et al., "Real negatives matter: continuous training with real negatives for delayed feedback
modeling", KDD 2021.
"""

from __future__ import annotations

import torch
from torch import Tensor

from thence.conversion.delayed.maturing import Maturing
from thence.conversion.estimator import Estimator
from thence.conversion.exposures import Exposures
from thence.conversion.lab import Lab, Predict, weighted
from thence.conversion.learn import Batch
from thence.conversion.rows import Rows, joined, once, settled


class Defer(Estimator):
    """DEFER with an auxiliary classifier of late conversions.

    Args:
        wait: waiting time e in microseconds.
        every: refreshes between two further passes of the classifier over what has matured since; 0 for never.

    Example:
        >>> shown = Exposures.make([0, 10], [4, 30], window=25, until=40)
        >>> rows = Defer(5).rows(shown, 0)
        >>> rows.index.tolist(), rows.label.tolist()
        ([0, 1, 0, 1], [1.0, 0.0, 1.0, 1.0])
    """

    def __init__(self, wait: int, *, every: int = 0) -> None:
        self.wait = wait
        self.beside = Maturing(wait, every, never=False)

    def begin(self, known: Exposures, lab: Lab) -> None:
        """Fit P(late conversion | x) on what is mature."""
        self.beside.begin(known, lab)

    def refresh(self, known: Exposures, lab: Lab, predict: Predict) -> None:
        """Train it further where that is asked for."""
        self.beside.refresh(known, lab)

    def rows(self, known: Exposures, since: int) -> Rows:
        """One row at ``time + wait``, and one with the final label at ``time + window``."""
        rows = joined(once(known, since, self.wait), settled(known, since))
        return rows.asking(lambda some: {"late": self.beside.p_late(known.features.take(some.index))})

    def loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """Cross-entropy with weights from the model's own prediction."""
        label = batch["label"]
        positive, negative = weights(torch.sigmoid(logits[:, 0].detach()), batch["late"])
        return weighted(logits[:, 0], label * positive, (1 - label) * negative)


def weights(p: Tensor, p_late: Tensor) -> tuple[Tensor, Tensor]:
    """w1 and w0 ``[b]``.

    Args:
        p: ``[b]`` P(y = 1 | x).
        p_late: ``[b]`` p_dp; taken to be at most p.

    Example:
        >>> positive, negative = weights(torch.tensor([0.5]), torch.tensor([0.4]))
        >>> round(positive.item(), 4), round(negative.item(), 4)
        (1.6667, 0.7143)
    """
    p = p.clamp(1e-6, 1 - 1e-6)
    half = torch.minimum(p_late, p) / 2
    return p / (p - half), (1 - p) / (1 - p + half)
