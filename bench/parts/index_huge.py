"""Ten million products on two cores: vectors on disk, structure in memory, peak memory measured in a child."""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

NODES, DIM, K, QUERIES, LISTS = 10_000_000, 128, 20, 200, 1024
BILLION = 1_000_000_000
HERE = Path(__file__).resolve()


def huge(arguments: argparse.Namespace) -> dict[str, float]:
    """``index.10M.*``, and what a billion products would take in shards of that size.

    The vectors are kept where ``THENCE_BENCH_VECTORS`` says, and taken from there when they are.
    """
    from common import say

    nodes = NODES // 50 if arguments.quick else NODES
    with tempfile.TemporaryDirectory(prefix="thence-index-") as temporary:
        folder = os.environ.get("THENCE_BENCH_VECTORS", temporary)
        if not Path(folder, "vectors.npy").exists():
            child([str(HERE), "make", folder, str(nodes)])
        found = child([str(HERE), "build", folder, str(nodes)])
    say(f"  {nodes:,} nodes: {found}")
    name = f"index.{nodes // 1_000_000}M" if nodes >= 1_000_000 else f"index.{nodes // 1000}k"
    return {f"{name}.{key}": value for key, value in found.items()} | billion(nodes, found)


def billion(nodes: int, found: dict[str, float]) -> dict[str, float]:
    """A billion products in shards as large as the one that was measured; each query asks every shard."""
    from common import say

    shards = BILLION / nodes
    told = {
        "shards": shards,
        "structure_gib": shards * found["structure_gib"],
        "vectors_on_disk_gib": BILLION * DIM * 4 / 2**30,
        "build_core_hours": shards * found["build_seconds"] / 3600,
        "core_ms_per_query": shards * found["us"] / 1000,
    }
    say(
        f"  1 B in {shards:.0f} shards: {told['structure_gib']:.0f} GiB of structure in memory, "
        f"{told['vectors_on_disk_gib']:.0f} GiB of vectors on disk, {told['build_core_hours']:.0f} core hours, "
        f"{told['core_ms_per_query']:.0f} core ms a query over all shards, {found['us'] / 1000:.1f} ms on each"
    )
    return {f"index.1B.{key}": value for key, value in told.items()}


def child(command: list[str]) -> dict[str, float]:
    """The JSON that a process of its own prints last."""
    path = os.pathsep.join([str(HERE.parent.parent), os.environ.get("PYTHONPATH", "")])
    env = os.environ | {"PYTHONPATH": path}
    done = subprocess.run([sys.executable, *command], env=env, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def make(folder: str, nodes: int) -> dict[str, float]:
    """Vectors, written to disk piece by piece; both roles map the same file, since only one is indexed."""
    from parts.index_data import clustered

    out = np.lib.format.open_memmap(f"{folder}/vectors.npy", "w+", np.float32, (nodes, DIM))
    clustered(nodes, DIM, 0, "source", out)
    out.flush()
    return {}


def build(folder: str, nodes: int) -> dict[str, float]:
    """Build on mapped vectors, search, and say what that took."""
    import pyarrow as pa

    from parts.index_ours import file_bytes
    from thence.base.ids import IdMap
    from thence.encode.embeddings import Embeddings
    from thence.index import IndexOptions, build_index
    from thence.index.filters import Filter
    from thence.index.recall import exact_scores, recalls
    from thence.index.space import space_of

    rows = {role: np.load(f"{folder}/vectors.npy", mmap_mode="r") for role in ("source", "target")}
    ids = IdMap.opened(pa.array(np.arange(nodes)).cast(pa.string()), ascending=False)
    data = Embeddings(ids, **rows)
    begun = time.process_time()
    options = IndexOptions(questions=("next",), lists=LISTS, queries=64)
    index = build_index(data, "ivf_pq", 0.95, options=options)
    spent = time.process_time() - begun
    asked = np.sort(np.random.default_rng(5).choice(nodes, QUERIES, replace=False))
    index.search(asked[:50], K)
    begun = time.process_time()
    answers = index.search(asked, K)
    us = (time.process_time() - begun) / QUERIES * 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    bar = Filter.of(asked, nodes, alive=None, allowed=None, exclude=None)
    exact = exact_scores(space_of(data, "next"), asked, K, bar)
    found = {
        "recall@20": float(recalls(answers.scores, exact, K).mean()),
        "us": us,
        "build_seconds": spent,
        "peak_gib": peak,
        "own_memory_gib": int(status["RssAnon"].split()[0]) / 2**20,
    }
    return found | {"structure_gib": file_bytes(index) / 2**30}


if __name__ == "__main__":
    work = {"make": make, "build": build}[sys.argv[1]]
    print(json.dumps(work(sys.argv[2], int(sys.argv[3]))))
