"""The house: the demo from a bare clone, the simulated world, ingestion, and the command line's start."""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from common import ROOT, over_seeds, run, say
from thence.encode import Embeddings, Scorer
from thence.graph import Arcs, DiGraph

TOLD = re.compile(
    r"\.((HR|MRR|NDCG)@(5|10|20)|HR@10\.(low_degree|high_degree|one_way|cold)|coverage|popularity_bias"
    r"|(existence|direction)_auc(_paired|_matched)?)$"
)
THENCE = Path(sys.executable).parent / "thence"


@contextmanager
def bare_clone() -> Iterator[tuple[Path, dict[str, str]]]:
    """A clone of the committed tree with a HOME of its own and nothing of ours in its environment."""
    with tempfile.TemporaryDirectory(prefix="thence-bench-") as folder:
        clone, home = Path(folder) / "thence", Path(folder) / "home"
        home.mkdir()
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        kept = {k: v for k, v in os.environ.items() if k.startswith(("PIP_", "SSL_")) or k in ("PATH", "LANG")}
        yield clone, kept | {"HOME": str(home), "PIP_NO_CACHE_DIR": "1", "THENCE_DEMO_EXIT": "1"}


def demo(arguments: argparse.Namespace) -> Mapping[str, float]:
    """``make demo`` from a bare clone: time to the table, peak memory, and every method's figures."""
    with bare_clone() as (clone, environment):
        begun = time.perf_counter()
        subprocess.run(["make", "demo"], cwd=clone, env=environment, check=True, stdout=2)
        seconds = time.perf_counter() - begun
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
        runs = [demo_figures(clone / "runs/demo")]
        for seed in range(1, arguments.seeds):
            say(f"demo: seed {seed}")
            shutil.rmtree(clone / "runs/seed", ignore_errors=True)
            shutil.copytree(clone / "runs/demo/log", clone / "runs/seed/log")
            settings = ["--set", f"train.seed={seed}"]
            for verb in ("train", "evaluate"):
                command = [clone / ".venv/bin/thence", verb, "runs/seed", "--config", "runs/demo/settings.yaml"]
                subprocess.run([*command, *settings], cwd=clone, env=environment, check=True, stdout=2)
            runs.append(demo_figures(clone / "runs/seed"))
    return {"demo.seconds_clone_to_table": seconds, "demo.peak_gib": peak} | over_seeds(runs)


def demo_figures(folder: Path) -> dict[str, float]:
    """The figures of a run's report under the names of the bench."""
    figures = json.loads((folder / "bundle/report.json").read_text())
    return {f"demo.temporal.{key}": value for key, value in figures.items() if told(key, value)}


def told(key: str, value: object) -> bool:
    """Whether a report's figure is one of the bench's: not empty, and no fine slice."""
    return isinstance(value, int | float) and value == value and TOLD.search(key) is not None


def world(arguments: argparse.Namespace) -> Mapping[str, float]:
    """The papers' protocol on simulated worlds: on the true arcs, and on arcs that the log alone bears out."""
    return over_seeds([world_figures(seed, 40_000) for seed in range(arguments.seeds)])


def world_figures(seed: int, customers: int) -> dict[str, float]:
    """One world. ``papers``: 75/5/20 of its true arcs; ``log``: the same of the arcs found in its log."""
    from thence.events.worlds import WorldConfig, simulate
    from thence.graph.build import GraphConfig, build_graph

    made = simulate(WorldConfig(items=2_000, customers=customers), seed=seed)
    say(f"world: {made.events.num_rows:,} events")
    graph = build_graph(made.log, GraphConfig(relations=("bought_after",), min_count=5, min_support=1))
    nodes = graph.nodes.drop(["role"])  # it says what the model is to find out
    arcs = made.truth.arcs
    true = DiGraph(
        made.truth.ids,
        {"true": Arcs.from_pairs(*arcs, num_nodes=len(made.truth.ids), weight=made.truth.probability)},
        made.items.drop(["role"]),
    )
    values = graph.main.values
    clear = (values["support"] >= 5) & (values["lift"] >= 3) & (values["asymmetry"] >= 3)
    found = DiGraph(graph.ids, {"bought_after": graph.main.select(clear)}, nodes)
    return judged("world.papers", true, seed) | judged("world.log", found, seed)


