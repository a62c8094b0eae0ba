"""Our own sampler's speed, whether loading hides behind training, and whether the plan chooses right."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from common import say

BATCH, FAN_OUT = 1024, [10, 10]


def speed(graphs: Mapping[str, Any], quick: bool) -> dict[str, float]:
    """Arcs and seeds per CPU second on one thread: whole samples, and drawing alone.

    Args:
        graphs: by name, ``(indptr, neighbors)`` of the side to look at.
        quick: fewer repeats.
    """
    from thence.graph.sample import FanOut, Side

    figures: dict[str, float] = {}
    for name, (indptr, neighbors) in graphs.items():
        side = Side(indptr, neighbors)
        batches = np.random.default_rng(0).integers(0, side.num_nodes, (100 if quick else 300, BATCH))
        sampler = FanOut(side, FAN_OUT)
        prefix = f"sample.{name}."
        whole = repeated(
            lambda s=sampler, b=batches: sum(s.sample(x, step=i).num_arcs for i, x in enumerate(b))
        )
        only = repeated(lambda s=side, b=batches: sum(draw_only(s, x) for x in b))
        seeds = [batches.size / seconds for _, seconds in whole]
        figures |= spread(f"{prefix}arcs_per_core_second", [arcs / seconds for arcs, seconds in whole])
        figures |= spread(f"{prefix}only.arcs_per_core_second", [arcs / seconds for arcs, seconds in only])
        figures |= spread(f"{prefix}seeds_per_cpu_second", seeds)
    for what in ("arcs_per_core_second", "only.arcs_per_core_second"):  # the figures that are promised
        figures |= {f"sample.{what}{end}": figures[f"sample.power_law.{what}{end}"] for end in ("", ".std")}
    return figures | two_threads(Side(*graphs["power_law"]))


def two_threads(side: Any) -> dict[str, float]:
    """How much sooner an epoch of loading ends with two threads than with one, by the clock."""
    from thence.graph.sample import FanOut, Loader

    seeds = np.random.default_rng(0).integers(0, side.num_nodes, 100 * BATCH)
    seconds: dict[int, list[float]] = {1: [], 2: []}
    for repeat in range(5):
        for threads, found in seconds.items():
            begun = time.perf_counter()
            for _ in Loader(FanOut(side, FAN_OUT), seeds, threads=threads).epoch(repeat):
                pass
            found.append(time.perf_counter() - begun)
    return {"sample.two_threads.speedup": statistics.median(seconds[1]) / statistics.median(seconds[2])}


def draw_only(side: Any, seeds: np.ndarray) -> int:
    """Two hops without telling nodes apart: the arcs drawn."""
    from thence.graph.sample.kernel.draw import draw_uniform, look_up, spans
    from thence.graph.sample.kernel.hash import key_of

    key, total = key_of(0), 0
    for most in FAN_OUT:
        begin, length, count = (np.empty(len(seeds), np.int64) for _ in range(3))
        entry, scale = np.empty(len(seeds) * most, np.int64), np.empty(len(seeds) * most, np.float32)
        spans(side.indptr, seeds, begin, length)
        num = draw_uniform(begin, length, seeds, key, most, (count, entry, scale))
        seeds = np.empty(num, np.int64)
        look_up(side.neighbors, entry[:num], seeds)
        total += num
    return total


def repeated(work: Callable[[], int], times: int = 5) -> list[tuple[int, float]]:
    """What some work returned and its CPU seconds, several times, after one time that does not count."""
    work()
    found = []
    for _ in range(times):
        begun = time.process_time()
        result = work()
        found.append((result, time.process_time() - begun))
    return found


def spread(name: str, values: list[float]) -> dict[str, float]:
    """The median and the standard deviation."""
    return {name: statistics.median(values), f"{name}.std": statistics.stdev(values)}


def loader(graph: tuple[np.ndarray, np.ndarray], quick: bool) -> dict[str, float]:
    """The share of an epoch in which training waits for batches: GraphSAGE, two layers, 64 columns."""
    import torch

    from thence.graph.rows import gather
    from thence.graph.sample import FanOut, Loader, Side

    side = Side(*graph)
    rng = np.random.default_rng(0)
    features = rng.normal(size=(side.num_nodes, 64)).astype(np.float32)
    seeds = rng.choice(side.num_nodes, BATCH * (30 if quick else 100), replace=False)
    labels = torch.from_numpy((features[:, 0] > 0).astype(np.int64))

    def prepare(sample: Any) -> tuple[Any, Any]:
        return sample, torch.from_numpy(gather(features, sample.nodes))

    figures: dict[str, float] = {}
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    shares, alone = [], []
    for repeat in range(3):
        torch.manual_seed(0)
        inner, outer = torch.nn.Linear(128, 128), torch.nn.Linear(256, 2)
        optimizer = torch.optim.Adam([*inner.parameters(), *outer.parameters()])
        batches = Loader(FanOut(side, FAN_OUT), seeds, prepare, batch_size=BATCH)
        first = last = 0.0
        for sample, x in batches.epoch(repeat):
            hidden = torch.relu(inner(_with_mean(sample, x, 2)))
            scores = outer(_with_mean(sample, hidden, 1))
            loss = torch.nn.functional.cross_entropy(
                scores, labels[torch.from_numpy(sample.nodes[: len(scores)])]
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            first, last = first or loss.item(), loss.item()
        if last >= first:
            say(f"loader: the loss did not fall ({first:.3f} to {last:.3f})")
        shares.append(batches.wait_share)
        alone.append(batches.lasted)
    torch.set_num_threads(before)
    figures |= spread("loader.wait_share", shares)
    figures["loader.seeds_per_second"] = len(seeds) / statistics.median(alone)
    return figures


def _with_mean(sample: Any, x: Any, hops: int) -> Any:
    """Each node's row beside the mean of what its drawn neighbours hold, for the nodes inside ``hops`` hops."""
    import torch

    rows, arcs = int(sample.node_ptr[hops]), int(sample.arc_ptr[hops])
    row, column = (torch.from_numpy(each[:arcs]) for each in (sample.row, sample.column))
    total = torch.zeros(rows, x.shape[1]).index_add_(0, row, x[column])
    count = torch.bincount(row, minlength=rows).clamp(min=1)
    return torch.cat([x[:rows], total / count[:, None]], dim=1)


