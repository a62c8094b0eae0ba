"""Append against rebuild: the same batch of new events on logs of several sizes.

Each step runs in a process of its own, so that its CPU seconds and its peak memory are its own. The batch is
what comes last in time, so a day's events of a shop that grew; and for one log once more a batch taken
at random from the whole time, in which nearly every event is late.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet

HERE = Path(__file__).resolve()
BATCH = 10_000
QUICK, FULL = (300_000, 1_000_000), (300_000, 1_000_000, 3_000_000, 10_000_000)


def figures(quick: bool) -> dict[str, float]:
    """CPU seconds of append and rebuild by size of the log, their ratio, and whether the graphs are equal."""
    found: dict[str, float] = {"append.batch.events": BATCH}
    equal = []
    sizes = QUICK if quick else FULL
    for size in sizes:
        for kind in ("last", "late") if size == sizes[-2] else ("last",):
            one = measure(size, kind)
            equal.append(one.pop("equal"))
            name = f"append.{kind}.{_short(size)}"
            found |= {f"{name}.{key}": value for key, value in one.items()}
    found["append.equal"] = float(all(equal))
    return found


def measure(size: int, kind: str) -> dict[str, float]:
    """One log of about ``size`` purchases and one batch."""
    with tempfile.TemporaryDirectory(prefix="thence-bench-") as folder:
        made = _alone("prepare", folder, str(size), kind)
        start = _alone("start", folder)
        _alone("ingest", folder)
        append, rebuild = _alone("append", folder), _alone("rebuild", folder)
        steps = {f"{step}.cpu_seconds": seconds for step, seconds in append["seconds"].items()}
        compared = _alone("compare", folder)
        return {
            "equal": compared["equal"],
            "share_of_unchanged_files": compared["stays"],
            "purchases": made["purchases"],
            "arcs": rebuild["arcs"],
            "touched_customers": append["users"],
            "looked_up_customers": append["looked_up"],
            "changed_pairs": append["pairs"],
            "start.cpu_seconds": start["cpu"],
            "start.peak_gib": start["gib"],
            "cpu_seconds": append["work"],
            "peak_gib": append["gib"],
            "load.cpu_seconds": append["cpu"] - append["work"],
            "rebuild.cpu_seconds": rebuild["work"],
            "rebuild.peak_gib": rebuild["gib"],
            "rebuild_over_append": rebuild["work"] / append["work"],
            "rebuild_over_count": rebuild["work"] / (append["seconds"]["read"] + append["seconds"]["count"]),
            **steps,
        }


def prepare(folder: str, size: str, kind: str) -> dict[str, Any]:
    """A world's log without its batch, ingested; the batch beside it."""
    from thence.base.rng import generator
    from thence.events import ingest
    from thence.events.worlds import WorldConfig, simulate

    customers = max(1, int(size) // 14)
    items = max(200, int(size) // 50)
    made = simulate(WorldConfig(items=items, customers=customers, conversion_rate=0.6, views_per_customer=12.0))
    wanted = made.events.filter(pa.compute.is_in(made.events["event"], value_set=pa.array(["purchase"])))
    rows = wanted.num_rows
    batch = np.zeros(rows, bool)
    if kind == "last":
        batch[-BATCH:] = True
    else:
        batch[generator(0, "append", "late").choice(rows, BATCH, replace=False)] = True
    ingest(wanted.filter(pa.array(~batch)), f"{folder}/log", items=made.items)
    pa.parquet.write_table(wanted.filter(pa.array(batch)), f"{folder}/batch.parquet")
    return {"purchases": rows}


def start(folder: str) -> dict[str, Any]:
    """The state of the log as it was."""
    from thence.events import EventLog
    from thence.graph.append import start as begin

    begin(EventLog.load(f"{folder}/log", verify=False), f"{folder}/state").save(f"{folder}/before")
    return {}


def ingest(folder: str) -> dict[str, Any]:
    """The batch goes into the log."""
    from thence.events import ingest as read

    read(f"{folder}/batch.parquet", f"{folder}/log")
    return {}


def append(folder: str) -> dict[str, Any]:
    """The next snapshot by append."""
    from thence.events.rowhash import row_hashes
    from thence.graph.append import append as go_on

    row_hashes(pa.table({"user_id": ["u"], "timestamp": [1]}), {"timestamp": pa.int64()})
    begun = time.process_time()
    report = go_on(f"{folder}/state", f"{folder}/log", f"{folder}/appended")
    pairs = sum(report.pairs.values())
    return {
        "users": report.users,
        "looked_up": report.looked_up,
        "pairs": pairs,
        "seconds": dict(report.seconds),
        "work": time.process_time() - begun,
    }


def rebuild(folder: str) -> dict[str, Any]:
    """The next snapshot from the whole log."""
    from thence.events import EventLog
    from thence.graph.build import build_graph

    log = EventLog.load(f"{folder}/log", verify=False)
    log.count()
    begun = time.process_time()
    graph = build_graph(log)
    graph.save(f"{folder}/rebuilt")
    return {
        "work": time.process_time() - begun,
        "arcs": sum(arcs.num_arcs for arcs in graph.relations.values()),
    }


def compare(folder: str) -> dict[str, Any]:
    """Whether both graphs are the same files, byte by byte."""
    from thence.base.artifact import open_artifact

    one, other = (open_artifact(f"{folder}/{name}", "digraph") for name in ("appended", "rebuilt"))
    same = dict(one.files) == dict(other.files) and one.config == other.config
    before = {entry["sha256"] for entry in open_artifact(f"{folder}/before", "digraph").files.values()}
    sizes = [(entry["bytes"], entry["sha256"] in before) for entry in one.files.values()]
    stays = sum(size for size, known in sizes if known) / sum(size for size, _ in sizes)
    return {"equal": float(same and one.fingerprint == other.fingerprint), "stays": stays}


STEPS = {step.__name__: step for step in (prepare, start, ingest, append, rebuild, compare)}


def _alone(step: str, *arguments: str) -> dict[str, Any]:
    """One step in a process of its own."""
    run = subprocess.run(
        [sys.executable, str(HERE), step, *arguments], stdout=subprocess.PIPE, check=True, text=True
    )
    found = json.loads(run.stdout.splitlines()[-1])
    print(f"append: {step} {arguments[1:]} {found}", file=sys.stderr, flush=True)
    return found


def _short(size: int) -> str:
    return f"{size / 1e6:g}M".replace("0.", "0p")


def _main() -> None:
    if sys.argv[1:] in ([], ["--quick"]):
        print(json.dumps(figures(bool(sys.argv[1:])), indent=1))
        return
    begun = time.process_time()
    found = STEPS[sys.argv[1]](*sys.argv[2:])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps(found | {"cpu": time.process_time() - begun, "gib": peak}))


if __name__ == "__main__":
    _main()
