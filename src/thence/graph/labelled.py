"""A graph, or several side by side, with features and what is to be told of its nodes or of its graphs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import scipy.sparse as sp

from thence.base.errors import ConfigError, DataError
from thence.graph.arcs import Arcs

Told = Literal["nodes", "graphs"]


@dataclass(frozen=True, eq=False, repr=False)
class LabelledGraph:
    """Arcs, features, labels and who is in which split. Several graphs stand side by side, no arc between them.

    Args:
        arcs: the arcs of all graphs.
        x: ``[num_nodes, inputs]`` float32 features, dense or a SciPy matrix of sparse rows; no inputs where
            there are no features.
        y: ``[num_nodes]`` or ``[num_graphs]``: int64 classes from 0 (below 0: not known), or float32 values
            (NaN: not known).
        splits: rows of ``y`` by the name of the split, ``{"train": [...], "valid": [...], "test": [...]}``;
            none in two splits.
        graph_of: ``[num_nodes]`` int64, the graph that each node is of, ascending from 0; one graph when not
            given.
        told: whether the rows of ``y`` are nodes or graphs.

    Raises:
        DataError: lengths differ, features or labels have another type or are not finite, or a split names a
            row that is not there or that another split has.

    Example:
        >>> arcs = Arcs.from_pairs([0, 1], [1, 2], num_nodes=3)
        >>> LabelledGraph(arcs, np.eye(3, dtype=np.float32), np.array([0, 1, 1]), {"train": np.arange(3)})
        LabelledGraph(1 graph, 3 nodes, 2 arcs, 3 inputs, 2 classes of nodes)
    """

    arcs: Arcs
    x: Any
    y: np.ndarray
    splits: Mapping[str, np.ndarray]
    graph_of: np.ndarray | None = None
    told: Told = "nodes"

    def __post_init__(self) -> None:
        if self.x.ndim != 2 or self.x.shape[0] != self.arcs.num_nodes:
            raise DataError(f"features have shape {self.x.shape} for {self.arcs.num_nodes} nodes")
        if self.x.dtype != np.float32 or not np.isfinite(_entries(self.x)).all():
            raise DataError("features are not finite float32", fix="Give x.astype(np.float32).")
        if self.y.dtype not in (np.int64, np.float32) or self.y.ndim != 1:
            raise DataError(
                f"labels are {self.y.dtype} of shape {self.y.shape}",
                fix="Give int64 classes or float32 values, one a node or a graph.",
            )
        if self.graph_of is not None and len(self.graph_of) != self.arcs.num_nodes:
            raise DataError(f"graph_of has {len(self.graph_of)} entries for {self.arcs.num_nodes} nodes")
        rows = self.arcs.num_nodes if self.told == "nodes" else self.num_graphs
        if len(self.y) != rows:
            raise DataError(f"{len(self.y)} labels for {rows} {self.told}")
        named = np.concatenate([*self.splits.values(), np.zeros(0, np.int64)])
        if len(named) and (named.min() < 0 or named.max() >= rows or len(np.unique(named)) < len(named)):
            raise DataError(f"splits name a row twice or one beyond the {rows} {self.told}")

    @property
    def num_graphs(self) -> int:
        """How many graphs stand side by side."""
        if self.graph_of is None or not len(self.graph_of):
            return 1
        return int(self.graph_of[-1]) + 1

    @property
    def num_classes(self) -> int:
        """How many classes; 0 where values are to be told."""
        return int(self.y.max(initial=-1)) + 1 if self.y.dtype == np.int64 else 0

    @property
    def known(self) -> np.ndarray:
        """``[len(y)]`` bool: the label is known."""
        return self.y >= 0 if self.y.dtype == np.int64 else ~np.isnan(self.y)

    def part(self, name: str) -> np.ndarray:
        """Rows of a split whose labels are known.

        Raises:
            ConfigError: there is no such split.
        """
        if name not in self.splits:
            named = ", ".join(self.splits) or "none"
            raise ConfigError(f"no split {name!r}; there are: {named}", fix="Name one, or draw: random_split.")
        rows = np.asarray(self.splits[name], np.int64)
        return rows[self.known[rows]]

    def undirected(self) -> LabelledGraph:
        """The same with every arc in both directions, with the larger of two weights that differ."""
        along: Any = self.arcs.matrix()
        both = sp.coo_matrix(along.maximum(along.T))
        arcs = Arcs.from_pairs(
            both.row, both.col, num_nodes=self.arcs.num_nodes, weight=both.data, directed=False
        )
        return replace(self, arcs=arcs)

    def __repr__(self) -> str:
        """One line with the counts."""
        graphs = f"{self.num_graphs:,} graph{'s' if self.num_graphs > 1 else ''}"
        what = f"{self.num_classes} classes" if self.num_classes else "values"
        counts = f"{self.arcs.num_nodes:,} nodes, {self.arcs.num_arcs:,} arcs, {self.x.shape[1]:,} inputs"
        return f"LabelledGraph({graphs}, {counts}, {what} of {self.told})"


def _entries(x: Any) -> np.ndarray:
    """What is stored of a dense or sparse matrix."""
    return x.data if sp.issparse(x) else x
