"""Neighbourhoods whose size, reach and chances follow a node's degree, in the manner of BLADE.

The paper's formulas for it are not public. This is a reconstruction from what is: sizes and chances depend on
the degree, and nodes of few arcs look farther than their neighbours. Every part can be switched on by itself:

- *budget*: k(u) = least + round((k - least) · P(D < d_u)) neighbours, with D from the power law fitted to the
  degrees (``power_law``): nodes of high degree get more.
- *chances*: of more than k(u) neighbours those are drawn whose arcs score high, e(u → v) = d_out(u) · d_in(v),
  or weigh much, or both: one after another, in proportion among those left.
- *radius*: a node of fewer than k(u) neighbours fills up with the nodes that restarting walks visit most, up
  to r(u) steps away: the smallest r with d_u · b^(r - 1) ≥ k(u), where b is the mean degree under the law.

References:
    Virinchi, Saladi, "BLADE: biased neighborhood sampling based graph neural network for directed graphs",
    WSDM 2023. Ying et al., "Graph convolutional neural networks for web-scale recommender systems", KDD 2018
    (visits as importance).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import index

import numpy as np

from thence.base.errors import ConfigError
from thence.base.rng import derive_seed
from thence.graph.check import frozen
from thence.graph.sample.collect import Collector
from thence.graph.sample.kernel.draw import draw_uniform, look_up, spans
from thence.graph.sample.kernel.far import most_visited
from thence.graph.sample.kernel.hash import key_of
from thence.graph.sample.kernel.weighted import accumulate, draw_weighted
from thence.graph.sample.power_law import PowerLaw, power_law
from thence.graph.sample.reading import Graph, at_least, counts, no_times, num_nodes_of, sides_by_hop
from thence.graph.sample.sample import Sample, seed_array
from thence.graph.sample.side import Direction, Side
from thence.graph.walk.walks import Walker

Group = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Reach:
    """How far a node looks that has too few neighbours.

    Args:
        radius: steps at most (H), at least 2.
        walks: from each such node.
        length: steps of a walk, restarts included.
        restart: chance of a step to go back to the node.

    Raises:
        ConfigError: a count is too small, or restart is not between 0 and 1.
    """

    radius: int = 3
    walks: int = 32
    length: int = 6
    restart: float = 0.2

    def __post_init__(self) -> None:
        at_least(self.radius, 2, "radius")
        at_least(self.walks, 1, "walks")
        at_least(self.length, 2, "length")
        if not 0 <= self.restart < 1:
            raise ConfigError(f"restart is {self.restart}", fix="It lies from 0 to below 1.")


class Adaptive:
    """Draws k(u) neighbours of each node, by score, and from farther away where there are too few.

    In the sample, ``entry`` is -1 for what was found by walks, and ``scale`` then is the node's share of
    visits among those given for its row (they add up to 1 a row); elsewhere ``scale`` is 1 / chance as always.

    Args:
        graph: a relation, or several by name, among the same nodes.
        fan_out: k of each hop.
        direction: ``out`` or ``into``, one for all hops or one a hop; walks go the same way.
        weight: name of the value to draw by.
        by_score: draw by e(u → v) = d_out(u) · d_in(v), times the weight where there is one.
        least: the budget of a node with one neighbour; k for all nodes when not given.
        reach: how to fill up; None to leave nodes with what they have.
        seed: of the randomness.

    Raises:
        ConfigError: a count is negative, or ``least`` above a fan-out.
        DataError: a weight is negative or not finite, or relations have different nodes.

    Example:
        >>> from thence.graph import Arcs
        >>> path = Arcs.from_pairs([0, 1, 2], [1, 2, 3], num_nodes=4)
        >>> sample = Adaptive(path, [2]).sample([0])
        >>> sample.nodes.tolist(), sample.entry.tolist()
        ([0, 1, 2], [0, -1])
        >>> Adaptive(path, [2], reach=None).sample([0]).nodes.tolist()
        [0, 1]
    """

    def __init__(
        self,
        graph: Graph,
        fan_out: Sequence[int],
        *,
        direction: Direction | Sequence[Direction] = "out",
        weight: str | None = None,
        by_score: bool = True,
        least: int | None = None,
        reach: Reach | None = Reach(),
        seed: int = 0,
    ) -> None:
        self._most = [at_least(-1 if most is None else most, 0, "a fan-out") for most in counts(fan_out)]
        self._seed, self._num_nodes = index(seed), num_nodes_of(graph)
        if least is not None and at_least(least, 0, "least") > min(self._most, default=least):
            raise ConfigError(f"least is {least} for fan-outs {self._most}", fix="It is at most each of them.")
        hops = sides_by_hop(graph, len(self._most), direction, weight=weight)
        made: dict[int, _Rows] = {}
        for side in (side for sides in hops for side in sides):
            if id(side) not in made:
                made[id(side)] = _Rows(side, by_score, least, reach, self._seed)
        self._hops = [[made[id(side)] for side in sides] for sides in hops]

    @property
    def num_nodes(self) -> int:
        """How many nodes the graph has."""
        return self._num_nodes

    @property
    def laws(self) -> list[list[PowerLaw | None]]:
        """The fitted law of each hop's relations; None where there are no arcs."""
        return [[rows.law for rows in hop] for hop in self._hops]

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
        no_times(times, "Adaptive")
        collector = Collector(seed_array(seeds, self._num_nodes), self._num_nodes, trees=False)
        for most, relations in zip(self._most, self._hops, strict=True):
            nodes = collector.frontier
            for number, rows in enumerate(relations):
                count, entry, found, scale = rows.draw(nodes, most, step, number)
                collector.add(rows.side, count=count, entry=entry, found=found, scale=scale)
            collector.step()
        return collector.finish()


