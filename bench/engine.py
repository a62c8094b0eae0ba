"""The graph engine: sampling beside its peers, loading, building, appending, opening, PageRank, structure.

Peers that need an environment of their own are named by THENCE_PEERS="pyg=/path/to/python,dgl=/path/to/python":
one with PyG on torch-sparse, one with DGL 1.1.3 and setuptools below 70. Those that are not there are left out.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping

import numpy as np

from common import run, say
from parts import append, gather, graphs, peers, ppr, pyg, samplers, sampling, scale, spark, structure

Arguments = argparse.Namespace
Figures = Mapping[str, float]


def sides() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The graphs that samplers read, with offsets as the house keeps them."""
    return {name: (indptr.astype(np.int32), near) for name, (indptr, near) in graphs.sides().items()}


def sample(arguments: Arguments) -> Figures:
    """Two hops of ten, 1,024 seeds: ours beside PyG's, DGL's, torch's, NumPy's and SciPy's, one thread."""
    named = dict(pair.split("=", 1) for pair in os.environ.get("THENCE_PEERS", "").split(",") if pair)
    figures = {**sampling.speed(sides(), arguments.quick), **pyg.figures(arguments.quick)}
    figures |= peers.figures(arguments.quick, named)
    for graph in ("power_law", "random"):
        ours = figures[f"sample.{graph}.seeds_per_cpu_second"]
        ends = f".{graph}.seeds_per_cpu_second"
        rates = {
            name.removeprefix("sample.peer.").removesuffix(ends): rate
            for name, rate in figures.items()
            if name.startswith("sample.peer.") and name.endswith(ends)
        }
        for name, rate in rates.items():
            figures[f"sample.{graph}.speedup_over_{name}"] = ours / rate
        best = max(rates, key=rates.__getitem__)
        say(f"sample: {graph}: the best peer is {best}")
        figures[f"sample.{graph}.speedup_over_best_peer"] = ours / rates[best]
    both = [figures[f"sample.{graph}.speedup_over_best_peer"] for graph in ("power_law", "random")]
    return figures | {"sample.speedup_over_best_peer": min(both)}


def kinds(arguments: Arguments) -> Figures:
    """Every kind of sampler, LABOR's savings, drawing by weight."""
    return samplers.figures(arguments.quick)


def load(arguments: Arguments) -> Figures:
    """Whether training waits for its batches."""
    return sampling.loader(sides()["power_law"], arguments.quick)


def plan(arguments: Arguments) -> Figures:
    """Whole-graph products beside peers', and whether the plan takes the cheaper way."""
    return {**sampling.aggregation(sides()["random"]), **sampling.plan_is_right(sides(), arguments.quick)}


def rows(arguments: Arguments) -> Figures:
    """Gathering features, and the bounded cache over a mapped file."""
    return gather.figures(arguments.quick)


def compiling(arguments: Arguments) -> Figures:
    """Importing, the first call, and what a cold demo compiles."""
    return sampling.compiling(arguments.quick)


PARTS = {
    "sample": sample,
    "samplers": kinds,
    "loader": load,
    "plan": plan,
    "rows": rows,
    "ppr": lambda arguments: ppr.figures(arguments.quick),
    "structure": lambda arguments: structure.figures(arguments.quick),
    "spark": lambda arguments: spark.figures(),
    "append": lambda arguments: append.figures(arguments.quick),
    "ingest": lambda arguments: scale.ingest(arguments.quick),
    "build": lambda arguments: scale.build(arguments.quick),
    "open": lambda arguments: scale.opening(arguments.quick),
    "compile": compiling,
}

if __name__ == "__main__":
    run("engine", PARTS, doc=__doc__ or "")
