"""The interface of every estimator: which rows it trains on, what a row costs, what its outputs mean.

A published method is one file in ``conversion/delayed``: its emission protocol (``rows``), its weights or its
own loss, and the models beside the main one that it needs (``begin``, ``refresh``). Whatever it is handed is a
view up to a clock; only :class:`~thence.conversion.delayed.oracle.Oracle` is given final labels.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from thence.conversion.exposures import Exposures
from thence.conversion.keep import kept, lay_over
from thence.conversion.lab import Lab, Predict, weighted
from thence.conversion.learn import Batch
from thence.conversion.rows import Rows, settled


class Estimator(ABC):
    """How to learn from labels that are still changing.

    The stream calls ``begin`` once, then at every refresh ``refresh`` and ``rows``. An estimator keeps nothing
    of exposures but what it was handed.
    """

    heads: int = 1
    """Logits that it needs of each exposure."""

    def begin(self, known: Exposures, lab: Lab) -> None:  # noqa: B027
        """Fit what stands beside the main model, on what is known when the stream begins.

        Args:
            known: what is known then.
            lab: trains further models of the same shape as the main one.
        """

    def refresh(self, known: Exposures, lab: Lab, predict: Predict) -> None:  # noqa: B027
        """The same at every refresh, before its rows are asked for.

        Args:
            known: what is known now.
            lab: as before.
            predict: the main model as it stands, from places in ``known`` to logits ``[r, heads]``.
        """

    @abstractmethod
    def rows(self, known: Exposures, since: int) -> Rows:
        """The rows that came in ``[since, clock)``.

        Args:
            known: what is known now.
            since: the clock of the refresh before, microseconds UTC.
        """

    def loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """The loss ``[b]`` of each row; cross-entropy with the weights that the rows carry, if any.

        Args:
            logits: ``[b, heads]``.
            batch: columns of the rows.
        """
        label = batch["label"]
        return weighted(logits[:, 0], batch.get("positive", label), batch.get("negative", 1 - label))

    def settled_rows(self, known: Exposures) -> Rows:
        """Rows of all mature exposures, which every estimator's model begins with."""
        first = int(known.time[0]) if len(known) else 0
        return settled(known, first)

    def settled_loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """The loss ``[b]`` of rows whose label is final."""
        probability = self.probability(logits).clamp(1e-6, 1 - 1e-6)
        label = batch["label"]
        return -label * probability.log() - (1 - label) * torch.log1p(-probability)

    def probability(self, logits: Tensor) -> Tensor:
        """The probability ``[b]`` of a conversion within the window."""
        return torch.sigmoid(logits[:, 0])

    def log_left(self, logits: Tensor, elapsed: Tensor) -> Tensor | None:
        """Log of the share ``[b]`` of conversions still to come, where the model knows a delay of each x.

        Args:
            logits: ``[b, heads]``.
            elapsed: ``[b]`` fractions of the window.

        Returns:
            -inf where the window is over; None for a model that knows of no delay.
        """
        return None

    def told(self) -> dict[str, float]:
        """Figures of its own that a report shows, by name."""
        return {}

    def state(self) -> dict[str, np.ndarray]:
        """What a checkpoint keeps of it: numbers, arrays and networks, by name."""
        return kept(self)

    def restore(self, state: Mapping[str, np.ndarray], known: Exposures, lab: Lab) -> None:
        """Go on from a checkpoint: ``begin`` has been run again, and what was kept is laid over it."""
        lay_over(self, state)
