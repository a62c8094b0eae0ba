"""One relation of a directed graph in compressed sparse rows, stored in both directions.

Row ``i`` of the out-side lists the targets of node ``i`` in ascending order; row ``j`` of the in-side lists
the sources of node ``j``. Values of an arc (weight, support, …) are stored once, in out-order; ``in_order``
leads from an in-side position to it. Positions of arcs are int32 up to 2³¹ - 1 arcs and int64 beyond.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp

from thence.base.errors import DataError
from thence.graph.check import check_pairs, check_values, frozen, node_array, node_count, position_type

BLOCK = 1 << 18
"""Arcs that are worked on at a time, so that temporary arrays stay small."""


@dataclass(frozen=True, eq=False, repr=False)
class Arcs:
    """Arcs ``source → target`` among ``num_nodes`` nodes, each ordered pair at most once. Immutable.

    Make one with :meth:`from_pairs`; the fields are the stored form. Arrays that it hands out are read-only.

    Args:
        indptr: ``[num_nodes + 1]`` int32 or int64, where each source's targets begin.
        targets: ``[num_arcs]`` int32, ascending inside a row.
        in_indptr: ``[num_nodes + 1]`` int32 or int64, where each target's sources begin.
        sources: ``[num_arcs]`` int32, ascending inside a row.
        in_order: ``[num_arcs]`` int32 or int64, out-order position of each in-side entry.
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

    def __post_init__(self) -> None:
        for field in ("indptr", "targets", "in_indptr", "sources", "in_order"):
            object.__setattr__(self, field, frozen(getattr(self, field)))
        object.__setattr__(self, "values", {name: frozen(array) for name, array in self.values.items()})

    @classmethod
    def from_pairs(
        cls,
        source: np.ndarray | Sequence[int],
        target: np.ndarray | Sequence[int],
        *,
        num_nodes: int,
        weight: np.ndarray | Sequence[float] | None = None,
        values: Mapping[str, np.ndarray | Sequence[float]] | None = None,
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
            DataError: a node is no int or out of range, an arc stands twice or is a self-loop, a weight is not
                finite, lengths differ, or an undirected relation lacks an arc's reverse.

        Example:
            >>> Arcs.from_pairs([0, 1], [1, 3], num_nodes=3)
            Traceback (most recent call last):
            thence.base.errors.DataError: node 3 is out of range (in 3 nodes)
        """
        num_nodes = node_count(num_nodes)
        src, dst = node_array(source, "source"), node_array(target, "target")
        extra = {name: np.asarray(array) for name, array in (values or {}).items()}
        if weight is not None and "weight" in extra:
            raise DataError("the weight is given twice", fix="Give it as weight=, or among the values.")
        plain = extra.pop("weight", np.ones(len(src), np.float32)) if weight is None else weight
        with np.errstate(over="ignore"):  # too large becomes infinite, which is refused
            extra["weight"] = np.asarray(plain, np.float32)
        check_pairs(src, dst, num_nodes, extra)
        stored, order = _compress(src, dst, num_nodes)
        named = {name: array[order] for name, array in sorted(extra.items())}
        arcs = cls(**stored, values=named, directed=directed)
        if not directed and not arcs._symmetric:
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
        return np.diff(self.indptr).astype(np.int64, copy=False)

    @property
    def in_degree(self) -> np.ndarray:
        """``[num_nodes]`` int64."""
        return np.diff(self.in_indptr).astype(np.int64, copy=False)

    @property
    def pairs(self) -> np.ndarray:
        """``[2, num_arcs]`` int64: row 0 sources, row 1 targets, in out-order."""
        pairs = np.empty((2, self.num_arcs), np.int64)
        pairs[0] = np.repeat(np.arange(self.num_nodes, dtype=np.int32), self.out_degree)
        pairs[1] = self.targets
        return pairs

    @property
    def reverse_at(self) -> np.ndarray:
        """``[num_arcs]`` int32 or int64: the out-order position of each arc's reverse, -1 for none."""
        reverse = np.empty(self.num_arcs, position_type(self.num_arcs))
        for first, last in self.row_blocks():
            reverse[self.indptr[first] : self.indptr[last]] = self.reverse_of(first, last)
        return reverse

    def row_blocks(self) -> Iterator[tuple[int, int]]:
        """Ranges ``(first, last)`` of nodes with about ``BLOCK`` arcs each, for work a piece at a time."""
        edges = np.searchsorted(self.indptr, np.arange(BLOCK, self.num_arcs, BLOCK))
        bounds = np.unique(np.concatenate([[0], edges, [self.num_nodes]]))
        yield from zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)

    def reverse_of(self, first: int, last: int) -> np.ndarray:
        """:attr:`reverse_at` of the arcs of nodes ``first … last - 1`` alone.

        The nodes that node i leads to and the nodes that lead to it are both sorted; where the two lists meet,
        the arcs are each other's reverse.
        """
        leads_to = self._keys(self.indptr, self.targets, first, last)
        led_from = self._keys(self.in_indptr, self.sources, first, last)
        if not len(led_from):
            return np.full(len(leads_to), -1, self.in_order.dtype)
        at = np.minimum(np.searchsorted(led_from, leads_to), len(led_from) - 1)
        order = self.in_order[self.in_indptr[first] : self.in_indptr[last]]
        return np.where(led_from[at] == leads_to, order[at], -1)

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

    def contains(self, source: np.ndarray | Sequence[int], target: np.ndarray | Sequence[int]) -> np.ndarray:
        """``[n]`` bool: which of the ordered pairs are arcs."""
        return self.positions(source, target) >= 0

    def positions(self, source: np.ndarray | Sequence[int], target: np.ndarray | Sequence[int]) -> np.ndarray:
        """``[n]`` int64: the out-order position of each ordered pair, -1 where there is no such arc.

        A node that does not exist, such as the -1 of an unknown id, has no arcs.

        Example:
            >>> arcs = Arcs.from_pairs([0, 0, 2], [1, 2, 1], num_nodes=3)
            >>> arcs.positions([0, 2, 1, -1], [2, 1, 0, 5]).tolist()
            [1, 2, -1, -1]
        """
        src, dst = node_array(source, "source"), node_array(target, "target")
        if len(src) != len(dst):
            raise DataError(f"{len(src)} sources but {len(dst)} targets")
        from thence.graph.position_kernel import positions  # compiled: loaded with the first question

        found = np.empty(len(src), np.int64)
        src, dst = (array.astype(np.int64, copy=False) for array in (src, dst))
        positions(np.asarray(self.indptr), np.asarray(self.targets), src, dst, found)
        return found

    def matrix(self, value: str = "weight") -> sp.csr_matrix:
        """The adjacency ``[num_nodes, num_nodes]``: entry (i, j) is the value of arc i → j.

        Entries are float32, or float64 for a value of 64 bits such as ``last_time``.
        """
        values = self.values[value]
        data = values.astype(np.float32 if values.dtype.itemsize <= 4 else np.float64)
        return sp.csr_matrix((data, self.targets, self.indptr), shape=(self.num_nodes, self.num_nodes))

    def with_value(self, name: str, array: np.ndarray) -> Arcs:
        """The same arcs with one named value added or replaced (``[num_arcs]``, out-order)."""
        array = np.asarray(array, np.float32) if name == "weight" else np.asarray(array)
        check_values({name: array}, self.num_arcs)
        return replace(self, values={**self.values, name: array})

    def reversed(self) -> Arcs:
        """The same arcs with every direction turned round; each keeps its values."""
        place = np.empty(self.num_arcs, position_type(self.num_arcs))
        place[self.in_order] = np.arange(self.num_arcs, dtype=place.dtype)
        return Arcs(
            indptr=self.in_indptr,
            targets=self.sources,
            in_indptr=self.indptr,
            sources=self.targets,
            in_order=place,
            values={name: array[self.in_order] for name, array in self.values.items()},
            directed=self.directed,
        )

    def select(self, keep: np.ndarray) -> Arcs:
        """The arcs at which ``keep`` (``[num_arcs]`` bool or positions, in out-order) holds."""
        source, target = self.pairs[:, keep]
        values = {name: array[keep] for name, array in self.values.items()}
        return Arcs.from_pairs(source, target, num_nodes=self.num_nodes, values=values, directed=self.directed)

    @property
    def _symmetric(self) -> bool:
        """Every arc's reverse exists: both sides then list the same neighbours."""
        return np.array_equal(self.indptr, self.in_indptr) and np.array_equal(self.targets, self.sources)

    def _keys(self, indptr: np.ndarray, neighbors: np.ndarray, first: int, last: int) -> np.ndarray:
        """Keys node · num_nodes + neighbour of the rows first … last - 1 of one side, ascending."""
        rows = np.arange(first, last, dtype=np.int64) * self.num_nodes
        return np.repeat(rows, np.diff(indptr[first : last + 1])) + neighbors[indptr[first] : indptr[last]]


