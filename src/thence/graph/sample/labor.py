"""LABOR: fan-out sampling in which rows agree on what they draw, so that fewer nodes are met.

Every node t has one number r_t, uniform in (0, 1), a hash of the seed, the step, the hop and t alone. A row s
of d_s neighbours draws t if r_t < c_s π_t; rows that share a neighbour draw it together, and any machine that
holds the row draws the same. LABOR-0 has π = 1 and c_s = k / d_s. LABOR-i improves π in i rounds: c_s solves

    Σ_t 1 / min(1, c_s π_t) = d_s² / k        (a mean over the row then varies as with fan-out k)

and π_t becomes π_t · max_s c_s over the rows that see t, which makes Σ_t min(1, π_t max_s c_s), the expected
number of distinct nodes, smaller round by round.

References:
    Balin, Çatalyürek, "Layer-neighbor sampling: defusing neighborhood explosion in GNNs", NeurIPS 2023,
    sections 3.1 to 3.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import index

import numpy as np

from thence.base.errors import ConfigError, DataError
from thence.graph.check import frozen
from thence.graph.sample.collect import Collector, Names
from thence.graph.sample.kernel.draw import look_up, spans
from thence.graph.sample.kernel.hash import key_of
from thence.graph.sample.kernel.labor import draw_poisson, draw_smallest, factors
from thence.graph.sample.reading import (
    ALL,
    Graph,
    at_least,
    counts,
    no_times,
    num_nodes_of,
    rows_ascend,
    sides_by_hop,
    whole_rows,
)
from thence.graph.sample.sample import Sample, seed_array
from thence.graph.sample.side import Direction, Side

Drawn = tuple[np.ndarray, np.ndarray, np.ndarray]
NONE = np.empty(0, np.float32)


class Labor:
    """Draws about ``fan_out`` neighbours of each node, the same ones for all nodes that share them.

    Args:
        graph: a relation, or several by name, among the same nodes.
        fan_out: how many neighbours a node keeps in each hop, None for all of them.
        direction: ``out`` or ``into``, one for all hops or one a hop; see :class:`FanOut`.
        weight: name of the value to draw by: chances min(1, c_s w) that add up to k; uniform when not given.
        importance: rounds i of LABOR-i; 0 is LABOR-0. Not with ``weight``.
        exact: draw exactly k (those with the k smallest r_t / π_t) and not k in expectation.
        seed: of the randomness.

    Raises:
        ConfigError: a count is negative, or importance and a weight are asked for together.
        DataError: a weight is negative or not finite, or an arc stands twice where k has to be exact.

    Example:
        >>> from thence.graph import Arcs
        >>> arcs = Arcs.from_pairs([0] * 8 + [1] * 8, [*range(2, 10)] * 2, num_nodes=10)
        >>> sample = Labor(arcs, [3], exact=True).sample([0, 1])
        >>> sample.num_arcs, sample.num_nodes  # both seeds draw the same three
        (6, 5)
    """

    def __init__(
        self,
        graph: Graph,
        fan_out: Sequence[int | None],
        *,
        direction: Direction | Sequence[Direction] = "out",
        weight: str | None = None,
        importance: int = 0,
        exact: bool = False,
        seed: int = 0,
    ) -> None:
        self._most = [ALL if most is None else int(most) for most in counts(fan_out)]
        self._rounds, self._exact, self._seed = at_least(importance, 0, "importance"), exact, index(seed)
        self._num_nodes = num_nodes_of(graph)
        self._hops = sides_by_hop(graph, len(self._most), direction, weight=weight)
        weighted = any(side.weight is not None for sides in self._hops for side in sides)
        if weighted and self._rounds:
            raise ConfigError(
                "importance and a weight do not go together", fix="Use importance=0, or no weight."
            )
        if exact and not all(_each_once(side) for side in {id(s): s for h in self._hops for s in h}.values()):
            raise DataError("an arc stands twice", fix="Use exact=False, or add equal arcs up first.")

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
        no_times(times, "Labor")
        collector = Collector(seed_array(seeds, self._num_nodes), self._num_nodes, trees=False)
        for hop, (most, sides) in enumerate(zip(self._most, self._hops, strict=True)):
            nodes, key = collector.frontier, key_of(self._seed, step, hop)
            for side in sides:
                if self._rounds:
                    count, entry, scale = self._important(side, nodes, key, most)
                else:
                    begin, length = (np.empty(len(nodes), np.int64) for _ in range(2))
                    spans(side.indptr, nodes, begin, length)
                    size = NONE if side.weight is None else side.weight
                    count, entry, scale = self._draw(begin, length, (side.neighbors, size), key, most)
                found = np.empty(len(entry), np.int64)
                look_up(side.neighbors, entry, found)
                collector.add(side, count=count, entry=entry, found=found, scale=scale)
            collector.step()
        return collector.finish()

    def _draw(
        self,
        begin: np.ndarray,
        length: np.ndarray,
        read: tuple[np.ndarray, np.ndarray],
        key: np.uint64,
        most: int,
    ) -> Drawn:
        neighbors, size = (frozen(array) for array in read)  # of one kind, so that kernels compile once
        longest = int(length.max(initial=0))
        count, most = np.empty(len(begin), np.int64), min(most, longest)
        room = int(np.minimum(length, most).sum()) if self._exact else int(length.sum())
        entry, scale = np.empty(room, np.int64), np.empty(room, np.float32)
        drawn = (count, entry, scale)
        if self._exact:
            num = draw_smallest(begin, length, neighbors, size, key, most, drawn)
        else:
            num = draw_poisson(begin, length, neighbors, size, key, most, self._rounds > 0, drawn)
        return count, entry[:num].copy(), scale[:num].copy()

    def _important(self, side: Side, nodes: np.ndarray, key: np.uint64, most: int) -> Drawn:
        """LABOR-i: all rows are read, π is improved, and the rows are drawn from as read."""
        length, entry, found = whole_rows(side, nodes)
        begin = np.cumsum(length) - length
        most = min(most, int(length.max(initial=0)))
        names = Names(len(found))
        local = names.add(found)
        share = np.ones(names.num, np.float32)
        for _ in range(self._rounds if most else 0):
            c = np.empty(len(nodes))
            factors(begin, length, frozen(share[local]), most, c)
            highest = np.zeros(names.num)
            np.maximum.at(highest, local, np.repeat(c, length))
            share = (share * highest).astype(np.float32)
        count, at, scale = self._draw(begin, length, (found.astype(np.int32), share[local]), key, most)
        return count, entry[at], scale


def _each_once(side: Side) -> bool:
    if rows_ascend(side):
        return True
    row = np.repeat(np.arange(side.num_nodes), side.degree)
    pairs = np.sort(row * side.num_nodes + side.neighbors)
    return bool((np.diff(pairs) > 0).all())