def judged(name: str, graph: DiGraph, seed: int) -> dict[str, float]:
    """Hide a quarter of a graph's arcs: 5 % to choose settings on, 20 % to judge on."""
    from thence.encode.baseline import baselines, choose
    from thence.evaluate import arc_cases, direction_cases, evaluate, hit_rate, judge_direction
    from thence.graph.split import split_arcs

    whole = graph.main
    parts = split_arcs(whole, seed=seed)
    known = DiGraph(graph.ids, {"known": parts.train}, graph.nodes)
    valid = arc_cases(parts.valid, parts.train, whole)

    def value(scorer: Scorer) -> float:
        return hit_rate(scorer, valid)

    order = direction_cases(parts.valid, parts.train, whole, seed=seed)

    def both(scorer: Scorer) -> float:
        return hit_rate(scorer, valid) * judge_direction(scorer, order).direction_auc

    ours = best_fit(known, both, seed)
    plain = baselines(known, settings=choose(known, value))
    seen = direction_cases(parts.test, parts.train, whole, seed=seed)
    cases = arc_cases(parts.test, parts.train, whole)
    report = evaluate({"ours": ours, **plain}, cases, direction=seen, baselines=list(plain), seed=seed)
    return {f"{name}.{key}": value for key, value in report.flat().items() if told(key, value)}


def best_fit(graph: DiGraph, value: Callable[[Scorer], float], seed: int) -> Embeddings:
    """The best on validation of encoders with and without propagation and free vectors."""
    from thence.encode.dual import DualConfig, DualEncoder
    from thence.train import TrainConfig, fit

    config = TrainConfig(
        batch_size=256, weight_power=1.0, weight_decay=3.0, reverse_weight=3.0, patience=4, seed=seed
    )
    tried = []
    for layers, free in ((0, False), (0, True), (1, False)):
        settings = DualConfig(layers=layers, free_vectors=free)
        tried.append(fit(graph, config, encoder=DualEncoder(graph, settings, seed=seed), validate=value))
        say(f"world: {settings}: {value(tried[-1]):.4f}")
    return max(tried, key=value)


def ingest(arguments: argparse.Namespace) -> Mapping[str, float]:
    """Events read from Parquet into a log, a second."""
    import pyarrow.parquet as pq

    from thence.events import ingest as read
    from thence.events.worlds import WorldConfig, simulate

    size = 1_000_000 if arguments.quick else 10_000_000
    with tempfile.TemporaryDirectory(prefix="thence-bench-") as folder:
        table = simulate(WorldConfig.of_size(size)).events
        pq.write_table(table, f"{folder}/events.parquet")
        rates = []
        for turn in range(3):
            begun = time.perf_counter()
            report = read(f"{folder}/events.parquet", f"{folder}/log{turn}")
            rates.append(report.read / (time.perf_counter() - begun))
            say(f"ingest: {rates[-1]:,.0f} events/s, {report!r}")
    return {"ingest.events_per_second": statistics.median(rates)}


def cli(arguments: argparse.Namespace) -> Mapping[str, float]:
    """Seconds until ``thence --help`` has answered: the median of nine runs, after one."""
    times = []
    for _ in range(10):
        begun = time.perf_counter()
        subprocess.run(
            [Path(sys.executable).parent / "thence", "--help"], check=True, stdout=subprocess.DEVNULL
        )
        times.append(time.perf_counter() - begun)
    return {"cli.help_seconds": statistics.median(times[1:])}


if __name__ == "__main__":
    run("house", {"demo": demo, "world": world, "ingest": ingest, "cli": cli}, doc=__doc__ or "")