def _compress(src: np.ndarray, dst: np.ndarray, num_nodes: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Both sides of the stored form, and the place in the input of each arc in out-order.

    Three passes that count and place: by target, then by source, which leaves every row sorted, and by target
    again.
    """
    size = position_type(len(src))
    shape = (num_nodes, num_nodes)
    pairs = sp.coo_matrix((np.arange(len(src), dtype=size), (src, dst)), shape=shape)
    pairs.has_canonical_format = True  # nothing to add up: arcs that stand twice are refused below
    by_source: Any = pairs.tocsc().tocsr()
    order, targets = by_source.data, by_source.indices
    source = np.repeat(np.arange(num_nodes, dtype=np.int32), np.diff(by_source.indptr))
    twice = (targets[1:] == targets[:-1]) & (source[1:] == source[:-1])
    if twice.any():
        at = int(np.argmax(twice))
        raise DataError(
            f"arc {source[at]} → {targets[at]} stands twice", fix="Add the weights of equal arcs first."
        )
    by_source.data = np.arange(len(src), dtype=size)
    by_target: Any = by_source.tocsc()
    stored = {
        "indptr": by_source.indptr.astype(size, copy=False),
        "targets": targets.astype(np.int32, copy=False),
        "in_indptr": by_target.indptr.astype(size, copy=False),
        "sources": by_target.indices.astype(np.int32, copy=False),
        "in_order": by_target.data.astype(size, copy=False),
    }
    return stored, order
