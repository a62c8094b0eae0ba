"""DFM, the delayed feedback model: whether an exposure converts, and how long it takes, learned together.

One row an exposure, with its label so far, its elapsed time e and, where it converted, the delay d. With
p = P(y = 1 | x) and the delay's density g and survival S given a conversion within the window W,

    converted      -log p - log g(d | x)
    still open     -log(1 - p + p S(e | x))

where S(W) = 0, so that a settled row costs -log p - log g(d) or -log(1 - p): the same likelihood serves both.
Delays beyond the window do not count, so they are cut off at W. With cumulative hazard H,

    g(d) = h(d) exp(-H(d)) / (1 - exp(-H(W))),    S(e) = (exp(-H(e)) - exp(-H(W))) / (1 - exp(-H(W)))

    exponential    H(t) = r t             r = exp(logit 1)
    Weibull        H(t) = (r t)^k         r = exp(logit 1),  k = exp(logit 2)

r counts from the inverse of the mean delay of the conversions that were settled when the stream began.

The published model is trained once, on rows of all ages. In a stream the rows that came since the last refresh
are all young, and p and the delay can hardly be told apart from them: ``again`` looks at every exposure once
more at given ages, converted or not. Each look is a likelihood of its own; their sum is a composite one.

Reference: Chapelle, "Modeling delayed feedback in display advertising", KDD 2014, equations 7 to 11 (there
without a window); Ji et al., "Time-aware conversion prediction", FCS 2017 (Weibull).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from thence.base.errors import ConfigError
from thence.conversion.estimator import Estimator
from thence.conversion.exposures import Exposures
from thence.conversion.learn import Batch
from thence.conversion.rows import Rows, joined, settled, standing

SHORTEST = 1e-6
"""The shortest delay told apart, as a fraction of the window; a Weibull density may be infinite at 0."""
Law = Literal["exponential", "weibull"]


class Dfm(Estimator):
    """The delayed feedback model with an exponential or a Weibull delay.

    Args:
        law: of the delay.
        again: ages, as fractions of the window, at which every exposure is looked at once more.

    Raises:
        ConfigError: there is no such law, or an age is not in (0, 1].

    Example:
        >>> shown = Exposures.make([0, 10, 35], [15, 38, 90], window=50)
        >>> rows = Dfm(again=(0.5,)).rows(shown.before(40), 30)
        >>> rows.index.tolist(), rows.label.tolist()
        ([2, 1], [0.0, 1.0])
    """

    def __init__(self, law: Law = "exponential", *, again: tuple[float, ...] = ()) -> None:
        if law not in ("exponential", "weibull"):
            raise ConfigError(f"a delay of law {law!r}", fix="Choose exponential or weibull.")
        self.law, self.again = law, checked(again)
        self.heads = 2 if law == "exponential" else 3
        self.mean_delay = 0.1

    def rows(self, known: Exposures, since: int) -> Rows:
        """The exposures since the last refresh, and those that came of an age to be looked at again."""
        return looked_at(known, since, self.again)

    def settled_rows(self, known: Exposures) -> Rows:
        """The mature exposures with their delays; the mean delay is taken from them."""
        rows = settled_with_delay(known)
        if rows.label.any():
            self.mean_delay = max(float(rows.columns["delay"][rows.label > 0].mean()), SHORTEST)
        return rows

    def loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """Minus the log likelihood of what is known of each row."""
        density, survival = log_delay(logits[:, 1:], batch["delay"], batch["elapsed"], self.mean_delay)
        return censored_loss(logits[:, 0], batch["label"], density, survival)

    def settled_loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """The same: a settled row is one that was looked at when its window ended."""
        return self.loss(logits, batch)

    def log_left(self, logits: Tensor, elapsed: Tensor) -> Tensor:
        """Log survival of the delay's law."""
        return log_delay(logits[:, 1:], elapsed, elapsed, self.mean_delay)[1]


def checked(ages: tuple[float, ...]) -> tuple[float, ...]:
    """Ages as fractions of the window."""
    if any(not 0 < age <= 1 for age in ages):
        raise ConfigError(f"ages {ages}", fix="Give fractions of the window above 0, at most 1.")
    return tuple(ages)


def looked_at(known: Exposures, since: int, again: tuple[float, ...]) -> Rows:
    """The exposures of ``[since, clock)``, and those that reached each further age then, as they stand now."""
    turns = [
        np.arange(*np.searchsorted(known.time, [since - age, known.until - age]))
        for age in (0, *(round(part * known.window) for part in again))
    ]
    return joined(*(standing(known, turn) for turn in turns))


def settled_with_delay(known: Exposures) -> Rows:
    """The mature exposures with the columns ``elapsed`` and ``delay``."""
    first = int(known.time[0]) if len(known) else 0
    return standing(known, settled(known, first).index)


def log_delay(logits: Tensor, delay: Tensor, elapsed: Tensor, mean: float) -> tuple[Tensor, Tensor]:
    """Log density of the delay and log survival at the elapsed time, given a conversion within the window.

    Args:
        logits: ``[b, 1]`` log rate, or ``[b, 2]`` log rate and log shape; rates count from ``1 / mean``.
        delay: ``[b]`` fractions of the window.
        elapsed: ``[b]`` fractions of the window.
        mean: fraction of the window.

    Returns:
        Two tensors ``[b]``; densities are those per window.
    """
    rate = logits[:, 0].clamp(-12.0, 12.0) - float(np.log(mean))
    log_shape = logits[:, 1].clamp(-3.0, 3.0) if logits.shape[1] > 1 else torch.zeros(())
    shape = torch.exp(log_shape)
    start, log_d, log_e = shape * rate, delay.clamp(SHORTEST, 1.0).log(), elapsed.clamp(SHORTEST, 1.0).log()

    def cumulative(log_time: Tensor) -> Tensor:
        return torch.exp((start + shape * log_time).clamp(-14.0, 20.0))

    whole, gone = torch.exp(start.clamp(-14.0, 20.0)), cumulative(log_e)
    within = torch.log(-torch.expm1(-whole))
    density = log_shape + start + (shape - 1) * log_d - cumulative(log_d) - within
    left = torch.where(elapsed < 1.0, whole - gone, 1.0)  # anything, where the window is over
    beyond = torch.log(-torch.expm1(-left.clamp_min(SHORTEST))) - gone - within
    return density, torch.where(elapsed < 1.0, beyond, -torch.inf)


def censored_loss(logit: Tensor, label: Tensor, log_density: Tensor, log_survival: Tensor) -> Tensor:
    """``-y (log p + log g) - (1 - y) log(1 - p + p S)``, row by row, with p = σ(logit).

    Args:
        logit: ``[b]``.
        label: ``[b]`` label so far.
        log_density: ``[b]`` log g of the delay; of no account where the label is 0.
        log_survival: ``[b]`` log S at the elapsed time, -inf where the window is over.

    Example:
        >>> zero, half = torch.zeros(2), torch.log(torch.tensor([0.5, 0.5]))
        >>> censored_loss(zero, torch.tensor([1.0, 0.0]), zero, half).exp().numpy().round(4)
        array([2.    , 1.3333], dtype=float32)
    """
    open_ = torch.isfinite(log_survival)
    still = torch.logaddexp(torch.zeros_like(logit), logit + torch.where(open_, log_survival, 0.0))
    unsettled = torch.nn.functional.softplus(logit) - torch.where(open_, still, 0.0)
    converted = torch.nn.functional.softplus(-logit) - log_density
    return torch.where(label > 0.5, converted, unsettled)
