"""What may not be answered: a mask over all nodes, and a list for each query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from thence.base.ids import MISSING
from thence.index.neighbors import check_filters, whole_numbers

NOTHING = np.zeros(0, bool)
NO_NODES = np.zeros(0, np.int32)


@dataclass(frozen=True, eq=False)
class Filter:
    """Which nodes each query of a batch may be answered with.

    Args:
        num_nodes: how many nodes there are.
        own: ``[Q]`` int64, the query's own node, which is never its answer; -1 for a query without a node.
        keep: ``[num_nodes]`` bool, or empty where every node may be answered.
        begins: ``[Q + 1]`` int64: where each query's excluded nodes begin.
        excluded: int32 nodes, ascending within each query.
        kept: how many nodes the mask leaves.
    """

    num_nodes: int
    own: np.ndarray
    keep: np.ndarray
    begins: np.ndarray
    excluded: np.ndarray
    kept: int

    @classmethod
    def of(
        cls,
        own: np.ndarray,
        num_nodes: int,
        *,
        alive: np.ndarray | None,
        allowed: np.ndarray | None,
        exclude: Sequence[ArrayLike] | None,
    ) -> Filter:
        """Check what a caller gave and sort it.

        Raises:
            DataError: a filter has the wrong shape, or a node is out of range.

        Example:
            >>> few = Filter.of(np.array([0]), 4, alive=None, allowed=None, exclude=[[3, 3, 0]])
            >>> few.excluded.tolist(), few.exist().tolist()
            ([0, 3], [2])
        """
        allowed = None if allowed is None else np.asarray(allowed)
        check_filters(allowed, exclude, len(own), num_nodes)
        keep = NOTHING
        for mask in (alive, allowed):
            if mask is not None:
                keep = mask if not len(keep) else keep & mask
        lists = [
            np.unique(whole_numbers(row, "exclude")).astype(np.int32)
            for row in (() if exclude is None else exclude)
        ]
        counts = np.array([len(row) for row in lists] or [0] * len(own), np.int64)
        begins = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        excluded = np.concatenate(lists) if lists else NO_NODES
        return cls(num_nodes, own, keep, begins, excluded, int(keep.sum()) if len(keep) else num_nodes)

    @property
    def barred(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """What the kernels take."""
        return self.keep, self.own, self.begins, self.excluded

    @property
    def longest(self) -> int:
        """The longest list of excluded nodes."""
        return int(self.counts.max(initial=0))

    @property
    def counts(self) -> np.ndarray:
        """``[Q]`` int64: how many nodes each query excludes."""
        return self.begins[1:] - self.begins[:-1]

    def answers(self) -> np.ndarray:
        """The nodes that the mask leaves, ascending int64."""
        return np.flatnonzero(self.keep) if len(self.keep) else np.arange(self.num_nodes)

    def exist(self) -> np.ndarray:
        """``[Q]`` int64: how many answers each query has in all."""
        gone = self.counts
        if len(self.keep) and len(self.excluded):
            running = np.concatenate([[0], np.cumsum(self.keep[self.excluded])])
            gone = running[self.begins[1:]] - running[self.begins[:-1]]
        itself = (self.own != MISSING) & ~self._excludes_itself()
        if len(self.keep):
            itself &= self.keep[self.own]
        return self.kept - gone - itself

    def take(self, queries: np.ndarray) -> Filter:
        """The same for some queries of the batch, ascending."""
        if len(queries) == len(self.own):
            return self
        counts = self.counts[queries]
        begins = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        inside = np.arange(begins[-1]) - np.repeat(begins[:-1], counts)
        excluded = self.excluded[inside + np.repeat(self.begins[queries], counts)]
        return Filter(self.num_nodes, self.own[queries], self.keep, begins, excluded, self.kept)

    def _excludes_itself(self) -> np.ndarray:
        query = np.repeat(np.arange(len(self.own)), self.counts)
        found = np.zeros(len(self.own), bool)
        found[query[self.excluded == self.own[query]]] = True
        return found
