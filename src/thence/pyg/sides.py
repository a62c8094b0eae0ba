"""The arcs of a ``Data`` or ``HeteroData`` as thence's samplers read them: one :class:`Side` an edge type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import scipy.sparse as sp
from torch_geometric.data import Data, HeteroData

from thence.base.errors import ConfigError, DataError
from thence.graph.check import position_type
from thence.graph.sample.side import Direction, Side
from thence.pyg.space import EdgeType, NodeType, Space, array_of, relation_name, stores

EARLIEST = np.iinfo(np.int64).min


def sides(
    data: Data | HeteroData,
    *,
    direction: Direction = "into",
    weight_attr: str | None = None,
    time_attr: str | None = None,
) -> dict[str, Side]:
    """The sides of a graph's edge types, to give to any of thence's samplers.

    Nodes are numbered as in :class:`Space`: those of all types in one line. A side's ``order`` leads to the
    arc's place in ``edge_index``. Arcs that stand twice and arcs from a node to itself stay as they are.

    A side takes 4 bytes an arc, 4 more where ``edge_index`` is not sorted by the node that looks (its target,
    unless told otherwise), 4 more for weights and 8 more for times, and 4 bytes for each node of *every* type:
    rows of nodes that the edge type does not lead to are empty, not absent.

    Args:
        data: the graph; each edge type has an ``edge_index``, or no arcs.
        direction: ``into`` reads the sources of the arcs that lead to a node, as PyG's message passing asks
            for; ``out`` the targets of the arcs that leave it.
        weight_attr: name of an edge attribute to draw by; edge types without it weigh 1.
        time_attr: name of an edge or node attribute, whole numbers; an arc's time, or that of the node that is
            found by it. What has none was always there.

    Returns:
        By name (``source__relation__target``; ``arcs`` for a ``Data``), in the order of the edge types.

    Raises:
        DataError: an arc leads out of range, arcs are not in ``edge_index``, or an attribute is missing, has a
            wrong shape, or holds no such numbers.
        ConfigError: there is no such direction.

    Example:
        >>> import torch
        >>> data = Data(edge_index=torch.tensor([[0, 0, 2], [2, 1, 1]]), num_nodes=3)
        >>> side = sides(data)["arcs"]
        >>> side.indptr.tolist(), side.neighbors.tolist(), side.order.tolist()
        ([0, 0, 2, 3], [0, 2, 0], [1, 2, 0])
    """
    if direction not in ("out", "into"):
        raise ConfigError(f"no direction {direction!r}", fix="It is 'out' or 'into'.")
    space = Space.of(data)
    if weight_attr is not None and not any(weight_attr in store for _, store in stores(data)):
        raise DataError(f"no edge type has an attribute {weight_attr!r}", fix="See weight_attr.")
    node_time, arc_time = times_of(data, time_attr)
    made = {}
    for edge_type, store in stores(data):
        seen = space.ends(edge_type)[0 if direction == "into" else 1]
        indptr, neighbors, order = _rows(space, edge_type, store, direction)
        placed = slice(None) if order is None else order
        time = None
        if time_attr is not None:
            time = np.full(len(neighbors), EARLIEST)
            if edge_type in arc_time:
                time = arc_time[edge_type][placed]
            elif seen in node_time:
                time = node_time[seen][neighbors - space.span(seen)[0]]
        weight = None
        if weight_attr is not None:
            weight = _weights(store, weight_attr, len(neighbors))[placed]
        made[relation_name(edge_type)] = Side(indptr, neighbors, order, weight, time).checked()
    return made


def times_of(
    data: Data | HeteroData, time_attr: str | None
) -> tuple[Mapping[NodeType, np.ndarray], Mapping[EdgeType, np.ndarray]]:
    """Times of nodes by type, and times of arcs by type; only one of the two holds any.

    Raises:
        DataError: neither nodes nor arcs have the attribute, both have, or it holds no whole numbers.
    """
    if time_attr is None:
        return {}, {}
    if isinstance(data, Data):
        values = {None: data[time_attr]} if time_attr in data else {}
        of_arcs = bool(values) and data.is_edge_attr(time_attr) and not data.is_node_attr(time_attr)
        nodes, arcs = ({}, values) if of_arcs else (values, {})
    else:
        nodes = {name: data[name][time_attr] for name in data.node_types if time_attr in data[name]}
        arcs = {name: data[name][time_attr] for name in data.edge_types if time_attr in data[name]}
    if bool(nodes) == bool(arcs):
        said = "both nodes and arcs have" if nodes else "neither nodes nor arcs have"
        raise DataError(f"{said} an attribute {time_attr!r}", fix="Name one that either has.")
    num_nodes: dict[NodeType, Any] = {name: (data if name is None else data[name]).num_nodes for name in nodes}
    num_arcs = {name: _num_arcs(store) for name, store in stores(data)}
    return (
        {name: _whole(values, time_attr, num_nodes[name]) for name, values in nodes.items()},
        {name: _whole(values, time_attr, num_arcs[name]) for name, values in arcs.items()},
    )


def _rows(
    space: Space, edge_type: EdgeType, store: Any, direction: Direction
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """``indptr`` over all nodes, neighbours, and each entry's place in ``edge_index`` (None: just there)."""
    pairs = _pairs(store, edge_type)
    num, size = pairs.shape[1], position_type(pairs.shape[1])
    spans = []
    for side, node_type in enumerate(space.ends(edge_type)):
        first, end = space.span(node_type)
        if num and (pairs[side].min() < 0 or pairs[side].max() >= end - first):
            wrong = pairs[side][(pairs[side] < 0) | (pairs[side] >= end - first)][0]
            raise DataError(
                f"node {wrong} of edge_index is out of range",
                where=f"{end - first} nodes" if edge_type is None else f"{end - first} nodes of {node_type!r}",
            )
        spans.append((first, end))
    looks, seen = (1, 0) if direction == "into" else (0, 1)
    (first, end), (first_seen, end_seen) = spans[looks], spans[seen]
    order, found = None, pairs[seen]
    if (pairs[looks][1:] >= pairs[looks][:-1]).all():
        begin = np.searchsorted(pairs[looks], np.arange(end - first + 1))
    else:
        entries = (np.arange(num, dtype=size), (pairs[looks], pairs[seen]))
        matrix = sp.coo_matrix(entries, shape=(end - first, end_seen - first_seen))
        matrix.has_canonical_format = True  # arcs that stand twice are two
        rows: Any = matrix.tocsr()
        begin, found, order = rows.indptr, rows.indices, rows.data
    indptr = np.empty(space.num_nodes + 1, size)
    indptr[:first], indptr[first : end + 1], indptr[end + 1 :] = 0, begin, num
    return indptr, found.astype(np.int32) + np.int32(first_seen), order


