"""What one machine holds: ingesting and building from a large log, arcs out of core, and opening a large graph.

Each step runs in a process of its own, so that its CPU seconds and its peak memory are its own. The log is
simulated piece by piece (one catalogue, customers in blocks), because a world of this size would not fit into
memory at once. Files go to the folder for temporary files: 6 GB for the log, 12 GB for the largest graph.
"""

from __future__ import annotations

import atexit
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve()
GIB = 2**30
LOG = {True: (1_000_000, 100_000, 20_000), False: (50_000_000, 5_000_000, 1_000_000)}
"""Events, customers and items of the simulated log, quick or not."""
CUSTOMERS_AT_ONCE = 200_000
EVENTS_A_VIEW = 2.7
LARGEST = {True: 2_000_000, False: 100_000_000}
"""Arcs of the graph that is opened; it has one node for 20."""
BLOCK = 1 << 20


def ingest(quick: bool) -> dict[str, float]:
    """Events per second and per CPU second, and peak memory, of ingesting the log from Parquet."""
    found = _log(quick)[1]
    name = _short(LOG[quick][0])
    return {
        f"ingest.{name}.peak_gib": found["peak_gib"],
        f"ingest.{name}.cpu_seconds": found["cpu_seconds"],
        "ingest.events_per_second": found["events"] / found["seconds"],
        "ingest.events_per_cpu_second": found["events"] / found["cpu_seconds"],
    }


def build(quick: bool) -> dict[str, float]:
    """Building and saving the bought-after graph of that log; and arcs alone, from 10⁵ to 10⁸ random ones."""
    name = _short(LOG[quick][0])
    found = _child("build", str(_log(quick)[0]), str(_scratch() / "graph"))
    figures = {f"build.{name}.{key}": value for key, value in found.items()}
    most = 6 if quick else 8
    for power in range(5, most + 1):
        one = _child("arcs", str(10**power), "")
        figures |= {f"build.arcs_1e{power}.{key}": value for key, value in one.items()}
    return figures


def opening(quick: bool) -> dict[str, float]:
    """Opening a large graph: without and with verification, and how much of it two processes share."""
    arcs, folder = LARGEST[quick], _scratch() / "large"
    name = _short(arcs)
    made = _child("arcs", str(arcs), str(folder))
    fast = [_child("open", str(folder), "") for _ in range(5)]
    whole = _child("open", str(folder), "verify")
    return {
        f"open.{name}.ms": statistics.median(one["ms"] for one in fast),
        f"open.{name}.peak_gib": max(one["peak_gib"] for one in fast),
        f"open.{name}.verify.seconds": whole["ms"] / 1000,
        f"open.{name}.verify.cpu_seconds": whole["cpu_seconds"],
        f"open.{name}.verify.peak_gib": whole["peak_gib"],
        f"open.{name}.shared_share": _shared(folder),
        f"open.{name}.made.peak_gib": made["peak_gib"],
        f"open.{name}.disk_gib": sum(path.stat().st_size for path in folder.iterdir()) / GIB,
    }


@cache
def _scratch() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="thence-bench-scale-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def _log(quick: bool) -> tuple[Path, dict[str, float]]:
    """The folder of the ingested log, and what ingesting it cost."""
    raw, log = _scratch() / "raw", _scratch() / "log"
    _child("simulate", str(raw), *map(str, LOG[quick]))
    found = _child("ingest", str(raw), str(log))
    shutil.rmtree(raw)
    return log, found


