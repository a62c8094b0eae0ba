"""The one training loop."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from thence.base.errors import FitError
from thence.base.progress import Progress, silent
from thence.encode.dual import DualConfig, DualEncoder
from thence.encode.embeddings import Embeddings
from thence.graph import DiGraph
from thence.train.batches import BatchSampler
from thence.train.checkpoint import State, load_checkpoint, save_checkpoint
from thence.train.config import TrainConfig
from thence.train.objective import Objective, SoftmaxObjective

Validate = Callable[[Embeddings], float]
ALL_CANDIDATES, SOME_CANDIDATES = 20_000, 8_192


def fit(
    graph: DiGraph,
    config: TrainConfig | None = None,
    *,
    encoder: nn.Module | None = None,
    objective: Objective | None = None,
    validate: Validate | None = None,
    stop_at: int | None = None,
    checkpoint: str | Path | None = None,
    progress: Progress = silent,
) -> Embeddings:
    """Train an encoder on a graph's main relation and return its embeddings.

    Args:
        graph: the graph.
        config: settings of training.
        encoder: a module whose ``forward()`` gives source and target ``[num_nodes, dim]`` and bias
            ``[num_nodes]``; a :class:`DualEncoder` when not given.
        objective: what a step minimises; :class:`SoftmaxObjective` when not given.
        validate: from embeddings to a figure of which more is better; the best step's embeddings are returned
            and training stops when it no longer rises. Without it the last step's are returned.
        stop_at: stop after this step of the schedule (the best step of an earlier, validated run).
        checkpoint: a folder to write checkpoints to and to resume from.
        progress: told after each step.

    Raises:
        FitError: the loss is not finite, or the graph has no arcs.
        ArtifactError: the checkpoint is torn or of another run.

    Example:
        >>> from thence.base.ids import IdMap
        >>> from thence.graph import Arcs
        >>> arcs = Arcs.from_pairs([0, 1, 2, 3], [2, 2, 4, 4], num_nodes=5)
        >>> graph = DiGraph(IdMap(["phone", "tablet", "case", "sock", "shoe"]), {"bought_after": arcs})
        >>> embeddings = fit(graph, TrainConfig(steps=60), encoder=DualEncoder(graph, DualConfig(dim=8)))
        >>> int(embeddings.scores([0]).argmax()), int(embeddings.scores([3]).argmax())
        (2, 4)
    """
    config = config or TrainConfig()
    model = encoder if encoder is not None else DualEncoder(graph, DualConfig(), seed=config.seed)
    goal: Objective = objective or SoftmaxObjective(graph.main, config.reverse_weight)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model.to(device)
    optimizer = _optimizer(model, config)
    signature = _signature(graph, config, model)
    state = (load_checkpoint(checkpoint, model, optimizer, signature) if checkpoint else None) or State()
    sampler = _sampler(graph, config)
    last = min(stop_at or config.steps, config.steps)
    while state.step < last and not _stale(state, config, validate):
        for group in optimizer.param_groups:
            group["lr"] = config.rate(state.step)
        source, target, bias = model()
        loss = goal(source, target, bias, sampler.batch(state.step))
        if not torch.isfinite(loss):
            raise FitError(f"the loss is {loss.item()} at step {state.step}", fix="Lower the learning rate.")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        state.step += 1
        if validate is not None and (state.step % config.validate_every == 0 or state.step == last):
            _judge(state, model, graph, validate, loss.item())
        if checkpoint and config.checkpoint_every and state.step % config.checkpoint_every == 0:
            save_checkpoint(checkpoint, model, optimizer, state, signature)
        progress("train", state.step, last)
    if state.best:
        model.load_state_dict(state.best)
    info = {
        "encoder": type(model).__name__,
        "train": asdict(config),
        "best_step": state.best_step or state.step,
        "history": state.history,
    }
    return embeddings_of(model, graph, info)


def embeddings_of(model: nn.Module, graph: DiGraph, info: dict[str, Any] | None = None) -> Embeddings:
    """The embeddings that an encoder gives now."""
    with torch.no_grad():
        source, target, bias = (value.numpy(force=True) for value in model())
    return Embeddings(graph.ids, source, target, bias, info or {})


def _judge(state: State, model: nn.Module, graph: DiGraph, validate: Validate, loss: float) -> None:
    value = float(validate(embeddings_of(model, graph)))
    state.history.append({"step": state.step, "loss": loss, "value": value})
    if value > state.best_value:
        state.best_step, state.best_value = state.step, value
        state.best = {name: tensor.detach().clone() for name, tensor in model.named_parameters()}


def _stale(state: State, config: TrainConfig, validate: Validate | None) -> bool:
    return validate is not None and sum(h["step"] > state.best_step for h in state.history) >= config.patience


def _sampler(graph: DiGraph, config: TrainConfig) -> BatchSampler:
    chosen = config.candidates or (0 if graph.num_nodes <= ALL_CANDIDATES else SOME_CANDIDATES)
    return BatchSampler(
        graph.main,
        batch_size=config.batch_size,
        source_power=config.source_power,
        weight_power=config.weight_power,
        candidates=chosen if chosen < graph.num_nodes else 0,
        seed=config.seed,
    )


def _optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """AdamW with decay on matrices of vectors only."""
    vectors = [p for p in model.parameters() if p.dim() == 2]
    others = [p for p in model.parameters() if p.dim() != 2]
    groups = [{"params": vectors, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=config.learning_rate)


def _signature(graph: DiGraph, config: TrainConfig, model: nn.Module) -> str:
    """A digest of what a checkpoint belongs to: arcs, settings, shapes of the parameters."""
    text = hashlib.sha256(repr((config, [(n, tuple(p.shape)) for n, p in model.named_parameters()])).encode())
    for arcs in graph.relations.values():
        for array in (arcs.indptr, arcs.targets, arcs.weight):
            text.update(np.ascontiguousarray(array).tobytes())
    return text.hexdigest()
