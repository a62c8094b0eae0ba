"""Settings of training."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from thence.base.errors import ConfigError


@dataclass(frozen=True)
class TrainConfig:
    """How a model is trained.

    Args:
        steps: length of the learning-rate schedule, and the most steps that are taken.
        batch_size: sources in a batch.
        learning_rate: its peak; it rises over the first tenth of the steps and falls along a cosine.
        weight_decay: of AdamW, on vectors (not on biases and coefficients).
        source_power: sources are drawn ∝ (weight of their arcs)^power.
        weight_power: arcs count by weight^power within their source.
        candidates: nodes that a batch is scored against; 0 takes all up to 20,000 nodes and 8,192 beyond.
        reverse_weight: weight of the loss that puts an arc above its reverse.
        patience: validations without a gain after which training stops.
        validate_every: steps between two validations.
        checkpoint_every: steps between two checkpoints; 0 writes none.
        seed: of all draws.
        schedule: ``cosine``: the rate rises and falls; ``constant``: it is what it is, as in many papers.
    """

    steps: int = 240
    batch_size: int = 512
    learning_rate: float = 5e-3
    weight_decay: float = 0.1
    source_power: float = 0.75
    weight_power: float = 1.3
    candidates: int = 0
    reverse_weight: float = 0.1
    patience: int = 3
    validate_every: int = 20
    checkpoint_every: int = 0
    seed: int = 0
    schedule: Literal["cosine", "constant"] = "cosine"

    def __post_init__(self) -> None:
        counts = (self.steps, self.batch_size, self.validate_every, self.patience)
        if min(counts) < 1 or min(self.candidates, self.checkpoint_every) < 0:
            raise ConfigError(
                f"out of range: {self}", fix="Counts are at least 1; candidates and checkpoint_every 0."
            )
        if self.schedule not in ("cosine", "constant"):
            raise ConfigError(f"no schedule {self.schedule!r}", fix="It is 'cosine' or 'constant'.")
        rates = (
            self.learning_rate,
            self.weight_decay,
            self.source_power,
            self.weight_power,
            self.reverse_weight,
        )
        if not all(math.isfinite(rate) and rate >= 0 for rate in rates) or self.learning_rate == 0:
            raise ConfigError(
                f"out of range: {self}", fix="Rates, weights and powers are finite and at least 0."
            )

    def rate(self, step: int) -> float:
        """The learning rate of one step.

        Example:
            >>> config = TrainConfig(steps=100, learning_rate=1.0)
            >>> round(config.rate(4), 2), round(config.rate(10), 2), round(config.rate(55), 2)
            (0.5, 1.0, 0.5)
        """
        if self.schedule == "constant":
            return self.learning_rate
        warm = max(self.steps // 10, 1)
        if step < warm:
            return self.learning_rate * (step + 1) / warm
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(self.steps - warm, 1)))
