"""LADIES: so many nodes a layer, drawn by how much the nodes of the layer before look at them.

With P the adjacency whose rows add up to one (by weight, or 1 / degree), the nodes S of one hop and

    q_t = Σ_{s in S} P_st²

n nodes are drawn without replacement with probability by q, and all arcs from S to them are taken. Every node
gets an arrival time, exponential with q_t as the rate; the first n to arrive are drawn. With τ the (n + 1)-th
arrival, t stands among the drawn with chance 1 - exp(-q_t τ) given all other arrivals, and its arcs' scale is
one over that (rank conditioning: see ``kernel/weighted``). The paper's code divides by n q_t, which is right
only for draws with replacement; here Σ scale · x is unbiased for every n.

References:
    Zou, Hu, Wang, Jiang, Sun, Gu, "Layer-dependent importance sampling for training deep and large graph
    convolutional networks", NeurIPS 2019, Algorithm 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import index

import numpy as np

from thence.graph.check import frozen
from thence.graph.sample.collect import Collector, Names
from thence.graph.sample.kernel.hash import key_of
from thence.graph.sample.kernel.labor import numbers
from thence.graph.sample.kernel.layer import add_squares, keep_drawn
from thence.graph.sample.reading import ALL, Graph, counts, no_times, num_nodes_of, sides_by_hop, whole_rows
from thence.graph.sample.sample import Sample, seed_array
from thence.graph.sample.side import Direction

NONE = np.empty(0, np.float32)


class Ladies:
    """Draws ``num_nodes`` neighbours in all for the nodes of each hop, and every arc that leads to them.

    Args:
        graph: a relation, or several by name, among the same nodes; all of them share one draw of nodes.
        layers: how many nodes are drawn in each hop, None for all neighbours.
        direction: ``out`` or ``into``, one for all hops or one a hop; see :class:`FanOut`.
        weight: name of the value that P is made of; entries of weight 0 are never drawn. 1 / degree when not
            given.
        keep_seeds: draw the seeds for sure in every hop, beside the n others, as the paper's code does. Where
            arcs lead from a node to itself (a :class:`Side` may hold them) a seed then always sees itself.
        seed: of the randomness.

    Raises:
        ConfigError: a count is negative or no int, or hops and directions differ in number.
        DataError: a weight is negative or not finite, or relations have different nodes.

    Example:
        >>> from thence.graph import Arcs
        >>> arcs = Arcs.from_pairs([0, 0, 0, 1, 1], [2, 3, 4, 4, 5], num_nodes=6)
        >>> sample = Ladies(arcs, [2]).sample([0, 1])
        >>> sample.num_nodes
        4
    """

    def __init__(
        self,
        graph: Graph,
        layers: Sequence[int | None],
        *,
        direction: Direction | Sequence[Direction] = "out",
        weight: str | None = None,
        keep_seeds: bool = False,
        seed: int = 0,
    ) -> None:
        self._most = [ALL if most is None else int(most) for most in counts(layers)]
        self._keep, self._seed = keep_seeds, index(seed)
        self._num_nodes = num_nodes_of(graph)
        self._hops = sides_by_hop(graph, len(self._most), direction, weight=weight)

    @property
    def num_nodes(self) -> int:
        """How many nodes the graph has."""
        return self._num_nodes

    def sample(
        self, seeds: np.ndarray | Sequence[int], *, step: int = 0, times: np.ndarray | None = None
    ) -> Sample:
        """Draw the neighbourhood of some seeds.

        Args:
            seeds: ``[B]`` node ints.
            step: which draw; another step is another, independent draw.
            times: none; see :class:`FanOut` for those.

        Raises:
            DataError: a seed is no node, or times are given.
        """
        no_times(times, "Ladies")
        roots = seed_array(seeds, self._num_nodes)
        collector = Collector(roots, self._num_nodes, trees=False)
        for hop, (most, sides) in enumerate(zip(self._most, self._hops, strict=True)):
            rows = [whole_rows(side, collector.frontier) for side in sides]
            weights = [frozen(NONE if side.weight is None else side.weight) for side in sides]
            nodes, local = told_apart([found for _, _, found in rows], self._num_nodes)
            total = np.zeros(len(nodes))
            for (count, entry, _), weight, at in zip(rows, weights, local, strict=True):
                add_squares(count, entry, weight, at, total)
            sure = np.isin(nodes, roots) if self._keep else np.zeros(len(nodes), bool)
            chance = draw(nodes, total, sure, most, key_of(self._seed, step, hop))
            for side, (count, entry, found), weight, at in zip(sides, rows, weights, local, strict=True):
                scale = np.empty(len(entry), np.float32)
                num = keep_drawn(count, (entry, found, at), weight, chance, scale)
                entry, found, scale = entry[:num].copy(), found[:num].copy(), scale[:num].copy()
                collector.add(side, count=count, entry=entry, found=found, scale=scale)
            collector.step()
        return collector.finish()


def told_apart(found: list[np.ndarray], num_nodes: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """Candidates, each once, and where each node that was found stands among them.

    When a good part of the graph was found, all its nodes are candidates: that is cheaper than a table.
    """
    if 4 * sum(map(len, found)) >= num_nodes:
        return np.arange(num_nodes), found
    names = Names()
    local = [names.add(nodes) for nodes in found]
    return names.all, local


def draw(nodes: np.ndarray, total: np.ndarray, sure: np.ndarray, most: int, key: np.uint64) -> np.ndarray:
    """``[n]`` float64: the chance that each drawn node had, 0 for what is not drawn.

    Args:
        nodes: ``[n]`` int64, told apart by these.
        total: ``[n]`` float64, q; nodes of 0 are never drawn.
        sure: ``[n]`` bool, nodes drawn in any case and beside the others.
        most: how many others are drawn.
        key: of this draw.
    """
    chance = np.where(sure, 1.0, 0.0)
    open_to = np.flatnonzero(~sure & (total > 0))
    if len(open_to) <= most:
        chance[open_to] = 1.0
        return chance
    number = np.empty(len(open_to))
    numbers(key, nodes[open_to], number)
    arrival = -np.log(number) / total[open_to]
    last = np.partition(arrival, most)[most]
    drawn = open_to[arrival < last]
    chance[drawn] = np.maximum(-np.expm1(-total[drawn] * last), 1e-30)
    return chance
