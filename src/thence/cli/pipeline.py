"""The stages of a run, each from what stands on disk to the next thing on disk.

The steps of training, the settings of the baselines and whether a second stage is worth having are chosen on
the validation period, by models that see only what came before it; those that are judged and served then see
everything before the test period.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from thence.base.errors import ArtifactError, DataError
from thence.base.progress import Progress
from thence.base.rng import generator
from thence.cli import second
from thence.cli.folders import part_of
from thence.cli.settings import RunConfig
from thence.encode.baseline import baselines, choose
from thence.encode.dual import DualEncoder
from thence.encode.embeddings import Embeddings
from thence.encode.scorer import Scorer
from thence.evaluate import Report, direction_cases, first_purchase_cases, hit_rate
from thence.evaluate.cases import Cases
from thence.evaluate.direction import DirectionCases
from thence.evaluate.run import evaluate
from thence.events import EventLog, TimeSplit
from thence.events.clock import iso
from thence.graph.arcs import Arcs
from thence.graph.build import build_graph
from thence.graph.digraph import DiGraph
from thence.index.table import NeighborTable
from thence.rerank.timely import Known
from thence.rerank.timely_table import timely_table
from thence.serve.bundle import Bundle
from thence.train import fit
from thence.train.warm import keep_encoder

OURS, EMBEDDINGS = "ours", "embeddings"
"""The model that is served, and its first stage where there is a second."""
Value = Callable[[Scorer], float]
TABLE_K = 100
VALIDATION_SOURCES = 1_000


@dataclass(frozen=True)
class Judged:
    """What an evaluation leaves: the report, and the bundle that the service opens."""

    report: Report
    bundle: Bundle

    def text(self) -> str:
        """The table of figures, and what is to be said of the second stage."""
        note = self.report.info.get("second stage")
        return self.report.text() if note is None else f"{self.report.text()}\nsecond stage: {note}"


@dataclass(frozen=True)
class Choice:
    """What the validation period decided: steps, their history, settings of the baselines, the second stage."""

    steps: int
    history: list[Any]
    baselines: Mapping[str, Mapping[str, Any]]
    second: second.Second


def train_run(folder: Path, config: RunConfig, progress: Progress) -> Embeddings:
    """Train on a run's log; writes ``graph``, ``model`` and ``encoder``, from which ``--from`` goes on.

    Where a second stage orders the validation period better, its trees are written to ``reranker``.

    Raises:
        ThenceError: the log cannot be split, or its graph gives nothing to learn.
    """
    split = EventLog.load(part_of(folder, "log")).split(config.split.valid, config.split.test)
    choice = _choose(split, config, progress)
    graph = build_graph(split.known, config.graph, progress=_named(progress, "relations, all known"))
    encoder = encoder_of(graph, config)
    model = fit(graph, config.train, encoder=encoder, stop_at=choice.steps, progress=progress)
    moments = {"valid_from": split.valid_from, "test_from": split.test_from}
    info = {"encode": asdict(config.encode), "split": moments, "history": choice.history}
    info |= {"baselines": choice.baselines, "rerank": dict(choice.second.told)}
    model = replace(model, info={**model.info, **info})
    graph.save(folder / "graph")
    model.save(folder / "model")
    second.keep(choice.second, folder)
    keep_encoder(folder / "encoder", encoder, graph, asdict(config.encode), kept_info(model, config))
    return model


def kept_info(model: Embeddings, config: RunConfig) -> dict[str, Any]:
    """What an encoder should say of itself, for those who go on from it."""
    return {**model.info, "graph": asdict(config.graph)}


def encoder_of(graph: DiGraph, config: RunConfig) -> nn.Module:
    """The encoder that a run trains, at its start."""
    return DualEncoder(graph, config.encode, seed=config.train.seed)


def evaluate_run(folder: Path, config: RunConfig, progress: Progress) -> Judged:
    """Judge a run's model beside the plain baselines; writes ``report`` and ``bundle``.

    Raises:
        ThenceError: something is absent, or the test period holds nothing to judge on.
    """
    log = EventLog.load(part_of(folder, "log"))
    graph, model = DiGraph.load(part_of(folder, "graph")), Embeddings.load(part_of(folder, "model"))
    split = _split_of(model, log, folder)
    plain = baselines(graph, config.baselines, model.info.get("baselines"))
    ours = second.stand(folder, Known(graph, split.known), model.info.get("rerank", {}), config.rerank)
    learned = {OURS: model} if ours.reranker is None else {OURS: ours.reranker, EMBEDDINGS: model}
    report = evaluate(
        {**learned, **plain},
        first_purchase_cases(split.known, split.test, graph.ids),
        direction=_direction(split, graph, config),
        baselines=list(plain),
        config=config.evaluate,
        info=_info(folder, config, split, graph) | {"second stage": ours.note},
        seed=config.train.seed,
        progress=progress,
    )
    best = report.best(config.evaluate.headline, among=list(plain))
    name = best.method if best else next(iter(plain))
    k = min(TABLE_K, graph.num_nodes - 1)
    table = NeighborTable.build(plain[name], k, name, progress=_named(progress, "baseline table"))
    reranked = None if ours.reranker is None else timely_table(ours.reranker, k, OURS, progress)
    report.save(folder / "report")
    page = (folder / "report" / "report.html").read_text(encoding="utf-8")
    bundle = Bundle(model, graph, table, page, _flat(report), reranked)
    bundle.save(folder / "bundle")
    return Judged(report, bundle)


def _choose(split: TimeSplit, config: RunConfig, progress: Progress) -> Choice:
    """Try on the validation period; the graph that this takes is let go before the next one is built."""
    graph, cases = validation_cases(split, config, progress)
    value = _value(cases, config)
    plain = choose(graph, value, config.baselines, progress)
    chosen = fit(
        graph,
        config.train,
        encoder=encoder_of(graph, config),
        validate=value,
        progress=_named(progress, "choose steps"),
    )
    kept = second.teach(Known(graph, split.train), cases, chosen, config, progress)
    return Choice(int(chosen.info["best_step"]), list(chosen.info["history"]), plain, kept)


def validation(split: TimeSplit, config: RunConfig, progress: Progress) -> tuple[DiGraph, Value]:
    """The graph of what was known before the validation period, and how well a scorer foretells that period."""
    graph, cases = validation_cases(split, config, progress)
    return graph, _value(cases, config)


def validation_cases(split: TimeSplit, config: RunConfig, progress: Progress) -> tuple[DiGraph, Cases]:
    """The graph of what was known before the validation period, and the first purchases in that period."""
    graph = build_graph(split.train, config.graph, progress=progress)
    return graph, first_purchase_cases(split.train, split.valid, graph.ids)


def _value(cases: Cases, config: RunConfig) -> Value:
    few = some_sources(cases, seed=config.train.seed)
    return lambda scorer: hit_rate(scorer, few, config.evaluate.k)


def some_sources(cases: Cases, limit: int = VALIDATION_SOURCES, *, seed: int = 0) -> Cases:
    """The cases of at most so many sources, drawn at random: choosing needs no more.

    Example:
        >>> some_sources(Cases.make([0, 0, 1, 2], [1, 2, 0, 0], num_nodes=3), limit=2)
        Cases(3 cases, 2 sources, 2 groups, 3 nodes)
    """
    if len(cases.sources) <= limit:
        return cases
    drawn = generator(seed, "validation", "sources").choice(cases.sources, limit, replace=False)
    return cases.select(np.isin(cases.source, drawn))


def later_arcs(log: EventLog, graph: DiGraph, config: RunConfig) -> Arcs | None:
    """Arcs of the main relation that a later log draws and the graph does not have; None for none."""
    main = next(iter(graph.relations))
    settings = replace(config.graph, relations=(main,), min_count=1, include_cold=False)
    try:
        later = build_graph(log, settings)
    except DataError:
        return None
    place = graph.ids.encode(later.ids.array, missing="mark")
    source, target = place[later.main.pairs]
    fresh = (source >= 0) & (target >= 0)
    fresh[fresh] &= ~graph.main.contains(source[fresh], target[fresh])
    if not fresh.any():
        return None
    return Arcs.from_pairs(
        source[fresh], target[fresh], num_nodes=graph.num_nodes, weight=later.main.weight[fresh]
    )


def _direction(split: TimeSplit, graph: DiGraph, config: RunConfig) -> DirectionCases | None:
    later = later_arcs(split.test, graph, config)
    return None if later is None else direction_cases(later, graph.main, seed=config.train.seed)


def _split_of(model: Embeddings, log: EventLog, folder: Path) -> TimeSplit:
    """The split that the model was trained with, read from the model itself."""
    moments = model.info.get("split")
    if not moments:
        raise ArtifactError(
            "the model does not say what it was trained on", where=folder, fix="Train it with: thence train"
        )
    return log.split(int(moments["valid_from"]), int(moments["test_from"]))


def _info(folder: Path, config: RunConfig, split: TimeSplit, graph: DiGraph) -> dict[str, Any]:
    return {
        "title": config.name or folder.name,
        "data set": repr(split.known),
        "test from": iso(split.test_from),
        "graph": repr(graph),
    }


def _flat(report: Report) -> dict[str, Any]:
    return {name: value if value == value else None for name, value in report.flat().items()}


def _named(progress: Progress, name: str) -> Progress:
    return lambda _, done, total: progress(name, done, total)


def summary(judged: Judged, folder: Path) -> Mapping[str, Any]:
    """What ``--json`` prints of an evaluation."""
    return {
        "run": folder,
        "model_version": judged.bundle.version,
        "items": judged.bundle.graph.num_nodes,
        "figures": _flat(judged.report),
    }
