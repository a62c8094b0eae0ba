"""Rows from a file: which rows a bounded cache should hold, and what it saves when the file is on disk."""

from __future__ import annotations

import mmap
import os
import resource
import statistics
import tempfile
import time
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from common import say
from parts import graphs
from thence.graph.rows import Rows
from thence.graph.sample import FanOut, Side

DIM, SHARE, BATCH = 128, 0.1, 1024


def figures(quick: bool) -> dict[str, float]:
    """Hit shares of policies, and rows a second with and without the cache, file in memory and not.

    What is looked up is what is drawn: the nodes of two-hop samples of the power-law graph, batch by batch. The
    cache may take a tenth of the rows' bytes.
    """
    indptr, neighbors = graphs.sides()["power_law"]
    sampler = FanOut(Side(indptr, neighbors), [10, 10])
    nodes, number = len(indptr) - 1, 40 if quick else 120
    seeds = np.random.default_rng(0).integers(0, nodes, (number, BATCH))
    draws = [sampler.sample(batch, step=i).nodes for i, batch in enumerate(seeds)]
    pilot, draws = draws[: number // 2], draws[number // 2 :]
    uses = {
        "in_degree": np.diff(indptr),
        "drawn_degree": np.bincount(neighbors, minlength=nodes),
        "observed": np.bincount(np.concatenate(pilot), minlength=nodes),
    }
    found = policies(uses, pilot, draws, int(SHARE * nodes))
    with tempfile.TemporaryDirectory(prefix="thence-rows-") as folder:
        for kept in ("float32", "int8"):
            Rows.write(Path(folder) / kept, chunks(nodes), kept=kept, use=uses["drawn_degree"])
            found |= speeds(Path(folder) / kept, kept, draws[: 4 if quick else 10])
    return found


def policies(
    uses: dict[str, np.ndarray], pilot: list[np.ndarray], draws: list[np.ndarray], size: int
) -> dict[str, float]:
    """Share of look-ups that each policy finds in a cache of so many rows; moving ones first see the pilot."""
    total, shares = sum(map(len, draws)), {}
    for name, use in uses.items():
        held = np.zeros(len(use), bool)
        held[np.argsort(-use, kind="stable")[:size]] = True
        shares[f"rows.hit_share.fixed_by_{name}"] = float(sum(held[batch].sum() for batch in draws) / total)
    for name, policy in (("lru", lru), ("clock", clock)):
        hits = list(policy([*pilot, *draws], size))
        shares[f"rows.hit_share.{name}"] = sum(hits[len(pilot) :]) / total
    say(f"rows: {shares}")
    return shares


def lru(batches: list[np.ndarray], size: int) -> Iterator[int]:
    """Hits of each batch when the row that was used longest ago makes room."""
    held: OrderedDict[int, None] = OrderedDict()
    for batch in batches:
        hits = 0
        for node in batch.tolist():
            if node in held:
                hits += 1
                held.move_to_end(node)
            else:
                held[node] = None
                if len(held) > size:
                    held.popitem(last=False)
        yield hits


def clock(batches: list[np.ndarray], size: int) -> Iterator[int]:
    """Hits of each batch when a hand goes round and the first row unused since its last visit makes room."""
    slot: dict[int, int] = {}
    owner, used, hand = [-1] * size, bytearray(size), 0
    for batch in batches:
        hits = 0
        for node in batch.tolist():
            at = slot.get(node)
            if at is not None:
                hits += 1
                used[at] = 1
                continue
            while used[hand]:
                used[hand] = 0
                hand = (hand + 1) % size
            slot.pop(owner[hand], None)
            owner[hand], slot[node] = node, hand
            hand = (hand + 1) % size
        yield hits


def chunks(nodes: int) -> Iterator[np.ndarray]:
    """Features, 100,000 rows at a time."""
    random = np.random.default_rng(1)
    for start in range(0, nodes, 100_000):
        yield random.standard_normal((min(100_000, nodes - start), DIM), np.float32)


def speeds(folder: Path, kept: str, draws: list[np.ndarray]) -> dict[str, float]:
    """Rows a CPU second with the file in memory; rows a second of the clock and pages read when it is not."""
    path = folder / "matrix.npy"
    bound, found = int(SHARE * path.stat().st_size), {}
    for name, most, threads in (("mapped", 0, 1), ("mapped_8_threads", 0, 8), ("cached", bound, 1)):
        rows = Rows.load(folder, cache_bytes=most, threads=threads, verify=False)
        key = f"rows.{kept}.{name}"
        for batch in draws:
            rows[batch]
        begun = time.process_time()
        for batch in draws:
            rows[batch]
        found[f"{key}.in_memory.rows_per_cpu_second"] = sum(map(len, draws)) / (time.process_time() - begun)
        put_out = [from_disk(rows, path, batch) for batch in draws]
        found[f"{key}.from_disk.rows_per_second"] = statistics.median(rate for rate, _ in put_out)
        found[f"{key}.from_disk.page_reads_per_row"] = statistics.median(reads for _, reads in put_out)
        if most:
            found[f"{key}.hit_share"] = statistics.fmean(rows.hit_share(batch) for batch in draws)
            found[f"{key}.bytes_over_bound"] = rows.cached_bytes / bound
    say(f"rows: {found}")
    return found


def from_disk(rows: Rows, path: Path, batch: np.ndarray) -> tuple[float, float]:
    """Rows a second of the clock, and major page faults a row, of one look-up after the file left memory."""
    pages: object = rows._matrix
    while isinstance(pages, np.ndarray):
        pages = pages.base
    if isinstance(pages, mmap.mmap):
        pages.madvise(mmap.MADV_DONTNEED)
    with path.open("rb") as stream:
        os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_majflt, time.perf_counter()
    rows[batch]
    spent = time.perf_counter() - begun
    return len(batch) / spent, (resource.getrusage(resource.RUSAGE_SELF).ru_majflt - before) / len(batch)
