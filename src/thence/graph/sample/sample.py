"""What a sampler returns: some nodes, and the arcs drawn among them, in local ints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from thence.base.errors import DataError
from thence.graph.sample.side import Side


@dataclass(frozen=True, eq=False, repr=False)
class Sample:
    """The neighbourhood of some seeds: a small graph of its own.

    Nodes stand in the order in which they were found: the seeds, then hop by hop. Arcs stand hop by hop and, in
    a hop, relation by relation: *group* g = hop · num_relations + relation is ``arc_ptr[g] : arc_ptr[g + 1]``.
    In an arc the ``row`` is the node that looks and the ``column`` the neighbour that it sees, whichever way
    the arc points.

    Args:
        nodes: ``[n]`` int64, the nodes of the graph; each once (once a tree where there are trees).
        seeds: ``[B]`` int64, the local int of each seed in the order given (a seed given twice, twice).
        row: ``[e]`` int64 local ints.
        column: ``[e]`` int64 local ints.
        entry: ``[e]`` int64, which entry of the side that was read; -1 where no arc joins the two directly.
        scale: ``[e]`` float32, 1 / (the chance that this entry is drawn): Σ scale · x over a node's drawn
            entries has the expectation Σ x over all its entries. (See a sampler for what its chance is.)
        node_ptr: ``[hops + 2]`` int64; hop h (0: the seeds) found ``nodes[node_ptr[h] : node_ptr[h + 1]]``.
        arc_ptr: ``[hops · relations + 1]`` int64, see above.
        sides: one side a group, ``[hops · relations]``: what was read there.
        tree: ``[n]`` int64, the seed (its place in the order given) that a node was found for, where each seed
            has a neighbourhood of its own; else None.

    Example:
        >>> from thence.graph import Arcs
        >>> from thence.graph.sample import FanOut
        >>> arcs = Arcs.from_pairs([0, 0, 1], [1, 2, 2], num_nodes=3)
        >>> sample = FanOut(arcs, [2]).sample([0])
        >>> sample
        Sample(1 seeds, 3 nodes, 2 arcs, 1 hops)
        >>> sample.nodes.tolist(), sample.row.tolist(), sample.column.tolist()
        ([0, 1, 2], [0, 0], [1, 2])
    """

    nodes: np.ndarray
    seeds: np.ndarray
    row: np.ndarray
    column: np.ndarray
    entry: np.ndarray
    scale: np.ndarray
    node_ptr: np.ndarray
    arc_ptr: np.ndarray
    sides: tuple[Side, ...]
    tree: np.ndarray | None = None

    def __repr__(self) -> str:
        """One line with the counts."""
        return (
            f"Sample({len(self.seeds):,} seeds, {self.num_nodes:,} nodes, {self.num_arcs:,} arcs, "
            f"{self.num_hops} hops)"
        )

    @property
    def num_nodes(self) -> int:
        """How many nodes."""
        return len(self.nodes)

    @property
    def num_arcs(self) -> int:
        """How many arcs were drawn."""
        return len(self.row)

    @property
    def num_hops(self) -> int:
        """How many hops from the seeds."""
        return len(self.node_ptr) - 2

    @property
    def num_relations(self) -> int:
        """How many relations were read in each hop."""
        return len(self.sides) // max(self.num_hops, 1)

    def group(self, hop: int, relation: int = 0) -> slice:
        """Where the arcs of one hop (0 is the first) and relation stand."""
        at = hop * self.num_relations + relation
        return slice(int(self.arc_ptr[at]), int(self.arc_ptr[at + 1]))

    @cached_property
    def position(self) -> np.ndarray:
        """``[e]`` int64: where each arc stands in its relation (out-order of ``Arcs``); -1 for no arc."""
        parts = [
            side.positions(self.entry[self.arc_ptr[g] : self.arc_ptr[g + 1]])
            for g, side in enumerate(self.sides)
        ]
        return np.concatenate(parts) if parts else np.empty(0, np.int64)


class NeighborSampler(Protocol):
    """What draws neighbourhoods. The same seed of randomness, step and seeds give the same sample."""

    @property
    def num_nodes(self) -> int:
        """How many nodes the graph has."""
        ...

    def sample(
        self, seeds: np.ndarray | Sequence[int], *, step: int = 0, times: np.ndarray | None = None
    ) -> Sample:
        """Draw the neighbourhood of some seeds.

        Args:
            seeds: ``[B]`` node ints.
            step: which draw; another step is another, independent draw.
            times: ``[B]`` int64 microseconds UTC: nothing later than its time is seen for a seed.

        Raises:
            DataError: a seed is no node.
        """
        ...


def seed_array(seeds: np.ndarray | Sequence[int], num_nodes: int) -> np.ndarray:
    """Seeds as ``[B]`` int64, checked to be nodes.

    Raises:
        DataError: they are no list of ints, or one is out of range.

    Example:
        >>> seed_array([0, 3], 3)
        Traceback (most recent call last):
        thence.base.errors.DataError: seed 3 is out of range (in 3 nodes)
    """
    array = np.asarray(seeds)
    if array.ndim != 1 or (len(array) and array.dtype.kind not in "iu"):
        raise DataError(f"seeds are {array.dtype} of shape {array.shape}", fix="Give a list of node ints.")
    array = array.astype(np.int64)
    if len(array) and (array.min() < 0 or array.max() >= num_nodes):
        wrong = array[(array < 0) | (array >= num_nodes)][0]
        raise DataError(f"seed {wrong} is out of range", where=f"{num_nodes} nodes")
    return array
