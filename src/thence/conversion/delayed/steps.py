"""Ours over the entire space: first whether it is engaged with, then whether it converts, given that.

    P(y = 1 | x) = P(s = 1 | x) P(y = 1 | s = 1, x) + P(s = 0 | x) P(y = 1 | s = 0, x)

The step s is an event of one kind (a cart, a clipped coupon) within ``horizon`` of the exposure and before its
conversion; it is known for good at that age, long before the label. So an exposure is looked at when it is that
old: the first head learns s from it by plain cross-entropy, which needs no correction, and the head of its s
learns the label with the exact weights of :mod:`.engaged`, taken at that age,

    converted by then          1 · l1
    open                       λ q · l1 + (1 - q) · l0,        q = P(y = 1 | x, s, age, engagement, v = 0)
    converted since            (1 - λ) · l1

of which l1 of the head of s has P(s | x) P(y = 1 | s, x) in the mean and l0 P(s | x) P(y = 0 | s, x): every
head has the mass of its own exposures and its own optimum, and their mixture is P(y = 1 | x). Nothing is
assumed of those who convert without the step.

The kind is the one whose step tells most of the label, by mutual information on mature exposures; without any
engagement all is s = 0, and the last head alone is ours.

Reference: X. Ma et al., "Entire space multi-task model", SIGIR 2018, where all conversions go through the step.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from thence.base.errors import ConfigError
from thence.conversion.delayed.engaged import Engaged, weighed
from thence.conversion.delayed.pace import volume
from thence.conversion.estimator import Estimator
from thence.conversion.exposures import Exposures
from thence.conversion.lab import Lab, Predict, weighted
from thence.conversion.learn import Batch
from thence.conversion.rows import Rows, joined, late, once, settled

SURE = 1e-6


class Stepwise(Estimator):
    """Engage, then convert.

    Args:
        horizon: age at which the step is settled, as a fraction of the window.
        ahead: as in :class:`~thence.conversion.delayed.engaged.Engaged`.
        every: likewise.
        settle: likewise.

    Raises:
        ConfigError: the horizon is not between 0 and 1; as for ``Engaged``.

    Example:
        >>> model = Stepwise()
        >>> model.heads, model.probability(torch.tensor([[0.0, 9.0, -9.0]])).item()
        (3, 0.5)
    """

    heads = 3

    def __init__(
        self, horizon: float = 1 / 30, ahead: float = 1.0, *, every: int = 5, settle: float | None = None
    ) -> None:
        if not 0 < horizon < 1:
            raise ConfigError(f"horizon is {horizon}", fix="Give a fraction of the window between 0 and 1.")
        self.horizon, self.kind = horizon, -1
        self.engaged = Engaged(ahead, every=every, revisit=0.0, settle=settle, recalibrate=False)

    def step(self, known: Exposures, index: np.ndarray) -> np.ndarray:
        """Whether each of some exposures took the step ``[r]``; final from the horizon on.

        Args:
            known: what is known now.
            index: ``[r]`` their places.
        """
        if self.kind < 0:
            return np.zeros(len(index), bool)
        return _seen(known, index, self.horizon)[:, self.kind]

    def begin(self, known: Exposures, lab: Lab) -> None:
        """Learn Λ on what is mature."""
        self.kind = telling(known, self.horizon)
        self.engaged.begin(known, lab)

    def refresh(self, known: Exposures, lab: Lab, predict: Predict) -> None:
        """As ours, with the mixture as prior."""
        self.engaged.refresh(known, lab, lambda index: self._logit(predict(index)))

    def rows(self, known: Exposures, since: int) -> Rows:
        """Each exposure at the horizon, late conversions after it, and final labels where they are learned."""
        ours = self.engaged
        ours.make_room(len(known))
        wait = round(self.horizon * known.window)
        first, copies = once(known, since, wait), late(known, since, wait)
        later, told = ours.belief(known, first.index, clock=known.time[first.index] + wait)
        later, open_ = later * (1 - first.label), first.label == 0
        ahead = ours.ahead * -np.expm1(-np.maximum(told, 0.0)) * open_
        ours.paid[first.index] = ahead
        rest = (1 - ours.paid[copies.index]) * volume(
            known, copies.index, max(len(first), 1), known.until - since
        )
        found = joined(
            weighed(first, first.label + ahead * later, (1 - first.label) * (1 - later)),
            weighed(copies, rest, np.zeros(len(copies))),
        )
        if weight := ours.weight_of_final():
            final = settled(known, since)
            found = joined(found, weighed(final, weight * final.label, weight * (1 - final.label)))
        stepped = self.step(known, found.index).astype("f")
        return found.adding({"step": stepped, "fresh": (np.arange(len(found)) < len(first)).astype("f")})

    def loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """Cross-entropy of the step on fresh rows, and of the label, weighed, on the head of the step."""
        step = batch["step"]
        of_step = weighted(logits[:, 0], batch["fresh"] * step, batch["fresh"] * (1 - step))
        head = torch.where(step > 0, logits[:, 1], logits[:, 2])
        return of_step + weighted(head, batch["positive"], batch["negative"])

    def settled_rows(self, known: Exposures) -> Rows:
        """Final labels and steps."""
        self.kind = telling(known, self.horizon)
        rows = super().settled_rows(known)
        return rows.adding({"step": self.step(known, rows.index).astype("f")})

    def settled_loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """Cross-entropy of the step, and of the label on the head of the step."""
        step, label = batch["step"], batch["label"]
        head = torch.where(step > 0, logits[:, 1], logits[:, 2])
        return weighted(logits[:, 0], step, 1 - step) + weighted(head, label, 1 - label)

    def probability(self, logits: Tensor) -> Tensor:
        """The mixture over the step ``[b]``."""
        engage, with_it, without = torch.sigmoid(logits).unbind(dim=1)
        return engage * with_it + (1 - engage) * without

    def told(self) -> dict[str, float]:
        """As ours."""
        return self.engaged.told()

    def _logit(self, logits: np.ndarray) -> np.ndarray:
        """Logits ``[r, 1]`` of the mixture from those of the heads."""
        mixed = self.probability(torch.from_numpy(logits)).clamp(SURE, 1 - SURE)
        return torch.logit(mixed).numpy()[:, None]


def _seen(known: Exposures, index: np.ndarray, horizon: float) -> np.ndarray:
    """Whether each kind was seen within the horizon ``[r, kinds]``."""
    clock = known.time[index] + round(horizon * known.window)
    return known.engagement.so_far(clock, index)[0] > 0


def telling(known: Exposures, horizon: float) -> int:
    """The kind of engagement whose step tells most of the final label; -1 where there is none.

    Args:
        known: what is known now; mature exposures are looked at.
        horizon: age at which the step is settled, as a fraction of the window.

    Example:
        >>> from thence.conversion.engagement import Engagement
        >>> events = Engagement.make(["back", "cart"], [0, 1, 1, 3], [0, 0, 1, 1], [2, 3, 4, 5])
        >>> shown = Exposures.make(range(4), [99, 50, 99, 60], window=70, until=200, engagement=events)
        >>> telling(shown.before(90), 0.5)  # those with a cart convert, of those who come back half
        1
    """
    index = np.flatnonzero(known.mature)
    steps, y = _seen(known, index, horizon), known.converted[index]
    told = [_information(step, y) for step in steps.T]
    return int(np.argmax(told)) if told and max(told) > 0 else -1


def _information(step: np.ndarray, label: np.ndarray) -> float:
    """Mutual information of two booleans, nats."""
    both = np.bincount(2 * step + label, minlength=4).reshape(2, 2) / max(len(step), 1)
    apart = both.sum(axis=1, keepdims=True) * both.sum(axis=0, keepdims=True)
    some = both > 0
    return float((both[some] * np.log(both[some] / apart[some])).sum())
