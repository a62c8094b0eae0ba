"""Collecting a sample: nodes get local ints as they are found, arcs come group by group."""

from __future__ import annotations

import numpy as np

from thence.graph.sample.kernel.relabel import EMPTY, relabel
from thence.graph.sample.sample import Sample
from thence.graph.sample.side import Side

SMALLEST = 1 << 12


class Names:
    """Names (ints of any size, not negative) and their local ints 0, 1, … in the order of their arrival.

    Args:
        expected: for how many names room is made at first.

    Example:
        >>> names = Names()
        >>> names.add(np.array([7, 9, 7])).tolist(), names.add(np.array([5, 9])).tolist(), names.all.tolist()
        ([0, 1, 0], [2, 1], [7, 9, 5])
    """

    def __init__(self, expected: int = 0) -> None:
        self._known = np.empty(0, np.int64)
        self._table = np.empty(0, np.int32)
        self.num = 0
        self._make_room(expected)

    @property
    def all(self) -> np.ndarray:
        """``[num]`` int64, the names in the order of their local ints."""
        return self._known[: self.num]

    def add(self, names: np.ndarray) -> np.ndarray:
        """``[n]`` int64: the local ints of some names (int64), new ones included."""
        self._make_room(self.num + len(names))
        local = np.empty(len(names), np.int64)
        self.num = relabel(names, self._table, self._known, self.num, local)
        return local

    def _make_room(self, num: int) -> None:
        if num > len(self._known):
            known = np.empty(max(2 * num, SMALLEST), np.int64)
            known[: self.num] = self.all
            self._known = known
        capacity = 1 << max(2 * num - 1, SMALLEST - 1).bit_length()
        if capacity > len(self._table):
            self._table = np.full(capacity, EMPTY, np.int32)
            relabel(self.all, self._table, self._known, 0, np.empty(self.num, np.int64))


class Collector:
    """Builds a :class:`Sample`: for each hop, read the ``frontier``, ``add`` a group a relation, then ``step``.

    Args:
        seeds: ``[B]`` int64 nodes.
        num_nodes: of the graph.
        trees: give each seed a neighbourhood of its own; a node may then stand in several.
        expected: about how many nodes there will be; it only saves time.

    Example:
        >>> path = Side(np.array([0, 1, 2, 2]), np.array([1, 2]))
        >>> collector = Collector(np.array([0]), 3, trees=False)
        >>> collector.add(path, count=np.array([1]), entry=np.array([0]), found=np.array([1]))
        >>> collector.step()
        >>> collector.frontier.tolist(), collector.finish().nodes.tolist()
        ([1], [0, 1])
    """

    def __init__(self, seeds: np.ndarray, num_nodes: int, *, trees: bool, expected: int = 0) -> None:
        self._num_nodes, self._trees, self._names = num_nodes, trees, Names(expected)
        self._origin = seeds
        self._seeds = self._names.add(np.arange(len(seeds)) * num_nodes + seeds if trees else seeds)
        self._node_ptr, self._groups = [0, self._names.num], []

    @property
    def frontier(self) -> np.ndarray:
        """Nodes that the last hop found (the seeds, before the first)."""
        names = self._names.all[self._node_ptr[-2] : self._node_ptr[-1]]
        return names % self._num_nodes if self._trees else names

    @property
    def trees(self) -> np.ndarray:
        """The tree of each node of the frontier: the place of its seed; all 0 where there are no trees."""
        names = self._names.all[self._node_ptr[-2] : self._node_ptr[-1]]
        return names // self._num_nodes if self._trees else np.zeros(len(names), np.int64)

    @property
    def words(self) -> np.ndarray:
        """One int for each node of the frontier that its draw depends on: no other seed of the batch does."""
        nodes = self.frontier
        return nodes + self._num_nodes * (1 + self._origin[self.trees]) if self._trees else nodes

    def add(
        self,
        side: Side,
        *,
        count: np.ndarray,
        entry: np.ndarray,
        found: np.ndarray,
        scale: np.ndarray | None = None,
    ) -> None:
        """Take in one relation's arcs of the current hop.

        Args:
            side: what was read.
            count: ``[frontier]`` int64, arcs of each node of the frontier.
            entry: ``[e]`` int64, the entries of the side; -1 for what is no arc.
            found: ``[e]`` int64, the neighbours.
            scale: ``[e]`` float32, 1 / chance; ones when not given.
        """
        first = self._node_ptr[-2]
        at = np.arange(first, first + len(count))
        if self._trees:
            found = np.repeat(self.trees, count) * self._num_nodes + found
        scale = np.ones(len(entry), np.float32) if scale is None else scale
        self._groups.append((side, np.repeat(at, count), self._names.add(found), entry, scale))

    def step(self) -> None:
        """End the hop: what it found is the next frontier."""
        self._node_ptr.append(self._names.num)

    def finish(self) -> Sample:
        """The sample."""
        sides, row, column, entry, scale = ([group[part] for group in self._groups] for part in range(5))
        names = self._names.all.copy()
        return Sample(
            nodes=names % self._num_nodes if self._trees else names,
            seeds=self._seeds,
            row=_joined(row, np.int64),
            column=_joined(column, np.int64),
            entry=_joined(entry, np.int64),
            scale=_joined(scale, np.float32),
            node_ptr=np.array(self._node_ptr),
            arc_ptr=np.cumsum([0, *(len(part) for part in row)]),
            sides=tuple(sides),
            tree=names // self._num_nodes if self._trees else None,
        )


def _joined(parts: list[np.ndarray], dtype: type) -> np.ndarray:
    return np.concatenate(parts) if parts else np.empty(0, dtype)
