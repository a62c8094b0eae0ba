"""Minibatches: a network, its optimizer, and rows to move it by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from thence.base.errors import ConfigError, FitError
from thence.base.rng import generator
from thence.conversion.features import Features
from thence.conversion.net import ConversionNet
from thence.conversion.rows import Rows
from thence.train.optimizer import RowAdam

Batch = Mapping[str, Tensor]
"""Columns of some rows: ``label`` ``[b]``, and those that the estimator's rows have."""
Loss = Callable[[Tensor, Batch], Tensor]
"""From logits ``[b, heads]`` and a batch to the loss ``[b]`` of each row."""
PREDICTED_AT_ONCE = {"cpu": 2048, "cuda": 65_536}
"""Rows at once by device: on the CPU as many as have their layers in a core's cache."""


@dataclass(frozen=True)
class LearnConfig:
    """How a network is trained.

    Args:
        batch_size: rows a step.
        learning_rate: of Adam.
        weight_decay: decoupled, on weights and embeddings.
        passes: over the rows that are there when training begins.
        visits: gradient rows at each refresh as a multiple of the exposures that came, the same for every
            estimator; 0 for each row once. No row is gone through more than ``passes`` times for it.
        precision: of the products of matrices in training; ``bfloat16`` is about twice as fast for wide hidden
            layers where the processor knows it, slower where it does not. Weights, sums, losses and
            predictions stay float32.

    Raises:
        ConfigError: a setting is out of range.
    """

    batch_size: int = 1024
    learning_rate: float = 1e-3
    weight_decay: float = 1e-6
    passes: int = 2
    visits: float = 0.0
    precision: Literal["float32", "bfloat16"] = "float32"

    def __post_init__(self) -> None:
        if self.precision not in ("float32", "bfloat16"):
            raise ConfigError(f"precision is {self.precision!r}", fix="Choose float32 or bfloat16.")
        if self.batch_size < 1 or self.passes < 0 or self.visits < 0:
            raise ConfigError("batch_size must be at least 1, passes and visits not negative")
        if not 0 < self.learning_rate <= 1 or not 0 <= self.weight_decay < 1:
            raise ConfigError("learning_rate must be in (0, 1], weight_decay in [0, 1)")

    def count(self, rows: int, came: int) -> int | None:
        """Gradient rows at a refresh that emitted ``rows`` rows and to which ``came`` exposures came.

        None for each row once. The limit of ``passes`` keeps an estimator of few rows, such as the settled ones
        while most exposures are open, from learning them by heart.

        Example:
            >>> LearnConfig(visits=1.0).count(900, 1000), LearnConfig(visits=1.0).count(100, 1000)
            (1000, 200)
        """
        return min(round(self.visits * came), max(self.passes, 1) * rows) or None


class Learner:
    """A network that learns from rows, on the GPU where there is one.

    Args:
        net: the network; it is trained in place.
        config: batch size, rate and decay.
        seed: of the order of rows.

    Example:
        >>> from thence.conversion.net import NetConfig, make_net
        >>> features = Features(np.array([[0], [1]] * 500), np.zeros((1000, 0)), (2,))
        >>> learner = Learner(make_net(features, NetConfig("logistic")), LearnConfig(100, 0.05))
        >>> rows = Rows(np.arange(1000), np.tile([0.0, 1.0], 500).astype("f"))
        >>> loss = lambda logits, batch: (torch.sigmoid(logits[:, 0]) - batch["label"]) ** 2
        >>> losses = [learner.learn(features, rows, loss, turn) for turn in range(10)]
        >>> losses[0] > losses[-1], np.round(learner.logits(features, np.array([0, 1]))[:, 0]).tolist()
        (True, [-2.0, 2.0])
    """

    def __init__(self, net: ConversionNet, config: LearnConfig, seed: int = 0) -> None:
        self.net, self.config, self.seed = net, config, seed
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        net.to(self.device)

    @cached_property
    def optimizer(self) -> RowAdam:
        """Made when it is first asked for: who only predicts waits for no optimizer of torch to be imported."""
        groups = [{"params": list(self.net.parameters()), "weight_decay": self.config.weight_decay}]
        return RowAdam(groups, lr=self.config.learning_rate)

    def learn(
        self, features: Features, rows: Rows, loss: Loss, *turn: str | int, count: int | None = None
    ) -> float:
        """One pass over rows in a new order; returns the mean loss.

        Args:
            features: of the exposures that the rows speak of.
            rows: what to learn from.
            loss: of each row.
            turn: names this pass, and with the seed decides the order.
            count: gradient rows in all: the rows are gone through again, or drawn, until there are so many.

        Raises:
            FitError: the loss is not a number.
        """
        if not len(rows):
            return 0.0
        order = _order(len(rows), count, generator(self.seed, "conversion", "order", *turn))
        self.net.train()
        total = 0.0
        for first in range(0, len(order), self.config.batch_size):
            some = rows.take(order[first : first + self.config.batch_size])
            value = loss(self._trained(features, some.index), self._batch(some)).mean()
            if not torch.isfinite(value):
                raise FitError(f"the loss is {value.item()}", fix="Lower the learning rate.")
            self.optimizer.zero_grad()
            value.backward()
            self.optimizer.step()
            total += value.item() * len(some)
        return total / len(order)

    def logits(self, features: Features, index: np.ndarray) -> np.ndarray:
        """Logits ``[r, heads]`` float32 of exposures by their places ``[r]``."""
        self.net.eval()
        found = [np.empty((0, self.net.heads), np.float32)]
        with torch.no_grad():
            at_once = PREDICTED_AT_ONCE[self.device.type]
            for first in range(0, len(index), at_once):
                part = index[first : first + at_once]
                found.append(self._forward(features, part).numpy(force=True))
        return np.concatenate(found)

    def _trained(self, features: Features, index: np.ndarray) -> Tensor:
        if self.config.precision == "float32":
            return self._forward(features, index)
        with torch.autocast(self.device.type, torch.bfloat16):
            found = self._forward(features, index)
        return found.float()

    def _forward(self, features: Features, index: np.ndarray) -> Tensor:
        codes = torch.from_numpy(features.codes[index].astype(np.int64)).to(self.device)
        return self.net(codes, torch.from_numpy(features.numbers[index]).to(self.device))

    def _batch(self, rows: Rows) -> Batch:
        columns = {"label": rows.label, **rows.columns}
        return {
            name: torch.from_numpy(np.asarray(c, np.float32)).to(self.device) for name, c in columns.items()
        }


def _order(rows: int, count: int | None, rng: np.random.Generator) -> np.ndarray:
    """A random order of the rows, gone through as often as it takes."""
    if count is None:
        return rng.permutation(rows)
    turns = [rng.permutation(rows) for _ in range(-(-count // rows))]
    return np.concatenate([*turns, np.empty(0, np.int64)])[:count]