def _pairs(store: Any, edge_type: EdgeType) -> np.ndarray:
    """``[2, e]`` ints."""
    if "edge_index" not in store or store["edge_index"] is None:
        if "adj_t" in store or "adj" in store:
            raise DataError("arcs are in adj_t", where=edge_type, fix="Give them as edge_index.")
        return np.empty((2, 0), np.int64)
    pairs = array_of(store["edge_index"], "edge_index")
    if pairs.ndim != 2 or len(pairs) != 2 or pairs.dtype.kind not in "iu":
        what = f"edge_index is {pairs.dtype} of shape {list(pairs.shape)}"
        raise DataError(what, where=edge_type, fix="It is int64 of shape [2, num_edges].")
    return pairs


def _num_arcs(store: Any) -> int:
    return store["edge_index"].shape[1] if "edge_index" in store else 0


def _weights(store: Any, name: str, num: int) -> np.ndarray:
    """``[e]`` float32; finiteness and sign are the side's to check."""
    if name not in store:
        return np.ones(num, np.float32)
    weight = array_of(store[name], name)
    if weight.size != num or weight.dtype.kind not in "biuf":
        raise DataError(f"{name!r} is {weight.dtype} of shape {list(weight.shape)} for {num} arcs")
    return weight.reshape(num).astype(np.float32)


def _whole(values: Any, name: str, num: int) -> np.ndarray:
    """``[n]`` int64 times."""
    times = array_of(values, name)
    if times.size != num or times.dtype.kind not in "iu":
        what = f"{name!r} is {times.dtype} of shape {list(times.shape)} for {num}"
        raise DataError(what, fix="Times are whole numbers, one for each, such as microseconds.")
    return times.reshape(num).astype(np.int64)
