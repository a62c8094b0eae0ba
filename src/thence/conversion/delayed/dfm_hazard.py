"""DFM without a law of the delay: a discrete-time hazard, and a cure fraction that never converts.

The window is cut at 0 = b_0 < b_1 < … < b_K = 1 (fractions of it). Given a conversion within the window, it
falls into interval k with probability q_k:

    q_k = h_k (1 - h_1) … (1 - h_{k-1}),    h_k = σ(logit k),    h_K = 1

and evenly within it. With p = σ(logit 0), where 1 - p is the cure fraction, and S(e) what is left of q at e,

    converted in k   -log p - log q_k
    still open       -log(1 - p + p S(e)),    S(e) = S_{k-1} (1 - h_k u)

u being the part of interval k that is gone by. S = 0 at the end of the window, so settled rows need no loss of
their own. K logits in all.

References: Chapelle, KDD 2014 (the mixture); Tutz and Schmid, "Modeling discrete time-to-event data", 2016.
"""

from __future__ import annotations

import torch
from torch import Tensor

from thence.base.errors import ConfigError
from thence.conversion.delayed.dfm import censored_loss, checked, looked_at, settled_with_delay
from thence.conversion.estimator import Estimator
from thence.conversion.exposures import Exposures
from thence.conversion.learn import Batch
from thence.conversion.rows import Rows

BOUNDARIES = (1 / 1024, 1 / 256, 1 / 64, 1 / 16, 1 / 4, 1.0)
"""Ends of intervals as fractions of the window: 42 minutes to 30 days in steps of four, for 30 days."""


class DfmHazard(Estimator):
    """The delayed feedback model with a discrete hazard of the delay.

    Args:
        boundaries: ends of the intervals as fractions of the window, rising; the last is 1.
        again: ages, as fractions of the window, at which every exposure is looked at once more.

    Raises:
        ConfigError: the boundaries do not rise to 1, or an age is not in (0, 1].

    Example:
        >>> DfmHazard((0.1, 1.0)).heads, DfmHazard().heads
        (2, 6)
    """

    def __init__(self, boundaries: tuple[float, ...] = BOUNDARIES, *, again: tuple[float, ...] = ()) -> None:
        rising = all(low < high for low, high in zip((0.0, *boundaries), boundaries, strict=False))
        if not boundaries or not rising or boundaries[-1] != 1:
            raise ConfigError(f"boundaries {boundaries}", fix="Give rising fractions that end in 1.")
        self.boundaries, self.again, self.heads = tuple(boundaries), checked(again), len(boundaries)

    def rows(self, known: Exposures, since: int) -> Rows:
        """The exposures since the last refresh, and those that came of an age to be looked at again."""
        return looked_at(known, since, self.again)

    def settled_rows(self, known: Exposures) -> Rows:
        """The mature exposures with their delays."""
        return settled_with_delay(known)

    def loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """Minus the log likelihood of what is known of each row."""
        mass, survival = log_intervals(logits[:, 1:], batch["delay"], batch["elapsed"], self.boundaries)
        return censored_loss(logits[:, 0], batch["label"], mass, survival)

    def settled_loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """The same: a settled row is one that was looked at when its window ended."""
        return self.loss(logits, batch)

    def log_left(self, logits: Tensor, elapsed: Tensor) -> Tensor:
        """Log survival of the intervals."""
        return log_intervals(logits[:, 1:], elapsed, elapsed, self.boundaries)[1]


def log_intervals(
    logits: Tensor, delay: Tensor, elapsed: Tensor, boundaries: tuple[float, ...]
) -> tuple[Tensor, Tensor]:
    """Log probability of the delay's interval and log survival at the elapsed time, given a conversion.

    Args:
        logits: ``[b, K - 1]`` of the hazards; that of the last interval is 1.
        delay: ``[b]`` fractions of the window; interval k is (b_{k-1}, b_k].
        elapsed: ``[b]`` fractions of the window.
        boundaries: b_1 … b_K.

    Example:
        >>> mass, survival = log_intervals(torch.zeros(1, 1), torch.ones(1), torch.ones(1) / 4, (0.5, 1.0))
        >>> mass.exp().numpy(), survival.exp().numpy()
        (array([0.5], dtype=float32), array([0.75], dtype=float32))
    """
    ends = torch.tensor(boundaries, dtype=logits.dtype, device=logits.device)
    starts = torch.cat([torch.zeros_like(ends[:1]), ends[:-1]])
    none = torch.zeros_like(logits[:, :1])
    beyond = torch.nn.functional.softplus(logits)  # -log(1 - h_k)
    passed = torch.cat([none, -torch.cumsum(beyond, dim=1)], dim=1)  # log S_{k-1}
    log_hazard = torch.cat([logits - beyond, none], dim=1)
    last = len(boundaries) - 1

    def at(values: Tensor, interval: Tensor) -> Tensor:
        return values.gather(1, interval[:, None])[:, 0]

    fell = torch.bucketize(delay.contiguous(), ends).clamp(max=last)
    mass = at(passed, fell) + at(log_hazard, fell)
    stands = torch.bucketize(elapsed.contiguous(), ends).clamp(max=last)
    part = ((elapsed - starts[stands]) / (ends - starts)[stands]).clamp(0.0, 1.0)
    over = (elapsed >= 1.0) | (part >= 1.0) & (stands == last)
    inside = torch.where(over, 0.0, torch.exp(at(log_hazard, stands)) * part)
    survival = at(passed, stands) + torch.log1p(-inside.clamp(max=1 - 1e-6))
    return mass, torch.where(over, -torch.inf, survival)
