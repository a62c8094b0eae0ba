"""Cluster-GCN: whole parts of the graph as a batch, and the arcs among them.

Of the P parts of a partition a batch holds q. Inside a part every arc is there; between two parts it is there
when both are. ``scale`` is one over that chance given the part of the node that looks: (P - 1) / (q - 1) for
the arcs between parts of a random batch, which the paper leaves unscaled. With q = 1 arcs between parts never
appear, and no scale makes up for them.

References:
    Chiang, Liu, Si, Li, Bengio, Hsieh, "Cluster-GCN: an efficient algorithm for training deep and large graph
    convolutional networks", KDD 2019, section 3.2 (stochastic multiple partitions).
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import index

import numpy as np

from thence.base.errors import ConfigError, DataError
from thence.graph.sample.collect import Names
from thence.graph.sample.induced import induced, subgraph
from thence.graph.sample.kernel.hash import key_of
from thence.graph.sample.kernel.labor import numbers
from thence.graph.sample.reading import (
    Graph,
    at_least,
    named,
    no_times,
    num_nodes_of,
    rows_ascend,
    sides_by_hop,
)
from thence.graph.sample.sample import Sample, seed_array
from thence.graph.sample.side import Direction


class Clusters:
    """Unions of random parts, with the arcs among them.

    ``subgraph`` is the paper's batch: q parts drawn, every node a seed. ``sample`` takes the parts in which
    some seeds lie, and random others until there are q; its scale is right for those seeds, over the random
    others. Seeds that lie in q parts or more leave nothing to chance: arcs that lead out of their parts are
    then left out for good.

    Args:
        graph: a relation, or several by name, among the same nodes.
        part: ``[num_nodes]`` ints, the part of each node, such as ``Partition.part``.
        batch: q, parts of a batch.
        direction: ``out`` or ``into``: which arcs nodes look along.
        seed: of the randomness.

    Raises:
        DataError: there is not one part a node, or one is negative.
        ConfigError: ``batch`` is below 1, or above the number of parts.

    Example:
        >>> from thence.graph import Arcs
        >>> cycle = Arcs.from_pairs([0, 1, 2, 3], [1, 2, 3, 0], num_nodes=4)
        >>> clusters = Clusters(cycle, [0, 0, 1, 1], 1)
        >>> sample = clusters.sample([3])
        >>> sample.nodes.tolist(), sample.nodes[sample.row].tolist(), sample.nodes[sample.column].tolist()
        ([3, 2], [2], [3])
    """

    def __init__(
        self,
        graph: Graph,
        part: np.ndarray | Sequence[int],
        batch: int,
        *,
        direction: Direction = "out",
        seed: int = 0,
    ) -> None:
        self._num_nodes, self._seed = num_nodes_of(graph), index(seed)
        given = np.asarray(part)
        if given.shape != (self._num_nodes,) or (given.size and given.dtype.kind not in "iu"):
            raise DataError(
                f"parts are {given.dtype} of shape {given.shape} for {self._num_nodes} nodes",
                fix="Give one int a node.",
            )
        if given.size and given.min() < 0:
            raise DataError(f"part {given.min()} is negative")
        self._part = given.astype(np.int64)
        self._num_parts = int(self._part.max(initial=0)) + 1
        self._batch = at_least(batch, 1, "batch")
        if self._batch > self._num_parts:
            raise ConfigError(f"batches of {batch} parts", where=f"a partition of {self._num_parts}")
        self._member = np.argsort(self._part, kind="stable")
        self._bounds = np.concatenate([[0], np.cumsum(np.bincount(self._part, minlength=self._num_parts))])
        self._sides = sides_by_hop(graph, 1, direction)[0]
        self._ascend = [rows_ascend(arcs) for arcs in named(graph).values()]

    @property
    def num_nodes(self) -> int:
        """How many nodes the graph has."""
        return self._num_nodes

    @property
    def num_parts(self) -> int:
        """How many parts there are, empty ones included."""
        return self._num_parts

    def sample(
        self, seeds: np.ndarray | Sequence[int], *, step: int = 0, times: np.ndarray | None = None
    ) -> Sample:
        """The union of the parts in which some seeds lie, and of others until there are ``batch``.

        Args:
            seeds: ``[B]`` node ints; without any the sample is empty.
            step: which draw; another step is another, independent draw.
            times: none; see :class:`FanOut` for those.

        Raises:
            DataError: a seed is no node, or times are given.
        """
        no_times(times, "Clusters")
        roots = seed_array(seeds, self._num_nodes)
        own = np.unique(self._part[roots])
        others = max(self._batch - len(own), 0) if len(own) else 0
        return self._sample(roots, own, others, step)

    def subgraph(self, step: int = 0) -> Sample:
        """The paper's batch: ``batch`` random parts; all nodes of the sample are its seeds."""
        return self._sample(None, np.empty(0, np.int64), self._batch, step)

    def _sample(self, roots: np.ndarray | None, own: np.ndarray, others: int, step: int) -> Sample:
        sure = np.zeros(self._num_parts, bool)
        sure[own] = True
        free = np.flatnonzero(~sure)
        number = np.empty(len(free))
        numbers(key_of(self._seed, step), free, number)
        drawn = np.sort(free[np.argsort(number, kind="stable")[:others]])
        names = Names()
        local = names.add(np.empty(0, np.int64) if roots is None else roots)
        first = names.num
        for part in (*own, *drawn):
            names.add(self._member[self._bounds[part] : self._bounds[part + 1]])
        nodes = names.all.copy()
        if roots is None:
            local, first = np.arange(len(nodes)), len(nodes)
        arcs = [
            induced(side, nodes, ascend=ascend) for side, ascend in zip(self._sides, self._ascend, strict=True)
        ]
        place = self._part[nodes]
        scale = [self._scale(place[row], place[column], sure, others) for row, column, _ in arcs]
        return subgraph(self._sides, nodes, first, seeds=local, arcs=arcs, scale=scale)

    def _scale(self, looks: np.ndarray, seen: np.ndarray, sure: np.ndarray, others: int) -> np.ndarray:
        """1 / the chance that the part which is seen is there, given the one that looks."""
        free = self._num_parts - int(sure.sum())
        from_sure, from_drawn = free / max(others, 1), (free - 1) / max(others - 1, 1)
        scale = np.where(sure[looks], from_sure, from_drawn)
        return np.where(sure[seen] | (looks == seen), 1.0, scale).astype(np.float32)
