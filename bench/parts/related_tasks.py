"""What each protocol asks: graphs to fit on, cases to choose settings on, and cases to judge on, once.

A method is fitted to ``fit_on`` and its settings are chosen on ``valid``; with these it is fitted again to
``refit_on``, which holds the validation arcs too, and judged on ``test``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from parts.related_data import VIEWED
from thence.encode import Scorer
from thence.encode.cold import alike_in, lend
from thence.evaluate import Cases, DirectionCases, arc_cases, direction_cases, hit_rate
from thence.evaluate.cold_start import cold_cases
from thence.evaluate.selection_bias import transitive_arcs
from thence.graph import Arcs, DiGraph
from thence.graph.split import TEST, TRAIN, VALID, NodeSplit, split_arcs, split_nodes
from thence.rerank.timely import Known

Change = Callable[[Scorer, DiGraph], Scorer]
CASES, QUERIES, PAIRS = 60_000, 1_000, 20_000
QUICK_CASES, QUICK_PAIRS = 8_000, 4_000
ALIKE = (10, 50, 200)


def as_it_is(scorer: Scorer, graph: DiGraph) -> Scorer:
    """No change."""
    return scorer


@dataclass(frozen=True, eq=False)
class Task:
    """One protocol on one data set and one seed.

    Args:
        fit_on: what settings are chosen on; without validation arcs.
        valid: validation cases.
        refit_on: everything that is known when the test begins.
        test: test cases.
        direction: test arcs to judge existence and direction on.
        seed: of the split and of the methods.
        parts: further test cases, of which HR@10 is told as ``HR@10.NAME``.
        changes: what may be done to a scorer before it answers; chosen on validation like any setting.
        truth: scorers that are judged and never fitted.
        lesson: arcs that ``fit_on`` does not have and ``valid`` asks for, to teach a second stage on; it takes
            hidden arcs of ``refit_on`` where there are none.
        whole_pairs: whether the test hides both directions of a pair together.
        clocks: what the log tells at an earlier clock, with what came after it, and what it tells when the test
            begins; where they are given the second stage is the one that is taught by time.
    """

    fit_on: DiGraph
    valid: Cases
    refit_on: DiGraph
    test: Cases
    direction: DirectionCases | None
    seed: int
    parts: Mapping[str, Cases] = field(default_factory=dict)
    changes: Mapping[str, Change] = field(default_factory=lambda: {"as it is": as_it_is})
    truth: Mapping[str, Scorer] = field(default_factory=dict)
    lesson: Arcs | None = None
    whole_pairs: bool = False
    clocks: tuple[Known, Known] | None = None

    def value(self, scorer: Scorer) -> tuple[float, str]:
        """HR@10 on the validation cases, after the best change, and which that is."""
        reached = {
            name: hit_rate(change(scorer, self.fit_on), self.valid) for name, change in self.changes.items()
        }
        best = max(reached, key=reached.__getitem__)
        return reached[best], best


def of_arcs(graph: DiGraph, seed: int, *, leak_free: bool, quick: bool) -> Task:
    """75/5/20 of the arcs; the papers' protocol, or with both directions of a pair on one side."""
    whole = graph.main
    split = split_arcs(whole, seed=seed, leak_free=leak_free)
    known = joined(split.train, split.valid)
    direction = direction_cases(split.test, known, whole, seed=seed, limit=QUICK_PAIRS if quick else PAIRS)
    test = arc_cases(split.test, known, whole).sample(QUICK_CASES if quick else CASES, seed)
    return Task(
        with_main(graph, split.train),
        some_sources(arc_cases(split.valid, split.train, whole), seed),
        with_main(graph, known),
        test,
        direction,
        seed,
        whole_pairs=leak_free,
    )


def of_nodes(graph: DiGraph, seed: int, *, quick: bool) -> Task:
    """75/5/20 of the nodes: what follows a product without any arc, in any relation."""
    split = split_nodes(graph.main, seed=seed)
    known = joined(split.train, split.valid)
    choosing = replace(
        split, part=np.where(split.part == TEST, TRAIN, split.part)
    )  # test nodes are nowhere yet
    fit_on = without(with_main(graph, split.train), split.part != TRAIN)
    cold = split.part == TEST
    limit = QUICK_CASES if quick else CASES
    test = cold_cases(split.test, known, cold)
    into = cold_cases(split.test, known, cold, side="target")
    return Task(
        fit_on,
        some_sources(cold_cases(split.valid, split.train, choosing.part == VALID), seed),
        without(with_main(graph, known), cold),
        test.sample(limit, seed),
        None,
        seed,
        parts={"cold_target": into.sample(limit, seed)},
        changes={"as it is": as_it_is} | {f"{k} alike": _lending(k) for k in ALIKE},
    )


def of_bias(graph: DiGraph, seed: int, *, quick: bool) -> Task:
    """The papers' protocol, the test arcs joined by as many that follow from them through co-views."""
    task = of_arcs(graph, seed, leak_free=False, quick=False)
    split = split_arcs(graph.main, seed=seed)
    known = task.refit_on.main
    limit = min(split.test.num_arcs, QUICK_CASES if quick else CASES)
    found = transitive_arcs(split.test, graph[VIEWED], (graph.main,), limit=limit, seed=seed)
    test = task.test.sample(limit, seed)
    both = joined(split.test, found)
    cases = arc_cases(both, known).sample(2 * limit, seed)
    return replace(
        task,
        test=cases,
        direction=None,
        parts={"transitive": arc_cases(found, known), "bought": test},
    )


def joined(first: Arcs, second: Arcs) -> Arcs:
    """The arcs of both; none stands in both."""
    source, target = np.concatenate([first.pairs, second.pairs], axis=1)
    weight = np.concatenate([first.weight, second.weight])
    return Arcs.from_pairs(source, target, num_nodes=first.num_nodes, weight=weight)


def with_main(graph: DiGraph, arcs: Arcs) -> DiGraph:
    """The graph with other arcs in its main relation."""
    return graph.with_relation(next(iter(graph.relations)), arcs)


def without(graph: DiGraph, hidden: np.ndarray) -> DiGraph:
    """The graph without any arc of the hidden nodes, in every relation."""
    for name, arcs in graph.relations.items():
        graph = graph.with_relation(name, arcs.select(np.logical_not(hidden[arcs.pairs].any(axis=0))))
    return graph


def some_sources(cases: Cases, seed: int, limit: int = QUERIES) -> Cases:
    """The cases of at most so many sources: choosing needs no more."""
    from thence.cli.pipeline import some_sources

    return some_sources(cases, limit, seed=seed)


def _lending(k: int) -> Change:
    return lambda scorer, graph: lend(scorer, alike_in(graph, k))


__all__ = ["NodeSplit", "Task", "of_arcs", "of_bias", "of_nodes"]
