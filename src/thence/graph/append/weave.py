"""Arcs from counted pairs, nearly all in order: loose ones are sorted and woven in, the rest is copied.

Codes of products that were known when the state began ascend like their ids, and so like their nodes: their
pairs, sorted by code, are sorted by node whichever products came since. No pass over all arcs sorts.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from thence.graph.append.counted import BLOCK, Columns, concat, forget, join, part, take
from thence.graph.arcs import Arcs
from thence.graph.check import position_type
from thence.graph.relation.evidence import Evidence
from thence.graph.relation.pairs import FIELDS, Pairs


def weave(settled: Columns, stands: np.ndarray, loose: Columns, node: np.ndarray, num_sorted: int) -> Pairs:
    """Pairs of nodes, sorted by source, then by target.

    Args:
        settled: sorted rows of pairs of codes; maps of files are read a block at a time.
        stands: ``[num_settled]`` bool: the row counts.
        loose: further rows, in any order.
        node: ``[num_items]`` int32 node of each code.
        num_sorted: the first codes, whose nodes ascend.

    Example:
        >>> def rows(*pairs):
        ...     key = np.array([(i << 32) | j for i, j in pairs])
        ...     return {"key": key, "support": np.arange(len(key)), "last_time": np.arange(len(key))}
        >>> node, all_of_them = np.array([0, 2, 1], np.int32), np.ones(2, bool)
        >>> woven = weave(rows((0, 1), (1, 0)), all_of_them, rows((0, 2)), node, 2)
        >>> woven.source.tolist(), woven.target.tolist(), woven.support.tolist()
        ([0, 0, 2], [1, 2, 0], [0, 0, 1])
    """
    blocks = [slice(at, at + BLOCK) for at in range(0, len(stands), BLOCK)]
    late = [np.flatnonzero(_late(settled["key"][block], num_sorted)) + block.start for block in blocks]
    for some in late:
        loose = concat([loose, take(settled, some[stands[some]])])
        stands[some] = False
    added = _of_nodes(loose, node)
    added = take(added, np.argsort(added["key"]))
    num, at, used = int(np.count_nonzero(stands)) + len(added["key"]), 0, 0
    woven = {name: np.empty(num, type_) for name, type_ in FIELDS.items()}
    for block in blocks:
        ours = _of_nodes(take(take(settled, block), stands[block]), node)
        forget([settled])
        end = int(np.searchsorted(added["key"], ours["key"][-1])) if len(ours["key"]) else used
        theirs = take(added, slice(used, end))
        into, used = np.searchsorted(ours["key"], theirs["key"]), end
        at = _put(woven, at, {name: np.insert(ours[name], into, theirs[name]) for name in FIELDS})
    _put(woven, at, take(added, slice(used, None)))
    return Pairs(**woven)


def _late(key: np.ndarray, num_sorted: int) -> np.ndarray:
    source, target = part(key)
    return (source >= num_sorted) | (target >= num_sorted)


def _of_nodes(rows: Columns, node: np.ndarray) -> Columns:
    """Rows with the nodes of their pairs, and the support that arcs have."""
    source, target = (node[side] for side in part(rows["key"]))
    support = rows["support"] - rows["joint"] if "joint" in rows else rows["support"]
    key = join(source, target)
    return {"key": key, "source": source, "target": target, "support": support, "last_time": rows["last_time"]}


def _put(woven: Columns, at: int, rows: Columns) -> int:
    end = at + len(rows["source"])
    for name, column in woven.items():
        column[at:end] = rows[name]
    return end


def arcs_of(evidence: Evidence) -> Arcs:
    """The arcs of a directed relation whose pairs are sorted: ``Evidence.to_arcs`` without its sorting."""
    pairs, num_nodes = evidence.pairs, len(evidence.tries)
    size = position_type(len(pairs.source))
    indptr = np.zeros(num_nodes + 1, size)
    np.cumsum(np.bincount(pairs.source, minlength=num_nodes), out=indptr[1:])
    place = np.arange(len(pairs.source), dtype=size)
    by_target = sp.csr_matrix((place, pairs.target, indptr), shape=(num_nodes, num_nodes)).tocsc()
    counted = {
        "weight": pairs.support.astype(np.float32),
        "support": pairs.support,
        "last_time": pairs.last_time,
    }
    arcs = Arcs(
        indptr=indptr,
        targets=pairs.target,
        in_indptr=by_target.indptr.astype(size, copy=False),
        sources=by_target.indices.astype(np.int32, copy=False),
        in_order=by_target.data,
        values=counted,
    )
    found = {name: np.empty(arcs.num_arcs, np.float32) for name in ("lift", "asymmetry")}
    for first, last in arcs.row_blocks():
        piece = slice(int(indptr[first]), int(indptr[last]))
        for column, values in zip(found.values(), evidence._statistics(arcs, first, last), strict=True):
            column[piece] = values
    return Arcs(
        arcs.indptr, arcs.targets, arcs.in_indptr, arcs.sources, arcs.in_order, counted | found, directed=True
    )
