"""Next items of Diginetica's later sessions: plain methods, neighbours, a self-attentive model, and ours.

The protocol is SR-GNN's and GCE-GNN's: the training file's sessions are earlier than the test file's, every
beginning of a test session is a case, all 43,097 items of the training file are ranked, those of the history
included. Test items that training never saw were left out when the files were made. Settings are chosen on the
latest 8 % of the training sessions, then each method is fitted to all of them. Figures of the last item of each
session alone stand beside as ``final.HR@20`` and ``final.MRR@20``. ``--quick`` judges on 4,000 cases drawn from
the 60,858. At most three seeds are run.
"""

from __future__ import annotations

import argparse
import math
import os
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from common import over_seeds, say
from parts.related_child import in_child, peak_gib
from thence.encode.history.encoder import HistoryConfig, HistoryEncoder
from thence.encode.history.neighbours import SessionNeighbours
from thence.encode.history.plain import Popular, Recency, co_occurrence
from thence.encode.history.sasrec import SasRec
from thence.encode.history.start import nearby_vectors
from thence.evaluate.next_item import NextCases, next_cases, rank_next
from thence.events.datasets import dataset_file
from thence.events.datasets.sessions import Sessions, read_sessions
from thence.train.history import HISTORY_TRAIN, fit_history
from thence.train.history_rerank import NextConfig, fit_next

PREFIX = "diginetica.temporal"
TAIL, TUNED_ON, QUICK_ON, MOST_SEEDS = 0.08, 3000, 4000, 3
LIMIT = 3600.0
Fit = Callable[..., Any]


def neighbours(sessions: Sessions, seed: int, **settings: float) -> Any:
    return SessionNeighbours(sessions, **settings)  # type: ignore[arg-type]


def counted(sessions: Sessions, seed: int, decay: float = 2.0, **settings: float) -> Any:
    return Recency(co_occurrence(sessions, **settings), decay)  # type: ignore[arg-type]


def sasrec(sessions: Sessions, seed: int) -> Any:
    start = nearby_vectors(sessions, SasRec(1).config.dim, seed=seed)
    return fit_history(SasRec(len(sessions.ids), start=start, seed=seed), sessions)


def ours_embeddings(sessions: Sessions, seed: int) -> Any:
    config = HistoryConfig()
    start = nearby_vectors(sessions, config.dim, seed=seed)
    return fit_history(HistoryEncoder(len(sessions.ids), config, start=start, seed=seed), sessions)


def ours(sessions: Sessions, seed: int) -> Any:
    from dataclasses import replace

    return fit_next(sessions, NextConfig(train=replace(HISTORY_TRAIN, seed=seed)))


STAN = {"query_decay": 1.0, "age_decay": 0.5, "place_decay": 3.0}
METHODS: dict[str, tuple[Fit, tuple[dict[str, Any], ...]]] = {
    "popularity": (lambda sessions, seed, **kw: Popular(sessions, **kw), ({}, {"age_decay": 0.05})),
    "cooccurrence": (
        counted,
        (
            {"window": 1},
            {"window": 4},
            {"window": 4, "age_decay": 0.3, "before": 0.3},
            {"window": 4, "age_decay": 0.3, "before": 0.3, "decay": 1.0},
        ),
    ),
    "item_cf": (
        counted,
        tuple(
            {"window": 10, "before": 1.0, "power": power, "age_decay": age, "decay": decay}
            for power, age, decay in (
                (0.3, math.inf, 2.0),
                (0.5, math.inf, 2.0),
                (0.3, 0.5, 2.0),
                (0.3, 0.5, 1.0),
            )
        ),
    ),
    "sknn": (neighbours, ({"k": 100}, {"k": 500})),
    "vsknn": (neighbours, ({"query_decay": 1.0}, {"query_decay": 2.0}, {"query_decay": 2.0, "k": 1500})),
    "stan": (
        neighbours,
        (
            STAN,
            STAN | {"query_decay": 0.7},
            STAN | {"age_decay": 0.7},
            STAN | {"place_decay": 2.0},
            STAN | {"k": 1500},
            STAN | {"query_decay": 1.5, "age_decay": 0.4},
        ),
    ),
    "sasrec": (sasrec, ({},)),
    "ours_embeddings": (ours_embeddings, ({},)),
    "ours": (ours, ({},)),
}
LEARNED = ("sasrec", "ours_embeddings", "ours")
BASELINES = tuple(name for name in METHODS if not name.startswith("ours"))


