"""A stream: train on what was known, refresh by refresh, and predict the exposures of the next block.

At clock T_k the model has seen the rows that came before T_k and predicts the exposures of [T_k, T_{k+1}),
whose final labels nobody may use before they are mature. Every estimator begins with the same network, trained
on the exposures that are mature when the stream begins, with the labels that are final then.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from thence.base.errors import ConfigError, FitError
from thence.base.progress import Progress, silent
from thence.conversion import resume
from thence.conversion.estimator import Estimator
from thence.conversion.exposures import NEVER, Exposures
from thence.conversion.learn import LearnConfig
from thence.conversion.net import NetConfig, make_net
from thence.conversion.trainer import Trainer
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
        checkpoint_every: refreshes between two checkpoints, where there is a folder for them.

    Raises:
        ConfigError: step or checkpoint_every is not positive, or the end not after the start.
    """

    start: int
    step: int = DAY
    end: int | None = None
    net: NetConfig = field(default_factory=NetConfig)
    learn: LearnConfig = field(default_factory=LearnConfig)
    seed: int = 0
    checkpoint_every: int = 10

    def __post_init__(self) -> None:
        if self.checkpoint_every < 1:
            raise ConfigError(f"checkpoint_every is {self.checkpoint_every}", fix="Give at least 1.")
        if self.step <= 0:
            raise ConfigError(f"step is {self.step} µs", fix="Give microseconds from one refresh to the next.")
        if self.end is not None and self.end <= self.start:
            raise ConfigError(f"the stream ends at {iso(self.end)}, before it starts at {iso(self.start)}")

    @classmethod
    def laid_out(cls, exposures: Exposures, blocks: int = 25, begin: float = 0.2) -> StreamConfig:
        """A stream over exposures that nobody has laid out.

        Args:
            exposures: seen up to the end of the log.
            blocks: refreshes, about.
            begin: share of the time in which labels become final that lies before the start.

        Raises:
            ConfigError: the log is not much longer than the window.

        Example:
            >>> times = [DAY * k for k in range(100)]
            >>> shown = Exposures.make(times, [NEVER] * 100, window=10 * DAY, until=100 * DAY)
            >>> config = StreamConfig.laid_out(shown)
            >>> config.start // DAY, round(config.step / DAY, 2)
            (26, 2.56)
        """
        first = int(exposures.time[0]) + exposures.window if len(exposures) else 0
        last = min(exposures.until - exposures.window, int(exposures.time[-1]) + 1) if len(exposures) else 0
        start = first + int(begin * (last - first)) + 1
        if last - start < blocks:
            raise ConfigError(
                f"the log is no longer than two windows of {exposures.window / DAY:g} d",
                fix="Give a shorter window or a longer log.",
            )
        step = (last - start) // blocks
        return cls(start, step, start + blocks * step)


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
        self.clock, self.trained = config.start, 0
        known = exposures.before(config.start)
        if not known.mature.any():
            raise ConfigError(
                f"no exposure is mature at {iso(config.start)}", fix="Start later, or shorten the window."
            )
        if not self.block_is_final:
            raise ConfigError(
                f"no block from {iso(config.start)} on is mature by the end of the log",
                fix="Start earlier, or shorten the step or the window.",
            )
        net = make_net(known.features, config.net, heads=estimator.heads, seed=config.seed)
        self.trainer = Trainer(estimator, net, config.learn, config.seed)
        self.learner, self.lab = self.trainer.learner, self.trainer.lab

    def begin(self) -> None:
        """Train on the mature exposures, let the estimator prepare, and learn from those that are open.

        Copies of conversions to come would else stand for exposures of which no row was ever seen.
        """
        known = self.exposures.before(self.clock)
        self.trainer.begin(known)
        self.trained += self.trainer.learn(known, known.until - known.window)

    def refresh(self) -> None:
        """Move the clock one step on, and learn from the rows that came."""
        since, self.clock = self.clock, self.clock + self.config.step
        self.trained += self.trainer.learn(self.exposures.before(self.clock), since)

    @property
    def block_is_final(self) -> bool:
        """Whether the block that begins now is mature by the end of the log, and not past the stream's."""
        exposures, ends = self.exposures, self.clock + self.config.step
        final = exposures.until - exposures.window
        if exposures.until == NEVER:  # everything is known: the last exposure ends the stream
            final = int(exposures.time[-1]) + self.config.step if len(exposures) else self.clock
        return ends <= min(final, NEVER if self.config.end is None else self.config.end)

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


def run_stream(
    exposures: Exposures,
    estimator: Estimator,
    config: StreamConfig,
    *,
    checkpoint: str | Path | None = None,
    progress: Progress = silent,
) -> Predictions:
    """Run one estimator through a stream: predict a block, then learn what came in it, and so on.

    Args:
        exposures: all there are, seen up to the end of the log.
        estimator: how to learn from open labels; a new one.
        config: when and what.
        checkpoint: folder that the stream stops in and goes on from; what comes out is the same to the byte.
        progress: called after each refresh.

    Raises:
        ConfigError: nothing is mature at the start, or no block by the end of the log.
        ArtifactError: the checkpoint is torn, or of another stream.
        FitError: the loss or a probability is not a number.

    Example:
        >>> from thence.conversion.delayed.settle import Wait
        >>> day = 86_400_000_000
        >>> times = [day * k // 9 for k in range(162)]
        >>> clicks = Exposures.make(times, [NEVER] * 162, window=3 * day, until=18 * day)
        >>> run_stream(clicks, Wait(), StreamConfig(start=5 * day))
        Predictions(90 exposures in 10 blocks)
    """
    stream = Stream(exposures, estimator, config)
    signed, made = "", None
    if checkpoint is not None:
        signed = resume.signature(exposures, estimator, replace(config, checkpoint_every=1))
        made = resume.load(checkpoint, stream, signed)
    if made is None:
        stream.begin()
    parts = _Parts(made)
    total = _blocks_left(stream)
    for done in range(total):
        parts.add(stream)
        stream.refresh()
        last = done + 1 == total
        if checkpoint is not None and (last or (done + 1) % config.checkpoint_every == 0):
            resume.save(checkpoint, stream, parts.arrays(), signed)
        progress("refreshes", done + 1, total)
    return Predictions(**parts.arrays(), told=resume.told_by(stream))


class _Parts:
    """Predictions of one block after the other."""

    def __init__(self, made: dict[str, np.ndarray] | None) -> None:
        none = {"index": np.empty(0, np.int64), "probability": np.empty(0, "f"), "block": np.empty(0, np.int64)}
        self._parts = [made or none]

    def add(self, stream: Stream) -> None:
        """Predict the block that begins now."""
        index, probability = stream.predict()
        block = np.full(len(index), (stream.clock - stream.config.start) // stream.config.step)
        self._parts.append({"index": index, "probability": probability, "block": block})

    def arrays(self) -> dict[str, np.ndarray]:
        """All of them."""
        self._parts = [{key: np.concatenate([part[key] for part in self._parts]) for key in self._parts[0]}]
        return self._parts[0]


def _blocks_left(stream: Stream) -> int:
    clock, count = stream.clock, 0
    while stream.block_is_final:
        stream.clock, count = stream.clock + stream.config.step, count + 1
    stream.clock = clock
    return count
