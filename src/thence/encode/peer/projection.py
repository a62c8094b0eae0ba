"""Directed projection as a scorer: what comes next, and what comes some steps after, without learning.

Of histories :func:`thence.encode.peer.history.projected` makes a graph. Of a graph whose histories are unknown
the likeliest ones are walks that follow it, and their projection is what this scorer has:

    C = Σ_{k = 1 … steps} decay^(k - 1) · diag(W^out) Pᵏ ,     P = w_ij / W_i^out ,
    score(i → j) = (C_ij + back · C_ji) / (W_i^out^source_power · W_j^in^target_power)

so that C_ij counts how often j would come at most ``steps`` after i, less for each step between, as the decay
of :class:`~thence.encode.peer.history.ProjectionConfig` has it. ``back`` gives part of each count to the other
direction: order in histories is noisy. With one step and nothing back it is the graph itself, its rows and
columns normalised.

Reconstructed, with extensions of our own, from the abstract of Anghinoni, Zivic, Sanchez, "Revisiting graph
projections for effective complementary product recommendation", arXiv 2506.09209, 2025, whose text was not at
hand.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike

from thence.base.errors import ConfigError
from thence.encode.baseline.matrix import BothWays, Product, unit_rows
from thence.graph import DiGraph


class Projection:
    """The scorer; made by :func:`projection`."""

    def __init__(
        self, graph: DiGraph, steps: int, decay: float, back: float, powers: tuple[float, float]
    ) -> None:
        self.ids, self._steps, self._decay, self._back = graph.ids, steps, np.float32(decay), np.float32(back)
        adjacency = graph.main.matrix()
        leaves = np.asarray(adjacency.sum(axis=1)).ravel()
        reaches = np.asarray(adjacency.sum(axis=0)).ravel()
        self._step = BothWays(sp.diags(1 / np.maximum(leaves, 1e-12)) @ adjacency)
        self._leaves = leaves.astype(np.float32)
        self._source = (np.where(leaves > 0, leaves, 1.0) ** -powers[0]).astype(np.float32)
        self._target = (np.where(reaches > 0, reaches, 1.0) ** -powers[1]).astype(np.float32)

    def scores(self, sources: ArrayLike) -> np.ndarray:
        """Scores ``[len(sources), num_nodes]`` of the arcs from each source to every node."""
        own = np.asarray(sources, np.int64)
        counts = self._leaves[own][:, None] * self._follow(own, self._step.forward)
        if self._back:
            counts += self._back * self._leaves * self._follow(own, self._step.backward)
        return counts * self._source[own][:, None] * self._target

    def scores_into(self, targets: ArrayLike) -> np.ndarray:
        """Scores ``[len(targets), num_nodes]`` of the arcs from every node to each target."""
        own = np.asarray(targets, np.int64)
        counts = self._leaves * self._follow(own, self._step.backward)
        if self._back:
            counts += self._back * self._leaves[own][:, None] * self._follow(own, self._step.forward)
        return counts * self._target[own][:, None] * self._source

    def _follow(self, nodes: np.ndarray, step: Product) -> np.ndarray:
        """Rows of Σ decay^(k - 1) Mᵏ."""
        mass = unit_rows(nodes, len(self.ids))
        total = np.zeros_like(mass)
        for k in range(self._steps):
            mass = step(mass)
            total += self._decay**k * mass
        return total


def projection(
    graph: DiGraph,
    steps: int = 3,
    decay: float = 0.5,
    back: float = 0.2,
    source_power: float = 0.5,
    target_power: float = 0.3,
) -> Projection:
    """The directed projection on the main relation.

    Args:
        graph: a graph of :func:`~thence.encode.peer.history.projected`, or any other.
        steps: how far apart two nodes count at most.
        decay: what a pair counts less for each further step between.
        back: the part of a count that the other direction is given.
        source_power: how strongly sources are damped by the weight that leaves them.
        target_power: how strongly targets are damped by the weight that reaches them.

    Raises:
        ConfigError: a setting is out of range.

    Example:
        >>> from thence.base.ids import IdMap
        >>> from thence.graph import Arcs
        >>> arcs = Arcs.from_pairs([0, 1], [1, 2], num_nodes=3, weight=[4.0, 4.0])
        >>> graph = DiGraph(IdMap(["phone", "case", "charger"]), {"bought_after": arcs})
        >>> projection(graph, back=0.25, target_power=0.5).scores([0, 1]).tolist()
        [[0.0, 1.0, 0.5], [0.5, 0.0, 1.0]]
    """
    if steps < 1 or not 0 < decay <= 1 or not back >= 0:
        raise ConfigError(
            f"steps={steps}, decay={decay}, back={back}",
            fix="steps is at least 1, decay above 0 and at most 1, back not negative.",
        )
    return Projection(graph, steps, decay, back, (source_power, target_power))
