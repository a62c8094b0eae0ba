"""Write a partitioned graph: for each part a folder with all that its machine needs and nothing else.

    FOLDER/part.npy               the part of each node, for whoever has to find an owner
    FOLDER/part-0003/graph/       a graph in local ints: own nodes first, then the halo, hop by hop
    FOLDER/part-0003/place/       global ints, owners and rows of those nodes

Each ``part-…`` stands for itself: copy it to its machine and leave the rest. The whole is one artifact,
published by one rename.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from thence.base.artifact import Draft, write_artifact
from thence.base.errors import ConfigError, DataError
from thence.base.ids import IdMap
from thence.base.progress import Progress, silent
from thence.graph.arcs import Arcs
from thence.graph.digraph import DiGraph
from thence.graph.partition.parts import Partition

KIND, PLACE = "parts", "part"
POSITION = "global_position"
ROWS = 1 << 16
"""Rows of the matrix that are copied at a time."""


def write_parts(
    graph: DiGraph | Arcs,
    partition: Partition,
    folder: str | Path,
    *,
    hops: int = 1,
    rows: np.ndarray | None = None,
    progress: Progress = silent,
) -> None:
    """Write every part of a graph with the halo that it needs. One part at a time is held in memory.

    A part holds its own nodes; the halo, all nodes within ``hops`` steps of them along or against arcs of any
    relation; and every arc that touches a node less than ``hops`` steps away, with its values and a value
    ``global_position``, where the arc stands in the whole relation. So the rows of own nodes are whole on both
    sides, and ``hops`` layers of sampling from own nodes need nothing from elsewhere.

    Args:
        graph: a graph, or one relation (ids are then the nodes' ints, the relation is named ``arcs``).
        partition: of its nodes.
        folder: where; a partitioned graph that stands there is replaced.
        hops: width of the halo; 0 for own nodes alone and the arcs among them (arcs cut are then in no part).
        rows: ``[num_nodes, …]``, numbers that go with the nodes, such as features; may be memory-mapped.
        progress: told after each part.

    Raises:
        DataError: partition or rows are of another number of nodes.
        ConfigError: ``hops`` is no int of at least 0.
        ArtifactError: something else stands there, or it cannot be written.
    """
    whole = graph if isinstance(graph, DiGraph) else _bare(graph)
    if len(partition.part) != whole.num_nodes:
        raise DataError(f"a partition of {len(partition.part):,} nodes", where=repr(whole))
    if rows is not None and (rows.shape[:1] != (whole.num_nodes,) or rows.dtype.kind not in "biuf"):
        raise DataError(f"rows are {rows.dtype} of shape {rows.shape}", where=repr(whole))
    if not isinstance(hops, int) or isinstance(hops, bool) or hops < 0:
        raise ConfigError(f"hops is {hops!r}", fix="Give an int of at least 0.")
    order = np.argsort(partition.part, kind="stable")
    bounds = np.searchsorted(partition.part[order], np.arange(partition.num_parts + 1))
    about = {"whole": _fingerprint(whole, partition, hops), "num_parts": partition.num_parts, "hops": hops}
    with write_artifact(folder, KIND) as draft:
        draft.array("part", partition.part)
        draft.counts.update(nodes=whole.num_nodes, parts=partition.num_parts, hops=hops)
        draft.metrics.update(edge_cut=partition.edge_cut, balance=partition.balance)
        draft.config.update(about | {"method": partition.method})
        place = np.full(whole.num_nodes, -1, np.int32)
        for part in range(partition.num_parts):
            local = _Local.around(whole, order[bounds[part] : bounds[part + 1]], hops, place)
            _write_part(draft, whole, local, partition.part, about | {"part": part}, rows)
            place[local.nodes] = -1
            progress("parts", part + 1, partition.num_parts)


def part_folder(part: int) -> str:
    """The name of a part's folder."""
    return f"part-{part:04d}"


@dataclass(frozen=True, eq=False)
class _Local:
    """Own nodes and halo: ``nodes[hop_ptr[h] : hop_ptr[h + 1]]`` are h steps away; ``place`` inverts it."""

    nodes: np.ndarray
    hop_ptr: np.ndarray
    place: np.ndarray

    @classmethod
    def around(cls, graph: DiGraph, own: np.ndarray, hops: int, place: np.ndarray) -> _Local:
        """Grow the halo hop by hop; ``place`` (-1 everywhere) is filled in."""
        found, frontier, known = [own], own, len(own)
        place[own] = np.arange(known)
        for _ in range(hops):
            seen = [np.empty(0, np.int64)]
            for arcs in graph.relations.values():
                seen.append(arcs.targets[_entries(arcs.indptr, frontier)].astype(np.int64))
                seen.append(arcs.sources[_entries(arcs.in_indptr, frontier)].astype(np.int64))
            near = np.unique(np.concatenate(seen))
            frontier = near[place[near] < 0]
            place[frontier] = np.arange(known, known + len(frontier))
            found.append(frontier)
            known += len(frontier)
        hop_ptr = np.cumsum([0, *map(len, found)])
        return cls(np.concatenate(found), hop_ptr, place)

    def arcs(self, arcs: Arcs) -> Arcs:
        """Every arc that touches a node whose rows are whole, in local ints."""
        hops = len(self.hop_ptr) - 2
        inner = self.nodes[: self.hop_ptr[max(hops, 1)]]
        out, into = _entries(arcs.indptr, inner), _entries(arcs.in_indptr, inner)
        if hops:
            from_outside = self.place[arcs.sources[into]] >= len(inner)
            at = np.concatenate([out, arcs.in_order[into[from_outside]]])
        else:
            at = out[self.place[arcs.targets[out]] >= 0]
        source = np.searchsorted(arcs.indptr, at.astype(arcs.indptr.dtype), side="right") - 1
        values = {name: array[at] for name, array in arcs.values.items()} | {POSITION: at}
        return Arcs.from_pairs(
            self.place[source],
            self.place[arcs.targets[at]],
            num_nodes=len(self.nodes),
            values=values,
            directed=arcs.directed,
        )


def _write_part(
    draft: Draft,
    graph: DiGraph,
    local: _Local,
    owner: np.ndarray,
    about: Mapping[str, Any],
    rows: np.ndarray | None,
) -> None:
    name, nodes = part_folder(about["part"]), local.nodes
    table = None if graph.nodes is None else graph.nodes.take(pa.array(nodes))
    info = {**graph.info, "part": dict(about)}
    relations = {name: local.arcs(arcs) for name, arcs in graph.relations.items()}
    DiGraph(IdMap(graph.ids.array.take(pa.array(nodes))), relations, table, info).save(
        draft.folder / name / "graph"
    )
    with write_artifact(draft.folder / name / "place", PLACE) as place:
        place.array("nodes", nodes)
        place.array("owner", owner[nodes])
        place.array("hop_ptr", local.hop_ptr)
        place.counts.update(own=int(local.hop_ptr[1]), halo=len(nodes) - int(local.hop_ptr[1]))
        place.config.update(about)
        if rows is not None:
            _copy_rows(rows, nodes, place.path("rows.npy"))


def _copy_rows(rows: np.ndarray, nodes: np.ndarray, path: Path) -> None:
    shape = (len(nodes), *rows.shape[1:])
    if 0 in shape:
        np.save(path, np.empty(shape, rows.dtype), allow_pickle=False)
        return
    copied = np.lib.format.open_memmap(path, mode="w+", dtype=rows.dtype, shape=shape)
    for at in range(0, len(nodes), ROWS):
        copied[at : at + ROWS] = rows[nodes[at : at + ROWS]]
    copied.flush()


def _entries(indptr: np.ndarray, nodes: np.ndarray) -> np.ndarray:
    """Where the rows of some nodes stand, one row after the other."""
    first = indptr[nodes].astype(np.int64)
    count = indptr[nodes + 1] - first
    return np.arange(count.sum()) + np.repeat(first - (np.cumsum(count) - count), count)


def _bare(arcs: Arcs) -> DiGraph:
    if not isinstance(arcs, Arcs):
        raise DataError(f"a {type(arcs).__name__} cannot be divided", fix="Give a DiGraph or Arcs.")
    ids = IdMap(pa.array(np.arange(arcs.num_nodes)).cast(pa.string()))
    return DiGraph(ids, {"arcs": arcs})


def _fingerprint(graph: DiGraph, partition: Partition, hops: int) -> str:
    """What all parts of one writing have in common, and parts of another have not."""
    hasher = hashlib.sha256(f"{partition.num_parts} {hops} {list(graph.relations)}".encode())
    arrays = [partition.part, *(a for arcs in graph.relations.values() for a in (arcs.indptr, arcs.targets))]
    for array in arrays:
        hasher.update(np.ascontiguousarray(array).data)
    return hasher.hexdigest()
