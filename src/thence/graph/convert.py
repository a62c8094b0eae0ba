"""To and from the graphs of other libraries: networkx and scipy; PyG has a room of its own, ``thence.pyg``.

A relation of thence holds an ordered pair at most once and no arc from a node to itself. Where a foreign graph
does, ``loops`` and ``duplicates`` say what becomes of it; unless told, it is an error, so that nothing is lost
unseen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
import scipy.sparse as sp

from thence.base.errors import ConfigError, DataError, nearest
from thence.base.ids import IdMap
from thence.graph.arcs import Arcs
from thence.graph.digraph import DiGraph

if TYPE_CHECKING:
    import networkx

Loops = Literal["error", "drop"]
Duplicates = Literal["error", "drop", "sum"]
ADDED = ("weight", "support")
Pairs = tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]


def from_networkx(
    graph: networkx.Graph,
    *,
    weight: str | None = "weight",
    values: Sequence[str] = (),
    relation: str = "arcs",
    loops: Loops = "error",
    duplicates: Duplicates = "error",
) -> DiGraph:
    """A graph of networkx as a :class:`DiGraph`.

    Nodes keep their order; their ids are ``str(name)``, and their attributes become columns of the node table.
    A ``networkx.Graph`` has no direction: each edge becomes two arcs, and the relation is ``directed=False``.

    Args:
        graph: a ``Graph``, ``DiGraph``, ``MultiGraph`` or ``MultiDiGraph``.
        weight: the edge attribute that is the weight; 1 for edges that lack it, as in networkx. None: ones.
        values: further edge attributes to keep, numbers that every edge has.
        relation: what to call the relation.
        loops: ``error`` or ``drop``.
        duplicates: parallel edges: ``error``, ``drop`` (keep the first) or ``sum`` (see :func:`tidy`).

    Raises:
        DataError: two nodes have the same name as text, a weight is no finite number, a value is missing, a
            node's attribute is of several types, or there are loops or parallel edges and no word about them.

    Example:
        >>> import networkx as nx
        >>> shop = nx.DiGraph([("phone", "case"), ("phone", "charger")])
        >>> graph = from_networkx(shop)
        >>> graph, graph.ids.decode(graph.main.out(0))
        (DiGraph(3 nodes, arcs: 2 arcs), ['case', 'charger'])
    """
    names = list(graph.nodes)
    place = {name: at for at, name in enumerate(names)}
    try:
        ids = IdMap([str(name) for name in names])
    except DataError as error:
        raise DataError(f"names of nodes: {error.what}", fix="Rename them apart (nx.relabel_nodes).") from error
    edges = list(graph.edges(data=True))
    source = np.array([place[edge[0]] for edge in edges], np.int64)
    target = np.array([place[edge[1]] for edge in edges], np.int64)
    kept = {name: _numbers((edge[2].get(name) for edge in edges), name) for name in values}
    if weight is not None:
        kept["weight"] = _numbers((edge[2].get(weight, 1.0) for edge in edges), weight)
    directed = graph.is_directed()
    if not directed:
        source, target = np.minimum(source, target), np.maximum(source, target)
    source, target, kept = tidy(source, target, kept, loops=loops, duplicates=duplicates)
    if not directed:
        source, target = np.concatenate([source, target]), np.concatenate([target, source])
        kept = {name: np.concatenate([array, array]) for name, array in kept.items()}
    arcs = Arcs.from_pairs(source, target, num_nodes=len(names), values=kept, directed=directed)
    return DiGraph(ids, {relation: arcs}, _node_table(graph.nodes(data=True), ids))


def to_networkx(graph: DiGraph, relation: str | None = None) -> networkx.Graph:
    """One relation as a ``networkx.DiGraph``, or as a ``Graph`` where it has no direction.

    Nodes are named by their ids and carry the columns of the node table; edges carry the values of their arcs.
    Of an undirected relation's two arcs the one from the earlier node gives the values.

    Args:
        graph: the graph.
        relation: which relation; the main one when not given.

    Raises:
        ConfigError: networkx is not installed.
        DataError: there is no such relation.

    Example:
        >>> arcs = Arcs.from_pairs([0], [1], num_nodes=2, weight=[3.0])
        >>> list(to_networkx(DiGraph(IdMap(["phone", "case"]), {"arcs": arcs})).edges(data="weight"))
        [('phone', 'case', 3.0)]
    """
    try:
        import networkx as nx
    except ImportError as error:
        raise ConfigError("networkx is not installed", fix="Run pip install 'thence[networkx]'.") from error
    arcs = graph.main if relation is None else graph[relation]
    ids = graph.ids.array.to_pylist()
    made = nx.DiGraph() if arcs.directed else nx.Graph()
    columns = [] if graph.nodes is None else [name for name in graph.nodes.column_names if name != "item_id"]
    rows = graph.nodes.select(columns).to_pylist() if columns and graph.nodes is not None else [{}] * len(ids)
    made.add_nodes_from(zip(ids, rows, strict=True))
    pairs = arcs.pairs
    keep = np.arange(arcs.num_arcs) if arcs.directed else np.flatnonzero(pairs[0] < pairs[1])
    named = {name: array[keep].tolist() for name, array in arcs.values.items()}
    for at, (source, target) in enumerate(pairs[:, keep].T.tolist()):
        made.add_edge(ids[source], ids[target], **{name: column[at] for name, column in named.items()})
    return made


def from_scipy(
    matrix: sp.spmatrix | sp.sparray,
    *,
    ids: Iterable[str] | None = None,
    relation: str = "arcs",
    directed: bool = True,
    loops: Loops = "error",
) -> DiGraph:
    """A square sparse matrix as a :class:`DiGraph`: entry (i, j) is the weight of the arc i → j.

    A stored zero is an arc of weight 0; call ``matrix.eliminate_zeros()`` first where it is not meant to be.
    Entries that stand twice add up, as they do in scipy.

    Args:
        matrix: ``[n, n]`` in any of scipy's formats.
        ids: ``n`` ids; "0", "1", … when not given.
        relation: what to call the relation.
        directed: False for a symmetric matrix whose arcs have no direction.
        loops: entries of the diagonal: ``error`` or ``drop``.

    Raises:
        DataError: the matrix is not square, an entry is not finite, ids are too few or not distinct, or the
            diagonal is not empty and ``loops`` is ``error``.

    Example:
        >>> graph = from_scipy(sp.csr_matrix([[0, 2], [0, 0]]), ids=["phone", "case"])
        >>> graph.main.pairs.tolist(), graph.main.weight.tolist()
        ([[0], [1]], [2.0])
    """
    rows: Any = sp.csr_matrix(matrix, copy=True)
    if rows.shape[0] != rows.shape[1]:
        raise DataError(f"a matrix of shape {rows.shape} is no graph", fix="Give a square matrix.")
    rows.sum_duplicates()
    if rows.data.dtype.kind not in "biuf":
        raise DataError(f"the matrix holds {rows.data.dtype}, not real numbers")
    num = rows.shape[0]
    source = np.repeat(np.arange(num), np.diff(rows.indptr))
    source, target, values = tidy(source, rows.indices, {"weight": rows.data}, loops=loops)
    known = IdMap([str(at) for at in range(num)] if ids is None else ids)
    return DiGraph(
        known, {relation: Arcs.from_pairs(source, target, num_nodes=num, values=values, directed=directed)}
    )


def to_scipy(graph: DiGraph, relation: str | None = None, *, value: str = "weight") -> sp.csr_matrix:
    """One relation as a matrix ``[n, n]``: entry (i, j) is a value of the arc i → j (see ``Arcs.matrix``).

    Args:
        graph: the graph; ``graph.ids`` names the rows and columns.
        relation: which relation; the main one when not given.
        value: which value.

    Raises:
        DataError: there is no such relation or value.

    Example:
        >>> arcs = Arcs.from_pairs([0], [1], num_nodes=2, weight=[3.0])
        >>> to_scipy(DiGraph(IdMap(["phone", "case"]), {"arcs": arcs})).toarray().tolist()
        [[0.0, 3.0], [0.0, 0.0]]
    """
    arcs = graph.main if relation is None else graph[relation]
    if value not in arcs.values:
        raise DataError(f"arcs have no value {value!r}", fix=nearest(value, arcs.values))
    return arcs.matrix(value)


def tidy(
    source: np.ndarray,
    target: np.ndarray,
    values: Mapping[str, np.ndarray],
    *,
    loops: Loops = "error",
    duplicates: Duplicates = "error",
) -> Pairs:
    """Arcs without self-loops, each ordered pair once.

    Args:
        source: ``[e]`` ints.
        target: ``[e]`` ints.
        values: named arrays ``[e]``.
        loops: ``error``, or ``drop`` them.
        duplicates: ``error``; ``drop`` all but the first of a pair; ``sum``: the first stays, with the weights
            and supports of all added up and the latest ``last_time`` (a weight counts 1 where there is none).

    Returns:
        Source, target and values, in the order of their first appearance.

    Raises:
        DataError: there is what is an error.
        ConfigError: a policy is unknown.

    Example:
        >>> source, target, values = tidy(
        ...     np.array([0, 0, 1]), np.array([1, 1, 1]), {}, loops="drop", duplicates="sum"
        ... )
        >>> source.tolist(), target.tolist(), values["weight"].tolist()
        ([0], [1], [2.0])
    """
    for name, given, known in (("loops", loops, Loops), ("duplicates", duplicates, Duplicates)):
        if given not in known.__args__:  # type: ignore[attr-defined]
            raise ConfigError(f"{name}={given!r}", fix=f"It is one of {', '.join(known.__args__)}.")  # type: ignore[attr-defined]
    loop = source == target
    if loop.any():
        if loops == "error":
            what = f"{int(loop.sum())} arcs lead from a node to itself, the first at node {source[loop][0]}"
            raise DataError(what, fix="Pass loops='drop' to leave them out.")
        source, target = source[~loop], target[~loop]
        values = {name: array[~loop] for name, array in values.items()}
    key = source.astype(np.int64) * (int(target.max(initial=0)) + 1) + target
    _, first, group = np.unique(key, return_index=True, return_inverse=True)
    if len(first) < len(source):
        if duplicates == "error":
            extra = np.setdiff1d(np.arange(len(source)), first)
            what = f"{len(extra)} arcs stand again, the first {source[extra[0]]} → {target[extra[0]]}"
            raise DataError(what, fix="Pass duplicates='sum' to add them up, or 'drop' to keep the first.")
        order = np.sort(first)
        if duplicates == "sum":
            return source[order], target[order], _added(values, group, first, order)
        return source[order], target[order], {name: array[order] for name, array in values.items()}
    return source, target, dict(values)


def _added(
    values: Mapping[str, np.ndarray], group: np.ndarray, first: np.ndarray, order: np.ndarray
) -> dict[str, np.ndarray]:
    """Values of the first arc of each group, those that count added up."""
    values = {"weight": np.ones(len(group), np.float32), **values}
    summed = {}
    for name, array in values.items():
        kept = array.copy()
        if name in ADDED:
            wide = array.astype(np.float64 if array.dtype.kind == "f" else np.int64)
            total = np.zeros(len(first), wide.dtype)
            np.add.at(total, group, wide)
            kept = kept.astype(np.float64 if name == "weight" else kept.dtype)
            kept[first] = total
        elif name == "last_time":
            latest = np.full(len(first), np.iinfo(np.int64).min)
            np.maximum.at(latest, group, array.astype(np.int64))
            kept[first] = latest
        summed[name] = kept[order]
    return summed


def _numbers(values: Iterable[Any], name: str) -> np.ndarray:
    """``[e]`` ints or floats of a column of edge attributes."""
    column = list(values)
    array = np.array(column) if column else np.empty(0)
    if array.shape != (len(column),) or array.dtype.kind not in "biuf":
        raise DataError(f"the edge attribute {name!r} is not a number for every edge")
    return array


def _node_table(nodes: Iterable[tuple[Any, Mapping[Any, Any]]], ids: IdMap) -> pa.Table | None:
    rows = [{str(name): value for name, value in attributes.items()} for _, attributes in nodes]
    names = list(dict.fromkeys(name for row in rows for name in row if name != "item_id"))
    if not names:
        return None
    columns: dict[str, Any] = {"item_id": ids.array}
    for name in names:
        try:
            columns[name] = pa.array([row.get(name) for row in rows])
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
            raise DataError(f"the node attribute {name!r} is of several types", where=str(error)) from error
    return pa.table(columns)
