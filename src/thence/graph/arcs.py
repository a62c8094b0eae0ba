"""One relation of a directed graph in compressed sparse rows, stored in both directions.

Row ``i`` of the out-side lists the targets of node ``i`` in ascending order; row ``j`` of the in-side lists
the sources of node ``j``. Values of an arc (weight, support, …) are stored once, in out-order; ``in_order``
leads from an in-side position to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp

from thence.base.errors import DataError


@dataclass(frozen=True, eq=False, repr=False)
class Arcs:
    """Arcs ``source → target`` among ``num_nodes`` nodes, each ordered pair at most once. Immutable.

    Make one with :meth:`from_pairs`; the fields are the stored form.

    Args:
        indptr: ``[num_nodes + 1]`` int64, where each source's targets begin.
        targets: ``[num_arcs]`` int32, ascending inside a row.
        in_indptr: ``[num_nodes + 1]`` int64, where each target's sources begin.
        sources: ``[num_arcs]`` int32, ascending inside a row.
        in_order: ``[num_arcs]`` int64, out-order position of each in-side entry.
        values: named arrays ``[num_arcs]`` in out-order; always ``weight`` (float32), and where known
            ``support`` (int32, customers or baskets behind the arc), ``last_time`` (int64, microseconds UTC),
            ``lift`` and ``asymmetry`` (float32).
        directed: False for a relation whose arcs all stand in both directions.

    Example:
        >>> arcs = Arcs.from_pairs([0, 0, 2], [1, 2, 1], num_nodes=3, weight=[3.0, 1.0, 2.0])
        >>> arcs
        Arcs(3 nodes, 3 arcs, 100% one-way)
        >>> arcs.out(0).tolist(), arcs.into(1).tolist(), arcs.out(1).tolist()
        ([1, 2], [0, 2], [])
    """

    indptr: np.ndarray
    targets: np.ndarray
    in_indptr: np.ndarray
    sources: np.ndarray
    in_order: np.ndarray
    values: Mapping[str, np.ndarray]
    directed: bool = True

    @classmethod
    def from_pairs(
        cls,
        source: np.ndarray | list[int],
        target: np.ndarray | list[int],
        *,
        num_nodes: int,
        weight: np.ndarray | list[float] | None = None,
        values: Mapping[str, np.ndarray] | None = None,
        directed: bool = True,
    ) -> Arcs:
        """Build the stored form from a list of arcs in any order.

        Args:
            source: ``[num_arcs]`` node ints.
            target: ``[num_arcs]`` node ints.
            num_nodes: how many nodes there are; nodes without arcs count.
            weight: ``[num_arcs]``, finite; ones when not given.
            values: further named arrays ``[num_arcs]``.
            directed: whether the relation has a direction.

        Raises:
            DataError: a node is out of range, an arc stands twice or is a self-loop, a weight is not finite,
                lengths differ, or an undirected relation lacks an arc's reverse.
        """
        src, dst = np.asarray(source, dtype=np.int64), np.asarray(target, dtype=np.int64)
        extra = {name: np.asarray(array) for name, array in (values or {}).items()}
        extra["weight"] = np.ones(len(src), np.float32) if weight is None else np.asarray(weight, np.float32)
        _check_pairs(src, dst, num_nodes, extra)
        shape = (num_nodes, num_nodes)
        by_target = sp.coo_matrix((np.arange(len(src)), (src, dst)), shape=shape).tocsc()
        if by_target.nnz < len(src):
            raise DataError(_first_twice(src, dst), fix="Add the weights of equal arcs first.")
        by_source: Any = by_target.tocsr()  # a pass over sorted columns: rows come out sorted
        order, by_source.data = by_source.data, np.arange(len(src))
        by_target = by_source.tocsc()
        arcs = cls(
            indptr=by_source.indptr.astype(np.int64),
            targets=by_source.indices.astype(np.int32),
            in_indptr=by_target.indptr.astype(np.int64),
            sources=by_target.indices.astype(np.int32),
            in_order=by_target.data,
            values={name: array[order] for name, array in sorted(extra.items())},
            directed=directed,
        )
        if not directed and arcs.one_way.any():
            raise DataError(
                "an arc of an undirected relation lacks its reverse", fix="Give both, or directed=True."
            )
        return arcs

    def __repr__(self) -> str:
        """One line with the counts."""
        kind = f"{self.one_way_share:.0%} one-way" if self.directed else "undirected"
        return f"Arcs({self.num_nodes:,} nodes, {self.num_arcs:,} arcs, {kind})"

    @property
    def num_nodes(self) -> int:
        """How many nodes, those without arcs included."""
        return len(self.indptr) - 1

    @property
    def num_arcs(self) -> int:
        """How many arcs."""
        return len(self.targets)

    @property
    def weight(self) -> np.ndarray:
        """``[num_arcs]`` float32 in out-order."""
        return self.values["weight"]

    @property
    def out_degree(self) -> np.ndarray:
        """``[num_nodes]`` int64."""
        return np.diff(self.indptr)

    @property
    def in_degree(self) -> np.ndarray:
        """``[num_nodes]`` int64."""
        return np.diff(self.in_indptr)

    @property
    def pairs(self) -> np.ndarray:
        """``[2, num_arcs]`` int64: row 0 sources, row 1 targets, in out-order."""
        source = np.repeat(np.arange(self.num_nodes, dtype=np.int64), self.out_degree)
        return np.stack([source, self.targets.astype(np.int64)])

    @property
    def reverse_at(self) -> np.ndarray:
        """``[num_arcs]`` int64: the out-order position of each arc's reverse, -1 where there is none."""
        target = np.repeat(np.arange(self.num_nodes, dtype=np.int64), self.in_degree)
        reverse = np.empty(self.num_arcs, np.int64)
        reverse[self.in_order] = self.positions(target, self.sources)  # ascending, hence near in memory
        return reverse

    @property
    def one_way(self) -> np.ndarray:
        """``[num_arcs]`` bool: the reverse arc does not exist."""
        return self.reverse_at < 0

    @property
    def one_way_share(self) -> float:
        """Share of arcs whose reverse does not exist (0 for no arcs)."""
        return float(self.one_way.mean()) if self.num_arcs else 0.0

    def out(self, node: int) -> np.ndarray:
        """Targets of ``node``'s arcs, ascending."""
        return self.targets[self.indptr[node] : self.indptr[node + 1]]

    def into(self, node: int) -> np.ndarray:
        """Sources of the arcs that lead to ``node``, ascending."""
        return self.sources[self.in_indptr[node] : self.in_indptr[node + 1]]

    def contains(self, source: np.ndarray, target: np.ndarray) -> np.ndarray:
        """``[n]`` bool: which of the ordered pairs are arcs."""
        return self.positions(source, target) >= 0

    def positions(self, source: np.ndarray, target: np.ndarray) -> np.ndarray:
        """``[n]`` int64: the out-order position of each ordered pair, -1 where there is no such arc."""
        wanted = np.asarray(source, np.int64) * self.num_nodes + np.asarray(target, np.int64)
        if not self.num_arcs:
            return np.full(len(wanted), -1)
        at = np.minimum(np.searchsorted(self._keys, wanted), self.num_arcs - 1)
        return np.where(self._keys[at] == wanted, at, -1)

    def matrix(self, value: str = "weight") -> sp.csr_matrix:
        """The adjacency ``[num_nodes, num_nodes]``: entry (i, j) is the value of arc i → j."""
        data = self.values[value].astype(np.float32)
        return sp.csr_matrix((data, self.targets, self.indptr), shape=(self.num_nodes, self.num_nodes))

    def with_value(self, name: str, array: np.ndarray) -> Arcs:
        """The same arcs with one named value added or replaced (``[num_arcs]``, out-order)."""
        _check_values({**self.values, name: array}, self.num_arcs)
        return replace(self, values={**self.values, name: array})

    def reversed(self) -> Arcs:
        """The same arcs with every direction turned round."""
        source, target = self.pairs
        values = {name: array for name, array in self.values.items() if name != "weight"}
        return Arcs.from_pairs(
            target,
            source,
            num_nodes=self.num_nodes,
            weight=self.weight,
            values=values,
            directed=self.directed,
        )

    def select(self, keep: np.ndarray) -> Arcs:
        """The arcs at which ``keep`` (``[num_arcs]`` bool or positions, in out-order) holds."""
        source, target = self.pairs[:, keep]
        values = {name: array[keep] for name, array in self.values.items()}
        weight = values.pop("weight")
        return Arcs.from_pairs(
            source, target, num_nodes=self.num_nodes, weight=weight, values=values, directed=self.directed
        )

    @cached_property
    def _keys(self) -> np.ndarray:
        source, target = self.pairs
        return source * self.num_nodes + target


