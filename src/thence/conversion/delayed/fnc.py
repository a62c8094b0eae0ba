"""FNC, fake negative calibration: plain cross-entropy on every exposure as a negative and every conversion.

An exposure is one negative row, and with probability p one positive row more. A model b of these rows tends to

    b = p / (1 + p),    so that    p = b / (1 - b) = exp(logit of b),

which is served, cut below 1. Cross-entropy alone keeps nothing from b > 1/2, where p would exceed 1.

Reference: Ktena et al., "Addressing delayed feedback for continuous training with neural networks in CTR
prediction", RecSys 2019, equations 10 to 12.
"""

from __future__ import annotations

import torch
from torch import Tensor

from thence.conversion.estimator import Estimator
from thence.conversion.exposures import Exposures
from thence.conversion.lab import weighted
from thence.conversion.learn import Batch
from thence.conversion.rows import Rows, copied

HIGHEST = 1 - 1e-4
"""The largest probability that is served."""


class Fnc(Estimator):
    """Fake negative calibration.

    Example:
        >>> Fnc().probability(torch.logit(torch.tensor([[0.2], [0.75]]))).numpy().round(4)
        array([0.25  , 0.9999], dtype=float32)
    """

    def rows(self, known: Exposures, since: int) -> Rows:
        """A negative for each new exposure, and a positive for each new conversion."""
        return copied(known, since, 0)

    def settled_loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """Cross-entropy of both rows that an exposure would have given: always a negative, perhaps a positive.

        The loss of the served probability would have no slope where it is cut.
        """
        return weighted(logits[:, 0], batch["label"], torch.ones_like(batch["label"]))

    def probability(self, logits: Tensor) -> Tensor:
        """``b / (1 - b)``, cut at ``HIGHEST``."""
        return torch.exp(logits[:, 0].clamp(max=0.0)).clamp(max=HIGHEST)
