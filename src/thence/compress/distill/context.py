"""The context of an anchor in one of its roles: what directed walks from it reach, and random nodes.

As a source an anchor walks along the arcs, to what follows it; as a target against them, to what leads to it.
Walks that forgot direction would put both into one context, and a student could not tell what follows from what
leads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from thence.base.rng import generator
from thence.graph import Arcs
from thence.graph.walk import Walker

Role = Literal["source", "target"]


@dataclass(frozen=True, eq=False)
class Context:
    """Candidates of some anchors.

    Args:
        nodes: ``[B, C]`` int64 nodes; any where ``mask`` does not hold.
        mask: ``[B, C]`` bool: a candidate stands here, once in its row and never the anchor itself.
        arcs: ``[B, C]`` bool: the arc between anchor and candidate exists, in the direction of the role.
    """

    nodes: np.ndarray
    mask: np.ndarray
    arcs: np.ndarray


class Contexts:
    """Draws contexts; the same seed and step give the same.

    Args:
        arcs: the relation.
        among: nodes that random ones are drawn from.
        walks: from each anchor.
        length: steps of each.
        random: random nodes for each node of a walk.
        seed: of all draws.

    Example:
        >>> arcs = Arcs.from_pairs([0, 1], [1, 2], num_nodes=4)  # 0 → 1 → 2
        >>> contexts = Contexts(arcs, np.arange(4), walks=1, length=2, random=1)
        >>> [int(contexts.draw(np.array([1]), role, 0).nodes[0, 0]) for role in ("source", "target")]
        [2, 0]
    """

    def __init__(
        self, arcs: Arcs, among: np.ndarray, *, walks: int = 4, length: int = 3, random: int = 3, seed: int = 0
    ) -> None:
        self._arcs, self._among, self._random, self._seed = arcs, among, random, seed
        self._walks, self._length = walks, length
        self._walker = {
            "source": Walker(arcs, direction="out", seed=seed, threads=1),
            "target": Walker(arcs, direction="into", seed=seed, threads=1),
        }

    def draw(self, anchors: np.ndarray, role: Role, step: int) -> Context:
        """The contexts of ``[B]`` anchors in one role."""
        paths = self._walker[role].walk(anchors, self._length, num_walks=self._walks, step=step)
        reached = paths[:, 1:].reshape(len(anchors), -1).astype(np.int64)
        size = (len(anchors), self._random * reached.shape[1])
        chance = generator(self._seed, "context", role, step)
        nodes = np.concatenate([reached, chance.choice(self._among, size)], axis=1)
        mask = (nodes >= 0) & (nodes != anchors[:, None]) & ~_seen_before(nodes)
        nodes = np.where(mask, nodes, 0)
        ends = np.broadcast_to(anchors[:, None], nodes.shape).ravel(), nodes.ravel()
        found = self._arcs.contains(*(ends if role == "source" else ends[::-1])).reshape(nodes.shape)
        return Context(nodes, mask, found & mask)


def _seen_before(nodes: np.ndarray) -> np.ndarray:
    """``[B, C]`` bool: the same node stands earlier in its row."""
    order = np.argsort(nodes, axis=1, kind="stable")
    ordered = np.take_along_axis(nodes, order, 1)
    again = np.zeros(nodes.shape, bool)
    again[:, 1:] = ordered[:, 1:] == ordered[:, :-1]
    seen = np.empty_like(again)
    np.put_along_axis(seen, order, again, 1)
    return seen
