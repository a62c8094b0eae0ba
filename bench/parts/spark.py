"""The demo's graph on both engines: the same arcs, and what each takes to find them."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from thence.cli.demo import settings
from thence.events import EventLog, complete_journey, ingest
from thence.events.spark_session import heap_mib, quiet, spark_session, why_not
from thence.graph.build import GraphConfig, build_graph
from thence.graph.digraph import DiGraph

RUNS = 3
STORED = ("indptr", "targets", "in_indptr", "sources", "in_order")


def figures() -> dict[str, float]:
    """``build.demo.*``: seconds of the main relation on both engines; whether all relations are equal.

    CPU seconds are of all threads of this process, and of Spark's own process.
    """
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="thence-bench-") as folder:
        log = f"{folder}/log"
        tables = complete_journey()
        ingest(tables.events, log, items=tables.items)
        config = settings(Path(folder)).graph
        main = GraphConfig(relations=("bought_after",), min_count=config.min_count)
        found |= duckdb_seconds(EventLog.load(log), main)
        whole = GraphConfig(relations=("same_basket", "bought_after", "substitute"), min_count=config.min_count)
        ours = build_graph(EventLog.load(log), whole)
        say(f"on DuckDB: {ours!r}")
        found |= spark_figures(log, ours, whole, main)
    return found


def duckdb_seconds(log: EventLog, config: GraphConfig) -> dict[str, float]:
    """The median of three builds, after one that compiles what is compiled once."""
    cpu, wall = [], []
    for turn in range(RUNS + 1):
        begun, at = time.process_time(), time.perf_counter()
        build_graph(log, config)
        if turn:
            cpu.append(time.process_time() - begun)
            wall.append(time.perf_counter() - at)
        say(f"bought_after on DuckDB: {time.process_time() - begun:.2f} CPU s")
    return {
        "build.demo.cpu_seconds": statistics.median(cpu),
        "build.demo.wall_seconds": statistics.median(wall),
    }


def spark_figures(log: str, ours: DiGraph, whole: GraphConfig, main: GraphConfig) -> dict[str, float]:
    """The same log on a local Spark session; without one, only that is said."""
    if reason := why_not():
        say(f"Spark cannot run: {reason}")
        return {}
    with quiet():
        memory = max(2048, heap_mib(os.environ.get("THENCE_MEMORY", "2GiB")))
        session = spark_session({"spark.sql.shuffle.partitions": 8, "spark.driver.memory": f"{memory}m"})
        theirs_log = EventLog.load(log, engine=session)
        theirs = build_graph(theirs_log, whole)
        equal = identical(ours, theirs)
        say(f"on Spark: {theirs!r}; equal: {equal}")
        driver = session.sparkContext._gateway.proc.pid  # type: ignore[union-attr]
        begun, at = time.process_time() + cpu_of(driver), time.perf_counter()
        build_graph(theirs_log, main)
        cpu, wall = time.process_time() + cpu_of(driver) - begun, time.perf_counter() - at
        session.stop()
    return {
        "build.demo.arcs_equal_on_spark": float(equal),
        "build.demo.spark.cpu_seconds": cpu,
        "build.demo.spark.wall_seconds": wall,
    }


def identical(one: DiGraph, other: DiGraph) -> bool:
    """Whether two graphs have the same nodes, arcs and values, to the bit, and say the same of their origin."""
    if list(one.relations) != list(other.relations) or one.nodes != other.nodes or one.info != other.info:
        return False
    for name in one.relations:
        ours, theirs = one[name], other[name]
        if ours.values.keys() != theirs.values.keys():
            return False
        if not all(np.array_equal(getattr(ours, field), getattr(theirs, field)) for field in STORED):
            return False
        if any(ours.values[value].tobytes() != theirs.values[value].tobytes() for value in ours.values):
            return False
    return True


def cpu_of(pid: int) -> float:
    """CPU seconds that a process has taken so far; 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    print(figures())
