"""Ring transfer: a node has to tell the symbol of the node that is opposite to it on a ring.

Arcs stand in both directions. One node is asked and flagged, the node ``length // 2`` hops away carries one of
``symbols`` symbols, all others are blank. Message passing with fewer layers than that sees nothing: its best is
1 / symbols. References: Bodnar et al. 2021, "Weisfeiler and Lehman Go Cellular", section 5; Di Giovanni et al.
2023, "On Over-Squashing in Message Passing Neural Networks", section 5.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from thence.base.errors import ConfigError
from thence.base.rng import generator
from thence.graph.labelled import LabelledGraph
from thence.graph.worlds.side_by_side import Small, shuffled, side_by_side, three_counts


def rings(
    seed: int, *, length: int = 20, symbols: int = 5, graphs: Sequence[int] = (400, 100, 400)
) -> LabelledGraph:
    """Rings side by side, one asked node in each; features ``[symbols + 1]``: a symbol, and the flag.

    Args:
        seed: seed of the world.
        length: nodes of a ring.
        symbols: how many classes, equally likely.
        graphs: how many rings for training, validation and test.

    Raises:
        ConfigError: a ring of fewer than 4 nodes, fewer than 2 symbols, or wrong counts.

    Example:
        >>> rings(0, length=10, graphs=(8, 1, 1))
        LabelledGraph(10 graphs, 100 nodes, 200 arcs, 6 inputs, 5 classes of nodes)
    """
    if length < 4 or symbols < 2:
        raise ConfigError(f"rings of {length} nodes and {symbols} symbols", fix="Give at least 4 and 2.")
    rng = generator(seed, "world", "rings")
    node = np.arange(length)
    after = (node + 1) % length
    pairs = np.stack([np.concatenate([node, after]), np.concatenate([after, node])])
    drawn = []
    for _ in range(sum(three_counts(graphs))):
        x, y = np.zeros((length, symbols + 1), np.float32), np.full(length, -1)
        y[0] = rng.integers(symbols)
        x[0, symbols] = x[length // 2, y[0]] = 1.0
        drawn.append(shuffled(Small(pairs, x, y, {}), rng))
    return side_by_side(drawn, graphs, directed=False)[0]
