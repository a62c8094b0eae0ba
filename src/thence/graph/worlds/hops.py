"""How many hops: distances from a marked node, eccentricities and diameters of long undirected graphs.

After the tasks of ECHO (arXiv 2512.17762): ``sssp``, the hops from a node to the marked one; ``ecc``, the most
hops from a node to any other; ``diam``, the most hops between any two, told of the graph. Families are drawn in
turn: ``line``, ``ladder`` and ``grid`` (height 2 and 3 to 6), ``tree`` (random, parents among the last few
nodes, so that it is deep), ``caterpillar`` (a line with leaves), ``lobster`` (a caterpillar with leaves of
leaves). Features: the mark, and a random number that only tells nodes apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import shortest_path

from thence.base.errors import ConfigError, nearest
from thence.base.rng import generator
from thence.graph.labelled import LabelledGraph
from thence.graph.worlds.side_by_side import Small, shuffled, side_by_side, three_counts

Hops = Literal["sssp", "ecc", "diam"]
TASKS = ("sssp", "ecc", "diam")
FAMILIES = ("line", "ladder", "grid", "tree", "caterpillar", "lobster")


def hops(
    seed: int,
    task: Hops = "sssp",
    *,
    length: tuple[int, int] = (17, 40),
    graphs: Sequence[int] = (240, 60, 120),
) -> LabelledGraph:
    """Graphs of all families side by side; features ``[2]``: the mark (``sssp`` only) and a random number.

    Args:
        seed: seed of the world.
        task: what is to be told, a number of hops as float32.
        length: the least and the most hops of the long side of a graph.
        graphs: how many graphs for training, validation and test.

    Raises:
        ConfigError: no such task, a length below 3, or wrong counts.

    Example:
        >>> hops(0, "diam", graphs=(6, 1, 1))
        LabelledGraph(8 graphs, 436 nodes, 1,136 arcs, 2 inputs, values of graphs)
    """
    if task not in TASKS:
        raise ConfigError(f"no task {task!r}", fix=nearest(str(task), TASKS))
    if not 3 <= length[0] <= length[1]:
        raise ConfigError(f"length {length}", fix="Give the least and the most hops, at least 3.")
    rng = generator(seed, "world", "hops", task)
    drawn = []
    for number in range(sum(three_counts(graphs))):
        pairs = family(FAMILIES[number % len(FAMILIES)], int(rng.integers(length[0], length[1] + 1)), rng)
        size = int(pairs.max()) + 1
        matrix = sp.csr_matrix((np.ones(pairs.shape[1]), (pairs[0], pairs[1])), shape=(size, size))
        far = shortest_path(matrix, unweighted=True).astype(np.float32)
        mark = int(rng.integers(size))
        x = np.stack([np.arange(size) == mark if task == "sssp" else np.zeros(size), rng.random(size)], axis=1)
        y = {"sssp": far[mark], "ecc": far.max(axis=1), "diam": far.max(keepdims=True)[0]}[task]
        drawn.append(shuffled(Small(pairs, x.astype(np.float32), y, {}), rng))
    return side_by_side(drawn, graphs, "graphs" if task == "diam" else "nodes", directed=False)[0]


def family(name: str, length: int, rng: np.random.Generator) -> np.ndarray:
    """``[2, num_arcs]``, both ways, of a connected graph of a family; ``length`` hops on its long side."""
    if name == "tree":
        node = np.arange(1, 2 * length)
        return _both(node, np.maximum(node - rng.integers(1, 5, len(node)), 0))
    if name in ("line", "ladder", "grid"):
        height = {"line": 1, "ladder": 2}.get(name) or int(rng.integers(3, 7))
        node = np.arange((length + 1) * height).reshape(length + 1, height)
        long, wide = (node[:-1], node[1:]), (node[:, :-1], node[:, 1:])
        return _both(*(np.concatenate([a.ravel(), b.ravel()]) for a, b in zip(long, wide, strict=True)))
    line = np.arange(length)
    leaf = np.flatnonzero(rng.random(length + 1) < 0.5)
    leaves = length + 1 + np.arange(len(leaf))
    one, other = np.concatenate([line, leaf]), np.concatenate([line + 1, leaves])
    if name == "lobster":
        inner = leaves[rng.random(len(leaves)) < 0.5]
        ends = length + 1 + len(leaf) + np.arange(len(inner))
        one, other = np.concatenate([one, inner]), np.concatenate([other, ends])
    return _both(one, other)


def _both(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.stack([np.concatenate([one, other]), np.concatenate([other, one])])
