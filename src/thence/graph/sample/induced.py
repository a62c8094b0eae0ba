"""The subgraph among some nodes: all arcs whose two ends are among them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from thence.base.errors import DataError
from thence.graph.check import frozen
from thence.graph.sample.kernel.draw import spans
from thence.graph.sample.kernel.induced import THIN, arcs_among
from thence.graph.sample.sample import Sample
from thence.graph.sample.side import Side


def induced(
    side: Side, nodes: np.ndarray | Sequence[int], tree: np.ndarray | None = None, *, ascend: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The arcs among some nodes, or among the nodes of each tree.

    Args:
        side: what is read.
        nodes: ``[n]`` node ints, each once (once a tree).
        tree: ``[n]`` ints, the tree of each node; arcs between trees are left out. One tree when not given.
        ascend: the side's rows ascend and hold each neighbour once, as those of ``Arcs`` do; long rows are then
            searched and not read.

    Returns:
        ``row``, ``column`` and ``entry``, ``[e]`` int64: local ints (places in ``nodes``) of the node that
        looks and of the one that it sees, and the entry of the side. Arcs stand tree by tree and, in a tree, by
        the node that looks and by entry.

    Raises:
        DataError: a node is out of range or stands twice, or there is not one tree a node.

    Example:
        >>> side = Side(np.array([0, 2, 3, 3]), np.array([1, 2, 2], np.int32))
        >>> [part.tolist() for part in induced(side, [2, 0])]
        [[1], [0], [1]]
        >>> [part.tolist() for part in induced(side, [0, 1, 0, 2], np.array([0, 0, 1, 1]))]
        [[0, 2], [1, 3], [0, 1]]
    """
    names = np.asarray(nodes, np.int64)
    group = np.zeros(len(names), np.int64) if tree is None else np.asarray(tree)
    if group.shape != names.shape:
        raise DataError(f"{group.shape} trees for {names.shape} nodes", fix="Give one a node.")
    if len(names) and (names.min() < 0 or names.max() >= side.num_nodes):
        wrong = names[(names < 0) | (names >= side.num_nodes)][0]
        raise DataError(f"node {wrong} is out of range", where=f"{side.num_nodes} nodes")
    member = np.lexsort((names, group))
    new = np.diff(group[member]) != 0
    if (~new & (np.diff(names[member]) == 0)).any():
        raise DataError("a node stands twice", fix="Give each once, or once a tree.")
    bounds = (
        np.concatenate([[0], np.flatnonzero(new) + 1, [len(names)]]) if len(names) else np.zeros(1, np.int64)
    )
    begin, length = (np.empty(len(names), np.int64) for _ in range(2))
    spans(side.indptr, names, begin, length)
    size = np.diff(bounds)
    room = int(np.minimum(length[member], np.repeat(size, size)).sum() if ascend else length.sum())
    row, column, entry = (np.empty(room, np.int64) for _ in range(3))  # pages that are not filled cost nothing
    table = np.empty(1 << (THIN * int(size.max(initial=1))).bit_length(), np.int32)
    rows = (frozen(side.indptr), frozen(side.neighbors))  # of one kind, so that the kernel compiles once
    num = arcs_among(rows, names, member, bounds, table, ascend, (row, column, entry))
    return row[:num].copy(), column[:num].copy(), entry[:num].copy()


def subgraph(
    sides: Sequence[Side],
    nodes: np.ndarray,
    num_seeds: int,
    *,
    seeds: np.ndarray,
    arcs: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]],
    scale: Sequence[np.ndarray] | None = None,
    tree: np.ndarray | None = None,
) -> Sample:
    """A sample of one hop that holds the arcs among its nodes, a group a relation.

    Args:
        sides: what was read, one a relation.
        nodes: ``[n]`` int64, the seeds first.
        num_seeds: how many of the nodes are seeds.
        seeds: ``[B]`` int64, the local int of each seed in the order given.
        arcs: row, column and entry of each relation.
        scale: ``[e]`` float32 of each relation; ones when not given.
        tree: ``[n]`` int64 where each seed has a neighbourhood of its own.
    """
    row, column, entry = (np.concatenate([group[part] for group in arcs]) for part in range(3))
    return Sample(
        nodes=nodes,
        seeds=seeds,
        row=row,
        column=column,
        entry=entry,
        scale=np.ones(len(row), np.float32) if scale is None else np.concatenate(list(scale)),
        node_ptr=np.array([0, num_seeds, len(nodes)]),
        arc_ptr=np.cumsum([0, *(len(group[0]) for group in arcs)]),
        sides=tuple(sides),
        tree=tree,
    )
