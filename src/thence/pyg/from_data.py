"""PyG's ``Data`` or ``HeteroData`` as a :class:`DiGraph`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from torch import Tensor
from torch_geometric.data import Data, HeteroData

from thence.base.errors import DataError
from thence.base.ids import IdMap
from thence.graph.arcs import Arcs
from thence.graph.convert import Duplicates, Loops, tidy
from thence.graph.digraph import DiGraph
from thence.pyg.space import EdgeType, NodeType, Space, array_of, node_store, stores

ARCS = ("edge_index", "adj", "adj_t")


def from_pyg(
    data: Data | HeteroData,
    *,
    relation: str = "arcs",
    directed: bool = True,
    loops: Loops = "error",
    duplicates: Duplicates = "error",
) -> DiGraph:
    """A graph of PyG as thence has it: the inverse of :func:`to_pyg`.

    Nodes of several types stand one type after the other, with ids ``type/id``; ``to_pyg`` takes them apart
    again. Ids are those of an attribute ``ids`` (an :class:`IdMap`, or strings), else the ints. Attributes of
    nodes become columns of the node table: of lists, where they are vectors; ``type/name`` where types differ
    in their kind or width. Attributes of arcs become values, without ``edge_`` before their name, and
    ``edge_attr`` becomes ``attr_0``, ``attr_1``, …. Attributes of the whole graph stay behind.

    Args:
        data: the graph.
        relation: the name of a ``Data``'s one relation. Edge types go by their middle name where no other has
            the same, else by all three.
        directed: False where all arcs stand in both directions and mean no direction.
        loops: arcs from a node to itself: ``error`` or ``drop``.
        duplicates: arcs that stand again: ``error``, ``drop`` (keep the first) or ``sum`` (see ``tidy``).

    Raises:
        DataError: an arc leads out of range, a weight is not finite, an attribute has more than two dimensions,
            or there are loops or duplicates and no word about them.

    Example:
        >>> import torch
        >>> data = Data(edge_index=torch.tensor([[0, 0], [1, 2]]), num_nodes=3)
        >>> from_pyg(data)
        DiGraph(3 nodes, arcs: 2 arcs)
    """
    space = Space.of(data)
    names = _relations(space, relation)
    relations = {}
    for edge_type, store in stores(data):
        source, target = _ends(space, edge_type, store)
        values = _values(store, edge_type, len(source))
        try:
            source, target, values = tidy(source, target, values, loops=loops, duplicates=duplicates)
        except DataError as error:
            raise DataError(error.what, where=edge_type, fix=error.fix) from error
        relations[names[edge_type]] = Arcs.from_pairs(
            source, target, num_nodes=space.num_nodes, values=values, directed=directed
        )
    ids = _ids(data, space)
    info: dict[str, Any] = {}
    if space.hetero:
        sizes = np.diff(space.bounds).tolist()
        info["pyg"] = {
            "node_types": dict(zip(space.node_types, sizes, strict=True)),
            "edge_types": {name: list(edge_type or ()) for edge_type, name in names.items()},
        }
    return DiGraph(ids, relations, _table(data, space, ids), info)


def _relations(space: Space, relation: str) -> dict[EdgeType, str]:
    middles = [edge_type[1] for edge_type in space.edge_types if edge_type is not None]
    names = {
        each: relation if each is None else each[1] if middles.count(each[1]) == 1 else "-".join(each)
        for each in space.edge_types
    }
    if len(set(names.values())) < len(names):
        raise DataError("edge types cannot be told apart by name", where=list(names), fix="Rename one.")
    return names


def _ends(space: Space, edge_type: EdgeType, store: Any) -> tuple[np.ndarray, np.ndarray]:
    if "edge_index" not in store:
        if "adj_t" in store:
            raise DataError("arcs are in adj_t", where=edge_type, fix="Give them as edge_index.")
        return np.empty(0, np.int64), np.empty(0, np.int64)
    pairs = array_of(store["edge_index"], "edge_index")
    source, target = (space.place(end, row) for end, row in zip(space.ends(edge_type), pairs, strict=True))
    return source, target


def _values(store: Any, edge_type: EdgeType, num: int) -> dict[str, np.ndarray]:
    values: dict[str, np.ndarray] = {}
    for key, array in _attributes(store, "is_edge_attr", edge_type):
        name = key.removeprefix("edge_") or key
        many = array.ndim == 2 and (array.shape[1] > 1 or name == "attr")
        columns = {f"{name}_{at}": array[:, at] for at in range(array.shape[1])} if many else {name: array}
        for each, column in columns.items():
            if each in values:
                what = f"two attributes of arcs are called {each!r}"
                raise DataError(what, where=edge_type, fix="Rename one.")
            values[each] = column.reshape(num)
    return values


def _attributes(store: Any, test: str, where: Any) -> Iterator[tuple[str, np.ndarray]]:
    """Attributes of each node, or of each arc, that are numbers."""
    for key in list(store.keys()):
        value = store[key]
        if key in ARCS or not isinstance(value, Tensor | np.ndarray) or not getattr(store, test)(key):
            continue
        array = array_of(value, key)
        if array.ndim > 2 or array.dtype.kind not in "biuf":
            what = f"{key!r} is {array.dtype} of shape {list(array.shape)}"
            raise DataError(what, where=where, fix="Keep one number or one vector for each, or delete it.")
        if array.size or not len(array):
            yield key, array


def _ids(data: Data | HeteroData, space: Space) -> IdMap:
    parts: list[pa.Array] = []
    for name, size in zip(space.node_types, np.diff(space.bounds).tolist(), strict=True):
        store = node_store(data, name)
        given = store["ids"] if "ids" in store else range(size)
        array = given.array if isinstance(given, IdMap) else pa.array(map(str, given), pa.string())
        if len(array) != size:
            raise DataError(f"{len(array)} ids for {size} nodes", where=name)
        if len(space.node_types) > 1:
            array = pa.array([f"{name}/{each}" for each in array.to_pylist()], pa.string())
        parts.append(array)
    return IdMap(pa.chunked_array(parts, pa.string()))


def _table(data: Data | HeteroData, space: Space, ids: IdMap) -> pa.Table | None:
    """The attributes of nodes, null where a type has none."""
    sizes = dict(zip(space.node_types, np.diff(space.bounds).tolist(), strict=True))
    found: dict[NodeType, Mapping[str, pa.Array]] = {}
    for name in space.node_types:
        store = node_store(data, name)
        found[name] = {key: _column(array) for key, array in _attributes(store, "is_node_attr", name)}
    kinds: dict[str, set[pa.DataType]] = {}
    for attributes in found.values():
        for key, column in attributes.items():
            kinds.setdefault(key, set()).add(column.type)
    named: dict[str, dict[NodeType, pa.Array]] = {}
    for name, attributes in found.items():
        for key, column in attributes.items():
            named.setdefault(key if len(kinds[key]) == 1 else f"{name}/{key}", {})[name] = column
    columns: dict[str, Any] = {"item_id": ids.array}
    for key, parts in named.items():
        kind = next(iter(parts.values())).type
        columns[key] = pa.chunked_array(
            [parts.get(name, pa.nulls(sizes[name], kind)) for name in space.node_types], kind
        )
    return pa.table(columns) if named else None


def _column(array: np.ndarray) -> pa.Array:
    if array.ndim == 1:
        return pa.array(array)
    return pa.FixedSizeListArray.from_arrays(pa.array(array.reshape(-1)), array.shape[1])
