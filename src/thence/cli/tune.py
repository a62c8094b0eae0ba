"""``thence tune``: settings of a method, tried on the validation period."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from thence.cli.console import emit, show
from thence.cli.options import ConfigFile, JsonFlag, Set
from thence.cli.progress import progress_shown

if TYPE_CHECKING:
    from thence.base.progress import Progress
    from thence.cli.settings import RunConfig
    from thence.graph.digraph import DiGraph
    from thence.train.trials import Study

EXAMPLE = (
    "Example:  thence tune runs/shop --trials 20  then  thence train runs/shop --config runs/shop/tuned.yaml"
)
FRACTIONS = (0.75, 0.05, 0.20)


def tune(
    run: Annotated[Path, typer.Argument(help="A run's folder with its log inside, or where to write.")],
    arcs: Annotated[
        Path | None,
        typer.Option("--arcs", help="Tune on a TSV of source, target[, weight] instead of the log."),
    ] = None,
    method: Annotated[
        list[str] | None,
        typer.Option(
            "--method", help="What to tune; repeat for several. Ours and the plain ones when left out."
        ),
    ] = None,
    trials: Annotated[int, typer.Option(min=1, help="Trials of each method, the same for all.")] = 20,
    seconds: Annotated[
        float | None, typer.Option(min=0.0, help="CPU seconds after which a method begins no further trial.")
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="The most steps of each training.")] = None,
    leak_free: Annotated[
        bool, typer.Option(help="With --arcs: both directions of a pair fall on the same side of the split.")
    ] = True,
    config: ConfigFile = None,
    values: Set = None,
    as_json: JsonFlag = False,
) -> None:
    """Tune methods on what is known before the test period, with equal budgets.

    Writes RUN/tune (all trials) and RUN/tuned.yaml, which thence train --config reads. Each trial is noted in
    RUN/tune.jsonl as soon as it is done: the same command goes on where an interrupted one stopped.
    """
    from thence.cli.settings import read_settings
    from thence.train.trials import Budget
    from thence.train.tune import tune as search

    settings = read_settings(config, values or [])
    with progress_shown() as progress:
        graph, value = _ground(run, arcs, settings, leak_free, progress)
        study = search(
            graph,
            method or _usual(),
            value,
            budget=Budget(trials, seconds or None),
            train=None if steps is None else {"steps": steps},
            seed=settings.train.seed,
            journal=run / "tune.jsonl",
            progress=progress,
        )
    study.save(run / "tune")
    written = _write_settings(run, config, settings, study)
    if as_json:
        emit({"run": run, "settings": written, "methods": study.summary()})
    else:
        _tell(run, study, written)


def _usual() -> list[str]:
    from thence.cli.settings import DUAL, SPECTRAL
    from thence.encode.baseline import BASELINES

    return [DUAL, SPECTRAL, *BASELINES]


def _ground(
    run: Path, arcs: Path | None, settings: RunConfig, leak_free: bool, progress: Progress
) -> tuple[DiGraph, Callable[[Any], float]]:
    """The graph that trials see, and how they are judged; nothing that is tested later is in either."""
    from thence.cli.pipeline import some_sources, validation

    if arcs is None:
        from thence.cli.folders import part_of
        from thence.events import EventLog

        split = EventLog.load(part_of(run, "log")).split(settings.split.valid, settings.split.test)
        return validation(split, settings, progress)
    from thence.evaluate import arc_cases, hit_rate
    from thence.graph.digraph import DiGraph
    from thence.graph.split import split_arcs

    graph = _graph_of(arcs)
    parts = split_arcs(graph.main, FRACTIONS, settings.train.seed, leak_free=leak_free)
    cases = some_sources(arc_cases(parts.valid, parts.train), seed=settings.train.seed)
    known = DiGraph(graph.ids, {"arcs": parts.train})
    return known, lambda scorer: hit_rate(scorer, cases, settings.evaluate.k)


def _graph_of(path: Path) -> DiGraph:
    import numpy as np
    import pyarrow as pa

    from thence.base.arrow import pc
    from thence.base.ids import IdMap
    from thence.events.datasets.arcs import read_arcs_tsv
    from thence.graph.arcs import Arcs
    from thence.graph.digraph import DiGraph

    source, target, weight = read_arcs_tsv(path)
    names = pc.unique(pa.concat_arrays([source, target]))
    ids = IdMap(names.take(pc.sort_indices(names)))
    i, j = ids.encode(source).astype(np.int64), ids.encode(target).astype(np.int64)
    pairs, place = np.unique(i[i != j] * len(ids) + j[i != j], return_inverse=True)
    total = np.bincount(place, weights=weight[i != j], minlength=len(pairs))  # equal arcs are added up
    ends = np.divmod(pairs, max(len(ids), 1))
    return DiGraph(ids, {"arcs": Arcs.from_pairs(*ends, num_nodes=len(ids), weight=total)})


def _write_settings(run: Path, config: Path | None, settings: RunConfig, study: Study) -> Path | None:
    """The settings given, with what was found for the methods that ``thence train`` chooses among."""
    from dataclasses import replace

    from thence.cli.settings import DUAL, SPECTRAL, write_settings
    from thence.train.methods import divided

    found: dict[str, Any] = {}
    if DUAL in study.succeeded():
        own, train = divided(study.best(DUAL).settings)
        found = {"encode": replace(settings.encode, **own), "train": replace(settings.train, **train)}
    if SPECTRAL in study.succeeded():
        found[SPECTRAL] = settings.spectral.model_copy(update=dict(study.best(SPECTRAL).settings))
    if not found:
        return None
    write_settings(settings.model_copy(update=found), run / "tuned.yaml")
    return run / "tuned.yaml"


def _tell(run: Path, study: Study, written: Path | None) -> None:
    show(f"{run / 'tune'}: {study!r}")
    for name, found in study.summary().items():
        if "value" not in found:
            show(f"  {name:<12} failed in all of its {found['trials']} trials")
            continue
        chosen = ", ".join(f"{key}={_short(value)}" for key, value in found["settings"].items())
        show(f"  {name:<12} {found['value']:.4f} (by default {found['default_value']:.4f})  {chosen}")
    if written is not None:
        show(f"{written}: for  thence train {run} --config {written}")


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
