"""A :class:`DiGraph` as PyG's ``Data`` or ``HeteroData``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor
from torch_geometric.data import Data, HeteroData

from thence.base.arrow import pc
from thence.base.errors import DataError, nearest
from thence.base.ids import IdMap
from thence.graph.arcs import Arcs
from thence.graph.digraph import DiGraph

WHOLE = "attr_"
RESERVED = ("edge_index", "adj", "adj_t", "num_nodes", "batch", "ptr", "ids", "x")
Columns = Mapping[str, Tensor]


def to_pyg(
    graph: DiGraph,
    *,
    x: Sequence[str] = (),
    node_type: str = "item",
    hetero: bool | None = None,
    arcs: bool = True,
) -> Data | HeteroData:
    """A graph as PyG has it.

    Nodes keep their ints, or in what came from a ``HeteroData`` their ints among those of their type; arcs
    stand in thence's out-order, so that ``e_id`` is the position of an arc in its relation. ``ids`` of each
    node type is the :class:`IdMap` of its nodes. A value of the arcs, such as ``support``, is
    ``edge_support``; values ``attr_0``, ``attr_1``, … are the columns of ``edge_attr``. Columns of the node
    table that hold numbers are attributes of the nodes (times as microseconds, missing ones NaN); others stay
    behind.

    Args:
        graph: the graph.
        x: columns of the node table to stack into ``x [n, k]`` float32, in this order.
        node_type: what nodes are called in a ``HeteroData``.
        hetero: make a ``HeteroData`` with an edge type ``(node_type, relation, node_type)`` for each relation.
            None: where there are several, or the graph came from one.
        arcs: False leaves ``edge_index`` empty, for a sampler that reads the graph itself, as from a file.

    Raises:
        DataError: a column does not exist, holds no numbers, or has a name that PyG gives another meaning.

    Example:
        >>> pair = Arcs.from_pairs([0], [1], num_nodes=2, weight=[3.0])
        >>> data = to_pyg(DiGraph(IdMap(["phone", "case"]), {"bought_after": pair}))
        >>> data.edge_index.tolist(), data.edge_weight.tolist(), data.ids.decode([1])
        ([[0], [1]], [3.0], ['case'])
    """
    origin = graph.info.get("pyg") if hetero is None else None
    many = len(graph.relations) > 1 or origin is not None
    if not (many if hetero is None else hetero):
        if len(graph.relations) > 1:
            fix = f"Keep one of {', '.join(graph.relations)}, or use hetero=True."
            raise DataError("a Data holds one relation", fix=fix)
        return _plain(graph, _columns(graph, slice(0, graph.num_nodes), x), arcs)
    data = HeteroData()
    counts, edge_types = _types(graph, origin, node_type)
    first: dict[str, int] = {}
    for name, count in counts.items():
        first[name] = begin = sum(counts[each] for each in first)
        part = slice(begin, begin + count)
        for column, values in _columns(graph, part, x).items():
            data[name][column.removeprefix(f"{name}/")] = values
        data[name].num_nodes = count
        begins = len(name) + 1 if len(counts) > 1 else 0  # what from_pyg put before the ids
        data[name].ids = IdMap(pc.utf8_slice_codeunits(graph.ids.array[part], begins))
    for relation, (source, name, target) in edge_types.items():
        _put(data[source, name, target], graph[relation], (first[source], first[target]), arcs)
    return data


def _plain(graph: DiGraph, columns: Columns, arcs: bool) -> Data:
    data = Data()
    if graph.num_nodes == graph.main.num_arcs and any("edge" in name for name in columns):
        name = next(name for name in columns if "edge" in name)
        raise DataError(f"PyG would take the column {name!r} for one of the arcs", fix="Rename it.")
    _put(data, graph.main, (0, 0), arcs)
    data.num_nodes = graph.num_nodes
    for name, values in columns.items():
        data[name] = values
    data.ids = graph.ids
    return data


def _types(
    graph: DiGraph, origin: Mapping[str, Any] | None, node_type: str
) -> tuple[dict[str, int], dict[str, tuple[str, str, str]]]:
    """How many nodes each type has, and the edge type of each relation."""
    if origin is None:
        return {node_type: graph.num_nodes}, {name: (node_type, name, node_type) for name in graph.relations}
    counts = {str(name): int(count) for name, count in origin["node_types"].items()}
    known = {name: tuple(edge_type) for name, edge_type in origin["edge_types"].items()}
    if sum(counts.values()) != graph.num_nodes or set(known) != set(graph.relations):
        raise DataError("the graph is no longer the one that came from PyG", fix="Give hetero=.")
    return counts, known  # type: ignore[return-value]


def _put(store: Any, arcs: Arcs, first: tuple[int, int], whole: bool) -> None:
    """Arcs and their values."""
    store.edge_index = torch.empty((2, 0), dtype=torch.int64)
    if not whole:
        return
    store.edge_index = torch.from_numpy(arcs.pairs - np.array(first)[:, None])
    wide = sorted(name for name in arcs.values if re.fullmatch(WHOLE + r"\d+", name))
    stacked = [f"{WHOLE}{at}" for at in range(len(wide))]
    if wide and set(wide) == set(stacked):
        store.edge_attr = torch.from_numpy(np.stack([arcs.values[name] for name in stacked], axis=1))
    for name, values in arcs.values.items():
        if name not in wide or set(wide) != set(stacked):
            store[f"edge_{name}"] = torch.from_numpy(values.copy())


def _columns(graph: DiGraph, part: slice, x: Sequence[str]) -> dict[str, Tensor]:
    """Attributes of some nodes, from the columns of the node table that hold numbers."""
    if graph.nodes is None:
        names = []
    else:
        names = [name for name in graph.nodes.column_names if name != "item_id"]
    for name in x:
        if name not in names:
            raise DataError(f"the node table has no column {name!r}", fix=nearest(name, names))
    made, columns = {}, {}
    for name in names:
        assert graph.nodes is not None
        column = _numbers(graph.nodes[name].slice(part.start, part.stop - part.start))
        if name in x:
            if column is None:
                raise DataError(f"column {name!r} holds {graph.nodes[name].type}, not numbers")
            columns[name] = column.float().reshape(len(column), -1)
        elif column is not None:
            if name in RESERVED[:-1] or (name == "x" and x):
                raise DataError(f"a column is called {name!r}", fix="PyG has a use for that name: rename it.")
            made[name] = column
    if columns:
        made["x"] = torch.cat([columns[name] for name in x], dim=1)
    return made


def _numbers(column: pa.ChunkedArray) -> Tensor | None:
    """A column as a tensor; None where it holds no numbers, or nothing at all."""
    kind = column.type
    if column.null_count == len(column) > 0:
        return None
    if pa.types.is_fixed_size_list(kind):
        whole = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
        if whole.null_count:
            return None
        inner = _numbers(pa.chunked_array([whole.flatten()]))
        return None if inner is None else inner.reshape(len(column), kind.list_size)
    if pa.types.is_timestamp(kind):
        column, kind = column.cast(pa.timestamp("us", tz=kind.tz)).cast(pa.int64()), pa.int64()
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
        return None
    if column.null_count:
        column = pc.fill_null(column.cast(pa.float64()), float("nan"))
    values = np.array(column.to_numpy())
    wider = {np.dtype("uint16"): np.int32, np.dtype("uint32"): np.int64, np.dtype("uint64"): np.int64}
    return torch.from_numpy(values.astype(wider.get(values.dtype, values.dtype)))
