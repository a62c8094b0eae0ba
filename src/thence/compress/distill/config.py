"""Settings of distillation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from thence.base.errors import ConfigError


@dataclass(frozen=True)
class DistillConfig:
    """How a student is taught.

    Args:
        dim: vectors of a teacher that has none of its own (any scorer) are of this length.
        words: length of what a product's row is projected to, its latent words.
        shared: latent words that stand in the vectors themselves, so that likeness of text counts.
        hidden: width of the hidden layer of each branch.
        steps: most steps in which a branch is taught; 0 leaves the closed-form start.
        anchors: anchors in a step.
        walks: walks from each anchor into its context,
        length: steps of each,
        random: and random nodes beside them, for each node that walks can find.
        distribution: weight of the distribution-based loss,
        ranking: of the ranking-based one,
        matching: of embedding matching,
        arcs: and of the arcs themselves,
        arcs_by: as a ``softmax`` over each context, or each arc for itself (``logistic``).
        cosine: vectors are matched by direction alone.
        learning_rate: peak of the rate.
        weight_decay: of AdamW.
        dropout: of words and of hidden units.
        held: share of the products with arcs that the cold branch is judged on while it is taught.
        every: steps between two judgements.
    """

    dim: int = 128
    words: int = 512
    shared: int = 256
    hidden: int = 256
    steps: int = 100
    anchors: int = 256
    walks: int = 4
    length: int = 3
    random: int = 3
    distribution: float = 1.0
    ranking: float = 1.0
    matching: float = 1.0
    arcs: float = 1.0
    arcs_by: Literal["softmax", "logistic"] = "softmax"
    cosine: bool = False
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    dropout: float = 0.3
    held: float = 0.1
    every: int = 25

    def __post_init__(self) -> None:
        counts = (
            self.dim,
            self.words,
            self.hidden,
            self.anchors,
            self.walks,
            self.length,
            self.random,
            self.every,
        )
        if min(counts) < 1 or min(self.steps, self.shared) < 0:
            raise ConfigError(
                f"out of range: {self}", fix="Counts are at least 1, steps and shared at least 0."
            )
        weights = (self.distribution, self.ranking, self.matching, self.arcs, self.weight_decay)
        if not all(math.isfinite(weight) and weight >= 0 for weight in weights) or not self.learning_rate > 0:
            raise ConfigError(
                f"out of range: {self}", fix="Weights are finite and at least 0, the rate above 0."
            )
        if self.arcs_by not in ("softmax", "logistic"):
            raise ConfigError(f"arcs_by={self.arcs_by!r}", fix="It is 'softmax' or 'logistic'.")
        if not 0 <= self.dropout < 1 or not 0 < self.held < 1:
            raise ConfigError(f"out of range: {self}", fix="dropout and held are shares below 1, held above 0.")