class _Rows:
    """A side with what its degrees say."""

    def __init__(self, side: Side, by_score: bool, least: int | None, reach: Reach | None, seed: int) -> None:
        self.side, self._least, self._reach, self._seed = side, least, reach, seed
        degree = side.degree
        self.law = power_law(degree[degree > 0], 1) if len(side.neighbors) else None
        self._mean = self.law.mean(int(degree.max())) if self.law else 1.0
        drawn = side.weight
        if by_score:
            seen = np.bincount(side.neighbors, minlength=side.num_nodes)
            score = seen[side.neighbors].astype(np.float32)  # d_out(u) is the same in the whole row
            drawn = score if drawn is None else score * drawn
        self._weight, self._total = drawn, np.empty(0 if drawn is None else len(drawn))
        if drawn is not None:
            accumulate(side.indptr, drawn, self._total)
        if reach is not None:
            walked = replace(side, weight=side.weight, order=None, time=None)
            self._walker = Walker(walked, restart=reach.restart, seed=derive_seed(seed, "reach"), threads=1)

    def budget(self, degree: np.ndarray, most: int) -> np.ndarray:
        """``[n]`` int64: k(u); 0 for a node without neighbours."""
        if self.law is None or self._least is None:
            return np.where(degree > 0, most, 0)
        below = 1 - self.law.survival(degree)
        budget = self._least + np.rint((most - self._least) * below).astype(np.int64)
        return np.where(degree > 0, budget, 0)

    def radius(self, degree: np.ndarray, budget: np.ndarray) -> np.ndarray:
        """``[n]`` int64: r(u) where degree is at least 1 and below the budget; 1 elsewhere."""
        farthest = 1 if self._reach is None else self._reach.radius
        short = (degree > 0) & (degree < budget)
        if self._mean <= 1:
            return np.where(short, farthest, 1)
        ratio = np.log(np.maximum(budget, 1) / np.maximum(degree, 1)) / np.log(self._mean)
        return np.where(short, np.clip(1 + np.ceil(ratio - 1e-9), 1, farthest), 1).astype(np.int64)

    def draw(self, nodes: np.ndarray, most: int, step: int, number: int) -> Group:
        """Count of each node, then entry, neighbour and scale of what was drawn."""
        begin, length = (np.empty(len(nodes), np.int64) for _ in range(2))
        spans(self.side.indptr, nodes, begin, length)
        budget = self.budget(length, most)
        key = key_of(self._seed, step, number)
        parts = [
            self._direct(np.flatnonzero(budget == k), (begin, length, nodes), key, int(k))
            for k in np.unique(budget[budget > 0])
        ]
        if self._reach is not None:
            parts.append(self._far(nodes, length, budget, step))
        row, entry, found, scale = (
            np.concatenate([np.empty(0, part[0].dtype), *part]) for part in _columns(parts)
        )
        order = np.argsort(row, kind="stable")
        count = np.bincount(row, minlength=len(nodes))
        return count, entry[order], found[order], scale[order]

    def _direct(self, at: np.ndarray, rows: Group | tuple, key: np.uint64, most: int) -> Group:
        begin, length, words = (array[at] for array in rows)
        room = int(np.minimum(length, most).sum())
        count, entry = np.empty(len(at), np.int64), np.empty(room, np.int64)
        scale = np.empty(room, np.float32)
        drawn = (count, entry, scale)
        if self._weight is None:
            num = draw_uniform(begin, length, words, key, most, drawn)
        else:
            num = draw_weighted(begin, length, words, key, most, self._weight, self._total, drawn)
        found = np.empty(num, np.int64)
        look_up(self.side.neighbors, entry[:num], found)
        return np.repeat(at, count), entry[:num], found, scale[:num]

    def _far(self, nodes: np.ndarray, length: np.ndarray, budget: np.ndarray, step: int) -> Group:
        reach = Reach() if self._reach is None else self._reach
        radius = self.radius(length, budget)
        at = np.flatnonzero(radius > 1)
        need = (budget - length)[at]
        walks = self._walker.walk(nodes[at], reach.length, num_walks=reach.walks, step=step)
        count, found = np.empty(len(at), np.int64), np.empty(int(need.sum()), np.int64)
        share = np.empty(len(found), np.float32)
        side = (frozen(self.side.indptr), frozen(self.side.neighbors))
        num = most_visited(walks, reach.walks, side, radius[at], need, (count, found, share))
        return np.repeat(at, count), np.full(num, -1), found[:num], share[:num]


def _columns(parts: list[Group]) -> list[list[np.ndarray]]:
    empty = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))
    return [[group[part] for group in (parts or [empty])] for part in range(4)]
