"""The spanning structure: what keeps a sparsified graph in one piece.

A forest of the symmetrised graph, of the heaviest pairs that connect all that was connected, one arc a pair;
and besides, for every node that had an arc on a side and would have none, the heaviest arc there. At most three
arcs a node.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import minimum_spanning_tree

from thence.graph.arcs import Arcs
from thence.graph.partition.symmetric import pair_of
from thence.graph.sparsify.check import sources_of


def structure(arcs: Arcs) -> np.ndarray:
    """Which arcs belong to the structure.

    Args:
        arcs: the relation; of two arcs that join the same nodes the heavier is taken.

    Returns:
        ``[num_arcs]`` bool. The arcs at which it holds have the same weakly connected components as all, and
        the same nodes with out-arcs and with in-arcs. Of an undirected relation both directions are taken.

    Example:
        >>> arcs = Arcs.from_pairs([0, 0, 1], [1, 2, 2], num_nodes=3, weight=[1.0, 3.0, 2.0])
        >>> structure(arcs).tolist()  # 0 → 2 and 1 → 2 connect all; 0 → 1 is the only arc into 1
        [True, True, True]
    """
    if not arcs.num_arcs:
        return np.zeros(0, bool)
    weight, source = arcs.weight.astype(np.float64), sources_of(arcs)
    keep = _forest(arcs, weight, source)
    _cover(keep, arcs.indptr, np.arange(arcs.num_arcs), weight)
    _cover(keep, arcs.in_indptr, arcs.in_order, weight)
    return keep if arcs.directed else keep | keep[arcs.reverse_at]


def _forest(arcs: Arcs, weight: np.ndarray, source: np.ndarray) -> np.ndarray:
    """The heavier arc of each pair of a spanning forest of largest weight."""
    pair, count = pair_of(arcs)
    order = np.lexsort((-weight, pair))
    first = order[np.searchsorted(pair[order], np.arange(count))]  # the heavier arc of each pair
    together = np.bincount(pair, weight, minlength=count)
    low, high = np.sort(np.stack([source[first], arcs.targets[first]]), axis=0)
    cost = together.max() - together + 1.0  # positive: an entry of 0 is no edge
    shape = (arcs.num_nodes, arcs.num_nodes)
    tree: Any = minimum_spanning_tree(sp.csr_matrix((cost, (low, high)), shape=shape)).tocoo()
    ends = np.sort(np.stack([tree.row, tree.col]).astype(np.int64), axis=0)
    keys = low.astype(np.int64) * arcs.num_nodes + high
    keep = np.zeros(arcs.num_arcs, bool)
    keep[first[np.isin(keys, ends[0] * arcs.num_nodes + ends[1])]] = True
    return keep


def _cover(keep: np.ndarray, indptr: np.ndarray, at: np.ndarray, weight: np.ndarray) -> None:
    """Keep the first of the heaviest arcs of each row that has arcs and keeps none.

    Args:
        keep: ``[num_arcs]`` bool in out-order, changed in place.
        indptr: where the rows of a side begin.
        at: ``[num_arcs]`` out-order position of each entry of the side.
        weight: ``[num_arcs]`` in out-order.
    """
    rows = np.flatnonzero(np.diff(indptr))
    begin, size = indptr[rows], np.diff(indptr)[rows]
    most = np.repeat(np.maximum.reduceat(weight[at], begin), size)
    entry = np.where(weight[at] == most, np.arange(len(at)), len(at))
    best = np.minimum.reduceat(entry, begin)
    bare = ~np.logical_or.reduceat(keep[at], begin)
    keep[at[best[bare]]] = True
