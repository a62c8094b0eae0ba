"""``thence train --from``: an earlier model goes on where today's log has grown.

``dual``: the parameters of known products are carried over by their ids, new products begin beside their like
(:mod:`thence.train.warm`), and a share of the earlier model's steps is trained with a schedule of its own.
``spectral`` has no parameters to go on from: it is fitted anew, by the earlier model's settings.
Nothing is chosen anew: the method and the baselines keep what the earlier model's validation found, and the
trees of its second stage, where it has one, stand over what is known today.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from thence.base.artifact import MANIFEST
from thence.base.config import check_config
from thence.base.errors import ArtifactError
from thence.base.progress import Progress
from thence.cli import first
from thence.cli.first import FOLDER
from thence.cli.folders import part_of
from thence.cli.pipeline import origin
from thence.cli.second import carry_over
from thence.cli.settings import AUTO, DUAL, SPECTRAL, RunConfig
from thence.encode.dual import DualEncoder
from thence.encode.embeddings import Embeddings
from thence.events import EventLog
from thence.events.clock import iso
from thence.graph.build import build_graph
from thence.graph.digraph import DiGraph
from thence.train import fit
from thence.train.config import TrainConfig
from thence.train.warm import Kept, check_same, kept_encoder, places, warm_start

SHARE = 0.25
"""Of the earlier model's steps."""
ANEW = f"{SPECTRAL}, fitted anew by the earlier model's settings: it has no weights to go on from"


def update_run(folder: Path, config: RunConfig, start: Path, progress: Progress) -> Embeddings:
    """Go on from an earlier model on a run's log; writes ``graph``, ``model`` and, of ``dual``, ``encoder``.

    Args:
        folder: the run.
        config: settings; what it says of the method must be what the model has. Where it says nothing of it
            or of the graph, the model's settings are taken.
        start: an earlier run (this one, say), its ``model`` or its ``encoder``.
        progress: of all stages.

    Raises:
        ConfigError: the model has another method, other settings or relations, or knows none of the products.
        ArtifactError: there is no model to go on from, or it has seen what is tested here.
    """
    run, old = _earlier(start)
    split = EventLog.load(part_of(folder, "log")).split(config.split.valid, config.split.test)
    _check_time(old, split.test_from, start)
    config = _with_its_settings(config, old, start)
    graph = build_graph(split.known, config.graph, progress=progress)
    encoder = None
    if isinstance(old, Kept):
        encoder = first.encoder_of(graph, config)
        model = _go_on(graph, old, encoder, config, progress)
    else:
        model = _fit_anew(graph, old, config, progress)
    carried = {name: old.info.get(name, {}) for name in ("baselines", "rerank", "retrieve")}
    model = replace(model, info={**carried, **model.info, **origin(split, config)})
    graph.save(folder / "graph")
    model.save(folder / "model")
    carry_over(run, folder)
    # the next update is a share of the first training again, not of this one
    info = {**model.info, "best_step": old.info.get("best_step", model.info.get("best_step"))}
    first.keep(encoder, info, graph, config, folder)
    return model


def _go_on(
    graph: DiGraph, old: Kept, encoder: DualEncoder, config: RunConfig, progress: Progress
) -> Embeddings:
    """What the earlier encoder has learned, and a few steps on today's graph."""
    known = warm_start(encoder, graph, old, asdict(config.encode))
    train = update_schedule(config.train, int(old.info.get("best_step", config.train.steps)))
    model = fit(graph, train, encoder=encoder, progress=progress)
    info = {"encode": asdict(config.encode), "history": [], "updated": {"known": known}}
    return replace(model, info={**model.info, **info})


def _fit_anew(graph: DiGraph, old: Embeddings, config: RunConfig, progress: Progress) -> Embeddings:
    """The earlier model's settings on today's graph."""
    has = {**old.info[SPECTRAL], "relations": old.info["graph"]["relations"]}
    check_same(has, {**config.spectral.model_dump(), "relations": config.graph.relations})
    known = int((places(old.ids, graph.ids) >= 0).sum())
    model = first.fit_spectral(graph, config, progress)
    told = {**old.info["retrieve"], "note": ANEW}
    return replace(model, info={**model.info, "retrieve": told, "updated": {"known": known}})


def update_schedule(train: TrainConfig, steps: int) -> TrainConfig:
    """The settings of training of an update: a share of the steps, with a schedule of its own.

    Example:
        >>> update_schedule(TrainConfig(), 120).steps
        30
    """
    return replace(train, steps=max(1, round(SHARE * steps)))


def _earlier(start: Path) -> tuple[Path, Kept | Embeddings]:
    """The run's folder, and what there is to go on from: the encoder, or a spectral model, which has none."""
    if start.name == FOLDER:
        return start.parent, kept_encoder(start)
    run = start.parent if start.name == "model" else start
    if (run / FOLDER / MANIFEST).is_file():
        return run, kept_encoder(run / FOLDER)
    model = Embeddings.load(part_of(start, "model"))
    if SPECTRAL not in model.info:
        raise ArtifactError("the model's encoder is not there", where=run, fix="Train afresh without --from.")
    return run, model


def _check_time(old: Kept | Embeddings, test_from: int, start: Path) -> None:
    seen = old.info.get("split", {}).get("test_from")
    if seen is not None and int(seen) > test_from:
        raise ArtifactError(
            f"the model has seen events up to {iso(int(seen))}, the test begins at {iso(test_from)}",
            where=start,
            fix="Set split.test to that moment or later.",
        )


def _with_its_settings(config: RunConfig, old: Kept | Embeddings, where: Path) -> RunConfig:
    """The model's settings of the method and the graph where none are given."""
    trained = isinstance(old, Kept)
    if config.retrieve.method != AUTO:
        check_same({"method": DUAL if trained else SPECTRAL}, {"method": config.retrieve.method})
    own = {"encode": old.settings} if trained else {SPECTRAL: old.info[SPECTRAL]}
    taken: dict[str, Any] = {
        name: check_config(values, type(getattr(config, name)), where=where)
        for name, values in {**own, "graph": old.info.get("graph")}.items()
        if values and name not in config.model_fields_set
    }
    return config.model_copy(update=taken)
