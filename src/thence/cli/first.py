"""The first stage of a run: embeddings by the method that foretells the validation period better.

``dual`` is trained by gradient, and its best step counts; ``spectral`` is computed from the graph. Both see
only what came before the validation period and are judged by the same figure. The better one is then fitted
again to everything that is known. A graph too large for ``spectral`` is left to ``dual``, and the run says so.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from thence.base.artifact import MANIFEST
from thence.base.errors import FitError
from thence.base.progress import Progress
from thence.cli.settings import AUTO, DUAL, SPECTRAL, RunConfig
from thence.encode.dual import DualEncoder
from thence.encode.effects import ArcEffects
from thence.encode.embeddings import Embeddings
from thence.encode.scorer import Scorer
from thence.encode.spectral import spectral
from thence.graph.digraph import DiGraph
from thence.train import fit
from thence.train.warm import keep_encoder

FOLDER, EFFECTS = "encoder", "effects"
Value = Callable[[Scorer], float]


@dataclass(frozen=True, eq=False)
class First:
    """The method that was chosen.

    Args:
        method: ``dual`` or ``spectral``.
        embeddings: those that were judged, of what was known before the validation period.
        told: what a report should say: ``method``, ``note``, and what each method that was tried reached.
    """

    method: str
    embeddings: Embeddings
    told: Mapping[str, Any]


def choose_first(graph: DiGraph, value: Value, config: RunConfig, progress: Progress) -> First:
    """Try the methods that the settings allow, and take the one that is better on the validation period.

    Args:
        graph: what was known before the validation period.
        value: how well a scorer foretells that period; of two that are level ``dual`` is taken, which can go on
            from where it stands.
        config: of the run.
        progress: of the trials.

    Raises:
        ThenceError: the graph gives nothing to learn.
    """
    section = config.retrieve
    reason = section.refused(graph) if section.method == AUTO else None
    either = [DUAL] if reason else [DUAL, SPECTRAL]
    names = either if section.method == AUTO else [section.method]
    tried, reached = {}, {}
    for name in names:
        tried[name], reached[name] = _try(name, graph, value, config, progress)
    best = max(names, key=reached.__getitem__)  # the earlier one of two that are level
    figures = ", ".join(f"{name} {reached[name]:.4f}" for name in names)
    note = f"{best}; on the validation period {figures}" + (f"; {reason}" if reason else "")
    told = {"method": best, "note": note, "metric": f"HR@{config.evaluate.k}", "reached": reached}
    return First(best, tried[best], told)


def fit_again(
    graph: DiGraph, first: First, config: RunConfig, progress: Progress
) -> tuple[Embeddings, DualEncoder | None]:
    """The chosen method on everything that is known: its embeddings, and the encoder where there is one."""
    if first.method == SPECTRAL:
        return fit_spectral(graph, config, progress), None
    encoder = encoder_of(graph, config)
    steps, history = first.embeddings.info["best_step"], first.embeddings.info["history"]
    model = fit(graph, config.train, encoder=encoder, stop_at=int(steps), progress=progress)
    info = {**model.info, "encode": asdict(config.encode), "history": list(history)}
    return replace(model, info=info), encoder


def fit_spectral(graph: DiGraph, config: RunConfig, progress: Progress) -> Embeddings:
    """Spectral embeddings of a graph by a run's settings, which their info names."""
    progress("spectral", 0, 1)
    settings = config.spectral.model_dump()
    model = spectral(graph, **settings, seed=config.train.seed)
    progress("spectral", 1, 1)
    return replace(model, info={**model.info, SPECTRAL: settings})


def encoder_of(graph: DiGraph, config: RunConfig) -> DualEncoder:
    """The encoder that a run trains, at its start."""
    return DualEncoder(graph, config.encode, seed=config.train.seed)


def note_of(model: Embeddings) -> str:
    """What a reader is told of how a model came about."""
    return str(model.info.get("retrieve", {}).get("note", DUAL))


def keep(
    encoder: DualEncoder | None, info: Mapping[str, Any], graph: DiGraph, config: RunConfig, folder: Path
) -> None:
    """Write a trained encoder into a run; where there is none now, that of an earlier training goes."""
    if encoder is not None:
        keep_encoder(folder / FOLDER, encoder, graph, asdict(config.encode), info)
        ArcEffects.of(encoder).save(folder / EFFECTS)
        return
    for name in (FOLDER, EFFECTS):
        if (folder / name / MANIFEST).is_file():
            shutil.rmtree(folder / name)


def effects_of(folder: Path) -> ArcEffects | None:
    """What tells the effect of single arcs, where the run's model was trained."""
    return ArcEffects.load(folder / EFFECTS) if (folder / EFFECTS / MANIFEST).is_file() else None


def _try(
    name: str, graph: DiGraph, value: Value, config: RunConfig, progress: Progress
) -> tuple[Embeddings, float]:
    if name == SPECTRAL:
        model = fit_spectral(graph, config, progress)
        reached = value(model)
        if math.isnan(reached):  # training itself refuses it
            raise FitError("the validation figure is NaN", fix="Are there validation cases?")
        return model, reached
    encoder, named = encoder_of(graph, config), lambda _, done, total: progress("choose steps", done, total)
    model = fit(graph, config.train, encoder=encoder, validate=value, progress=named)
    return model, max(one["value"] for one in model.info["history"])
