"""Temporal updates: a model that goes on with the weeks that came in, beside a retrain and beside no update.

By time: a model is trained on the first part of a log (its steps chosen on the weeks that follow it), some
weeks are appended, and the period after them is foretold: HR@10 of first purchases, and CPU seconds of what
each way has to do anew. ``stale`` is the model as it was, ``carried`` the same parameters on the new graph
without a step, ``warm`` a share of the steps from there, ``retrain`` all of them from the start, at the steps
that were chosen before. Building the graph is the same for all and counted apart.

Run by itself: ``python bench/parts/update.py [--quick] [--seeds=N] [world|demo]``.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, replace

import numpy as np

from thence.cli.pipeline import some_sources
from thence.cli.update import SHARE
from thence.encode.dual import DualConfig, DualEncoder
from thence.encode.embeddings import Embeddings
from thence.evaluate import first_purchase_cases, hit_rate
from thence.events import EventLog
from thence.graph import DiGraph
from thence.graph.build import GraphConfig, build_graph
from thence.train import TrainConfig, fit
from thence.train.fit import scorer_of
from thence.train.warm import keep_encoder, kept_encoder, warm_start

WEEK = 7 * 86_400_000_000
SHARES = (0.1, SHARE, 0.5)


def figures(quick: bool, data: tuple[str, ...] = ("world", "demo"), seeds: int = 1) -> dict[str, float]:
    """``update.DATA.WAY.FIGURE`` of each data set, and as ``update.WAY.FIGURE`` those of the last, the demo's.

    With several seeds, means, and their spread as ``….std``.
    """
    from common import over_seeds

    return over_seeds([one_seed(quick, data, seed) for seed in range(seeds)])


def one_seed(quick: bool, data: tuple[str, ...], seed: int) -> dict[str, float]:
    found: dict[str, float] = {}
    for name in data:
        log, settings, weeks = {"world": world, "demo": demo}[name](quick, seed)
        measured = measure(log, settings, weeks, DualConfig(dim=64) if quick else DualConfig(), seed)
        found |= {f"update.{name}.{key}": value for key, value in measured.items()}
        if name == data[-1]:
            found |= {f"update.{key}": value for key, value in measured.items()}
    return found


def world(quick: bool, seed: int) -> tuple[EventLog, GraphConfig, int]:
    """A simulated shop whose items are launched as time goes on; two weeks are appended."""
    from thence.events.worlds import WorldConfig, simulate

    made = simulate(
        WorldConfig(items=1_000 if quick else 3_000, customers=10_000 if quick else 40_000), seed=seed
    )
    return made.log, GraphConfig(relations=("bought_after", "same_basket"), min_count=5, min_support=1), 2


def demo(quick: bool, seed: int) -> tuple[EventLog, GraphConfig, int]:
    """A grocer's year of real purchases; four weeks are appended."""
    from thence.events import complete_journey, ingest

    with tempfile.TemporaryDirectory(prefix="thence-bench-") as folder:
        purchases, items = complete_journey()
        ingest(purchases, f"{folder}/log", items=items)
        log = EventLog.load(f"{folder}/log")
        held = EventLog.from_tables(
            log.events.to_pyarrow(), None if log.items is None else log.items.to_pyarrow()
        )
    return held, GraphConfig(min_count=150 if quick else 40), 4


