"""Features in fewer bytes, and the student's layers in fewer bits: how much faster, on this processor.

``features.KIND.rows_over_float32``: rows gathered per CPU second, over float32 rows of the same kernel (2 M
rows of 128); ``int8`` rows are copied as they stand, ``int8_scaled`` and ``float16`` are widened to float32 on
the way.
``layers.BATCH.PRECISION.over_float32``: CPU time of a student's branch (512 words, 512 hidden, 2 · 256 + 1
outputs) for so many products at once over float32's, and ``.error``, its greatest difference over the greatest
output; ``layers.BATCH.chosen_over_float32`` is that of the precision that was chosen by measuring.
"""

from __future__ import annotations

import statistics
import time
from argparse import Namespace
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from common import over_seeds
from thence.compress.quantize.student import PRECISIONS, _branch, _prepared
from thence.graph.rows import gather

ROWS, DIM, BATCH, REPEATS = 2_000_000, 128, 50_000, 15
WORDS, HIDDEN, OUTPUTS = 512, 512, 513
BATCHES = (1, 16, 256, 4096)
Figures = dict[str, float]


def features(arguments: Namespace) -> Figures:
    """Gathers and layers, one thread."""
    import torch

    torch.set_num_threads(1)
    return gathers(arguments.quick) | over_seeds(layers(seed) for seed in range(arguments.seeds))


def gathers(quick: bool) -> Figures:
    """Rows per CPU second over float32's."""
    random = np.random.default_rng(0)
    count = ROWS // 8 if quick else ROWS
    codes = random.integers(-127, 128, (count, DIM), np.int8)
    whole, halves, scale = codes.astype(np.float32), codes.astype(np.float16), np.ones(count, np.float32)
    nodes = [random.integers(0, count, BATCH) for _ in range(10)]
    wide, small = np.empty((BATCH, DIM), np.float32), np.empty((BATCH, DIM), np.int8)
    ways = {
        "float32": lambda i: gather(whole, nodes[i], wide),
        "float16": lambda i: gather(halves, nodes[i], wide),
        "int8": lambda i: gather(codes, nodes[i], small),
        "int8_scaled": lambda i: gather(codes, nodes[i], wide, scale=scale),
    }
    times = compared({name: lambda way=way: [way(i) for i in range(len(nodes))] for name, way in ways.items()})
    figures = {"features.float32.rows_per_cpu_second": BATCH * len(nodes) / statistics.median(times["float32"])}
    return figures | {
        f"features.{name}.rows_over_float32": over(times["float32"], times[name]) for name in list(ways)[1:]
    }


def layers(seed: int) -> Figures:
    """Branches of drawn numbers in each precision."""
    random = np.random.default_rng(seed)
    shapes = {"weight": (WORDS, OUTPUTS), "inner": (WORDS, HIDDEN), "outer": (HIDDEN, OUTPUTS)}
    branch = {name: random.standard_normal(shape, np.float32) / 30 for name, shape in shapes.items()}
    branch |= {"offset": np.zeros(OUTPUTS, np.float32), "inner_offset": np.zeros(HIDDEN, np.float32)}
    made = {name: _prepared(branch, name) for name in PRECISIONS}
    figures: Figures = {}
    for batch in BATCHES:
        x = random.standard_normal((batch, WORDS), np.float32)
        calls = max(1, 256 // batch)
        wanted = _branch(made["float32"], x)
        times = compared({name: partial(repeated, form, x, calls) for name, form in made.items()})
        for name in list(PRECISIONS)[1:]:
            figures[f"layers.{batch}.{name}.over_float32"] = over(times[name], times["float32"])
            error = np.abs(_branch(made[name], x) - wanted).max() / np.abs(wanted).max()
            figures[f"layers.{batch}.{name}.error"] = float(error)
        best = min(PRECISIONS, key=lambda name: statistics.median(times[name]))
        figures[f"layers.{batch}.chosen_over_float32"] = over(times[best], times["float32"])
    return figures


def repeated(form: Any, x: np.ndarray, calls: int) -> None:
    """One branch, so many times."""
    for _ in range(calls):
        _branch(form, x)


def compared(ways: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
    """CPU seconds of each way, interleaved, the first round left out."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(REPEATS + 1):
        for name, way in ways.items():
            begun = time.process_time()
            way()
            times[name].append(time.process_time() - begun)
    return {name: found[1:] for name, found in times.items()}


def over(ours: list[float], theirs: list[float]) -> float:
    """The median ratio."""
    return statistics.median(a / max(b, 1e-9) for a, b in zip(ours, theirs, strict=True))