def _first_twice(src: np.ndarray, dst: np.ndarray) -> str:
    pairs, counts = np.unique(np.stack([src, dst]), axis=1, return_counts=True)
    source, target = pairs[:, np.argmax(counts)]
    return f"arc {source} → {target} stands twice"


def _check_pairs(src: np.ndarray, dst: np.ndarray, num_nodes: int, values: Mapping[str, np.ndarray]) -> None:
    if len(src) != len(dst):
        raise DataError(f"{len(src)} sources but {len(dst)} targets")
    _check_values(values, len(src))
    if not len(src):
        return
    low, high = min(src.min(), dst.min()), max(src.max(), dst.max())
    if low < 0 or high >= num_nodes:
        raise DataError(f"node {low if low < 0 else high} is out of range", where=f"{num_nodes} nodes")
    if (src == dst).any():
        raise DataError(f"node {src[np.argmax(src == dst)]} has an arc to itself", fix="Drop self-loops.")


def _check_values(values: Mapping[str, np.ndarray], num_arcs: int) -> None:
    for name, array in values.items():
        if array.shape != (num_arcs,):
            raise DataError(f"value {name!r} has shape {array.shape} for {num_arcs} arcs")
    if not np.isfinite(values["weight"]).all():
        raise DataError("an arc's weight is not finite", fix="Drop the arc or give it a weight.")
