"""The protocols of ``bench/related.py``: each runs all methods on its data sets and names their figures."""

from __future__ import annotations

import importlib
import math
import time
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from common import emit, over_seeds, say
from parts.related_child import in_child
from parts.related_data import GRAPHS, load_graph, read_arcs
from parts.related_methods import (
    EMBEDDINGS,
    LEARNED,
    OURS,
    PEER,
    PLAIN,
    Budget,
    judged,
    kind_of,
    measured,
    methods,
    timely,
)
from parts.related_tasks import Task, of_arcs, of_bias, of_nodes
from thence.base.errors import ThenceError
from thence.graph import DiGraph

Figures = dict[str, float]
QUICK_DATA = ("amazon_grocery",)
QUICK_METHODS = (PLAIN, PEER, EMBEDDINGS)
NOT_BEST = ("seconds", "seconds_choosing", "peak_gib", "ms_per_query", "valid_HR@10")


def papers(arguments: Namespace) -> Figures:
    """75/5/20 of the arcs at random, all nodes ranked."""
    return _each(arguments, "papers", GRAPHS, partial(of_arcs, leak_free=False))


def leakfree(arguments: Namespace) -> Figures:
    """The same, both directions of a pair on one side."""
    return _each(arguments, "leakfree", GRAPHS, partial(of_arcs, leak_free=True))


def cold(arguments: Namespace) -> Figures:
    """75/5/20 of the nodes: what follows a product that has no arcs."""
    return _each(arguments, "cold", ("amazon_grocery", "cora_ml", "citeseer"), of_nodes)


def bias(arguments: Namespace) -> Figures:
    """Test arcs and what follows from them through co-views."""
    return _each(arguments, "bias", ("amazon_grocery",), of_bias)


def temporal(arguments: Namespace) -> Figures:
    """What was bought after a moment: the demo's year, a simulated world, and sessions."""
    from parts import related_temporal

    figures: Figures = {}
    tasks = {"demo": related_temporal.demo, "world": related_temporal.world}
    for name, make in tasks.items():
        if arguments.arcs or not wanted(name, arguments):
            continue
        begun = time.perf_counter()
        try:
            found = all_methods(f"{name}.temporal", arguments, partial(make, quick=arguments.quick))
        except ThenceError as error:
            say(f"{name}.temporal: FAILED, skipped: {error}")
            continue
        emit("related", arguments, begun, found)
        figures |= found
    if not arguments.arcs and wanted("diginetica", arguments):
        figures |= figures_of("sessions", arguments)
    return figures


def dirlinkbench(arguments: Namespace) -> Figures:
    """80/5/15 and Hits@100 on the published splits."""
    if arguments.arcs or not (wanted("cora_ml", arguments) or wanted("citeseer", arguments)):
        return {}
    if arguments.only == ["dirlinkbench"]:
        arguments.seeds = 10  # its own splits, whatever the seeds of the other protocols
    return figures_of("dirlink", arguments)


def wanted(name: str, arguments: Namespace) -> bool:
    """Whether a data set is asked for; all are in a full run, few in a quick one."""
    return name in (arguments.data or (QUICK_DATA if arguments.quick else (name,)))


PROTOCOLS: dict[str, Callable[[Namespace], Mapping[str, float]]] = {
    "papers": papers,
    "leakfree": leakfree,
    "temporal": temporal,
    "dirlinkbench": dirlinkbench,
    "cold": cold,
    "bias": bias,
}


def _each(arguments: Namespace, protocol: str, names: tuple[str, ...], make: Callable[..., Task]) -> Figures:
    """All methods on each graph's task, which ``make`` gives for a seed."""
    figures: Figures = {}
    for name, graph in _graphs(arguments, protocol, names):
        begun = time.perf_counter()
        say(f"{name}.{protocol}: {graph!r}")
        found = all_methods(f"{name}.{protocol}", arguments, partial(make, graph, quick=arguments.quick))
        emit("related", arguments, begun, found)
        figures |= found
    return figures


def _graphs(arguments: Namespace, protocol: str, names: tuple[str, ...]) -> Iterator[tuple[str, DiGraph]]:
    if arguments.arcs:
        if protocol in ("papers", "leakfree"):
            for path in map(Path, arguments.arcs):
                yield path.name.split(".")[0], read_arcs(path)
        return
    for name in names:
        if wanted(name, arguments):
            yield name, load_graph(name)


