"""``thence train --from``: an earlier model goes on where today's log has grown.

The parameters of known products are carried over by their ids, new products begin beside their like
(:mod:`thence.train.warm`), and a share of the earlier model's steps is trained with a schedule of its own.
Nothing is chosen anew: the baselines keep the settings that the earlier model's validation found, and the trees
of its second stage, where it has one, stand over what is known today.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from thence.base.config import check_config
from thence.base.errors import ArtifactError
from thence.base.progress import Progress
from thence.cli.folders import part_of
from thence.cli.pipeline import encoder_of, kept_info
from thence.cli.second import carry_over
from thence.cli.settings import RunConfig
from thence.encode.embeddings import Embeddings
from thence.events import EventLog
from thence.events.clock import iso
from thence.graph.build import build_graph
from thence.train import fit
from thence.train.config import TrainConfig
from thence.train.warm import Kept, keep_encoder, kept_encoder, warm_start

SHARE = 0.25
"""Of the earlier model's steps."""


def update_run(folder: Path, config: RunConfig, start: Path, progress: Progress) -> Embeddings:
    """Go on from an earlier model on a run's log; writes ``graph``, ``model`` and ``encoder``.

    Args:
        folder: the run.
        config: settings; what it says of the encoder must be what the model has. Where it says nothing of the
            encoder or of the graph, the model's settings are taken.
        start: an earlier run (this one, say), its ``model`` or its ``encoder``.
        progress: of all stages.

    Raises:
        ConfigError: the model has other settings or relations, or knows none of the products.
        ArtifactError: there is no model to go on from, or it has seen what is tested here.
    """
    kept = kept_encoder(_encoder_folder(start))
    split = EventLog.load(part_of(folder, "log")).split(config.split.valid, config.split.test)
    _check_time(kept, split.test_from, start)
    config = _with_its_settings(config, kept, start)
    graph = build_graph(split.known, config.graph, progress=progress)
    encoder = encoder_of(graph, config)
    known = warm_start(encoder, graph, kept, asdict(config.encode))
    train = update_schedule(config.train, int(kept.info.get("best_step", config.train.steps)))
    model = fit(graph, train, encoder=encoder, progress=progress)
    moments = {"valid_from": split.valid_from, "test_from": split.test_from}
    info = {"encode": asdict(config.encode), "split": moments, "history": [], "updated": {"known": known}}
    info |= {name: kept.info.get(name, {}) for name in ("baselines", "rerank")}
    model = replace(model, info={**model.info, **info})
    graph.save(folder / "graph")
    model.save(folder / "model")
    carry_over(_encoder_folder(start).parent, folder)
    # the next update is a share of the first training again, not of this one
    base = {**kept_info(model, config), "best_step": kept.info.get("best_step", train.steps)}
    keep_encoder(folder / "encoder", encoder, graph, asdict(config.encode), base)
    return model


def update_schedule(train: TrainConfig, steps: int) -> TrainConfig:
    """The settings of training of an update: a share of the steps, with a schedule of its own.

    Example:
        >>> update_schedule(TrainConfig(), 120).steps
        30
    """
    return replace(train, steps=max(1, round(SHARE * steps)))


def _encoder_folder(start: Path) -> Path:
    """The encoder of a run, or the one beside a model."""
    if start.name == "model" and (start.parent / "encoder").is_dir():
        return start.parent / "encoder"
    return part_of(start, "encoder")


def _check_time(kept: Kept, test_from: int, start: Path) -> None:
    seen = kept.info.get("split", {}).get("test_from")
    if seen is not None and int(seen) > test_from:
        raise ArtifactError(
            f"the model has seen events up to {iso(int(seen))}, the test begins at {iso(test_from)}",
            where=start,
            fix="Set split.test to that moment or later.",
        )


def _with_its_settings(config: RunConfig, kept: Kept, where: Path) -> RunConfig:
    """The model's settings of encoder and graph where none are given."""
    given = {"encode": kept.settings, "graph": kept.info.get("graph")}
    taken: dict[str, Any] = {
        name: check_config(values, type(getattr(config, name)), where=where)
        for name, values in given.items()
        if values and name not in config.model_fields_set
    }
    return config.model_copy(update=taken)
