"""Small graphs with known answers, and random ones."""

from __future__ import annotations

import numpy as np

from thence.base.ids import IdMap
from thence.graph import Arcs


def cycle(n: int) -> Arcs:
    at = np.arange(n)
    return Arcs.from_pairs(at, (at + 1) % n, num_nodes=n)


def path(n: int) -> Arcs:
    return Arcs.from_pairs(np.arange(n - 1), np.arange(1, n), num_nodes=n)


def star(n: int) -> Arcs:
    """The first node leads to all others."""
    return Arcs.from_pairs(np.zeros(n - 1, int), np.arange(1, n), num_nodes=n)


def complete(n: int) -> Arcs:
    source, target = np.nonzero(~np.eye(n, dtype=bool))
    return Arcs.from_pairs(source, target, num_nodes=n)


def drawn(nodes: int, arcs: int, seed: int = 0) -> Arcs:
    """Distinct arcs drawn evenly, with weights."""
    rng = np.random.default_rng(seed)
    keys = np.unique(rng.integers(0, nodes * nodes, arcs))
    keys = keys[keys // nodes != keys % nodes]
    weight = rng.uniform(0.5, 2.0, len(keys))
    return Arcs.from_pairs(keys // nodes, keys % nodes, num_nodes=nodes, weight=weight)


def areas(nodes: int, degree: int, parts: int, seed: int = 0) -> Arcs:
    """Parts on a line; most arcs stay in their part, some lead to the next one, few anywhere; one component."""
    rng = np.random.default_rng(seed)
    source = rng.integers(0, nodes, nodes * degree)
    size, kind = nodes // parts, rng.random(len(source))
    part = np.minimum(source // size + ((kind > 0.7) & (kind < 0.95)), parts - 1)
    target = np.minimum(part * size + rng.integers(0, size, len(source)), nodes - 1)
    target = np.where(kind >= 0.95, rng.integers(0, nodes, len(source)), target)
    keys = np.unique(np.concatenate([source * nodes + target, np.arange(nodes) * (nodes + 1) + 1])[:-1])
    keys = keys[keys // nodes != keys % nodes]
    return Arcs.from_pairs(keys // nodes, keys % nodes, num_nodes=nodes)


def renumbered(arcs: Arcs, seed: int = 1) -> tuple[Arcs, np.ndarray]:
    """The same graph with other ints: node i becomes ``place[i]``."""
    place = np.random.default_rng(seed).permutation(arcs.num_nodes)
    source, target = arcs.pairs
    return Arcs.from_pairs(place[source], place[target], num_nodes=arcs.num_nodes, weight=arcs.weight), place


def names(n: int) -> IdMap:
    return IdMap([f"p{at}" for at in range(n)])