def all_methods(prefix: str, arguments: Namespace, make: Callable[[int], Task]) -> Figures:
    """Figures of all methods over the seeds, each method in a process of its own."""
    runs: dict[str, list[Figures]] = {}
    for seed in range(arguments.seeds):
        for name, found in one_seed(prefix, arguments, make(seed)).items():
            runs.setdefault(name, []).append(found)
    figures: Figures = {}
    for found in runs.values():
        figures |= over_seeds(found)
    return {f"{prefix}.{name}": value for name, value in (figures | best_of(figures)).items()}


def one_seed(prefix: str, arguments: Namespace, task: Task) -> dict[str, Figures]:
    """By method, its figures on one task; methods that fail are left out."""
    say(f"{prefix}: seed {task.seed}: {task.test!r}")
    budget = budget_of(arguments)
    work: dict[str, Callable[[], Figures]] = {
        name: partial(judged, name, scorer, task) for name, scorer in task.truth.items()
    }
    chosen = arguments.methods or (QUICK_METHODS if arguments.quick else None)
    for method in methods(task):
        few = method.kind == LEARNED and kind_of(method.name) == PEER
        if few and arguments.peer_seeds is not None and task.seed >= arguments.peer_seeds:
            continue
        if chosen is None or not {method.name, method.kind}.isdisjoint(chosen):
            work[method.name] = partial(measured, method, task, budget)
    if task.clocks is not None and (chosen is None or OURS in chosen):
        work[OURS] = partial(timely, task, task.clocks)
    done = {}
    for name, judge in work.items():
        found = in_child(name, judge, 3600 + 20 * budget.seconds)
        if found:
            done[name] = found
            for told in dict.fromkeys(key.split(".", 1)[0] for key in found):
                say(f"  {_line(told, found)}")
    return done


def budget_of(arguments: Namespace) -> Budget:
    """CPU seconds in which the settings of one method are chosen, for each seed anew."""
    if arguments.quick:
        return Budget(arguments.budget or 40.0, settings=4)
    return Budget(arguments.budget or 300.0)


def best_of(figures: Figures) -> Figures:
    """The best plain and the best published method, metric by metric, and ours as a multiple of the former."""
    found: Figures = {}
    for label, kind in (("best_baseline", PLAIN), ("best_published", PEER)):
        for key, value in figures.items():
            method, metric = key.split(".", 1)
            if kind_of(method) != kind or metric in NOT_BEST or metric.endswith(".std"):
                continue
            if value > found.get(f"{label}.{metric}", -math.inf):
                found[f"{label}.{metric}"] = value
                if f"{key}.std" in figures:
                    found[f"{label}.{metric}.std"] = figures[f"{key}.std"]
    for method in (OURS, EMBEDDINGS):
        for metric in ("HR@10", "MRR@10", "HR@10.low_degree"):
            mine, rival = figures.get(f"{method}.{metric}"), found.get(f"best_baseline.{metric}")
            if mine is not None and rival:
                found[f"{method}.{metric}.over_best_baseline"] = mine / rival
            highest = figures.get(f"ceiling.{metric}")
            if mine is not None and highest:
                found[f"{method}.{metric}.share_of_ceiling"] = mine / highest
                if metric == "HR@10":
                    found[f"{method}.share_of_ceiling"] = mine / highest
    return found


def figures_of(module: str, arguments: Namespace) -> Figures:
    """The figures of another part, where it is there; told on stderr where it is not or fails."""
    try:
        part = importlib.import_module(f"parts.{module}")
    except ImportError as error:
        say(f"{module}: left out: {error}")
        return {}
    begun = time.perf_counter()
    try:
        found = dict(part.figures(arguments))
    except Exception as error:
        say(f"{module}: FAILED, skipped: {type(error).__name__}: {error}")
        return {}
    emit("related", arguments, begun, found)
    return found


def _line(name: str, found: Figures) -> str:
    shown = ("HR@5", "HR@10", "HR@20", "MRR@10", "HR@10.low_degree", "HR@10.one_way", "existence_auc")
    shown += ("direction_auc", "direction_auc_matched", "seconds", "peak_gib")
    values = [f"{metric} {found[f'{name}.{metric}']:.4g}" for metric in shown if f"{name}.{metric}" in found]
    return f"{name}: " + ", ".join(values)
