"""Short random walks: what lies two or three steps on, popular nodes damped on the way.

    N = w / (W_i^out_power · W_j^in_power), scaled so that its rows sum to one on average,
    score(i → j) = [(stay · I + N)^steps]_ij ,     W = sums of weights

With powers of 1 and 0 it is a plain walk, each step chosen in proportion to the weight; smaller powers let
strong nodes pass more on, and ``in_power`` lets popular nodes pass less. A walk that may stay where it is mixes
shorter walks in: with ``steps`` 3, stay weighs two steps against three.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike

from thence.base.errors import ConfigError
from thence.encode.baseline.matrix import BothWays, Product, unit_rows
from thence.graph import DiGraph


class Walk:
    """The scorer; made by :func:`walk`."""

    def __init__(self, graph: DiGraph, steps: int, stay: float, out_power: float, in_power: float) -> None:
        self.ids, self._steps, self._stay = graph.ids, steps, stay
        adjacency = graph.main.matrix()
        left = np.maximum(np.asarray(adjacency.sum(axis=1)).ravel(), 1e-12) ** -out_power
        right = np.maximum(np.asarray(adjacency.sum(axis=0)).ravel(), 1e-12) ** -in_power
        step = sp.csr_matrix(sp.diags(left) @ adjacency @ sp.diags(right))
        sums = np.asarray(step.sum(axis=1)).ravel()
        level = max(float(sums[sums > 0].mean()), 1e-12) if (sums > 0).any() else 1.0
        self._step = BothWays(step / level)

    def scores(self, sources: ArrayLike) -> np.ndarray:
        """Scores ``[len(sources), num_nodes]`` of the arcs from each source to every node."""
        return self._walk(np.asarray(sources, np.int64), self._step.forward)

    def scores_into(self, targets: ArrayLike) -> np.ndarray:
        """Scores ``[len(targets), num_nodes]`` of the arcs from every node to each target."""
        return self._walk(np.asarray(targets, np.int64), self._step.backward)

    def _walk(self, nodes: np.ndarray, step: Product) -> np.ndarray:
        mass = unit_rows(nodes, len(self.ids))
        for _ in range(self._steps):
            mass = step(mass) + np.float32(self._stay) * mass
        return mass


def walk(
    graph: DiGraph, steps: int = 3, stay: float = 0.5, out_power: float = 0.3, in_power: float = 0.3
) -> Walk:
    """Short random walks on the main relation.

    Args:
        graph: the graph.
        steps: how many.
        stay: the weight of staying beside a step's.
        out_power: how strongly a node's arcs are divided by all the weight that leaves it.
        in_power: how strongly they are divided by all the weight that reaches their targets.

    Raises:
        ConfigError: ``steps`` is below 1 or ``stay`` negative.

    Example:
        >>> from thence.base.ids import IdMap
        >>> from thence.graph import Arcs
        >>> arcs = Arcs.from_pairs([0, 0, 1], [1, 2, 3], num_nodes=4, weight=[3.0, 1.0, 2.0])
        >>> graph = DiGraph(IdMap("abcd"), {"bought_after": arcs})
        >>> walk(graph, steps=2, stay=0.0, out_power=1.0, in_power=0.0).scores([0]).tolist()
        [[0.0, 0.0, 0.0, 0.75]]
    """
    if steps < 1 or not stay >= 0:
        raise ConfigError(f"steps={steps}, stay={stay}", fix="steps is at least 1, stay is not negative.")
    return Walk(graph, steps, stay, out_power, in_power)
