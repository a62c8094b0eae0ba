"""Personalised PageRank: where a walk from i ends that stops at each step with probability α.

    π_i = α Σ_t (1 - α)^t e_i Pᵗ ,   P = rows of the adjacency scaled to sum to one

(Page et al. 1999; Haveliwala 2002.) Its direction is that of the arcs: walks never go against them.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike

from thence.base.errors import ConfigError
from thence.encode.baseline.matrix import BothWays, Product, unit_rows
from thence.encode.baseline.popularity import received
from thence.graph import DiGraph


class PageRank:
    """The scorer; made by :func:`page_rank`."""

    def __init__(self, graph: DiGraph, alpha: float, steps: int, power: float) -> None:
        self.ids, self._alpha, self._steps = graph.ids, alpha, steps
        adjacency = graph.main.matrix()
        sums = np.maximum(np.asarray(adjacency.sum(axis=1)).ravel(), 1e-12)
        self._step = BothWays(sp.diags(1 / sums) @ adjacency)
        self._discount = np.maximum(received(graph), 1.0).astype(np.float32) ** -power

    def scores(self, sources: ArrayLike) -> np.ndarray:
        """Scores ``[len(sources), num_nodes]`` of the arcs from each source to every node."""
        return self._walk(np.asarray(sources, np.int64), self._step.forward) * self._discount

    def scores_into(self, targets: ArrayLike) -> np.ndarray:
        """Scores ``[len(targets), num_nodes]`` of the arcs from every node to each target."""
        own = np.asarray(targets, np.int64)
        return self._walk(own, self._step.backward) * self._discount[own][:, None]

    def _walk(self, nodes: np.ndarray, step: Product) -> np.ndarray:
        mass = unit_rows(nodes, len(self.ids))
        total = self._alpha * mass
        for t in range(1, self._steps + 1):
            mass = step(mass)
            total += self._alpha * (1 - self._alpha) ** t * mass
        return total


def page_rank(graph: DiGraph, alpha: float = 0.5, steps: int = 4, power: float = 0.0) -> PageRank:
    """Personalised PageRank on the main relation.

    Args:
        graph: the graph.
        alpha: probability to stop at each step; the larger, the nearer.
        steps: longest walk that is counted; the mass beyond is (1 - α)^(steps + 1).
        power: how strongly popular targets are discounted.

    Raises:
        ConfigError: ``alpha`` is not between 0 and 1, or ``steps`` below 1.

    Example:
        >>> from thence.base.ids import IdMap
        >>> from thence.graph import Arcs
        >>> arcs = Arcs.from_pairs([0, 1], [1, 2], num_nodes=3)
        >>> page_rank(DiGraph(IdMap("abc"), {"bought_after": arcs})).scores([0]).tolist()
        [[0.5, 0.25, 0.125]]
    """
    if not 0 < alpha < 1 or steps < 1:
        raise ConfigError(
            f"alpha={alpha}, steps={steps}", fix="alpha lies between 0 and 1, steps is at least 1."
        )
    return PageRank(graph, alpha, steps, power)