def measure(
    log: EventLog, settings: GraphConfig, weeks: int, config: DualConfig, seed: int
) -> dict[str, float]:
    """All ways on one log. The appended weeks end where the foretold period, of the same length, begins."""
    end = log.span()[1] + 1
    test_from, old_until = end - weeks * WEEK, end - 2 * weeks * WEEK
    valid_from = old_until - weeks * WEEK
    old_log, new_log = log.before(old_until), log.before(test_from)
    train = TrainConfig(seed=seed)
    first = build_graph(log.before(valid_from), settings)
    chosen = some_sources(
        first_purchase_cases(log.before(valid_from), log.since(valid_from).before(old_until), first.ids),
        seed=seed,
    )
    steps = int(
        fit(
            first,
            train,
            encoder=DualEncoder(first, config, seed=seed),
            validate=lambda scorer: hit_rate(scorer, chosen),
        ).info["best_step"]
    )
    old = build_graph(old_log, settings)
    encoder = DualEncoder(old, config, seed=seed)
    before = fit(old, train, encoder=encoder, stop_at=steps)
    graph, graph_seconds = timed(lambda: build_graph(new_log, settings))
    cases = some_sources(first_purchase_cases(new_log, log.since(test_from), graph.ids), 4_000, seed=seed)
    found = {"steps": float(steps), "graph.cpu_seconds": graph_seconds}
    found |= {"nodes": float(graph.num_nodes), "nodes.new": float((~known(graph, old)).sum())}

    def tell(way: str, model: Embeddings, seconds: float) -> None:
        new = ~known(graph, old)
        fresh = new[cases.source] | new[cases.target]
        found[f"{way}.HR@10"] = hit_rate(model, cases)
        if fresh.any():
            found[f"{way}.HR@10.new"] = hit_rate(model, cases.select(fresh))
        found[f"{way}.cpu_seconds"] = seconds

    tell("stale", among(before, graph), 0.0)
    with tempfile.TemporaryDirectory(prefix="thence-bench-") as folder:
        keep_encoder(f"{folder}/encoder", encoder, old, asdict(config))
        for share in (0.0, *SHARES):
            model, seconds = timed(lambda s=share: go_on(f"{folder}/encoder", graph, config, train, s * steps))
            names = {0.0: "carried", SHARE: "warm"}
            tell(names.get(share, f"warm_{share:g}"), model, seconds)
    model, seconds = timed(
        lambda: fit(graph, train, encoder=DualEncoder(graph, config, seed=seed), stop_at=steps)
    )
    tell("retrain", model, seconds)
    for way in ("warm", "stale", "carried"):
        found[f"{way}.share_of_retrain"] = found[f"{way}.HR@10"] / found["retrain.HR@10"]
    found["warm.share_of_seconds"] = found["warm.cpu_seconds"] / found["retrain.cpu_seconds"]
    return found


def go_on(folder: str, graph: DiGraph, config: DualConfig, train: TrainConfig, steps: float) -> Embeddings:
    """The kept encoder on the new graph, some steps later."""
    model = DualEncoder(graph, config, seed=train.seed)
    warm_start(model, graph, kept_encoder(folder), asdict(config))
    if steps < 1:
        return scorer_of(model, graph)
    return fit(graph, replace(train, steps=round(steps)), encoder=model)


def known(graph: DiGraph, old: DiGraph) -> np.ndarray:
    return np.asarray(old.ids.encode(graph.ids.array, missing="mark")) >= 0


def among(model: Embeddings, graph: DiGraph) -> Embeddings:
    """The old model asked about today's products: it knows nothing of new ones and puts them last."""
    place = np.asarray(model.ids.encode(graph.ids.array, missing="mark"))
    there = place >= 0
    source, target = (np.where(there[:, None], rows[place], 0.0) for rows in (model.source, model.target))
    assert model.bias is not None
    bias = np.where(there, model.bias[place], -1e6)
    return Embeddings(graph.ids, source, target, bias)


def timed(work: Callable[[], object]) -> tuple:
    begun = time.process_time()
    return work(), time.process_time() - begun


if __name__ == "__main__":
    import json
    import sys
    from pathlib import Path

    import torch

    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    torch.set_num_threads(1)
    names = tuple(word for word in sys.argv[1:] if word in ("world", "demo")) or ("world", "demo")
    seeds = int(next((word.removeprefix("--seeds=") for word in sys.argv if word.startswith("--seeds=")), "1"))
    print(json.dumps(figures("--quick" in sys.argv, names, seeds), indent=1))