def plan_is_right(graphs: Mapping[str, Any], quick: bool) -> dict[str, float]:
    """Means over two hops, 64 columns, whole and sampled, few and many seeds: how often the plan was right."""
    from thence.encode.hops import hop_means, plan
    from thence.graph.sample import Side

    right, regret, cases = 0, [], 0
    figures: dict[str, float] = {}
    for name, (indptr, neighbors) in graphs.items():
        side = Side(indptr, neighbors)
        x = np.random.default_rng(0).normal(size=(side.num_nodes, 64)).astype(np.float32)
        for share in (0.0005, 0.005, 0.02, 0.05, 0.2) if not quick else (0.0005, 0.2):
            seeds = np.random.default_rng(1).integers(0, side.num_nodes, max(int(share * side.num_nodes), 1))
            seconds = {}
            for how in ("whole", "sampled"):
                hop_means(side, x, seeds[:10], FAN_OUT, how=how)
                begun = time.process_time()
                hop_means(side, x, seeds, FAN_OUT, how=how)
                seconds[how] = time.process_time() - begun
            told = plan(side, len(seeds), FAN_OUT, 64)
            best = min(seconds, key=seconds.__getitem__)
            right, cases = right + (told.how == best), cases + 1
            regret.append(seconds[told.how] / seconds[best])
            say(
                f"plan {name} {share}: {told.how}, measured {seconds}, told {told.whole:.2f} {told.sampled:.2f}"
            )
            figures[f"plan.{name}.seeds_{share}.whole_over_sampled"] = seconds["whole"] / seconds["sampled"]
    return figures | {"plan.right_share": right / cases, "plan.worst_regret": max(regret)}


def aggregation(graph: tuple[np.ndarray, np.ndarray]) -> dict[str, float]:
    """The sparse product of a whole graph with 64 columns, one thread: ours against torch's and SciPy's."""
    import warnings

    import scipy.sparse as sp
    import torch

    from thence.graph.sample.aggregate import aggregate

    indptr, neighbors = graph
    nodes = len(indptr) - 1
    rng = np.random.default_rng(0)
    weight, x = rng.random(len(neighbors)).astype(np.float32), rng.random((nodes, 64)).astype(np.float32)
    matrix = sp.csr_matrix((weight, neighbors, indptr), shape=(nodes, nodes))
    warnings.filterwarnings("ignore", message="Sparse (CSR tensor|invariant checks)")
    parts = (torch.from_numpy(each) for each in (indptr.astype(np.int64), neighbors.astype(np.int64), weight))
    tensor, rows = torch.sparse_csr_tensor(*parts, size=(nodes, nodes)), torch.from_numpy(x)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    seconds = {
        name: statistics.median(s for _, s in repeated(work, 3))
        for name, work in {
            "ours": lambda: len(aggregate(indptr, neighbors, weight, x)),
            "torch": lambda: len(tensor @ rows),
            "scipy": lambda: (matrix @ x).shape[0],
        }.items()
    }
    torch.set_num_threads(before)
    figures = {f"aggregate.{name}.arcs_per_core_second": len(neighbors) / s for name, s in seconds.items()}
    return figures | {
        "aggregate.speedup_over_best_peer": min(seconds["torch"], seconds["scipy"]) / seconds["ours"]
    }


FIRST = """
import time
a = time.perf_counter()
from thence.graph import Arcs
from thence.graph.sample import FanOut
b = time.perf_counter()
arcs = Arcs.from_pairs([0, 0, 1], [1, 2, 2], num_nodes=3)
FanOut(arcs, [2, 2]).sample([0])
print(b - a, time.perf_counter() - b)
"""
DEMO = """
import sys
import numba.core.event as event
listener = event.TimingListener()
event.register("numba:compile", listener)
from thence.cli import main
try:
    main(["demo", "--into", sys.argv[1]])
except SystemExit as stopped:
    assert not stopped.code
print("compiled", listener.duration if listener.done else 0.0)
"""


def compiling(quick: bool) -> dict[str, float]:
    """Seconds of the import and until the first sample, with kernels to compile and with kernels kept; and what
    a demo whose kernels are all to be compiled spends on them."""
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="thence-bench-") as folder:
        environment = os.environ | {"NUMBA_CACHE_DIR": f"{folder}/kernels", "THENCE_DEMO_EXIT": "1"}
        for kind in ("cold", "warm"):
            out = subprocess.run(
                [sys.executable, "-c", FIRST], env=environment, capture_output=True, check=True
            )
            imported, called = map(float, out.stdout.split())
            figures[f"compile.sampler.{kind}.import_seconds"] = imported
            figures[f"compile.sampler.{kind}.first_call_seconds"] = called
        if not quick:
            environment["NUMBA_CACHE_DIR"] = f"{folder}/demo"
            command = [sys.executable, "-c", DEMO, f"{folder}/run"]
            out = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, text=True)
            figures["compile.demo.seconds"] = float(out.stdout.split()[-1])
    return figures
