"""Bi-DEFUSE: one head for conversions within the waiting time, one for late ones; their sum is served.

    p = F_IP + F_DP,    F_IP = P(y = 1, h <= e | x),    F_DP = P(y = 1, h > e | x)

What happens by e is seen at e, so F_IP learns by plain cross-entropy on the first row of each exposure. F_DP
learns with the weights of DEFUSE on all rows, where an immediate positive is a certain negative:

    IP          (1 + p_dp) · -log(1 - F_DP)
    DP          -log F_DP
    FN or RN    z p_dp · -log F_DP + (1 - z) (1 + p_dp) · -log(1 - F_DP)

The published network joins both heads by gated experts; here they share the layers that every estimator has.

Reference: Chen et al., "Asymptotically unbiased estimation for delayed feedback modeling via label correction",
WWW 2022.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from torch import Tensor

from thence.conversion.delayed import defuse
from thence.conversion.delayed.maturing import Maturing
from thence.conversion.estimator import Estimator
from thence.conversion.exposures import Exposures
from thence.conversion.lab import Lab, Predict, weighted
from thence.conversion.learn import Batch
from thence.conversion.rows import Rows

MOST = 1 - 1e-6


class BiDefuse(Estimator):
    """Bi-DEFUSE with the two auxiliary classifiers of ES-DFM.

    Args:
        wait: waiting time e in microseconds.
        exact: divide the weights of the late head by 1 + p_dp.
        every: refreshes between two further passes of the classifiers over what has matured since; 0 for never.

    Example:
        >>> model = BiDefuse(3_600_000_000)
        >>> model.heads, model.probability(torch.zeros(1, 2)).item() < 1
        (2, True)
    """

    heads = 2

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
        return defuse.weighed(self.beside, known, since, partial(weights, exact=self.exact))

    def loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """Plain cross-entropy of the first head, and weighted of the second."""
        label, first = batch["label"], batch["first"]
        soon = weighted(logits[:, 0], first * label, first * (1 - label))
        return soon + weighted(logits[:, 1], batch["positive"], batch["negative"])

    def settled_rows(self, known: Exposures) -> Rows:
        """Final labels, and whether the conversion came within the waiting time."""
        rows = super().settled_rows(known)
        delay = known.conversion_time[rows.index] - known.time[rows.index]
        return rows.adding({"soon": rows.label * (delay <= self.wait)})

    def settled_loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """Cross-entropy of each head with its own part of the label."""
        soon = batch["soon"]
        after = batch["label"] - soon
        return weighted(logits[:, 0], soon, 1 - soon) + weighted(logits[:, 1], after, 1 - after)

    def probability(self, logits: Tensor) -> Tensor:
        """F_IP + F_DP, which is kept below 1."""
        return torch.sigmoid(logits).sum(dim=1).clamp(max=MOST)


def weights(
    label: np.ndarray, copied: np.ndarray, p_late: np.ndarray, p_never: np.ndarray, *, exact: bool = False
) -> dict[str, np.ndarray]:
    """Weights of both outcomes of the late head, and ``first``, which rows the immediate head learns from.

    Args:
        label: ``[r]`` 0 or 1, as it was seen.
        copied: ``[r]`` whether the row is the copy of a late conversion.
        p_late: ``[r]`` p_dp.
        p_never: ``[r]`` P(y = 0 | x, no conversion by e).
        exact: divide by 1 + p_dp.

    Example:
        >>> found = weights(np.array([1.0, 1.0, 0.0]), np.array([0, 1, 0]), np.full(3, 0.25), np.full(3, 0.6))
        >>> {name: weight.round(3).tolist() for name, weight in found.items()}
        {'positive': [0.0, 1.0, 0.1], 'negative': [1.25, 0.0, 0.75], 'first': [1.0, 0.0, 1.0]}
    """
    found = defuse.weights(label, copied, p_late, p_never, exact=exact)
    immediate = (label > 0) & ~np.asarray(copied, bool)
    return {
        "positive": np.where(immediate, 0.0, found["positive"]),
        "negative": np.where(immediate, found["positive"], found["negative"]),
        "first": 1.0 - np.asarray(copied, float),
    }
