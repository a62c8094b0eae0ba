"""Checkpoints: all that the next step depends on, so that a resumed run is the same run.

Batches and random layers depend on the seed and the step only, so a checkpoint needs no generator's state: the
encoder's state, Adam's moments, the step, and the best state so far are all there is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from thence.base.artifact import MANIFEST, Artifact, open_artifact, write_artifact
from thence.base.errors import ArtifactError
from thence.base.folders import mend, sweep

KIND = "checkpoint"


@dataclass
class State:
    """Where training stands.

    Args:
        step: steps taken.
        best_step: the step of the best validation so far.
        best_value: its value; higher is better.
        best: the encoder's state then.
        history: one entry a validation: step, loss, value.
    """

    step: int = 0
    best_step: int = 0
    best_value: float = -float("inf")
    best: dict[str, Tensor] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)


def save_checkpoint(
    folder: str | Path, model: nn.Module, optimizer: torch.optim.Optimizer, state: State, signature: str
) -> None:
    """Write a checkpoint; the one before it is replaced atomically."""
    moments = {}
    for index, slots in optimizer.state_dict()["state"].items():
        moments |= {f"{index}.{name}": value.numpy(force=True) for name, value in slots.items()}
    with write_artifact(folder, KIND) as draft:
        draft.tensors("model", {name: value.numpy(force=True) for name, value in model.state_dict().items()})
        draft.tensors("best", {name: value.numpy(force=True) for name, value in state.best.items()})
        draft.tensors("optimizer", moments)
        draft.counts["step"], draft.counts["best_step"] = state.step, state.best_step
        draft.metrics["best_value"] = state.best_value if state.best else 0.0
        draft.config.update(signature=signature, history=state.history)


def load_checkpoint(
    folder: str | Path, model: nn.Module, optimizer: torch.optim.Optimizer, signature: str
) -> State | None:
    """Restore a checkpoint into a model and its optimizer; None when there is none.

    Raises:
        ArtifactError: it is torn or inconsistent, or belongs to another graph, encoder or configuration.
    """
    folder = Path(folder)
    mend(folder, MANIFEST)
    sweep(folder)  # what an attempt that was killed left behind
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return None
    art = open_artifact(folder, KIND)
    if art.config.get("signature") != signature:
        raise ArtifactError(
            "the checkpoint is of another graph or configuration",
            where=folder,
            fix="Remove it to start afresh.",
        )
    try:
        return _restored(art, model, optimizer)
    except (KeyError, TypeError, ValueError, RuntimeError, AttributeError, IndexError) as error:
        raise ArtifactError(
            f"inconsistent checkpoint: {error}", where=folder, fix="Remove it to start afresh."
        ) from error


def _restored(art: Artifact, model: nn.Module, optimizer: torch.optim.Optimizer) -> State:
    """Lay what was saved over a model and its optimizer."""
    shapes = {name: value.shape for name, value in model.state_dict().items()}  # files know no scalars
    saved, best = (
        {name: torch.from_numpy(value).reshape(shapes[name]) for name, value in art.tensors(file).items()}
        for file in ("model", "best")
    )
    if best and set(best) != set(shapes):
        raise KeyError("the best parameters are not the model's")
    model.load_state_dict(saved, strict=True)
    slots: dict[int, dict[str, Tensor]] = {}
    for key, value in art.tensors("optimizer").items():
        index, name = key.split(".", 1)
        shape = () if name == "step" else value.shape
        slots.setdefault(int(index), {})[name] = torch.from_numpy(value.reshape(shape))
    optimizer.load_state_dict({"state": slots, "param_groups": optimizer.state_dict()["param_groups"]})
    return State(
        step=art.counts["step"],
        best_step=art.counts["best_step"],
        best_value=art.metrics["best_value"] if best else -float("inf"),
        best=best,
        history=list(art.config["history"]),
    )
