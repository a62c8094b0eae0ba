"""The stages of a run, each from what stands on disk to the next thing on disk.

The method of the first stage and its steps, the settings of the baselines and whether a second stage is worth
having are chosen on the validation period, by models that see only what came before it; those that are judged
and served then see everything before the test period.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from thence.base.errors import ArtifactError, DataError
from thence.base.progress import Progress
from thence.base.rng import generator
from thence.cli import first, second
from thence.cli.folders import part_of
from thence.cli.settings import RunConfig
from thence.encode.baseline import baselines, choose
from thence.encode.embeddings import Embeddings
from thence.evaluate import Report, direction_cases, first_purchase_cases, hit_rate
from thence.evaluate.cases import Cases
from thence.evaluate.direction import DirectionCases
from thence.evaluate.run import evaluate
from thence.events import EventLog, TimeSplit
from thence.events.clock import iso
from thence.events.facts import log_facts
from thence.graph.arcs import Arcs
from thence.graph.build import build_graph
from thence.graph.digraph import DiGraph
from thence.index.table import NeighborTable
from thence.rerank.timely import Known
from thence.rerank.timely_table import timely_table
from thence.serve.bundle import Bundle
from thence.serve.schemas_data import LogFacts

OURS, EMBEDDINGS = "ours", "embeddings"
"""The model that is served, and its first stage where there is a second."""
STAGES = ("first stage", "second stage")
TABLE_K = 100
VALIDATION_SOURCES = 1_000


@dataclass(frozen=True)
class Judged:
    """What an evaluation leaves: the report, and the bundle that the service opens.

    ``forms`` is the table of smaller and faster forms, where some were made.
    """

    report: Report
    bundle: Bundle
    forms: str = ""

    def text(self) -> str:
        """The table of figures, and what is to be said of both stages."""
        info = self.report.info
        stages = (f"{name}: {info[name]}" for name in STAGES if name in info)
        return "\n".join([self.report.text(), *stages, *([self.forms] if self.forms else [])])


@dataclass(frozen=True)
class Choice:
    """What the validation period decided: the first stage, settings of the baselines, the second stage."""

    first: first.First
    baselines: Mapping[str, Mapping[str, Any]]
    second: second.Second


def train_run(folder: Path, config: RunConfig, progress: Progress) -> Embeddings:
    """Train on a run's log; writes ``graph`` and ``model``.

    A trained model's ``encoder``, from which ``--from`` goes on, is written beside it. Where a second stage
    orders the validation period better, its trees are written to ``reranker``.

    Raises:
        ThenceError: the log cannot be split, or its graph gives nothing to learn.
    """
    split = EventLog.load(part_of(folder, "log")).split(config.split.valid, config.split.test)
    choice = _choose(split, config, progress)
    graph = build_graph(split.known, config.graph, progress=_named(progress, "relations, all known"))
    model, encoder = first.fit_again(graph, choice.first, config, progress)
    info = {
        "retrieve": dict(choice.first.told),
        "baselines": choice.baselines,
        "rerank": dict(choice.second.told),
    }
    model = replace(model, info={**model.info, **origin(split, config), **info})
    graph.save(folder / "graph")
    model.save(folder / "model")
    first.keep(encoder, model.info, graph, config, folder)
    second.keep(choice.second, folder)
    return model


def origin(split: TimeSplit, config: RunConfig) -> dict[str, Any]:
    """What a model should say of where it comes from, for those who judge it or go on from it."""
    moments = {"valid_from": split.valid_from, "test_from": split.test_from}
    return {"split": moments, "graph": asdict(config.graph)}


def evaluate_run(folder: Path, config: RunConfig, progress: Progress) -> Judged:
    """Judge a run's model beside the plain baselines; writes ``report`` and ``bundle``.

    Raises:
        ThenceError: something is absent, or the test period holds nothing to judge on.
    """
    log = EventLog.load(part_of(folder, "log"))
    graph, model = DiGraph.load(part_of(folder, "graph")), Embeddings.load(part_of(folder, "model"))
    split = split_of(model, log, folder)
    plain = baselines(graph, config.baselines, model.info.get("baselines"))
    ours = second.stand(folder, Known(graph, split.known), model.info.get("rerank", {}), config.rerank)
    learned = {OURS: model} if ours.reranker is None else {OURS: ours.reranker, EMBEDDINGS: model}
    report = evaluate(
        {**learned, **plain},
        first_purchase_cases(split.known, split.test, graph.ids),
        direction=_direction(split, graph, config),
        baselines=list(plain),
        config=config.evaluate,
        info=_info(folder, config, split, graph)
        | dict(zip(STAGES, (first.note_of(model), ours.note), strict=True)),
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
    data = LogFacts(**log_facts(part_of(folder, "log")))
    effects = first.effects_of(folder)
    bundle = Bundle(model, graph, table, page, _told(report), reranked, data=data, effects=effects)
    bundle.save(folder / "bundle")
    return Judged(report, bundle)


def _choose(split: TimeSplit, config: RunConfig, progress: Progress) -> Choice:
    """Try on the validation period; the graph that this takes is let go before the next one is built."""
    graph, cases = validation_cases(split, config, progress)
    value = _value(cases, config)
    plain = choose(graph, value, config.baselines, progress)
    chosen = first.choose_first(graph, value, config, progress)
    kept = second.teach(Known(graph, split.train), cases, chosen.embeddings, config, progress)
    return Choice(chosen, plain, kept)


def validation(split: TimeSplit, config: RunConfig, progress: Progress) -> tuple[DiGraph, first.Value]:
    """The graph of what was known before the validation period, and how well a scorer foretells that period."""
    graph, cases = validation_cases(split, config, progress)
    return graph, _value(cases, config)


def validation_cases(split: TimeSplit, config: RunConfig, progress: Progress) -> tuple[DiGraph, Cases]:
    """The graph of what was known before the validation period, and the first purchases in that period."""
    graph = build_graph(split.train, config.graph, progress=progress)
    return graph, first_purchase_cases(split.train, split.valid, graph.ids)


def _value(cases: Cases, config: RunConfig) -> first.Value:
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


def split_of(model: Embeddings, log: EventLog, folder: Path) -> TimeSplit:
    """The split that the model was trained with, read from the model itself.

    Raises:
        ArtifactError: the model does not say.
    """
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


def _told(report: Report) -> dict[str, Any]:
    """Figures by dotted names and, under ``report``, everything: intervals, differences, what was judged."""
    return {**_flat(report), "report": json.loads(report.to_json())}


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
