"""Rows of features: the gather kernel beside torch's and NumPy's, and the bounded cache over a mapped file."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import statistics
import time
from collections.abc import Callable, Mapping

import numpy as np

from thence.graph.rows import gather

ROWS, DIM, BATCH, BATCHES, REPEATS = 2_000_000, 128, 50_000, 10, 15
Call = Callable[[int], object]


def figures(quick: bool) -> dict[str, float]:
    """The kernels beside their peers, and the bounded cache."""
    from parts import row_cache

    return kernels(quick) | row_cache.figures(quick)


def kernels(quick: bool) -> dict[str, float]:
    """Rows per CPU second of each way to gather, one thread; medians of interleaved repeats.

    Two settings: ``out`` is given and reused, and (``fresh``) the call makes its result, and the last
    three stay alive, as in a loop that trains while the next batch is prepared.
    """
    import torch

    torch.set_num_threads(1)
    count = ROWS // 4 if quick else ROWS
    random = np.random.default_rng(0)
    matrix = np.empty((count, DIM), np.float32)
    matrix[:] = np.arange(count, dtype=np.float32)[:, None]
    codes, scale = (matrix % 127).astype(np.int8), np.ones(count, np.float32)
    halves, tensor = (matrix % 1000).astype(np.float16), torch.from_numpy(matrix)
    batches = [random.integers(0, count, BATCH) for _ in range(BATCHES)]
    asked = [torch.from_numpy(batch) for batch in batches]
    out = torch.empty(BATCH, DIM).numpy()
    target, small = torch.from_numpy(out), np.empty((BATCH, DIM), np.int8)
    ways: dict[str, Call] = {
        "ours": lambda i: gather(matrix, batches[i], out),
        "index_select": lambda i: torch.index_select(tensor, 0, asked[i], out=target),
        "numpy_take": lambda i: np.take(matrix, batches[i], axis=0, out=out, mode="clip"),
        "int8": lambda i: gather(codes, batches[i], out, scale=scale),
        "int8_plain": lambda i: gather(codes, batches[i], small),
        "float16": lambda i: gather(halves, batches[i], out),
        "fresh.ours": lambda i: gather(matrix, batches[i]),
        "fresh.index_select": lambda i: torch.index_select(tensor, 0, asked[i]),
        "fresh.numpy_take": lambda i: np.take(matrix, batches[i], axis=0),
        "fresh.torch_indexing": lambda i: tensor[asked[i]],
    }
    return compare(ways)


def compare(ways: Mapping[str, Call]) -> dict[str, float]:
    """Each repeat measures every way in turn, so that a noisy moment of the machine meets all of them."""
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for call in ways.values():
        spent(call)
    for _ in range(REPEATS):
        for name, call in ways.items():
            rates[name].append(BATCH * BATCHES / spent(call))
    figures = {}
    for name, values in rates.items():
        key = "gather.rows_per_core_second" if name == "ours" else f"gather.{name}.rows_per_core_second"
        figures[key], figures[f"{key}.std"] = statistics.median(values), statistics.stdev(values)
    for prefix in ("", "fresh."):
        for peer in ("index_select", "numpy_take"):
            pairs = zip(rates[f"{prefix}ours"], rates[f"{prefix}{peer}"], strict=True)
            ratios = [ours / theirs for ours, theirs in pairs]
            figures[f"gather.{prefix}speedup_over_{peer}"] = statistics.median(ratios)
    return figures


def spent(call: Call) -> float:
    """CPU seconds of the process for all batches."""
    alive: list[object] = [None] * 3
    begun = time.process_time()
    for i in range(BATCHES):
        alive[i % 3] = call(i)
    return time.process_time() - begun


if __name__ == "__main__":
    import json
    import sys

    print(json.dumps(kernels("--quick" in sys.argv), indent=1))
