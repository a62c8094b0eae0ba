"""Arcs from counted pairs, nearly all in order: loose ones are sorted and woven in, the rest is copied.

Codes of products that were known when the state began ascend like their ids, and so like their nodes: their
pairs, sorted by code, are sorted by node whichever products came since. No pass over all arcs sorts.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from thence.graph.append.counted import Columns, concat, part, take
from thence.graph.arcs import Arcs
from thence.graph.check import position_type
from thence.graph.relation.evidence import Evidence
from thence.graph.relation.pairs import Pairs


def weave(settled: Columns, loose: Columns, node: np.ndarray, num_sorted: int) -> Pairs:
    """Pairs of nodes, sorted by source, then by target.

    Args:
        settled: sorted rows of pairs of codes.
        loose: further rows, in any order.
        node: ``[num_items]`` int32 node of each code.
        num_sorted: the first codes, whose nodes ascend.

    Example:
        >>> def rows(*pairs):
        ...     key = np.array([(i << 32) | j for i, j in pairs])
        ...     return {"key": key, "support": np.arange(len(key)), "last_time": np.arange(len(key))}
        >>> woven = weave(rows((0, 1), (1, 0)), rows((0, 2)), np.array([0, 2, 1], np.int32), 2)
        >>> woven.source.tolist(), woven.target.tolist(), woven.support.tolist()
        ([0, 0, 2], [1, 2, 0], [0, 0, 1])
    """
    source, target = part(settled["key"])
    late = np.flatnonzero((source >= num_sorted) | (target >= num_sorted))
    if len(late):
        loose = concat([loose, take(settled, late)])
        settled = take(settled, np.setdiff1d(np.arange(len(source)), late, assume_unique=True))
        source, target = part(settled["key"])
    source, target = node[source], node[target]
    ends = [node[side] for side in part(loose["key"])]
    order = np.lexsort((ends[1], ends[0]))
    ends = [side[order] for side in ends]
    before = np.searchsorted(_key(source, target), _key(*ends))
    into = before + np.arange(len(order))
    kept = np.ones(len(source) + len(order), bool)
    kept[into] = False
    columns = [(source, ends[0]), (target, ends[1])]
    columns += [(settled[name], loose[name][order]) for name in ("support", "last_time")]
    woven = []
    for ours, theirs in columns:
        column = np.empty(len(kept), ours.dtype)
        column[kept], column[into] = ours, theirs
        woven.append(column)
    return Pairs(*woven)


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


def _key(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    return (source.astype(np.int64) << 32) | target
