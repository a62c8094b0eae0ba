"""Tuned defaults: tune on graphs of many kinds, store what was best, and check the choice on graphs left out.

    python bench/parts/defaults.py tune --method dual --trials 10    one study a graph, resumed where it stopped
    python bench/parts/defaults.py table --method dual               what was found, into train/defaults.json
    python bench/parts/defaults.py check --method dual --seeds 3     the figures, as JSON

Arcs are split 75/5/20 with both directions of a pair on the same side. Tuning sees the train arcs and is judged
by HR@10 on the validation arcs. The check takes for each graph the defaults chosen without it, beside what was
tuned on it and beside the method's own defaults, trains each on the train arcs (validation ends the training)
and judges the three on the test arcs: ``defaults.DATA.share_of_tuned``.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse
import json
import statistics
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from common import ROOT, say
from parts import related_data
from thence.cli.pipeline import some_sources
from thence.encode.scorer import Scorer
from thence.evaluate import arc_cases, hit_rate
from thence.evaluate.cases import Cases
from thence.graph import Arcs, DiGraph
from thence.graph.split import split_arcs
from thence.train.defaults import Tuned, choose_near, stored, traits
from thence.train.methods import fit_method
from thence.train.spaces import start_of
from thence.train.trials import Budget, Study
from thence.train.tune import tune

DATA = (
    "cora_ml",
    "citeseer",
    "world_small",
    "wikivotes",
    "world_large",
    "pubmed",
    "amazon_grocery",
    "diginetica",
)
TABLE = ROOT / "src/thence/train/defaults.json"
SPLIT = (0.75, 0.05, 0.20)
TESTED = 2_000


def load(name: str) -> DiGraph:
    """One of :data:`DATA`, whole."""
    if name.startswith("world_"):
        return world(500 if name == "world_small" else 4_000)
    if name != "diginetica":
        return related_data.load_graph(name)
    graph = related_data.read_arcs(related_data.folder() / "diginetica_next_edges.tsv.gz")
    return DiGraph(graph.ids, {"next": graph.main.select(graph.main.weight >= 2)})  # seen at least twice


def world(items: int) -> DiGraph:
    """The relation found in a simulated log, with the catalogue."""
    from thence.events.worlds import WorldConfig, simulate
    from thence.graph.build import GraphConfig, build_graph

    made = simulate(WorldConfig(items=items, customers=10 * items), seed=5)
    graph = build_graph(made.log, GraphConfig(relations=("bought_after",), min_count=5, min_support=2))
    return graph if graph.nodes is None else DiGraph(graph.ids, graph.relations, graph.nodes.drop(["role"]))


class Ground:
    """One graph, split: what is seen, and cases of the validation and of the test arcs."""

    def __init__(self, name: str, seed: int = 0) -> None:
        graph = load(name)
        parts = split_arcs(graph.main, SPLIT, seed, leak_free=True)
        main = next(iter(graph.relations))
        self.known = DiGraph(graph.ids, {**graph.relations, main: parts.train}, graph.nodes)
        self.valid = some_sources(arc_cases(parts.valid, parts.train), seed=seed)
        pairs = np.concatenate([parts.train.pairs, parts.valid.pairs], axis=1)
        both = Arcs.from_pairs(*pairs, num_nodes=graph.num_nodes)
        self.test = some_sources(arc_cases(parts.test, both), TESTED, seed=seed)

    def value(self, cases: Cases) -> Callable[[Scorer], float]:
        return lambda scorer: hit_rate(scorer, cases)


def tune_all(arguments: argparse.Namespace) -> None:
    """One study a graph; its trials are kept as they are made."""
    for name in arguments.data:
        ground = Ground(name)
        say(f"{name}: {ground.known!r}")
        study = tune(
            ground.known,
            [arguments.method],
            ground.value(ground.valid),
            budget=Budget(arguments.trials, arguments.seconds),
            train={"steps": arguments.steps} if arguments.steps else None,
            journal=arguments.work / f"{arguments.method}.{name}.jsonl",
            progress=lambda task, done, total, name=name: say(f"{name}: {done} of {total}"),
        )
        study.save(arguments.work / f"{arguments.method}.{name}")
        found = study.summary()[arguments.method]
        say(f"{name}: {json.dumps(found)}")


def table(arguments: argparse.Namespace) -> None:
    """What the studies found, in place of what the table says of the method."""
    whole = json.loads(TABLE.read_text(encoding="utf-8")) if TABLE.exists() else {"methods": {}}
    entries = []
    for name in DATA:
        folder = arguments.work / f"{arguments.method}.{name}"
        if not folder.exists():
            say(f"{name}: not tuned")
            continue
        study, ground = Study.load(folder), Ground(name)
        found = surely_better(study, arguments.method, len(ground.valid))
        figures = {key: round(value, 4) for key, value in traits(ground.known).items()}
        settings = {key: short(value) for key, value in found["settings"].items()}
        numbers = {key: round(found[key], 4) for key in ("value", "default_value")}
        entries.append(asdict(Tuned(name, figures, settings, **numbers, trials=found["trials"])))
    whole["methods"][arguments.method] = entries
    TABLE.write_text(json.dumps(whole, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def surely_better(study: Study, method: str, cases: int) -> dict:
    """The summary of a method; its own defaults again where the gain is within one standard error."""
    found = study.summary()[method]
    first = next(trial for trial in study.trials if trial.method == method)
    error = (found["value"] * (1 - found["value"]) / cases) ** 0.5
    if first.value is not None and found["value"] - first.value < error:
        found |= {"settings": dict(first.settings), "value": first.value, "steps": first.steps}
    return found


def short(value: object) -> object:
    return float(f"{value:.3g}") if isinstance(value, float) else value


def check(arguments: argparse.Namespace) -> dict[str, float]:
    """For each graph, the share that the defaults chosen without it reach of what was tuned on it."""
    known, found = stored(arguments.method), {}
    for own in known:
        if own.data not in arguments.data:
            continue
        others = [one for one in known if one.data != own.data]
        chosen = choose_near(own.traits, others)
        shared = {key: value for key, value in own.settings.items() if key == "train.steps"}
        ways = {
            "tuned": own.settings,
            "chosen": chosen.settings,
            "untuned": {**start_of(arguments.method), **shared},
        }
        reached: dict[str, list[float]] = {way: [] for way in ways}
        for seed in range(arguments.seeds):
            ground = Ground(own.data, seed)
            for way, settings in ways.items():
                scorer = fit_method(
                    arguments.method, ground.known, settings, validate=ground.value(ground.valid), seed=seed
                )
                reached[way].append(hit_rate(scorer, ground.test))
        mean = {way: statistics.fmean(values) for way, values in reached.items()}
        say(f"{own.data}: as {chosen.data} ({chosen.distance:.2f} away): {mean}")
        found |= {f"defaults.{own.data}.{way}.HR@10": value for way, value in mean.items()}
        found[f"defaults.{own.data}.share_of_tuned"] = mean["chosen"] / mean["tuned"]
        found[f"defaults.{own.data}.untuned_share_of_tuned"] = mean["untuned"] / mean["tuned"]
    for share in ("share_of_tuned", "untuned_share_of_tuned"):
        values = [value for key, value in found.items() if key.endswith(f".{share}")]
        found[f"defaults.mean.{share}"], found[f"defaults.least.{share}"] = (
            statistics.fmean(values),
            min(values),
        )
    return found


def figures(quick: bool, seeds: int = 1, method: str = "dual") -> dict[str, float]:
    """The check alone, on the small graphs where quick."""
    data = DATA[:3] if quick else DATA
    return check(argparse.Namespace(method=method, data=data, seeds=seeds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("tune", "table", "check"))
    parser.add_argument("--method", default="dual")
    parser.add_argument("--data", nargs="+", default=list(DATA), choices=DATA)
    parser.add_argument("--trials", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=None, help="CPU seconds of each graph")
    parser.add_argument("--steps", type=int, default=None)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--work", type=Path, default=ROOT / "runs/defaults", help="where studies are kept")
    arguments = parser.parse_args()
    if arguments.what == "tune":
        tune_all(arguments)
    elif arguments.what == "table":
        table(arguments)
    else:
        print(json.dumps(check(arguments), indent=1))


if __name__ == "__main__":
    import torch

    torch.set_num_threads(1)
    main()
