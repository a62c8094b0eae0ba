"""Small graphs for layers, and their adjacency as a dense table."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from thence.encode.layer.view import View
from thence.graph import Arcs

SOURCE, TARGET = [0, 0, 1, 2, 2, 4, 4], [1, 2, 2, 0, 3, 3, 0]
WEIGHT = [1.0, 2.0, 0.5, 4.0, 1.0, 3.0, 0.25]
NODES = 6
"""The last has no arcs."""


def view() -> View:
    return View(Arcs.from_pairs(SOURCE, TARGET, num_nodes=NODES, weight=WEIGHT))


def looking(way: str) -> Tensor:
    """``[6, 6]`` float64: the weight with which the node of the row looks at that of the column."""
    arcs = torch.zeros(NODES, NODES, dtype=torch.float64)
    arcs[SOURCE, TARGET] = torch.tensor(WEIGHT, dtype=torch.float64)
    return {"out": arcs, "into": arcs.T, "both": torch.maximum(arcs, arcs.T)}[way]


def random_view(num_nodes: int, num_arcs: int, seed: int = 0) -> View:
    rng = np.random.default_rng(seed)
    pairs = rng.integers(0, num_nodes, (2, num_arcs))
    pairs = np.unique(pairs[:, pairs[0] != pairs[1]], axis=1)
    weight = rng.random(pairs.shape[1]) + 0.5
    return View(Arcs.from_pairs(*pairs, num_nodes=num_nodes, weight=weight))


def cycle(num_nodes: int, *, turned: bool = False) -> View:
    """0 → 1 → … → 0, or the other way round."""
    one, other = np.arange(num_nodes), (np.arange(num_nodes) + 1) % num_nodes
    pair = (other, one) if turned else (one, other)
    return View(Arcs.from_pairs(*pair, num_nodes=num_nodes))


def rows(num: int, width: int, seed: int = 0) -> Tensor:
    return torch.randn(num, width, generator=torch.Generator().manual_seed(seed))
