"""Settings of a task."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from thence.base.errors import ConfigError, nearest
from thence.task.metric import METRICS
from thence.task.pool import POOLS, Pool

AUTO = "auto"


@dataclass(frozen=True)
class TaskConfig:
    """What is trained on a graph, and how.

    Args:
        encoder: its name, as :func:`~thence.encode.encoders.make_encoder` knows it.
        settings: of the encoder; what is not named has the encoder's own default.
        positions: kinds of positions to lay beside the features.
        learning_rate: of Adam.
        weight_decay: added to the gradient of every parameter, as in Adam with an L2 term.
        steps: the most steps that are taken.
        patience: validations without a gain after which training stops; 0 never stops early.
        validate_every: steps between two validations.
        metric: what chooses the best step; ``auto``: accuracy for classes, mean absolute error for values, area
            under the curve for arcs.
        batch: how much a step sees: graphs where there are several, nodes with the arcs between them where
            there is one, arcs of an arc task; dealt anew each round. 0 takes all.
        pool: how the nodes of a graph become one row: ``mean``, ``sum`` or ``max``.
        checkpoint_every: steps between two checkpoints; 0 writes none.
        seed: of all draws.
    """

    encoder: str = "gcn"
    settings: Mapping[str, Any] = field(default_factory=dict)
    positions: tuple[str, ...] = ()
    learning_rate: float = 0.01
    weight_decay: float = 5e-4
    steps: int = 500
    patience: int = 100
    validate_every: int = 1
    metric: str = AUTO
    batch: int = 0
    pool: Pool = "mean"
    checkpoint_every: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.steps, self.validate_every) < 1:
            raise ConfigError("steps and validate_every are at least 1")
        if min(self.patience, self.batch, self.checkpoint_every) < 0:
            raise ConfigError("patience, batch and checkpoint_every are at least 0")
        if not (0 < self.learning_rate < math.inf and 0 <= self.weight_decay < math.inf):
            raise ConfigError(
                f"learning_rate={self.learning_rate}, weight_decay={self.weight_decay}",
                fix="A rate is above 0, a decay at least 0.",
            )
        if self.metric not in (AUTO, *METRICS):
            raise ConfigError(f"no metric {self.metric!r}", fix=nearest(self.metric, (AUTO, *METRICS)))
        if self.pool not in POOLS:
            raise ConfigError(f"no pool {self.pool!r}", fix=nearest(self.pool, POOLS))
