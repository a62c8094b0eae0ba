"""What each group of parts is worth to the second stage, on amazon_grocery, 75/5/20, papers and leak-free.

The examples are made once; the trees are then fitted to all columns, to all but one group's, and to one group's
alone, and the test sources' candidates are ordered by each. Figures:
``amazon_grocery.PROTOCOL.rerank.{all,without_GROUP,only_GROUP,first}.{HR@10,MRR@10}``, with ``….recall`` the
share of the test arcs among the candidates, and CPU seconds of each step. The first stage is ``--first`` (a
baseline or a recipe).

    THENCE_DATA=… python bench/parts/rerank.py [--quick] [--first NAME] [--leak-free] [--hidden SHARE]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from common import say
from parts.related_data import load_graph
from parts.related_tasks import joined, with_main
from thence.encode import Scorer
from thence.encode.baseline import BASELINES
from thence.graph import Arcs, DiGraph
from thence.graph.split import split_arcs
from thence.rerank import RerankConfig
from thence.rerank.candidates import Finder
from thence.rerank.learn import BATCH, Examples, examples, hidden_lessons
from thence.rerank.model import Trees
from thence.rerank.parts import part_table
from thence.rerank.words import GROUPS


@dataclass(frozen=True)
class Exam:
    """Candidates of the test's sources, their parts, and which of them were right."""

    table: np.ndarray
    ptr: np.ndarray
    right: np.ndarray
    asked: int

    def figures(self, scores: np.ndarray) -> dict[str, float]:
        """HR@10 and MRR@10 over all test arcs, those that are no candidates among them."""
        hits, reciprocal = 0, 0.0
        for begin, end in zip(self.ptr[:-1], self.ptr[1:], strict=True):
            order = np.argsort(-scores[begin:end], kind="stable")[:10]
            places = np.flatnonzero(self.right[begin:end][order])
            hits += len(places)
            reciprocal += float((1 / (places + 1)).sum())
        return {"HR@10": hits / self.asked, "MRR@10": reciprocal / self.asked}


def figures(
    quick: bool,
    first: str = "svd",
    *,
    leak_free: bool = False,
    config: RerankConfig | None = None,
    ablate: bool = True,
    seed: int = 0,
) -> dict[str, float]:
    """The ablation of one protocol and one seed; ``quick`` learns from one fold and asks a fourth."""
    whole = load_graph("amazon_grocery")
    split = split_arcs(whole.main, seed=seed, leak_free=leak_free)
    graph = with_main(whole, joined(split.train, split.valid))
    config = replace(config or RerankConfig(), whole_pairs=leak_free)
    config = replace(config, folds=1) if quick else config
    retrieve = _retrieve(first)
    begun, taught = time.process_time(), []
    for number, lesson in enumerate(hidden_lessons(graph, config, seed)):
        taught.append(examples(lesson, retrieve(lesson.graph), config, number))
        say(f"rerank: lesson {number}: {taught[-1].table.shape}, recall {taught[-1].found:.3f}")
    found = {"seconds_examples": time.process_time() - begun}
    begun = time.process_time()
    finder = Finder(graph, retrieve(graph), config.candidates, seed=seed)
    exam = examined(finder, split.test, 4 if quick else 1)
    found |= {"seconds_exam": time.process_time() - begun, "recall": exam.right.sum() / exam.asked}
    begun = time.process_time()
    names = taught[0].names
    found |= _named("all", _judged(taught, exam, np.arange(len(names)), config))
    found["seconds_trees"] = time.process_time() - begun
    found |= _named("first", exam.figures(exam.table[:, names.index("first")]))
    of = {part.name: part.group for part in finder.parts}
    groups = np.array([of[name.removesuffix(".place")] for name in names])
    for group in GROUPS if ablate else ():
        if (groups == group).any():
            without, only = np.flatnonzero(groups != group), np.flatnonzero(groups == group)
            found |= _named(f"without_{group}", _judged(taught, exam, without, config))
            found |= _named(f"only_{group}", _judged(taught, exam, only, config))
    prefix = f"amazon_grocery.{'leakfree' if leak_free else 'papers'}.rerank."
    return {prefix + key: float(value) for key, value in found.items()}


def examined(finder: Finder, test: Arcs, every: int = 1) -> Exam:
    """Candidates and parts of every so-many-th source of the test."""
    sources = np.flatnonzero(test.out_degree)[::every]
    tables, right, ends = [], [], [np.zeros(1, np.int64)]
    for begin in range(0, len(sources), BATCH):
        at = finder.candidates(sources[begin : begin + BATCH])
        tables.append(np.ascontiguousarray(part_table(finder.parts, at)))
        right.append(test.contains(np.repeat(at[0], np.diff(at[1])), at[2]))
        ends.append(at[1][1:] + ends[-1][-1])
    asked = int(test.out_degree[sources].sum())
    return Exam(np.concatenate(tables), np.concatenate(ends), np.concatenate(right), asked)


def _judged(taught: list[Examples], exam: Exam, columns: np.ndarray, config: RerankConfig) -> dict[str, float]:
    names = tuple(taught[0].names[column] for column in columns)
    lessons = [replace(lesson, table=lesson.table[:, columns], names=names) for lesson in taught]
    reached = exam.figures(Trees.fit(lessons, config).margins(exam.table[:, columns]))
    say(f"rerank: {len(columns)} columns: {reached}")
    return reached


def _retrieve(name: str) -> Callable[[DiGraph], Scorer]:
    if name in BASELINES:
        return BASELINES[name]
    from thence.train.recipes import fit_recipe

    return lambda graph: fit_recipe(name, graph)


def _named(name: str, found: dict[str, float]) -> dict[str, float]:
    return {f"{name}.{key}": value for key, value in found.items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--first", default="svd")
    parser.add_argument("--leak-free", action="store_true")
    parser.add_argument("--bare", action="store_true", help="no ablation")
    parser.add_argument("--hidden", type=float, default=RerankConfig.hidden)
    parser.add_argument("--folds", type=int, default=RerankConfig.folds)
    given = parser.parse_args()
    settings = RerankConfig(hidden=given.hidden, folds=given.folds)
    print(
        json.dumps(
            figures(given.quick, given.first, leak_free=given.leak_free, config=settings, ablate=not given.bare)
        )
    )
