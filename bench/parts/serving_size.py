"""How much a service of so many items needs: bytes on disk, memory, and seconds until it is ready.

Bundles are drawn: vectors of 64 numbers, ten arcs an item, titles, categories, prices. From events to the graph
is measured on drawn purchases, a hundred an item up to five millions. Each step is a process of its own, whose
CPU seconds and memory are read from /proc.
"""

from __future__ import annotations

import argparse
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from common import say
from thence.base.ids import IdMap
from thence.encode import Embeddings
from thence.graph import Arcs, DiGraph
from thence.serve import Bundle

SIZES = (10_000, 100_000, 1_000_000)
DIM, DEGREE, EVENTS = 64, 10, 5_000_000
TICKS = os.sysconf("SC_CLK_TCK")


def size(arguments: argparse.Namespace) -> Mapping[str, float]:
    """``size.ITEMS.{disk_mb,rss_mb,peak_mb,ready_seconds,ready_cpu_seconds}`` of every size, and more."""
    figures: dict[str, float] = {}
    for items in SIZES[:1] if arguments.quick else SIZES:
        with tempfile.TemporaryDirectory(prefix="thence-size-") as place:
            say(f"{items:,} items")
            figures |= {f"size.{items}.{name}": value for name, value in served(Path(place), items).items()}
            if items <= SIZES[1]:
                figures |= {f"size.{items}.{name}": value for name, value in built(Path(place), items).items()}
    return figures


def served(place: Path, items: int) -> dict[str, float]:
    """What a drawn bundle takes on disk, and a service over it until it is ready and after some questions."""
    drawn(items).save(place / "bundle")
    disk = sum(path.stat().st_size for path in (place / "bundle").rglob("*") if path.is_file())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "thence", "serve", str(place / "bundle"), "--port", str(port)]
    begun = time.perf_counter()
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            while not _answers(f"http://127.0.0.1:{port}/health/ready"):
                if process.poll() is not None:
                    raise RuntimeError(f"the service ended with {process.returncode}")
                time.sleep(0.1)
            seconds, cpu = time.perf_counter() - begun, _cpu_seconds(process.pid)
            for item in np.linspace(0, items - 1, 200).astype(int):
                _answers(f"http://127.0.0.1:{port}/v1/related/i{item}")
            memory = {
                name: _memory(process.pid, key) for name, key in (("rss_mb", "VmRSS"), ("peak_mb", "VmHWM"))
            }
        finally:
            process.terminate()
    return {"disk_mb": disk / 1e6, "ready_seconds": seconds, "ready_cpu_seconds": cpu, **memory}


def built(place: Path, items: int) -> dict[str, float]:
    """CPU seconds and memory from drawn purchases to the graph."""
    events = min(100 * items, EVENTS)
    rng = np.random.default_rng(0)
    bought = (items * rng.random(events) ** 2).astype(int)
    table = {
        "user_id": rng.integers(0, events // 20, events),
        "item_id": np.char.add("i", bought.astype(str)),
        "timestamp": rng.integers(1_700_000_000, 1_730_000_000, events),
        "event": np.full(events, "purchase"),
    }
    pq.write_table(pa.table(table), place / "events.parquet")
    figures = {"events": float(events)}
    for name, words in (
        ("ingest", ["ingest", str(place / "events.parquet"), "--into", str(place / "log"), "--time-unit", "s"]),
        ("graph", ["graph", "build", str(place / "log"), "--into", str(place / "graph")]),
    ):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([sys.executable, "-m", "thence", *words], capture_output=True, text=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            raise RuntimeError(done.stderr)
        figures[f"{name}_cpu_seconds"] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return figures


def drawn(items: int) -> Bundle:
    """A bundle of so many items, drawn from seed 0."""
    rng = np.random.default_rng(0)
    ids = IdMap([f"i{at}" for at in range(items)])
    vectors = rng.standard_normal((2, items, DIM), dtype=np.float32)
    source = np.repeat(np.arange(items), DEGREE)
    step = rng.integers(1, max(items // DEGREE, 2), (items, DEGREE)).cumsum(axis=1)
    target = (source + step.ravel()) % items
    keep = source != target
    support = rng.integers(1, 50, len(source)).astype(np.int32)
    arcs = Arcs.from_pairs(
        source[keep], target[keep], num_nodes=items, weight=support[keep], values={"support": support[keep]}
    )
    words = np.array(["red", "blue", "green", "small", "large", "round", "wool", "steel", "phone", "case"])
    picked = words[rng.integers(0, len(words), (items, 3))]
    nodes = pa.table(
        {
            "item_id": ids.array,
            "title": [" ".join(row) for row in picked],
            "category": [f"{row[0]} > {row[1]}" for row in picked],
            "price": rng.random(items) * 100,
            "count": rng.integers(0, 1000, items),
        }
    )
    return Bundle(Embeddings(ids, *vectors), DiGraph(ids, {"bought_after": arcs}, nodes))


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=30) as answer:
            return bool(answer.read())
    except (urllib.error.URLError, ConnectionError):
        return False


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _memory(pid: int, key: str) -> float:
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(lines[key].split()[0]) * 1024 / 1e6
