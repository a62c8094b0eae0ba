"""The one training loop."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from thence.base.errors import ArtifactError, ConfigError, FitError
from thence.base.progress import Progress, silent
from thence.base.rng import torch_generator
from thence.encode.dual import DualConfig, DualEncoder
from thence.encode.embeddings import Embeddings
from thence.encode.known import check_fittable, forget_unknown
from thence.graph import DiGraph
from thence.train.batches import BatchSampler, Sampler
from thence.train.checkpoint import State, load_checkpoint, save_checkpoint
from thence.train.config import TrainConfig
from thence.train.objective import Objective, SoftmaxObjective
from thence.train.optimizer import make_optimizer

Validate = Callable[[Any], float]
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
        objective: what a step minimises; :class:`SoftmaxObjective` when not given. Its ``sampler``, where it
            has one, draws the batches.
        validate: from embeddings to a figure of which more is better; the best step's embeddings are returned
            and training stops when it no longer rises. Without it the last step's are returned.
        stop_at: stop after this step of the schedule (the best step of an earlier, validated run).
        checkpoint: a folder to write checkpoints to and to resume from.
        progress: told after each step.

    Raises:
        ConfigError: ``stop_at`` is below 1, or ``checkpoint`` is given and ``checkpoint_every`` is 0.
        FitError: the loss or the validation figure is not a number, or the graph has no arcs.
        ArtifactError: the checkpoint is torn, of another run, or beyond ``stop_at``.

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
    scorer = fit_scorer(
        graph,
        config,
        encoder=model,
        objective=objective,
        validate=validate,
        stop_at=stop_at,
        checkpoint=checkpoint,
        progress=progress,
    )
    if not isinstance(scorer, Embeddings):
        raise ConfigError(
            f"{type(model).__name__} scores otherwise than by an inner product", fix="Use fit_scorer."
        )
    return scorer


def fit_scorer(
    graph: DiGraph,
    config: TrainConfig,
    *,
    encoder: nn.Module,
    objective: Objective | None = None,
    validate: Validate | None = None,
    stop_at: int | None = None,
    checkpoint: str | Path | None = None,
    progress: Progress = silent,
) -> Any:
    """:func:`fit` for encoders that may score otherwise than by an inner product.

    Such an encoder has a method ``scorer(graph, info)`` that gives what it has learned as a :class:`Scorer`,
    which ``validate`` judges. An encoder with a method ``around(batch)`` computes only what a batch asks for:
    it returns source, target and bias of some nodes, and the batch with its node ints renamed to their rows.
    Arguments and errors are those of :func:`fit`.
    """
    last = _last_step(graph, config, stop_at, checkpoint)
    goal: Objective = objective or SoftmaxObjective(graph.main, config.reverse_weight)
    encoder.to("cuda" if torch.cuda.is_available() else "cpu")
    optimizer = make_optimizer(encoder, config)
    signature = _signature(graph, config, encoder, goal) if checkpoint else ""
    state = (load_checkpoint(checkpoint, encoder, optimizer, signature) if checkpoint else None) or State()
    if state.step > last:
        raise ArtifactError(
            f"the checkpoint stands at step {state.step}, beyond {last}", where=checkpoint, fix="Remove it."
        )
    sampler: Sampler = getattr(goal, "sampler", None) or _sampler(graph, config)
    while state.step < last and not _stale(state, config, validate):
        loss = _step(encoder, optimizer, goal, sampler, config, state.step)
        state.step += 1
        if validate is not None and (state.step % config.validate_every == 0 or state.step == last):
            _judge(state, encoder, graph, validate, loss)
        if checkpoint and config.checkpoint_every and state.step % config.checkpoint_every == 0:
            save_checkpoint(checkpoint, encoder, optimizer, state, signature)
        progress("train", state.step, last)
    if state.best:
        encoder.load_state_dict(state.best)
    info = {
        "encoder": type(encoder).__name__,
        "train": asdict(config),
        "best_step": state.best_step or state.step,
        "history": state.history,
    }
    return scorer_of(encoder, graph, info)


def scorer_of(model: nn.Module, graph: DiGraph, info: dict[str, Any] | None = None) -> Any:
    """What an encoder has learned, in its evaluation mode: embeddings, or a scorer of its own kind."""
    model.eval()
    with torch.no_grad():
        own = getattr(model, "scorer", None)
        if callable(own):
            scorer = own(graph, info or {})
            return forget_unknown(scorer, graph) if isinstance(scorer, Embeddings) else scorer
        source, target, bias = (value.numpy(force=True) for value in model())
    return forget_unknown(Embeddings(graph.ids, source, target, bias, info or {}), graph)


def _last_step(graph: DiGraph, config: TrainConfig, stop_at: int | None, checkpoint: object) -> int:
    """Where training ends at the latest; raises where it cannot begin."""
    check_fittable(graph)
    if stop_at is not None and stop_at < 1:
        raise ConfigError(f"stop_at={stop_at}", fix="Give a step of at least 1, or None.")
    if checkpoint and not config.checkpoint_every:
        raise ConfigError("a checkpoint folder, but checkpoint_every is 0", fix="Set checkpoint_every.")
    return min(stop_at or config.steps, config.steps)


def _step(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    goal: Objective,
    sampler: Sampler,
    config: TrainConfig,
    step: int,
) -> float:
    """One step; returns its loss."""
    for group in optimizer.param_groups:
        group["lr"] = config.rate(step)
    model.train()
    with own_randomness(config.seed, step):
        batch = sampler.batch(step)
        around: Any = getattr(model, "around", None)
        if around is not None:
            source, target, bias, batch = around(batch)
        else:
            source, target, bias = model()
        loss = goal(source, target, bias, batch)
    if not torch.isfinite(loss):
        raise FitError(f"the loss is {loss.item()} at step {step}", fix="Lower the learning rate.")
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


@contextmanager
def own_randomness(seed: int, step: int) -> Iterator[None]:
    """Layers such as dropout know torch's global generator only: lend it the state of a private one."""
    cuda = torch.cuda.is_available()
    with torch.random.fork_rng([torch.cuda.current_device()] if cuda else []):
        torch.set_rng_state(torch_generator(seed, "layers", step).get_state())
        if cuda:
            torch.cuda.set_rng_state(torch_generator(seed, "layers", step, device="cuda").get_state())
        yield


