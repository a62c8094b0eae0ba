"""A graph as layers see it: the sparse matrices that they multiply by, made when they are first asked for.

Several graphs are one: their arcs stand side by side, none between them, and ``graph_of`` tells which graph a
node is of. So a batch of graphs costs no padding, and no layer can look from one graph into another.

Ways to look: ``into``, from a target at the sources of its arcs, as messages that follow the arcs do; ``out``,
from a source at its targets; ``both``, at either, each neighbour once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Literal, TypeVar

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from thence.base.errors import ConfigError, DataError, nearest
from thence.encode.layer.near import Near
from thence.encode.propagate import SparseMatrix
from thence.graph import Arcs

Way = Literal["into", "out", "both"]
WAYS = ("into", "out", "both")
Kept = TypeVar("Kept", bound=Any)
Scale = Literal["sum", "mean", "degrees", "loops", "mean_loops"]
SCALES = ("sum", "mean", "degrees", "loops", "mean_loops")


class View:
    """One graph or several, for layers that are called as ``layer(x, view)``.

    Args:
        arcs: the arcs of all graphs; their weights count as they stand.
        graph_of: ``[num_nodes]`` int, the graph that each node is of, ascending from 0; one graph when not
            given. A graph may be empty of arcs, not of nodes.

    Raises:
        DataError: ``graph_of`` has another length, does not ascend from 0 without gaps, or an arc leads from
            one graph into another.

    Example:
        >>> path = Arcs.from_pairs([0, 1], [1, 2], num_nodes=3)  # 0 → 1 → 2
        >>> view = View(path)
        >>> view.matrix("mean", "into")(torch.tensor([[1.0], [2.0], [4.0]])).tolist()
        [[0.0], [1.0], [2.0]]
        >>> two = View.stacked([view, view])
        >>> two.num_graphs, two.num_nodes, two.graph_of.tolist()
        (2, 6, [0, 0, 0, 1, 1, 1])
    """

    def __init__(self, arcs: Arcs, graph_of: np.ndarray | None = None) -> None:
        self.arcs = arcs
        own = np.zeros(arcs.num_nodes, np.int64) if graph_of is None else np.asarray(graph_of, np.int64)
        if len(own) != arcs.num_nodes:
            raise DataError(f"graph_of has {len(own)} entries for {arcs.num_nodes} nodes")
        if len(own) and (own[0] != 0 or not np.isin(np.diff(own), (0, 1)).all()):
            raise DataError("graph_of does not ascend from 0 without gaps", fix="Number the graphs in order.")
        source, target = arcs.pairs
        if graph_of is not None and (own[source] != own[target]).any():
            raise DataError("an arc leads from one graph into another")
        self.graph_of = torch.from_numpy(own)
        self.num_graphs = int(own[-1]) + 1 if len(own) else 0
        self._kept: dict[object, Any] = {}

    @classmethod
    def stacked(cls, views: Sequence[View]) -> View:
        """The graphs of several views side by side, in their order.

        Raises:
            DataError: there is none.
        """
        if not views:
            raise DataError("no graphs to stack")
        first = np.cumsum([0, *(view.num_nodes for view in views)])
        graph = np.cumsum([0, *(view.num_graphs for view in views)])
        pairs = [view.arcs.pairs + at for view, at in zip(views, first[:-1], strict=True)]
        source, target = np.concatenate(pairs, axis=1)
        arcs = Arcs.from_pairs(
            source,
            target,
            num_nodes=int(first[-1]),
            weight=np.concatenate([view.arcs.weight for view in views]),
        )
        of = [view.graph_of.numpy(force=True) + at for view, at in zip(views, graph[:-1], strict=True)]
        return cls(arcs, np.concatenate(of))

    @property
    def num_nodes(self) -> int:
        """How many nodes in all graphs together."""
        return self.arcs.num_nodes

    @cached_property
    def sizes(self) -> Tensor:
        """``[num_graphs]`` int64: nodes of each graph."""
        return torch.bincount(self.graph_of, minlength=self.num_graphs)

    @cached_property
    def _order(self) -> tuple[Tensor, Tensor] | None:
        """Nodes in the order of the sizes of their graphs, and back; None when nothing would move."""
        size = self.sizes[self.graph_of]
        order = torch.sort(size, stable=True)[1]
        return None if bool((size[1:] >= size[:-1]).all()) else (order, torch.argsort(order))

    def by_size(self, rows: Tensor) -> Tensor:
        """Rows ``[num_nodes, …]`` in the order of the sizes of their graphs."""
        return rows if self._order is None else _Reordered.apply(rows, *self._order)  # type: ignore[return-value]

    def by_node(self, rows: Tensor) -> Tensor:
        """Rows ``[num_nodes, …]`` that are ordered by size in the order of the nodes again."""
        return rows if self._order is None else _Reordered.apply(rows, *self._order[::-1])  # type: ignore[return-value]

    def blocks(self, rows: Tensor) -> list[Tensor]:
        """Rows that are ordered by size as ``[graphs, nodes, …]`` for each size of graph: nothing is padded.

        Example:
            >>> view = View(Arcs.from_pairs([], [], num_nodes=5), np.array([0, 0, 1, 2, 2]))
            >>> [part.tolist() for part in view.blocks(view.by_size(torch.arange(5)))]
            [[[2]], [[0, 1], [3, 4]]]
        """
        if self.num_graphs <= 1:
            return [rows[None]]
        size, count = (each.tolist() for each in torch.unique(self.sizes, return_counts=True))
        parts = rows.split([nodes * graphs for nodes, graphs in zip(size, count, strict=True)])
        return [part.unflatten(0, (graphs, -1)) for part, graphs in zip(parts, count, strict=True)]

    def to(self, device: torch.device | str) -> View:
        """Itself, moved."""
        if self.graph_of.device == torch.device(device):
            return self
        self.graph_of = self.graph_of.to(device)
        for name in ("sizes", "_order"):
            self.__dict__.pop(name, None)
        self._kept = {key: value.to(device) for key, value in self._kept.items()}
        return self

    def kept(self, key: object, make: Callable[[], Kept]) -> Kept:
        """What a layer needs to know of the graph, worked out once.

        Args:
            key: what it is, hashable.
            make: works it out, on the CPU: a tensor, a module or whatever else has a method ``to``.
        """
        if key not in self._kept:
            self._kept[key] = make().to(self.graph_of.device)
        return self._kept[key]

    def matrix(self, scale: Scale, way: Way = "into") -> SparseMatrix:
        """The ``[num_nodes, num_nodes]`` matrix of a way to look; row i holds what node i looks at.

        Args:
            scale: ``sum``: the arcs' weights w; ``mean``: rows scaled to sum to one, but those of nodes that
                see nothing; ``degrees``: D_row^-½ A D_column^-½, degrees being sums of weights; ``loops``: the
                same of A + I, as in GCN; ``mean_loops``: rows of A + I scaled to sum to one.
            way: where to look.

        Raises:
            ConfigError: there is no such scale or way.
        """
        if scale not in SCALES or way not in WAYS:
            known = SCALES if scale not in SCALES else WAYS
            raise ConfigError(f"no matrix ({scale!r}, {way!r})", fix=nearest(str(scale), known))
        return self.kept((scale, way), lambda: SparseMatrix(_scaled(self.rows(way), scale)))

    def near(self, way: Way = "into", itself: bool = False) -> Near:
        """Who looks at whom, entry by entry, for attention; weights do not count.

        Args:
            way: where to look.
            itself: whether each node looks at itself too.

        Raises:
            ConfigError: there is no such way.
        """
        if way not in WAYS:
            raise ConfigError(f"no way {way!r}", fix=nearest(str(way), WAYS))
        return self.kept((Near, way, itself), lambda: Near.of(self._pattern(way, itself)))

    def rows(self, way: Way = "into") -> sp.csr_matrix:
        """A as a SciPy matrix: entry (i, j) is the weight with which node i looks at node j."""
        return _looking(self.arcs.matrix(), way)

    def _pattern(self, way: Way, itself: bool) -> Any:
        """As ``rows``, with a one for every arc, one of weight zero too, and where asked on the diagonal."""
        along: Any = self.arcs.matrix()
        along.data = np.ones_like(along.data)
        rows: Any = _looking(along, way)
        return rows + sp.identity(self.num_nodes) if itself else rows


class _Reordered(torch.autograd.Function):
    """``rows[order]``; ``back`` leads the gradient back, one row a row, without adding up."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, order: Tensor, back: Tensor) -> Tensor:
        ctx.back = back
        return rows.index_select(0, order)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        return grads[0].index_select(0, ctx.back), None, None


def _looking(along: Any, way: Way) -> sp.csr_matrix:
    """The matrix of a way to look, of that of the arcs."""
    if way == "out":
        return along
    into = sp.csr_matrix(along.T)
    return into if way == "into" else sp.csr_matrix(along.maximum(into))


def _scaled(rows: Any, scale: Scale) -> sp.csr_matrix:
    """Rows of A as a scale has them."""
    if scale == "sum":
        return rows
    if scale in ("loops", "mean_loops"):
        rows = sp.csr_matrix(rows + sp.diags(np.ones(rows.shape[0], np.float32)))
    left, right = (np.asarray(rows.sum(axis=axis), np.float64).ravel() for axis in (1, 0))
    mean = scale in ("mean", "mean_loops")
    power = -1.0 if mean else -0.5
    left = np.where(left > 0, np.maximum(left, 1e-30) ** power, 0.0)
    if mean:
        return sp.csr_matrix(sp.diags(left) @ rows)
    right = np.where(right > 0, np.maximum(right, 1e-30) ** power, 0.0)
    return sp.csr_matrix(sp.diags(left) @ rows @ sp.diags(right))
