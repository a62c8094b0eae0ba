"""The graphs that samplers are measured on, made once and kept as ``.npy`` files in a temporary folder."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np

from common import say

Graph = tuple[np.ndarray, np.ndarray]
VERSION = 1
SHAPES = {"power_law": (2_000_000, 20_000_000), "random": (400_000, 3_000_000)}


def sides() -> dict[str, Graph]:
    """By name ``(indptr, neighbors)``: for each node the sources of the arcs that lead to it, ascending.

    ``power_law``: 2 M nodes, 20 M arcs, degrees of median 4 and about 20,000 at most, neighbours drawn half by
    degree and half evenly. ``random``: 400,000 nodes, 3 M arcs between nodes drawn evenly.
    """
    return {name: (np.load(indptr), np.load(neighbors)) for name, (indptr, neighbors) in files().items()}


def files() -> dict[str, tuple[Path, Path]]:
    """Where the two arrays of each graph lie; they are made when they are not there."""
    folder = Path(os.environ.get("THENCE_BENCH_CACHE", Path(tempfile.gettempdir()) / "thence-bench-graphs"))
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for name, (nodes, arcs) in SHAPES.items():
        stem = f"{name}-{nodes}-{arcs}-v{VERSION}"
        found[name] = folder / f"{stem}.indptr.npy", folder / f"{stem}.neighbors.npy"
        if not all(path.is_file() for path in found[name]):
            say(f"graphs: making {name}")
            for path, array in zip(found[name], make(name, nodes, arcs), strict=True):
                draft = path.with_suffix(f".{os.getpid()}.npy")
                np.save(draft, array)
                draft.replace(path)
    return found


def make(name: str, nodes: int, arcs: int) -> Graph:
    """A graph without parallel arcs and without arcs from a node to itself; so it has slightly fewer arcs."""
    random = np.random.default_rng([VERSION, nodes, arcs])
    if name == "random":
        target, source = random.integers(0, nodes, (2, arcs))
    else:
        weight = power_law(nodes, arcs / nodes)[random.permutation(nodes)]
        target = np.repeat(np.arange(nodes), random.poisson(weight))
        popular = random.random(len(target)) < 0.5
        source = random.integers(0, nodes, len(target))
        source[popular] = target[random.integers(0, len(target), popular.sum())]
    pairs = np.unique((target * np.int64(nodes) + source)[target != source])
    indptr = np.searchsorted(pairs, np.arange(nodes + 1, dtype=np.int64) * nodes)
    return indptr.astype(np.int64), (pairs % nodes).astype(np.int32)


def power_law(nodes: int, mean: float, exponent: float = 2.25, most: float = 20_000.0) -> np.ndarray:
    """Expected degrees whose share above d falls as d^(1 - exponent), at most ``most``, of a given mean."""
    quantile = (np.arange(nodes) + 0.5) / nodes
    shape = quantile ** (-1 / (exponent - 1))
    low, high = 0.0, most
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if np.minimum(middle * shape, most).mean() < mean else (low, middle)
    return np.minimum(low * shape, most)
