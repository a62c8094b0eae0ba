"""A stream: train on what was known, refresh by refresh, and predict the exposures of the next block.

At clock T_k the model has seen the rows that came before T_k and predicts the exposures of [T_k, T_{k+1}),
whose final labels nobody may use before they are mature. Every estimator begins with the same network, trained
on the exposures that are mature when the stream begins, with the labels that are final then.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch

from thence.base.errors import ConfigError, FitError
from thence.conversion.estimator import Estimator
from thence.conversion.exposures import Exposures
from thence.conversion.lab import Lab
from thence.conversion.learn import LearnConfig, Learner
from thence.conversion.net import NetConfig, make_net
from thence.events.clock import DAY, iso


@dataclass(frozen=True)
class StreamConfig:
    """When a stream begins, how often it is refreshed, and what learns.

    Args:
        start: first clock, microseconds UTC.
        step: from one refresh to the next, microseconds.
        end: last clock; where the labels end when None.
        net: the shape of the network.
        learn: how it is trained.
        seed: of weights and orders.

    Raises:
        ConfigError: the step is not positive, or the end not after the start.
    """

    start: int
    step: int = DAY
    end: int | None = None
    net: NetConfig = field(default_factory=NetConfig)
    learn: LearnConfig = field(default_factory=LearnConfig)
    seed: int = 0

    def __post_init__(self) -> None:
        if self.step <= 0:
            raise ConfigError(f"step is {self.step} µs", fix="Give microseconds from one refresh to the next.")
        if self.end is not None and self.end <= self.start:
            raise ConfigError(f"the stream ends at {iso(self.end)}, before it starts at {iso(self.start)}")


@dataclass(frozen=True, eq=False, repr=False)
class Predictions:
    """What a stream predicted, before it learned from it.

    Args:
        index: ``[m]`` exposure of each prediction.
        probability: ``[m]`` float32, of a conversion within the window.
        block: ``[m]`` number of the refresh that it was made after.
        told: figures of the stream itself, such as rows trained on.
    """

    index: np.ndarray
    probability: np.ndarray
    block: np.ndarray
    told: dict[str, float]

    def __len__(self) -> int:
        """How many predictions."""
        return len(self.index)

    def __repr__(self) -> str:
        """One line with the counts."""
        return f"Predictions({len(self):,} exposures in {len(np.unique(self.block))} blocks)"


class Stream:
    """One estimator on one stream of exposures.

    Args:
        exposures: all there are, seen up to the end of the log; only blocks that are mature by then are
            predicted.
        estimator: how to learn from open labels.
        config: when and what.

    Raises:
        ConfigError: nothing is mature at the start, or no block is by the end.
    """

    def __init__(self, exposures: Exposures, estimator: Estimator, config: StreamConfig) -> None:
        self.exposures, self.estimator, self.config = exposures, estimator, config
        self.lab = Lab(config.net, config.learn, config.seed)
        known = exposures.before(config.start)
        if not known.mature.any():
            raise ConfigError(
                f"no exposure is mature at {iso(config.start)}", fix="Start later, or shorten the window."
            )
        net = make_net(known.features, config.net, heads=estimator.heads, seed=config.seed)
        self.learner = Learner(net, config.learn, config.seed)
        self.clock, self.trained = config.start, 0

    def begin(self) -> None:
        """Train on the mature exposures, and let the estimator prepare."""
        known = self.exposures.before(self.clock)
        settled = self.estimator.settled_rows(known)
        for turn in range(self.config.learn.passes):
            self.learner.learn(known.features, settled, self.estimator.settled_loss, "begin", turn)
        self.estimator.begin(known, self.lab)

    def refresh(self) -> None:
        """Move the clock one step on, and learn from the rows that came."""
        since, self.clock = self.clock, self.clock + self.config.step
        known = self.exposures.before(self.clock)
        predict = partial(self.learner.logits, known.features)
        self.estimator.refresh(known, self.lab, predict)
        rows = self.estimator.rows(known, since)
        count = round(self.config.learn.visits * (len(known) - known.since(since))) or None
        self.learner.learn(known.features, rows, self.estimator.loss, self.clock, count=count)
        self.trained += count or len(rows)

    def predict(self) -> tuple[np.ndarray, np.ndarray]:
        """Exposures of the block that begins now, and their probabilities."""
        return self.probabilities(
            *np.searchsorted(self.exposures.time, [self.clock, self.clock + self.config.step])
        )

    def probabilities(self, first: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        """Places of exposures ``first … stop - 1`` and their probabilities as the model stands."""
        index = np.arange(first, stop)
        logits = torch.from_numpy(self.learner.logits(self.exposures.features, index))
        found = self.estimator.probability(logits).numpy().astype(np.float32)
        if not np.isfinite(found).all():
            raise FitError("a predicted probability is not a number", where=type(self.estimator).__name__)
        return index, found
