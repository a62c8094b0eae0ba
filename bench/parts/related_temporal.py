"""Temporal tasks: what was known before a moment, and what was bought after it.

``demo`` is the retailer's year of ``thence demo``, judged on first purchases. ``world`` is a simulated shop:
its cases are the purchases of the test period that truly follow from another one (the log does not say which
do), so that the truth's own ranking is the ceiling of all methods.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from common import say
from parts.related_attainable import Attainable
from parts.related_tasks import PAIRS, QUICK_PAIRS, Task, some_sources
from thence.base.ids import IdMap
from thence.base.rng import generator
from thence.cli.demo import settings
from thence.cli.pipeline import later_arcs
from thence.cli.settings import RunConfig
from thence.encode import Scorer
from thence.evaluate import Cases, arcs_of, direction_cases, first_purchase_cases
from thence.events import EventLog, TimeSplit, complete_journey, ingest
from thence.events.worlds import World, WorldConfig, simulate
from thence.graph import Arcs, DiGraph
from thence.graph.build import GraphConfig, build_graph
from thence.rerank.timely import Known
from thence.rerank.timely_lessons import lesson_arcs

QUICK_EVENTS, EVENTS = 500_000, 10_000_000
QUERIES, QUICK_QUERIES = 6_000, 2_000
WORLD_PAIRS, LESSON_SOURCES = 500, 10_000
"""Judged and learned from in the world, where each source asked costs a row of 200,000 scores."""


def demo(seed: int, *, quick: bool) -> Task:
    """The demo's own split and graph; with ``quick`` fewer queries are judged."""
    config, split = settings(Path("runs/demo")), _journey()
    fit_on, refit_on = _graphs()
    every = first_purchase_cases(split.train, split.valid, fit_on.ids)
    task = _task(
        (fit_on, every),
        (refit_on, first_purchase_cases(split.known, split.test, refit_on.ids)),
        later_arcs(split.test, refit_on, config),
        seed,
        quick=quick,
    )
    lesson = Known(fit_on, split.train, after=arcs_of(every))
    return replace(task, clocks=(lesson, Known(refit_on, split.known)))


def world(seed: int, *, quick: bool) -> Task:
    """200,000 items (10,000 when quick): the last tenth of the time is judged, the tenth before it chooses.

    What followed in the same order and what followed later make one main relation, for all methods alike.
    """
    shape = WorldConfig.of_size(QUICK_EVENTS if quick else EVENTS)
    made = simulate(shape, seed=seed)
    split = made.log.split(0.1, 0.1)
    relations = ("bought_after", "same_basket", "co_viewed")
    config = RunConfig(
        into=Path("runs/world"), graph=GraphConfig(relations=relations, min_count=1, min_support=1)
    )
    before, now = (build_graph(log, config.graph) for log in (split.train, split.known))
    fit_on, refit_on = either(before), either(now)
    say(f"world: {made.events.num_rows:,} events; {fit_on!r}, {refit_on!r}")
    moments = (split.valid_from, split.test_from)
    later = later_arcs(split.test, now, config)
    direction = None
    if later is not None:
        direction = direction_cases(later, refit_on.main, seed=seed, limit=min(WORLD_PAIRS, later.num_arcs))
    test = followed(made, refit_on, (split.test_from, made.truth.span[1]))
    clocks = Known(fit_on, split.train, titles=True), Known(refit_on, split.known, titles=True)
    return Task(
        fit_on,
        some_sources(followed(made, fit_on, moments), seed),
        refit_on,
        some_sources(test, seed, QUICK_QUERIES),
        direction,
        seed,
        truth={
            "ceiling": Ceiling(shape, seed, split.test_from, refit_on.ids),
            "attainable": Attainable(shape, seed, split.test_from, refit_on.ids),
        },
        clocks=(lesson_of(*clocks, seed), clocks[1]),
    )