def figures(arguments: argparse.Namespace) -> Mapping[str, float]:
    """Figures of every method; the settings of counting ones chosen on the training file's latest sessions."""
    folder = Path(os.environ["THENCE_DATA"]) / "directed"
    train = read_sessions(dataset_file("diginetica", "diginetica_train_sessions.txt.gz", folder))
    cases = next_cases(
        read_sessions(dataset_file("diginetica", "diginetica_test_sessions.txt.gz", folder), train.ids)
    )
    cases = cases.sample(QUICK_ON if arguments.quick else len(cases), 0)
    kinds = {"plain": BASELINES[:-1], "learned": LEARNED, "peer": ("sasrec",)}
    asked = getattr(arguments, "methods", None) or (
        ("plain", "ours_embeddings") if arguments.quick else METHODS
    )
    wanted = {name for word in asked for name in kinds.get(word, (word,))}
    found: dict[str, float] = {}
    for name in METHODS:
        if name in wanted:
            seeds = min(arguments.seeds, MOST_SEEDS) if name in LEARNED else 1
            runs = [in_child(name, partial(measured, name, train, cases, seed), LIMIT) for seed in range(seeds)]
            runs = [run for run in runs if run]
            if runs:
                found |= over_seeds(runs)
    return {f"{PREFIX}.{key}": value for key, value in (found | best_of(found)).items()}


def measured(name: str, train: Sessions, cases: NextCases, seed: int) -> dict[str, float]:
    """One method: chosen, fitted to all of the training sessions, judged once."""
    fit, grid = METHODS[name]
    begun = time.process_time()
    chosen = choose(fit, grid, train)
    choosing, begun = time.process_time() - begun, time.process_time()
    scorer = fit(train, seed, **chosen)
    spent = time.process_time() - begun
    ranking = rank_next(scorer, cases)
    found = ranking.figures() | {"seconds": spent, "seconds_choosing": choosing, "peak_gib": peak_gib()}
    found |= {f"final.{key}": value for key, value in ranking.figures(final=True).items() if key.endswith("20")}
    say(f"  {name} {chosen}: HR@20 {found['HR@20']:.4f}, MRR@20 {found['MRR@20']:.4f}, {spent:.0f} s")
    return {f"{name}.{key}": value for key, value in found.items()}


def choose(fit: Fit, grid: tuple[dict[str, Any], ...], train: Sessions) -> dict[str, Any]:
    """The settings whose HR@20 and MRR@20 on the latest training sessions have the largest product."""
    if len(grid) == 1:
        return grid[0]
    earlier, latest = train.tail(TAIL)
    cases, values = next_cases(latest).sample(TUNED_ON, 0), []
    for settings in grid:
        reached = rank_next(fit(earlier, 0, **settings), cases).figures()
        values.append(reached["HR@20"] * reached["MRR@20"])
    return grid[max(range(len(grid)), key=values.__getitem__)]


def best_of(found: Mapping[str, float]) -> dict[str, float]:
    """The best baseline, metric by metric, and ours as a multiple of it."""
    best: dict[str, float] = {}
    for metric in ("HR@5", "HR@10", "HR@20", "MRR@10", "MRR@20", "final.HR@20", "final.MRR@20"):
        rivals = [found[f"{name}.{metric}"] for name in BASELINES if f"{name}.{metric}" in found]
        if not rivals:
            continue
        best[f"best_baseline.{metric}"] = max(rivals)
        for mine in ("ours", "ours_embeddings"):
            if f"{mine}.{metric}" in found:
                best[f"{mine}.{metric}.over_best_baseline"] = found[f"{mine}.{metric}"] / max(rivals)
    return best
