"""nnDF: a risk from labels so far, corrected by what became of older exposures, whose negative part stays >= 0.

At the clock T let the new exposures have the labels so far v, and let the same span of exposures τ earlier have
s = 1 where they were open at T - τ and converted by T. Older exposures stood at T - τ as the new ones stand at
T, so that with N new and M old ones

    R = (1/N) Σ_new (v l1 + (1 - v) l0) + (1/M) Σ_old s (l1 - l0),    l1 = -log p,  l0 = -log(1 - p)

has the expectation of the risk with final labels if τ = W, and if what converts late did not change in τ. The
part (1/N) Σ_new (1 - v) l0 - (1/M) Σ_old s l0 stands for E[(1 - y) l0], which is not negative; below 0 it is
left out.

Minibatch form: published with full batches. Here the new rows and those of the old with s = 1, which alone have
a loss, are shuffled together; the latter weigh N / M. Up to a factor a batch's sum is R in expectation, and
the negative part is left out batch by batch, as nnPU does, which biases it upwards by as much as a batch is
noisy.

Reference: Kato and Yasui, "Learning classifiers under delayed feedback with a time window assumption", KDD
2022.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from thence.base.errors import ConfigError
from thence.conversion.estimator import Estimator
from thence.conversion.exposures import Exposures
from thence.conversion.learn import Batch
from thence.conversion.rows import Rows, joined, standing


class NnDf(Estimator):
    """The non-negative risk of new exposures and of older ones that converted late.

    Args:
        tau: τ as a fraction of the window; conversions later than that after the clock are missed.
        clip: leave the negative part out of a batch where it falls below 0.

    Raises:
        ConfigError: tau is not in (0, 1].

    Example:
        >>> shown = Exposures.make([0, 10, 30, 40], [15, 35, 38, 90], window=30)
        >>> rows = NnDf().rows(shown.before(50), 30)  # those at 30 and 40; 30 earlier those at 0 and 10
        >>> rows.index.tolist(), rows.columns["old"].tolist()
        ([2, 3, 1], [0.0, 0.0, 1.0])
    """

    def __init__(self, tau: float = 1.0, *, clip: bool = True) -> None:
        if not 0 < tau <= 1:
            raise ConfigError(f"tau is {tau}", fix="Give a fraction of the window above 0, at most 1.")
        self.tau, self.clip = tau, clip

    def rows(self, known: Exposures, since: int) -> Rows:
        """The new exposures as they stand, and older ones that converted in the last τ."""
        new = standing(known, np.arange(known.since(since), len(known)))
        back = round(self.tau * known.window)
        then = known.before(known.until - back)
        span = np.arange(known.since(since - back), len(then))
        late = span[known.converted[span] & ~then.converted[span]]
        rows = joined(
            Rows(new.index, new.label, {"old": np.zeros(len(new), np.float32)}),
            Rows(late, np.ones(len(late), np.float32), {"old": np.ones(len(late), np.float32)}),
        )
        share = len(new) / len(span) if len(span) else 0.0
        return rows.adding({"weight": np.where(rows.columns["old"] > 0, share, 1.0)})

    def loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """The terms of the risk, row by row; their sum is what is corrected."""
        weight = batch["weight"]
        return nndf_loss(logits[:, 0], batch["label"], batch["old"], weight, clip=self.clip)


def nndf_loss(logit: Tensor, label: Tensor, old: Tensor, weight: Tensor, *, clip: bool = True) -> Tensor:
    """The loss ``[b]`` of each row of a batch.

    Args:
        logit: ``[b]``.
        label: ``[b]`` v of a new row, s of an old one.
        old: ``[b]`` 1 for an old row.
        weight: ``[b]`` 1 for a new row, N / M for an old one.
        clip: leave the negative part out where it sums to less than 0.

    Example:
        >>> label, old, one = torch.tensor([0.0, 1.0]), torch.tensor([0.0, 1.0]), torch.ones(2)
        >>> nndf_loss(torch.zeros(2), label, old, one).numpy().round(4)
        array([0.6931, 0.    ], dtype=float32)
    """
    positive = weight * label * torch.nn.functional.softplus(-logit)
    negative = weight * torch.where(old > 0, -label, 1 - label) * torch.nn.functional.softplus(logit)
    if clip:
        negative = torch.where(negative.detach().sum() < 0, torch.zeros_like(negative), negative)
    return positive + negative
