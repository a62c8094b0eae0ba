"""Tree neighbours-match: the root of a binary tree has to tell the value of the leaf that has its key.

Arcs lead from children to parents. Each of the 2^depth leaves has a key of its own and a value, the root has
one of these keys. Message passing needs ``depth`` layers to see a leaf and has to squash 2^depth pairs into one
vector. Without the leaves the best is 1 / 2^depth. Reference: Alon and Yahav 2021, "On the Bottleneck of Graph
Neural Networks and its Practical Implications", section 4.1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from thence.base.errors import ConfigError
from thence.base.rng import generator
from thence.graph.labelled import LabelledGraph
from thence.graph.worlds.side_by_side import Small, shuffled, side_by_side, three_counts


def trees(
    seed: int, *, depth: int = 4, values: int | None = None, graphs: Sequence[int] = (800, 200, 400)
) -> LabelledGraph:
    """Trees side by side, the root of each asked; features ``[2^depth + values]``: a key and a value.

    Args:
        seed: seed of the world.
        depth: arcs from a leaf to the root.
        values: how many values there are, drawn for each leaf; 2^depth when not given, as in the paper.
        graphs: how many trees for training, validation and test.

    Raises:
        ConfigError: a depth below 1 or above 12, fewer than 2 values, or wrong counts.

    Example:
        >>> trees(0, depth=2, graphs=(3, 1, 2))
        LabelledGraph(6 graphs, 42 nodes, 36 arcs, 8 inputs, 4 classes of nodes)
    """
    if not 1 <= depth <= 12:
        raise ConfigError(f"depth {depth} is not from 1 to 12")
    keys = 2**depth
    kinds = keys if values is None else values
    if kinds < 2:
        raise ConfigError(f"{kinds} values", fix="Give at least 2.")
    rng = generator(seed, "world", "trees")
    nodes, first_leaf = 2 * keys - 1, keys - 1
    child = np.arange(1, nodes)
    pairs = np.stack([child, (child - 1) // 2])
    drawn = []
    for _ in range(sum(three_counts(graphs))):
        x, y = np.zeros((nodes, keys + kinds), np.float32), np.full(nodes, -1)
        key, value, wanted = rng.permutation(keys), rng.integers(kinds, size=keys), rng.integers(keys)
        leaf = np.arange(first_leaf, nodes)
        x[leaf, key] = x[leaf, keys + value] = 1.0
        x[0, key[wanted]] = 1.0
        y[0] = value[wanted]
        drawn.append(shuffled(Small(pairs, x, y, {}), rng))
    return side_by_side(drawn, graphs)[0]