def _judge(state: State, model: nn.Module, graph: DiGraph, validate: Validate, loss: float) -> None:
    value = float(validate(scorer_of(model, graph)))
    if math.isnan(value):
        raise FitError(f"the validation figure is NaN at step {state.step}", fix="Are there validation cases?")
    state.history.append({"step": state.step, "loss": loss, "value": value})
    if value > state.best_value:
        state.best_step, state.best_value = state.step, value
        state.best = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


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


def _signature(graph: DiGraph, config: TrainConfig, model: nn.Module, goal: Objective) -> str:
    """A digest of what a checkpoint belongs to: settings, arcs, and what the encoder holds constant."""
    shapes = [(name, tuple(value.shape)) for name, value in model.state_dict().items()]
    parts = (model, getattr(model, "config", None), goal, getattr(goal, "sampler", None))
    text = hashlib.sha256(repr((config, shapes, [_described(part) for part in parts])).encode())
    for name, arcs in graph.relations.items():
        text.update(repr((name, arcs.directed, sorted(arcs.values))).encode())
        offsets = arcs.indptr.astype(np.int64)  # of either size, the same arcs
        for array in (offsets, arcs.targets, *(arcs.values[value] for value in sorted(arcs.values))):
            text.update(np.ascontiguousarray(array).tobytes())
    kept = model.state_dict()
    for name, tensor in model.named_buffers():
        if name not in kept:  # constants, such as features
            for part in _dense_parts(tensor):
                text.update(part.numpy(force=True).tobytes())
    return text.hexdigest()


def _described(part: object) -> str:
    """Settings where there are any, else the name of what it is; nothing that differs from run to run."""
    if is_dataclass(part):
        settings = [f"{field.name}={_described(getattr(part, field.name))}" for field in fields(part)]
        return f"{type(part).__qualname__}({', '.join(settings)})"
    if part is None or isinstance(part, bool | int | float | str):
        return repr(part)
    return getattr(part, "__qualname__", type(part).__qualname__)


def _dense_parts(tensor: torch.Tensor) -> tuple[torch.Tensor, ...]:
    if tensor.layout == torch.sparse_csr:
        return tensor.crow_indices(), tensor.col_indices(), tensor.values()
    return (tensor,)
