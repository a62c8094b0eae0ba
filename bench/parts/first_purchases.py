"""First purchases of a real retailer's later weeks: who finds them, and how much can be found at all.

    python bench/parts/first_purchases.py [bounds] [plain] [ours] [--methods counts svd …]

The demo's task (The Complete Journey, temporal split, products bought 40 times). Everything is chosen on the
validation weeks by models that see only what came before them; the test weeks are looked at once. Bounds are
no methods: they know a part of what they are judged on. ``oracle`` knows all of it, so it counts noise as
knowledge. ``other_half`` knows the pairs that the other half of the households will buy in the same weeks, and
``other_half_popularity`` how often these will buy each product for the first time: what a season or a trend
could tell, and no household of its own. ``trees_of_the_same_weeks`` need not foresee anything: they are taught
on other households of the weeks that they are judged on.
"""

from __future__ import annotations

import os
import sys

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import argparse  # noqa: E402
import json  # noqa: E402
import time  # noqa: E402
from collections.abc import Sequence  # noqa: E402
from dataclasses import dataclass, replace  # noqa: E402

import numpy as np  # noqa: E402
import scipy.sparse as sp  # noqa: E402

from thence.cli.demo import MIN_COUNT, TEST, VALID  # noqa: E402
from thence.cli.pipeline import some_sources  # noqa: E402
from thence.encode.baseline import baselines, choose  # noqa: E402
from thence.encode.baseline.matrix import MatrixScorer  # noqa: E402
from thence.evaluate import arcs_of, first_purchase_cases, hit_rate  # noqa: E402
from thence.evaluate.cases import Cases  # noqa: E402
from thence.evaluate.ranking import rank_cases  # noqa: E402
from thence.evaluate.tallies import case_tallies  # noqa: E402
from thence.events import EventLog, complete_journey  # noqa: E402
from thence.graph.build import GraphConfig, build_graph  # noqa: E402
from thence.rerank.model import Trees  # noqa: E402
from thence.rerank.timely import LESSON, Known, TimelyReranker, lesson_examples  # noqa: E402

EARLIER = "2017-07-18"
"""As long before the validation weeks as these are before the test: the lesson to choose on."""
CONFIG = GraphConfig(relations=("same_basket",), min_count=MIN_COUNT)
PLAIN = (
    "popularity",
    "counts",
    "lift",
    "reverse",
    "item_cf",
    "svd",
    "page_rank",
    "recent_counts",
    "backed_off",
)
TREES = (60, 120)
POWERS = (0.3, 0.5)


@dataclass(frozen=True, eq=False)
class Weeks:
    """Some weeks to judge on, and what was known before them."""

    known: Known
    cases: Cases


def weeks(log: EventLog, clock: str, until: str | None) -> Weeks:
    """The weeks from a clock on, with their first purchases as what came after it."""
    before, after = log.before(clock), log.since(clock)
    graph = build_graph(before, CONFIG)
    cases = first_purchase_cases(before, after if until is None else after.before(until), graph.ids)
    return Weeks(Known(graph, before, after=arcs_of(cases)), cases)


def bounds(log: EventLog) -> dict[str, float]:
    """What scorers reach that know a part of the answer, on the test weeks."""
    test = weeks(log, TEST, None)
    cases, graph = test.cases, test.known.graph
    oracle = MatrixScorer(graph.ids, arcs_of(cases).matrix())
    found = {"oracle": hit_rate(oracle, cases)}
    told = np.random.default_rng(0).random(cases.num_groups)[cases.clusters] < 0.5
    judged, future = cases.select(~told), arcs_of(cases.select(told)).matrix()
    counted = sp.csr_matrix(graph.main.matrix())
    received = np.asarray(counted.sum(axis=0)).ravel()
    coming = np.asarray(future.sum(axis=0)).ravel()
    found["counts_on_a_half"] = hit_rate(MatrixScorer(graph.ids, counted), judged)
    found["other_half"] = max(
        hit_rate(MatrixScorer(graph.ids, sp.csr_matrix(counted + weight * future)), judged) for weight in (1, 2)
    )
    tried = []
    for power in POWERS:
        scale = ((coming + 1) / np.maximum(received + coming, 1)) ** power
        scaled = sp.csr_matrix((counted + future) @ sp.diags(scale))
        tried.append(hit_rate(MatrixScorer(graph.ids, scaled), judged))
    found["other_half_popularity"] = max(tried)
    found |= same_weeks(test)
    say(f"bounds: {found}")
    return {f"bound.{name}.HR@10": value for name, value in found.items()}


