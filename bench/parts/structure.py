"""Partitions, sparsifiers, orders: what is cut, what is lost, what it does to recommendations and to time."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from thence.base.ids import IdMap
from thence.graph import Arcs, DiGraph
from thence.graph.partition import partition
from thence.graph.sparsify import (
    fill_tail,
    inner_product,
    local_degree,
    loss_of,
    sample_resistance,
    structure,
    top_similar,
    top_weight,
    uniform,
)

FILES = {
    "GROCERY": "amazon_grocery_also_bought",
    "DIGINETICA": "diginetica_next_edges",
    "WIKIVOTES": "wikivotes",
    "PUBMED": "pubmed",
}
PARTS, COLUMNS, SHARES, REPEATS = 8, 64, (0.5, 0.25), 7
TOLD = ("kept_share", "quadratic_error", "scaled.quadratic_error", "cut_error", "low_error", "scaled.low_error")
DIRECTION = ("one_way_kept", "false_one_way", "new_components", "lost_out", "lost_into")


def figures(quick: bool) -> dict[str, float]:
    """All three; ``quick`` leaves out item-CF, a graph, and the costlier of two estimates on the world."""
    return partitions(quick) | sparsifiers(quick) | orders(quick)


def partitions(quick: bool) -> dict[str, float]:
    """Cut, balance and CPU seconds of every partitioner on real graphs, a world, and a planted graph."""
    graphs = {name: real(name).main for name in (list(FILES)[:3] if quick else FILES)}
    graphs |= {"WORLD": world().main, "PLANTED": planted(300_000, 3_000_000, 300)}
    found: dict[str, float] = {}
    for name, arcs in graphs.items():
        for method in ("metis", "ldg", "fennel", "hash", "range"):
            partition(arcs, 2, method="ldg")  # compiled before the clock starts
            begun = time.process_time()
            division = partition(arcs, PARTS, method=method)
            key = f"partition.{name}.{method}_{PARTS}"
            found[f"{key}.cpu_seconds"] = time.process_time() - begun
            found |= {f"{key}.edge_cut": division.edge_cut, f"{key}.balance": division.balance}
            found[f"{key}.arc_balance"] = division.arc_balance
            say(f"{key}: {division!r}")
    return found


def sparsifiers(quick: bool) -> dict[str, float]:
    """Loss, HitRate@10 and time to propagate of every sparsifier on a split real graph and a split world."""
    found: dict[str, float] = {}
    for name, graph in (("GROCERY", real("GROCERY")), ("WORLD", world())):
        found |= {f"sparsify.{name}.{key}": value for key, value in judged(graph, quick).items()}
    return found


def judged(graph: DiGraph, quick: bool) -> dict[str, float]:
    """Hide 20 % of the arcs, thin out those that are known, and ask for the hidden ones."""
    from thence.evaluate import arc_cases
    from thence.graph.split import split_arcs

    parts = split_arcs(graph.main, (0.8, 0.0, 0.2), seed=0)
    known = DiGraph(graph.ids, {"known": parts.train})
    cases = arc_cases(parts.test, parts.train)
    kept: dict[str, Arcs] = {"all": parts.train}
    for share in SHARES:
        for name, sparsify in methods(known, quick).items():
            kept[f"{name}_{round(100 * share)}"] = sparsify(share)
    kept["fill_tail"] = filled(known)
    found: dict[str, float] = {}
    for name, arcs in kept.items():
        loss = loss_of(parts.train, arcs)
        values = {key: loss[key] for key in (*TOLD, *DIRECTION)}
        values |= hit_rates(DiGraph(graph.ids, {"known": arcs}), cases, quick)
        values["propagate_saved"] = 1 - compared(parts.train, arcs, propagation)
        say(f"{name}: " + ", ".join(f"{key} {value:.3f}" for key, value in values.items()))
        found |= {f"{name}.{key}": value for key, value in values.items()}
    found["structure.share"] = float(structure(parts.train).mean())
    return found


def methods(known: DiGraph, quick: bool) -> dict[str, Callable[[float], Arcs]]:
    """Each sparsifier as a function of the share to keep."""
    from thence.encode.baseline.svd import svd

    arcs, vectors = known.main, svd(known, dim=64)
    similar = inner_product(vectors.source, vectors.target)
    made: dict[str, Callable[[float], Arcs]] = {
        "uniform": partial(uniform, arcs),
        "uniform_structure": partial(uniform, arcs, keep_structure=True),
        "top_weight": lambda share: top_weight(arcs, share=share),
        "top_weight_into": lambda share: top_weight(arcs, share=share, side="into"),
        "top_similar": lambda share: top_similar(arcs, similar, share=share),
        "local_degree": lambda share: local_degree(arcs, share=share),
        "resistance_degree": partial(sample_resistance, arcs),
    }
    if not quick or arcs.num_arcs < 100_000:
        made["resistance_projection"] = partial(sample_resistance, arcs, estimate="projection")
    return made


def filled(known: DiGraph) -> Arcs:
    """Nodes of fewer than 10 targets get those that their vectors suggest, at half the median weight."""
    from thence.encode.baseline.svd import svd

    arcs, vectors = known.main, svd(known, dim=64)
    short = np.flatnonzero(arcs.out_degree < 10)
    table = np.full((arcs.num_nodes, 20), -1)
    table[short] = np.argsort(-(vectors.source[short] @ vectors.target.T), axis=1)[:, :20]
    return fill_tail(arcs, table, 10, weight=np.full(table.shape, np.median(arcs.weight) / 2))


def hit_rates(graph: DiGraph, cases: Any, quick: bool) -> dict[str, float]:
    """Of personalised PageRank, and of item-CF, which takes longer, on some cases where there is time."""
    from thence.encode.baseline.item_cf import item_cf
    from thence.encode.baseline.page_rank import page_rank
    from thence.evaluate import hit_rate

    found = {"hit_rate@10": hit_rate(page_rank(graph, alpha=0.5, power=0.3), cases, 10)}
    if not quick:
        found["item_cf.hit_rate@10"] = hit_rate(item_cf(graph), cases.sample(1_000, seed=0), 10)
    return found


def orders(quick: bool) -> dict[str, float]:
    """What an order of nodes does to propagation and to gathering, on a planted graph with shuffled ids."""
    from thence.graph.reorder import reorder

    arcs = planted(300_000, 3_000_000, 300)
    found: dict[str, float] = {}
    for by in ("degree", "community", "rcm", "bfs"):
        begun = time.process_time()
        new = reorder(arcs, by).graph
        found[f"reorder.{by}.cpu_seconds"] = time.process_time() - begun
        for name, work in (("propagate", propagation), ("gather", gathering)):
            found[f"reorder.{by}.{name}_speedup"] = 1 / compared(arcs, new, work)
            say(f"reorder.{by}.{name}: {found[f'reorder.{by}.{name}_speedup']:.2f}")
    return found


def propagation(arcs: Arcs) -> Callable[[], object]:
    """The product of the adjacency with 64 columns, one thread."""
    import torch

    from thence.encode.propagate import SparseMatrix

    torch.set_num_threads(1)
    matrix, dense = SparseMatrix(arcs.matrix()), torch.ones(arcs.num_nodes, COLUMNS)
    return lambda: matrix(dense)


def gathering(arcs: Arcs) -> Callable[[], object]:
    """The rows of all targets, source by source, 4,096 sources at a time."""
    dense = np.ones((arcs.num_nodes, COLUMNS), np.float32)
    bounds = [*arcs.indptr[::4_096].tolist(), arcs.num_arcs]
    widest = max(b - a for a, b in pairwise(bounds))
    into = np.empty((widest, COLUMNS), np.float32)

    def run() -> None:
        for a, b in pairwise(bounds):
            np.take(dense, arcs.targets[a:b], axis=0, out=into[: b - a], mode="clip")

    return run


def compared(before: Arcs, after: Arcs, work: Callable[[Arcs], Callable[[], object]]) -> float:
    """CPU seconds on ``after`` over those on ``before``: medians of ratios of interleaved repeats."""
    one, two = work(before), work(after)
    calls = 1
    while timed(one, calls) < 0.02:
        calls *= 2
    two()
    return float(np.median([timed(two, calls) / timed(one, calls) for _ in range(REPEATS)]))


def timed(call: Callable[[], object], times: int = 1) -> float:
    """CPU seconds of some calls."""
    begun = time.process_time()
    for _ in range(times):
        call()
    return time.process_time() - begun


def real(name: str) -> DiGraph:
    """One of the data sets in ``THENCE_DATA``."""
    from thence.events.datasets.arcs import read_arcs_tsv

    path = Path(os.environ.get("THENCE_DATA", "data")) / "directed" / f"{FILES[name]}.tsv.gz"
    sources, targets, counts = read_arcs_tsv(path)
    ids = IdMap(sorted({*sources.to_pylist(), *targets.to_pylist()}))
    source, target = ids.encode(sources), ids.encode(targets)
    other = source != target  # three citations of papers by themselves
    arcs = Arcs.from_pairs(source[other], target[other], num_nodes=len(ids), weight=counts[other])
    return DiGraph(ids, {"arcs": arcs})


def world() -> DiGraph:
    """Bought-after in a simulated shop of 2,000 products: weights are customers."""
    from thence.events.worlds import WorldConfig, simulate
    from thence.graph.build import GraphConfig, build_graph

    made = simulate(WorldConfig(items=2_000, customers=20_000), seed=0)
    return build_graph(made.log, GraphConfig(relations=("bought_after",), min_count=5))


def planted(nodes: int, arcs: int, groups: int) -> Arcs:
    """A power law with communities (four arcs in five stay inside), node ints shuffled."""
    random = np.random.default_rng(0)
    group = np.sort(random.integers(0, groups, nodes))
    first = np.searchsorted(group, np.arange(groups + 1))
    share = (np.arange(1, nodes + 1) ** -0.6)[random.permutation(nodes)]
    upto = np.concatenate([[0], np.cumsum(share)])
    source = random.choice(nodes, arcs, p=share / share.sum())
    inside = random.random(arcs) < 0.8
    low = np.where(inside, upto[first[group[source]]], 0)
    high = np.where(inside, upto[first[group[source] + 1]], upto[-1])
    target = np.searchsorted(upto, low + (high - low) * random.random(arcs), side="right") - 1
    target = np.minimum(target, nodes - 1)
    key = np.unique((source * nodes + target)[source != target])
    mixed = random.permutation(nodes)
    return Arcs.from_pairs(mixed[key // nodes], mixed[key % nodes], num_nodes=nodes)


def say(text: str) -> None:
    """Progress, on stderr."""
    print(text, file=sys.stderr, flush=True)


def main(argv: Iterable[str] | None = None) -> None:
    """Print the figures as JSON; ``--only`` runs one of the three."""
    parts = {"partitions": partitions, "sparsifiers": sparsifiers, "orders": orders}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", choices=parts)
    arguments = parser.parse_args(None if argv is None else list(argv))
    run = parts[arguments.only] if arguments.only else figures
    print(json.dumps({key: round(value, 6) for key, value in run(arguments.quick).items()}))


if __name__ == "__main__":
    main()
