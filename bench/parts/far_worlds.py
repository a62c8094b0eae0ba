"""The parts of the long-range bench with known answers."""

from __future__ import annotations

import resource
from argparse import Namespace
from collections.abc import Callable, Iterable

import numpy as np

from common import say
from parts.far_methods import METHODS, QUICK, Method, matched, placed
from parts.far_train import Budget, Fitted, Trial, spread
from thence.encode.attention.channel import gates_of
from thence.graph.labelled import LabelledGraph
from thence.graph.worlds import hops, islands, rings, trees
from thence.graph.worlds.islands import BUCKETS

Figures = dict[str, float]
WORLD_SEED = 1
RATES = (0.003, 0.01)


def directed_world(arguments: Namespace) -> Figures:
    """Islands: accuracy by distance, and of cold ones."""
    graphs, rounds = ((300, 50, 100), 6) if arguments.quick else ((400, 50, 150), 8)
    world = islands(WORLD_SEED, cold=3, graphs=graphs)
    rows = world.graph.splits["test"]
    cold, distance = world.cold[rows], world.distance[rows]
    buckets = {f"at_{low}_{high}": ~cold & (distance >= low) & (distance <= high) for low, high in BUCKETS}
    buckets["cold"] = cold

    def figures(trial: Trial, runs: list[Fitted]) -> Figures:
        right = np.stack([1.0 - trial.error(run.scores["test"], "test") for run in runs])
        found = spread("accuracy", right.mean(axis=1).tolist())
        for name, mask in buckets.items():
            found |= spread(name, right[:, mask].mean(axis=1).tolist())
        return found

    return {
        "directed_world.chance.accuracy": 1 / 8,
        "directed_world.no_direction.accuracy": 0.5,
        "directed_world.bayes.accuracy": 1.0,
        **compared("directed_world", world.graph, Budget(rounds, 4), arguments, figures),
    }


def ring(arguments: Namespace) -> Figures:
    """Ring transfer on rings of 10, 20 and 40 nodes, and the mean over them."""
    figures: Figures = {}
    lengths = (10, 20) if arguments.quick else (10, 20, 40)
    graphs = (200, 100, 200) if arguments.quick else (400, 100, 400)
    for length in lengths:
        world = rings(WORLD_SEED, length=length, graphs=graphs)
        figures |= compared(f"ring.n{length}", world, Budget(rounds=12, batch=20), arguments)
    return figures | {"ring.chance.accuracy": 0.2} | _means(figures, "ring", [f"n{n}" for n in lengths])


def tree(arguments: Namespace) -> Figures:
    """Tree neighbours-match by depth."""
    figures: Figures = {}
    for depth in arguments.depths or range(2, 5 if arguments.quick else 8):
        graphs = (400, 100, 200) if arguments.quick else (max(60_000 // 2 ** (depth + 1), 4_000), 100, 400)
        world = trees(WORLD_SEED, depth=depth, graphs=graphs)
        figures |= compared(f"tree.depth{depth}", world, Budget(rounds=10, batch=20), arguments)
        figures[f"tree.depth{depth}.chance.accuracy"] = 0.5**depth
    return figures


def regression(arguments: Namespace) -> Figures:
    """Distances, eccentricities and diameters: mean absolute errors in hops."""
    figures: Figures = {}
    for task in ("sssp", "ecc", "diam"):
        graphs = (60, 24, 48) if arguments.quick else (240, 60, 120)
        world = hops(WORLD_SEED, task, graphs=graphs)
        train, test = (world.y[world.splits[name]] for name in ("train", "test"))
        figures[f"echo.{task}.mean_of_train.mae"] = float(np.abs(test - np.median(train)).mean())
        figures |= compared(f"echo.{task}", world, Budget(rounds=20, batch=6), arguments)
    return figures


Judge = Callable[[Trial, list[Fitted]], Figures]


def compared(
    name: str, graph: LabelledGraph, budget: Budget, arguments: Namespace, judge: Judge | None = None
) -> Figures:
    """All methods on one graph, tuned alike; figures ``NAME.METHOD.METRIC``."""
    figures: Figures = {}
    trials: dict[str, Trial] = {}
    for method in asked(arguments):
        how = METHODS[method]
        if how.positions not in trials:
            trials[how.positions] = Trial(placed(graph, how.positions), budget)
        trial = trials[how.positions]
        found, runs = _method(trial, how, graph.x.shape[1], arguments, judge)
        figures |= {f"{name}.{method}.{key}": value for key, value in found.items()}
        say(f"{name} {method}: " + ", ".join(f"{key} {value:.3g}" for key, value in found.items()))
        figures |= _ablated(f"{name}.{method}", trial, runs)
    figures[f"{name}.peak_gib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return figures


def asked(arguments: Namespace) -> Iterable[str]:
    """The methods to run."""
    return arguments.methods or (QUICK if arguments.quick else METHODS)


def _method(
    trial: Trial, how: Method, features: int, arguments: Namespace, judge: Judge | None
) -> tuple[Figures, list[Fitted]]:
    inputs = trial.graph.x.shape[1]
    make = matched(how, inputs, inputs - features)
    rates = arguments.rates or ((0.01,) if arguments.quick else RATES)
    runs, rate = trial.tuned(make, arguments.seeds, rates)
    if judge is not None:
        found = judge(trial, runs)
    else:
        metric, turn = ("accuracy", 1.0) if trial.classes else ("mae", 0.0)
        errors = [float(trial.error(run.scores["test"], "test").mean()) for run in runs]
        found = spread(metric, [abs(turn - error) for error in errors])
    found["cpu_minutes"] = float(np.mean([run.seconds for run in runs])) / 60
    found |= {"parameters": runs[0].parameters, "rate": rate}
    return found, runs


def _ablated(name: str, trial: Trial, runs: list[Fitted]) -> Figures:
    """What is left of a method's first run when its global channels are shut, and what they gave before."""
    net = runs[0].net
    channels = gates_of(net)
    if not channels:
        return {}
    share = float(np.mean([channel.share for channel in channels]))
    for channel in channels:
        channel.silent = True
    error = float(trial.error(trial.scores(net, "test"), "test").mean())
    key, value = ("accuracy", 1 - error) if trial.classes else ("mae", error)
    return {f"{name}.share": share, f"{name}_no_global.{key}": value}


def _means(figures: Figures, name: str, worlds: list[str]) -> Figures:
    methods = {key.split(".")[2] for key in figures if key.endswith(".accuracy")} - {"chance"}
    return {
        f"{name}.{method}.accuracy": float(np.mean([figures[f"{name}.{w}.{method}.accuracy"] for w in worlds]))
        for method in methods
    }