def same_weeks(judge: Weeks) -> dict[str, float]:
    """Trees taught on a third of the households in the very weeks that they are judged on, by another third.

    The rest of the households stays unseen, so that the figure compares with one that foresees nothing.
    """
    third = np.random.default_rng(0).integers(0, 3, judge.cases.num_groups)[judge.cases.clusters]
    lesson = replace(judge.known, after=arcs_of(judge.cases.select(third == 0)))
    trees = Trees.fit([lesson_examples(lesson)], LESSON)
    rest = Weeks(judge.known, judge.cases.select(third == 1))
    counted = MatrixScorer(judge.known.graph.ids, judge.known.graph.main.matrix())
    taught = by_trees(TimelyReranker(judge.known, trees), rest)
    return {"counts_on_a_third": hit_rate(counted, rest.cases), "trees_of_the_same_weeks": max(taught.values())}


def plain(log: EventLog, names: Sequence[str] = PLAIN) -> dict[str, float]:
    """Every plain baseline, its settings chosen on the validation weeks."""
    valid = weeks(log, VALID, TEST)
    few = some_sources(valid.cases)
    settings = choose(valid.known.graph, lambda scorer: hit_rate(scorer, few), names)
    test = weeks(log, TEST, None)
    found = {}
    for name in names:
        scorer = baselines(test.known.graph, [name], settings)[name]
        found |= judged(name, scorer, test.cases)
        say(f"{name} {settings.get(name, '')}: {found[f'{name}.HR@10']:.4f}")
    return found


def ours(log: EventLog) -> dict[str, float]:
    """The timely re-ranker: how many trees is chosen one period earlier, then it is taught on validation."""
    earlier, valid = weeks(log, EARLIER, VALID), weeks(log, VALID, TEST)
    begun = time.process_time()
    reached = by_trees(
        TimelyReranker.fit(valid.known, [earlier.known], replace(LESSON, trees=max(TREES))), valid
    )
    say(f"validation, by trees: {reached}")
    best = max(TREES, key=reached.__getitem__)
    test = weeks(log, TEST, None)
    ranker = TimelyReranker.fit(test.known, [earlier.known, valid.known], replace(LESSON, trees=best))
    found = judged("timely", ranker, test.cases)
    found |= {"timely.validation.HR@10": reached[best], "timely.trees": float(best)}
    return found | {"timely.seconds": time.process_time() - begun}


def by_trees(ranker: TimelyReranker, judge: Weeks) -> dict[int, float]:
    """HR@10 with the first trees alone, from one table of parts."""
    cut = {trees: replace(ranker.trees, booster=ranker.trees.booster[:trees]) for trees in TREES}
    values: dict[int, list[np.ndarray]] = {trees: [] for trees in TREES}
    row, node = [], []
    for at, table in ranker.now.tables(judge.cases.sources, ranker.config.candidates):
        row.append(np.repeat(at[0], np.diff(at[1])))
        node.append(at[2])
        for trees, some in cut.items():
            values[trees].append(some.margins(table))
    place, n = (np.concatenate(row), np.concatenate(node)), judge.cases.num_nodes
    found = {}
    for trees, parts in values.items():
        margin = np.concatenate(parts)
        matrix = sp.csr_matrix((margin - margin.min() + 1, place), shape=(n, n))
        found[trees] = hit_rate(MatrixScorer(ranker.ids, matrix), judge.cases)
    return found


def judged(name: str, scorer: object, cases: Cases) -> dict[str, float]:
    """HR and MRR of a method on the test weeks."""
    tallies = case_tallies(cases, rank_cases(scorer, cases, 20), [5, 10, 20])  # type: ignore[arg-type]
    return {f"{name}.{metric}": tally.value for metric, tally in tallies.items()}


def say(text: str) -> None:
    """Progress, on stderr."""
    print(text, file=sys.stderr, flush=True)


def main(argv: Sequence[str]) -> None:
    """Run some parts and print one JSON line of ``demo.temporal.METHOD.METRIC``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=["bounds", "plain", "ours"])
    parser.add_argument("--methods", nargs="+", default=PLAIN, help="plain ones: these alone")
    arguments = parser.parse_args(argv)
    log = EventLog.from_tables(*complete_journey())
    parts = {"bounds": bounds, "plain": lambda log: plain(log, arguments.methods), "ours": ours}
    figures: dict[str, float] = {}
    for name in arguments.parts:
        for key, value in parts[name](log).items():
            figures[f"demo.temporal.{key}"] = round(float(value), 6)
    print(json.dumps(figures))


if __name__ == "__main__":
    main(sys.argv[1:])