def _shared(folder: Path) -> float:
    """The share of a graph's resident pages that two processes which read all of it have in common.

    Each process reads every array; then, while both live, its memory beyond that before opening is compared
    with how much of that it has to itself (unique set size).
    """
    command = [sys.executable, str(HERE), "hold", str(folder)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    holders = [subprocess.Popen(command, **pipes) for _ in range(2)]  # type: ignore[call-overload]
    for one in holders:
        one.stdout.readline()  # it has read everything
    found = [json.loads(one.communicate("\n")[0]) for one in holders]
    return statistics.fmean(one["shared_share"] for one in found)


def _short(count: int) -> str:
    return f"{count // 1_000_000}M"


def _child(step: str, *words: str) -> dict[str, float]:
    command = [sys.executable, str(HERE), step, *words]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


# What runs in processes of its own


def run_simulate(into: str, events: str, customers: str, items: str) -> dict[str, float]:
    """Write a log as Parquet files, one a block of customers, and the catalogue."""
    import pyarrow.parquet as pq

    folder, total = Path(into), 0
    (folder / "events").mkdir(parents=True)
    for number, table in enumerate(_pieces(int(events), int(customers), int(items), folder)):
        pq.write_table(table, folder / "events" / f"{number:03d}.parquet")
        total += table.num_rows
    return {"events": total}


def _pieces(events: int, customers: int, items: int, folder: Path) -> Iterator[Any]:
    from dataclasses import replace

    import pyarrow.parquet as pq

    from thence.base.arrow import pc
    from thence.events.worlds import WorldConfig, world

    views = events / customers / EVENTS_A_VIEW
    config = WorldConfig(items=items, customers=customers, views_per_customer=views)
    stage = world._set_up(config, 0)
    pq.write_table(stage.catalogue.table, folder / "items.parquet")
    for number, first in enumerate(range(0, customers, CUSTOMERS_AT_ONCE)):
        count = min(CUSTOMERS_AT_ONCE, customers - first)
        block = world._run_block(stage, number, first, count)
        block.exposures["customer"] -= first
        alone = replace(stage, config=replace(config, customers=count))
        table = world._join(alone, [block]).events
        users = pc.binary_join_element_wise(f"{number:03d}", table["user_id"], "")
        yield table.set_column(table.column_names.index("user_id"), "user_id", users)


def run_ingest(raw: str, log: str) -> dict[str, float]:
    """Ingest the events and the catalogue."""
    from thence.events import ingest as take

    with measured() as found:
        report = take(f"{raw}/events", log, items=f"{raw}/items.parquet")
        found["events"] = report.read
    if report.accepted != report.read:
        raise SystemExit(f"not every row was accepted: {report}")
    return found


def run_build(log: str, graph: str) -> dict[str, float]:
    """Build the bought-after graph and save it."""
    from thence.events import EventLog
    from thence.graph.build import GraphConfig, build_graph

    with measured() as found:
        events = EventLog.load(log, verify=False)
        made = build_graph(events, GraphConfig(relations=("bought_after",)))
        made.save(graph)
        found |= {"nodes": made.num_nodes, "arcs": made.main.num_arcs}
    return found


def run_arcs(count: str, into: str) -> dict[str, float]:
    """Make arcs from random pairs, as counted pairs become arcs; save them where a folder is given.

    The CPU seconds are those of the construction (and of saving); drawing the pairs is left out.
    """
    import pyarrow as pa

    from thence.base.ids import IdMap
    from thence.graph import Arcs, DiGraph
    from thence.graph.external import arcs_from_blocks
    from thence.graph.relation.pairs import ON_DISK_FROM

    num_arcs = int(count)
    num_nodes, drawn = num_arcs // 20, _Clock(random_pairs(num_arcs, num_arcs // 20))
    with measured() as found:
        if num_arcs < ON_DISK_FROM:
            blocks = list(drawn)
            whole = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
            ends = whole.pop("source"), whole.pop("target")
            arcs = Arcs.from_pairs(*ends, num_nodes=num_nodes, values=whole)
        else:
            arcs = arcs_from_blocks(drawn, num_nodes=num_nodes)
        if into:
            ids = IdMap(pa.array([f"p{node:09d}" for node in range(num_nodes)]))
            DiGraph(ids, {"bought_after": arcs}, pa.table({"item_id": ids.array})).save(into)
        found["arcs"] = arcs.num_arcs
    found["cpu_seconds"] -= drawn.seconds
    return found


def random_pairs(num_arcs: int, num_nodes: int) -> Iterator[dict[str, np.ndarray]]:
    """About ``num_arcs`` distinct pairs in no order, out- and in-degrees with a heavy tail; block by block.

    Block b of B has the sources b, b + B, b + 2B, … of a shuffled numbering, so blocks share no pair.
    """
    many = -(-num_arcs // BLOCK)
    for number in range(many):
        rng = np.random.default_rng((0, number))
        size = int(min(BLOCK, num_arcs) * 1.04)
        rows = (num_nodes - number + many - 1) // many
        rank = number + many * (rows * rng.random(size) ** 2).astype(np.int64)
        popular = (num_nodes * rng.random(size) ** 2).astype(np.int64)
        key = np.sort((rank * 7919 % num_nodes) * num_nodes + popular * 104_729 % num_nodes)
        key = key[np.concatenate([[True], key[1:] != key[:-1]])]
        key = key[key // num_nodes != key % num_nodes]
        rng.shuffle(key)
        support = rng.integers(1, 100, len(key)).astype(np.int32)
        yield {
            "source": (key // num_nodes).astype(np.int32),
            "target": (key % num_nodes).astype(np.int32),
            "weight": support.astype(np.float32),
            "support": support,
            "last_time": rng.integers(0, 10**15, len(key)),
        }


def run_open(folder: str, verify: str) -> dict[str, float]:
    """Open a graph; what it is imported from is imported before."""
    from thence.graph import DiGraph

    if verify:
        from thence.graph import check_kernel

        check_kernel.first_fault(DiGraph.load(folder, verify=False).main.select(np.arange(1000)))  # compiled
    with measured() as found:
        begun = time.perf_counter()
        graph = DiGraph.load(folder, verify=bool(verify))
        found["ms"] = (time.perf_counter() - begun) * 1000
    graph.ids.index(graph.ids.decode([graph.num_nodes - 1])[0])
    return found


def run_hold(folder: str) -> dict[str, float]:
    """Read all of a graph, wait until told, and say how much of what it takes is shared."""
    from thence.graph import DiGraph

    before = _memory()
    main = DiGraph.load(folder, verify=False).main
    for array in (
        main.indptr,
        main.targets,
        main.in_indptr,
        main.sources,
        main.in_order,
        *main.values.values(),
    ):
        int(array.view(np.uint8)[::1024].sum(dtype=np.int64))
    print("read", flush=True)
    time.sleep(1)
    after = _memory()
    sys.stdin.readline()
    own, all_ = (after[key] - before[key] for key in ("own", "all"))
    return {"shared_share": 1 - own / all_, "gib": all_ / GIB}


def _memory() -> dict[str, int]:
    """Bytes resident, and of these the bytes that no other process has (Linux)."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()[1:]
    kib = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return {"all": kib["Rss"] * 1024, "own": (kib["Private_Clean"] + kib["Private_Dirty"]) * 1024}


class _Clock:
    """An iterator that knows the CPU seconds that its items took."""

    def __init__(self, items: Iterator[Any]) -> None:
        self.seconds, self._items = 0.0, items

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        begun = time.process_time()
        try:
            return next(self._items)
        finally:
            self.seconds += time.process_time() - begun


class measured:  # noqa: N801
    """CPU seconds, wall seconds and the process's peak memory so far, written into a dictionary at the end."""

    def __enter__(self) -> dict[str, float]:
        self.found: dict[str, float] = {}
        self.cpu, self.wall = time.process_time(), time.perf_counter()
        return self.found

    def __exit__(self, *_: object) -> None:
        self.found["cpu_seconds"] = time.process_time() - self.cpu
        self.found["seconds"] = time.perf_counter() - self.wall
        self.found["peak_gib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / GIB


STEPS: dict[str, Callable[..., dict[str, float]]] = {
    "simulate": run_simulate,
    "ingest": run_ingest,
    "build": run_build,
    "arcs": run_arcs,
    "open": run_open,
    "hold": run_hold,
}

if __name__ == "__main__":
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if sys.argv[1:] and sys.argv[1] in STEPS:
        print(json.dumps(STEPS[sys.argv[1]](*sys.argv[2:])))
    else:
        quick = "--quick" in sys.argv
        print(json.dumps({k: v for part in (ingest, build, opening) for k, v in part(quick).items()}, indent=1))
