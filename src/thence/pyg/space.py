"""Nodes of several types in one line of ints: those of the first type first, then those of the next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor
from torch_geometric.data import Data, HeteroData

from thence.base.errors import ConfigError, DataError, nearest

NodeType = str | None
EdgeType = tuple[str, str, str] | None


@dataclass(frozen=True, eq=False)
class Space:
    """Which int stands for which node of a ``Data`` or ``HeteroData``.

    Args:
        node_types: in order; the one type None of a ``Data``.
        edge_types: in order; the one type None of a ``Data``.
        bounds: ``[node types + 1]`` int64, where the nodes of each type begin.

    Example:
        >>> data = HeteroData()
        >>> data["user"].num_nodes, data["item"].num_nodes = 2, 3
        >>> space = Space.of(data)
        >>> space.num_nodes, space.place("item", np.array([0, 2])).tolist()
        (5, [2, 4])
    """

    node_types: tuple[NodeType, ...]
    edge_types: tuple[EdgeType, ...]
    bounds: np.ndarray

    @classmethod
    def of(cls, data: Data | HeteroData) -> Space:
        """The line of a graph's nodes.

        Raises:
            DataError: a type does not say how many nodes it has, an edge type names a node type that is not
                there, or there are more nodes than an int32 numbers.
            ConfigError: it is neither a ``Data`` nor a ``HeteroData``.
        """
        if isinstance(data, Data):
            node_types, edge_types, counts = (None,), (None,), [data.num_nodes]
        elif isinstance(data, HeteroData):
            node_types, edge_types = tuple(data.node_types), tuple(data.edge_types)
            counts = [data[name].num_nodes for name in node_types]
            for edge_type in edge_types:
                for name in (edge_type[0], edge_type[2]):
                    if name not in node_types:
                        fix = nearest(name, node_types)
                        raise DataError(f"there are no nodes of type {name!r}", where=edge_type, fix=fix)
        else:
            raise ConfigError(f"{type(data).__name__} is neither Data nor HeteroData", fix="Give one of them.")
        for name, count in zip(node_types, counts, strict=True):
            if count is None:
                raise DataError("the number of nodes is unknown", where=name, fix="Set num_nodes.")
        bounds = np.cumsum([0, *(int(count or 0) for count in counts)])
        if bounds[-1] >= 2**31:
            raise DataError(f"{bounds[-1]} nodes", fix="There may be 2147483647 of all types together.")
        return cls(node_types, edge_types, bounds)

    @property
    def num_nodes(self) -> int:
        """How many nodes of all types."""
        return int(self.bounds[-1])

    @property
    def hetero(self) -> bool:
        """Whether nodes have types."""
        return self.node_types != (None,)

    def span(self, node_type: NodeType) -> tuple[int, int]:
        """Where the nodes of a type begin and end."""
        at = self.node_types.index(node_type)
        return int(self.bounds[at]), int(self.bounds[at + 1])

    def place(self, node_type: NodeType, nodes: np.ndarray) -> np.ndarray:
        """Ints of some nodes of one type.

        Raises:
            DataError: there is no such type, or a node is out of range.
        """
        if node_type not in self.node_types:
            known = [str(name) for name in self.node_types]
            raise DataError(f"there are no nodes of type {node_type!r}", fix=nearest(str(node_type), known))
        first, end = self.span(node_type)
        wrong = (nodes < 0) | (nodes >= end - first)
        if wrong.any():
            where = f"{end - first} nodes" + (f" of type {node_type!r}" if self.hetero else "")
            raise DataError(f"node {nodes[wrong][0]} is out of range", where=where)
        return nodes.astype(np.int64) + first

    def types(self, nodes: np.ndarray) -> np.ndarray:
        """The place among ``node_types`` of each node's type."""
        return np.searchsorted(self.bounds, nodes, "right") - 1

    def ends(self, edge_type: EdgeType) -> tuple[NodeType, NodeType]:
        """Node types of the sources and targets of an edge type."""
        return (None, None) if edge_type is None else (edge_type[0], edge_type[2])


def node_store(data: Data | HeteroData, node_type: NodeType) -> Any:
    """What holds the attributes of one type's nodes, in the order in which they were set."""
    return data.stores[0] if node_type is None else data[node_type]


def stores(data: Data | HeteroData) -> Iterator[tuple[EdgeType, Any]]:
    """Edge types and what holds their arcs, in order."""
    if isinstance(data, Data):
        yield None, data.stores[0]
    else:
        for edge_type in data.edge_types:
            yield edge_type, data[edge_type]


def relation_name(edge_type: EdgeType) -> str:
    """The name of an edge type's relation, as PyG spells it.

    Example:
        >>> relation_name(("user", "buys", "item")), relation_name(None)
        ('user__buys__item', 'arcs')
    """
    return "arcs" if edge_type is None else "__".join(edge_type)


def array_of(values: Any, what: str) -> np.ndarray:
    """A tensor or array as one of NumPy, on the CPU.

    Raises:
        DataError: it is neither.
    """
    if isinstance(values, Tensor):
        plain = values.detach().as_subclass(Tensor).cpu()
        return (plain.float() if plain.is_floating_point() and plain.itemsize < 4 else plain).numpy()
    if isinstance(values, np.ndarray):
        return values
    raise DataError(f"{what} is a {type(values).__name__}, not a tensor")
