"""How those estimators are trained that need training: minibatches in a private order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from thence.base.errors import ConfigError, DataError, FitError
from thence.base.progress import Progress, silent
from thence.base.rng import generator
from thence.decide.sample import Sample
from thence.decide.uncertainty.logits import device_of, rows_of
from thence.train.optimizer import RowAdam

Loss = Callable[[Tensor, Tensor], Tensor]
"""From what the network gives of a batch and labels ``[b]`` to the loss ``[b]`` of each row."""


@dataclass(frozen=True)
class Plan:
    """How a network is trained.

    Args:
        passes: over the rows.
        batch_size: rows a step.
        learning_rate: of Adam.
        weight_decay: decoupled.

    Raises:
        ConfigError: a setting is out of range.
    """

    passes: int = 5
    batch_size: int = 1024
    learning_rate: float = 1e-3
    weight_decay: float = 1e-6

    def __post_init__(self) -> None:
        if self.passes < 1 or self.batch_size < 1:
            raise ConfigError("passes and batch_size must be at least 1")
        if not 0 < self.learning_rate <= 1 or not 0 <= self.weight_decay < 1:
            raise ConfigError("learning_rate must be in (0, 1], weight_decay in [0, 1)")


def labels_of(label: ArrayLike, rows: int) -> Tensor:
    """Labels ``[n]`` float32, of both classes.

    Raises:
        DataError: not one 0 or 1 for each row, or all the same.
    """
    given = np.asarray(label)
    if given.shape != (rows,):
        raise DataError(f"labels of shape {given.shape} for {rows} rows", fix="Give one label a row.")
    found = Sample.make(np.zeros(rows), None, given).both_classes()
    return torch.from_numpy(found.label.astype(np.float32))


def cross_entropy(logits: Tensor, label: Tensor) -> Tensor:
    """Loss ``[b]`` of logits ``[b]`` or ``[b, 1]``."""
    return nn.functional.binary_cross_entropy_with_logits(logits.reshape(label.shape), label, reduction="none")


def train(
    net: nn.Module,
    inputs: Any,
    label: ArrayLike,
    loss: Loss = cross_entropy,
    *,
    plan: Plan | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> nn.Module:
    """Train a network in place, and return it in evaluation mode.

    Args:
        net: the network.
        inputs: a tensor or a tuple of them, ``[n, …]``.
        label: ``[n]`` 0 or 1.
        loss: of each row.
        plan: passes, batch size and rate.
        seed: of the order of rows.
        progress: called after each pass.

    Raises:
        DataError: inputs and labels do not fit together, or all labels are the same.
        FitError: the loss is not a number.

    Example:
        >>> net, x = nn.Linear(1, 1), torch.linspace(-1, 1, 200)[:, None]
        >>> _ = train(net, x, x[:, 0] > 0, plan=Plan(30, 50, 0.1))
        >>> torch.sigmoid(net(torch.tensor([[-1.0], [1.0]]))).round().flatten().tolist()
        [0.0, 1.0]
    """
    found, plan, device = rows_of(inputs), plan or Plan(), device_of(net)
    labels, rng = labels_of(label, len(found[0])), generator(seed, "uncertainty", "order")
    optimizer = RowAdam([p for p in net.parameters() if p.requires_grad], plan.learning_rate, plan.weight_decay)
    net.train()
    for turn in range(plan.passes):
        order = torch.from_numpy(rng.permutation(len(labels)))
        for some in batches(order, plan.batch_size):
            value = loss(net(*(each[some].to(device) for each in found)), labels[some].to(device)).mean()
            if not torch.isfinite(value):
                raise FitError(f"the loss is {value.item()}", fix="Lower the learning rate.")
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
        progress("passes over the rows", turn + 1, plan.passes)
    return net.eval()


def batches(order: torch.Tensor, size: int) -> list[torch.Tensor]:
    """An order of rows in parts of one size; a last row alone joins the part before: norms of batches need two.

    Example:
        >>> [part.tolist() for part in batches(torch.arange(5), 2)]
        [[0, 1], [2, 3, 4]]
    """
    parts = list(order.split(size))
    if size > 1 and len(parts) > 1 and len(parts[-1]) == 1:
        parts[-2:] = [torch.cat(parts[-2:])]
    return parts
