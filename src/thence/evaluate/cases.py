"""Cases: what a ranking is judged on, wherever it came from.

A case says: for this source, that target was right. Held-out arcs of a graph make cases
(:func:`arc_cases`, the papers' protocol), and so do real baskets of later weeks
(:func:`thence.evaluate.purchases.first_purchase_cases`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from thence.base.errors import DataError
from thence.graph.arcs import Arcs


@dataclass(frozen=True, eq=False, repr=False)
class Cases:
    """Sources, the targets that were right, and all that is needed to judge and to slice.

    Args:
        source: ``[M]`` int64 nodes that are asked.
        target: ``[M]`` int64 nodes that were right; never the source itself.
        weight: ``[M]`` float64, how often the case was observed; positive.
        group: ``[M]`` int64, cluster for the bootstrap: a household, or the source node.
        num_nodes: how many nodes are candidates.
        popularity: ``[num_nodes]`` float64, how much was known of each node as a target before.
        degree: ``[num_nodes]`` float64, how much was known of each node as a source before.
        known: arcs whose targets are no candidates for their source, as papers filter train arcs.
        one_way: ``[M]`` bool, the reverse does not exist; None where that has no meaning.
        info: what a report should say about their origin, JSON-able.

    Raises:
        DataError: lengths differ, a node is out of range, a target is its own source or a known arc, or a
            weight is not positive and finite.

    Example:
        >>> cases = Cases.make([0, 0, 1], [1, 2, 0], num_nodes=3)
        >>> cases
        Cases(3 cases, 2 sources, 2 groups, 3 nodes)
    """

    source: np.ndarray
    target: np.ndarray
    weight: np.ndarray
    group: np.ndarray
    num_nodes: int
    popularity: np.ndarray
    degree: np.ndarray
    known: Arcs | None = None
    one_way: np.ndarray | None = None
    info: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def make(
        cls,
        source: np.ndarray | list[int],
        target: np.ndarray | list[int],
        *,
        num_nodes: int,
        weight: np.ndarray | list[float] | None = None,
        group: np.ndarray | list[int] | None = None,
        known: Arcs | None = None,
    ) -> Cases:
        """Cases from plain lists: weights of 1, the source as group and zero degrees unless given."""
        src = np.asarray(source, np.int64)
        return cls(
            source=src,
            target=np.asarray(target, np.int64),
            weight=np.ones(len(src)) if weight is None else np.asarray(weight, np.float64),
            group=src if group is None else np.asarray(group, np.int64),
            num_nodes=num_nodes,
            popularity=np.zeros(num_nodes) if known is None else known.in_degree.astype(np.float64),
            degree=np.zeros(num_nodes) if known is None else known.out_degree.astype(np.float64),
            known=known,
        )

    def __post_init__(self) -> None:
        self._check_lengths()
        if not np.isfinite(self.weight).all() or (self.weight <= 0).any():
            raise DataError("a case's weight is not positive and finite")
        if not len(self):
            return
        low = min(self.source.min(), self.target.min())
        high = max(self.source.max(), self.target.max())
        if low < 0 or high >= self.num_nodes:
            raise DataError(f"node {low if low < 0 else high} is out of range", where=f"{self.num_nodes} nodes")
        if (self.source == self.target).any():
            raise DataError("a case has its own source as target", fix="Drop such cases.")
        if self.known is not None and self.known.contains(self.source, self.target).any():
            raise DataError(
                "a case is a known arc, whose target is no candidate", fix="Split before you judge."
            )

    def __len__(self) -> int:
        """How many cases."""
        return len(self.source)

    def __repr__(self) -> str:
        """One line with the counts."""
        return (
            f"Cases({len(self):,} cases, {len(self.sources):,} sources, {self.num_groups:,} groups, "
            f"{self.num_nodes:,} nodes)"
        )

    @cached_property
    def sources(self) -> np.ndarray:
        """``[S]`` int64: distinct sources, ascending."""
        return np.unique(self.source)

    @cached_property
    def clusters(self) -> np.ndarray:
        """``[M]`` int64: the group of each case as a dense int."""
        return np.unique(self.group, return_inverse=True)[1]

    @cached_property
    def num_groups(self) -> int:
        """How many distinct groups."""
        return int(self.clusters.max()) + 1 if len(self) else 0

    @cached_property
    def cold(self) -> np.ndarray:
        """``[M]`` bool: nothing was known of the target before, neither as target nor as source."""
        return self.popularity[self.target] + self.degree[self.target] == 0

    def with_degree(self, degree: np.ndarray) -> Cases:
        """The same cases with another ``degree`` (``[num_nodes]``) to slice queries by."""
        return replace(self, degree=np.asarray(degree, np.float64))

    def select(self, keep: np.ndarray) -> Cases:
        """The cases at which ``keep`` (``[M]`` bool or positions) holds."""
        fields = {name: getattr(self, name)[keep] for name in ("source", "target", "weight", "group")}
        return replace(self, **fields, one_way=None if self.one_way is None else self.one_way[keep])

    def sample(self, num: int, seed: int) -> Cases:
        """At most ``num`` cases, drawn without replacement; order is kept."""
        from thence.base.rng import generator

        if num >= len(self):
            return self
        return self.select(np.sort(generator(seed, "cases").choice(len(self), num, replace=False)))

    def _check_lengths(self) -> None:
        rows = {"target": self.target, "weight": self.weight, "group": self.group, "one_way": self.one_way}
        for name, array in rows.items():
            if array is not None and array.shape != self.source.shape:
                raise DataError(f"{name} has shape {array.shape} for {self.source.shape[0]} cases")
        for name, array in {"popularity": self.popularity, "degree": self.degree}.items():
            if array.shape != (self.num_nodes,):
                raise DataError(f"{name} has shape {array.shape} for {self.num_nodes} nodes")
        if self.known is not None and self.known.num_nodes != self.num_nodes:
            raise DataError(f"known arcs are among {self.known.num_nodes} nodes, cases {self.num_nodes}")


def arc_cases(test: Arcs, known: Arcs, graph: Arcs | None = None) -> Cases:
    """Held-out arcs as cases: for the source of each, its target should stand high among all other nodes.

    Known arcs are filtered from the candidates; other test arcs are not. Each arc counts once, whatever its
    weight, and the bootstrap draws source nodes.

    Args:
        test: arcs to judge on.
        known: arcs that the model has seen (train, or train and validation), disjoint from ``test``.
        graph: the whole graph, which tells whether a test arc is one-way; ``test`` and ``known`` together
            when not given.

    Raises:
        DataError: an arc is both known and tested, or the node counts differ.

    Example:
        >>> known = Arcs.from_pairs([0, 1], [1, 2], num_nodes=3)
        >>> cases = arc_cases(Arcs.from_pairs([0, 1], [2, 0], num_nodes=3), known)
        >>> cases.one_way.tolist()  # 0 → 1 is known, so the test arc 1 → 0 is not one-way
        [True, False]

    References:
        Virinchi et al., ECML-PKDD 2022, evaluation question 1 (node recommendation).
    """
    if known.num_nodes != test.num_nodes:
        raise DataError(f"known arcs are among {known.num_nodes} nodes, test arcs {test.num_nodes}")
    source, target = test.pairs
    cases = Cases.make(source, target, num_nodes=test.num_nodes, known=known)
    info = {"protocol": "held-out arcs", "test arcs": test.num_arcs, "known arcs": known.num_arcs}
    return replace(cases, one_way=one_way(test, known, graph), info=info)


def arcs_of(cases: Cases) -> Arcs:
    """Cases as arcs, each pair once, weighted by how often it came: what a re-ranker's lesson asks for.

    Args:
        cases: whatever was judged.

    Returns:
        Arcs among the cases' nodes, w(i → j) = Σ weight of the cases (i, j).

    Example:
        >>> arcs = arcs_of(Cases.make([0, 2, 0], [1, 0, 1], num_nodes=3, weight=[1.0, 1.0, 2.0]))
        >>> arcs.pairs.tolist(), arcs.weight.tolist()
        ([[0, 2], [1, 0]], [3.0, 1.0])
    """
    pair, at = np.unique(cases.source * cases.num_nodes + cases.target, return_inverse=True)
    weight = np.bincount(at, weights=cases.weight)
    return Arcs.from_pairs(*np.divmod(pair, cases.num_nodes), num_nodes=cases.num_nodes, weight=weight)


def one_way(test: Arcs, known: Arcs, graph: Arcs | None = None) -> np.ndarray:
    """``[test.num_arcs]`` bool: the reverse of a test arc is nowhere, in out-order of ``test``."""
    source, target = test.pairs
    wholes = (test, known) if graph is None else (graph, test, known)
    return ~np.any([whole.contains(target, source) for whole in wholes], axis=0)