def either(graph: DiGraph) -> DiGraph:
    """A graph whose main relation adds up what was bought after and what came in the same order."""
    both: Any = graph.relations["bought_after"].matrix() + graph.relations["same_basket"].matrix()
    both = both.tocoo()
    main = Arcs.from_pairs(both.row, both.col, num_nodes=graph.num_nodes, weight=both.data)
    return replace(graph, relations={"followed": main, **graph.relations})


def lesson_of(before: Known, now: Known, seed: int) -> Known:
    """What the log itself shows between two clocks of what leads to what; of so many sources at most."""
    after, against = lesson_arcs(before, now, seed=seed)
    sources = np.flatnonzero(after.out_degree)
    kept = np.zeros(after.num_nodes, bool)
    rng = generator(seed, "lesson")
    kept[rng.choice(sources, min(LESSON_SOURCES, len(sources)), replace=False)] = True
    return before.then(*(arcs.select(kept[arcs.pairs[0]]) for arcs in (after, against)))


def followed(made: World, graph: DiGraph, period: tuple[int, int]) -> Cases:
    """Purchases in a period that follow along a true arc: the earlier purchase's item → the later one's."""
    told = made.truth.exposures
    inside = (told.parent >= 0) & (told.arc >= 0)
    inside &= (told.conversion_time >= period[0]) & (told.conversion_time < period[1])
    place = graph.ids.encode(made.truth.ids.array, missing="mark")
    source, target = place[told.item[told.parent[inside]]], place[told.item[inside]]
    kept = (source >= 0) & (target >= 0) & (source != target)
    cases = Cases.make(source[kept], target[kept], num_nodes=graph.num_nodes, group=told.customer[inside][kept])
    degree, popularity = graph.main.out_degree.astype(float), graph.main.in_degree.astype(float)
    return replace(cases, degree=degree, popularity=popularity)


@dataclass(frozen=True, eq=False)
class Ceiling:
    """The truth's own ranking among a graph's nodes; the world is made again where and when it is asked."""

    shape: WorldConfig
    seed: int
    since: int
    ids: IdMap

    def scores(self, sources: ArrayLike) -> np.ndarray:
        """Scores ``[len(sources), num_nodes]``."""
        return self._whole.scores(self._place[np.asarray(sources)])[:, self._place]

    def scores_into(self, targets: ArrayLike) -> np.ndarray:
        """Scores ``[len(targets), num_nodes]``."""
        return self._whole.scores_into(self._place[np.asarray(targets)])[:, self._place]

    @cached_property
    def _whole(self) -> Scorer:
        return simulate(self.shape, seed=self.seed).truth.scorer(self.since).arcs_only()

    @cached_property
    def _place(self) -> np.ndarray:
        return self._whole.ids.encode(self.ids.array)


def _task(
    choosing: tuple[DiGraph, Cases],
    judging: tuple[DiGraph, Cases],
    later: Arcs | None,
    seed: int,
    *,
    quick: bool,
) -> Task:
    (fit_on, every), (refit_on, test) = choosing, judging
    valid = some_sources(every, seed)
    direction = None
    if later is not None:
        limit = QUICK_PAIRS if quick else PAIRS
        direction = direction_cases(later, refit_on.main, seed=seed, limit=min(limit, later.num_arcs))
    judged = some_sources(test, seed, QUICK_QUERIES if quick else QUERIES)
    return Task(fit_on, valid, refit_on, judged, direction, seed)


@cache
def _journey() -> TimeSplit:
    config = settings(Path("runs/demo"))
    tables = complete_journey()
    folder = tempfile.mkdtemp(prefix="thence-bench-")
    ingest(tables[0], f"{folder}/log", items=tables[1])
    return EventLog.load(f"{folder}/log").split(config.split.valid, config.split.test)


@cache
def _graphs() -> tuple[DiGraph, DiGraph]:
    split, config = _journey(), settings(Path("runs/demo"))
    return build_graph(split.train, config.graph), build_graph(split.known, config.graph)
