"""The loop that all tasks share: step, judge, keep the best, stop when nothing is gained, resume."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor, nn

from thence.base.errors import ArtifactError, ConfigError, FitError
from thence.base.progress import Progress, silent
from thence.task.config import TaskConfig
from thence.train.checkpoint import State, load_checkpoint, save_checkpoint
from thence.train.fit import own_randomness


def learn(
    net: nn.Module,
    config: TaskConfig,
    loss: Callable[[int], Tensor],
    judge: Callable[[], float] | None = None,
    *,
    signature: str = "",
    checkpoint: str | Path | None = None,
    progress: Progress = silent,
) -> State:
    """Train a net by Adam; it is left with the parameters that were judged best, in evaluation mode.

    Args:
        net: what is trained.
        config: rate, decay, steps, patience and seed.
        loss: from a step's number to its loss; what it draws depends on the seed and on this number alone.
        judge: a figure of which more is better; without one the last step's parameters are kept.
        signature: a digest of what a checkpoint belongs to.
        checkpoint: a folder to write checkpoints to and to resume from.
        progress: told after each step.

    Raises:
        ConfigError: ``checkpoint`` is given and ``checkpoint_every`` is 0.
        FitError: the loss or the figure is not a number.
        ArtifactError: the checkpoint is torn or of another run.
    """
    if checkpoint and not config.checkpoint_every:
        raise ConfigError("a checkpoint folder, but checkpoint_every is 0", fix="Set checkpoint_every.")
    optimizer = torch.optim.Adam(net.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    state = (load_checkpoint(checkpoint, net, optimizer, signature) if checkpoint else None) or State()
    if state.step > config.steps:
        raise ArtifactError(f"the checkpoint stands at step {state.step}", where=checkpoint, fix="Remove it.")
    while state.step < config.steps and not _stale(state, config):
        net.train()
        with own_randomness(config.seed, state.step):
            value = loss(state.step)
        if not torch.isfinite(value):
            raise FitError(f"the loss is {value.item()} at step {state.step}", fix="Lower the learning rate.")
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        state.step += 1
        if judge is not None and (state.step % config.validate_every == 0 or state.step == config.steps):
            _judged(state, net, judge, value.item())
        if checkpoint and state.step % config.checkpoint_every == 0:
            save_checkpoint(checkpoint, net, optimizer, state, signature)
        progress("train", state.step, config.steps)
    if state.best:
        net.load_state_dict(state.best)
    net.eval()
    return state


def digest_of(config: TaskConfig, parts: Iterable[Any]) -> str:
    """A digest of settings and arrays, dense or sparse."""
    text = hashlib.sha256(repr(config).encode())
    for part in parts:
        for array in (part.data, part.indices, part.indptr) if sp.issparse(part) else (np.asarray(part),):
            text.update(repr((array.dtype.str, array.shape)).encode())
            text.update(np.ascontiguousarray(array).tobytes())
    return text.hexdigest()


def _judged(state: State, net: nn.Module, judge: Callable[[], float], loss: float) -> None:
    net.eval()
    with torch.no_grad():
        value = float(judge())
    if math.isnan(value):
        raise FitError(
            f"the validation figure is NaN at step {state.step}", fix="Does the valid split hold each class?"
        )
    state.history.append({"step": state.step, "loss": loss, "value": value})
    if value > state.best_value:
        state.best_step, state.best_value = state.step, value
        state.best = {name: tensor.detach().clone() for name, tensor in net.state_dict().items()}


def _stale(state: State, config: TaskConfig) -> bool:
    if not config.patience or not state.history:
        return False
    return state.history[-1]["step"] - state.best_step >= config.patience * config.validate_every
