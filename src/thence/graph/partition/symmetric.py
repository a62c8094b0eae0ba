"""The symmetrised graph: what is left of arcs when their direction is set aside.

Partitioners, bandwidth orders and Laplacians are defined for undirected graphs. Here the pair {i, j} weighs
what its arcs weigh together, w(i → j) + w(j → i); with ones for weights that is the number of its arcs, so that
a weight cut in the symmetrised graph is the number of arcs cut in the directed one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from thence.graph.arcs import Arcs


def symmetrised(arcs: Arcs, weight: np.ndarray | None = None) -> sp.csr_matrix:
    """The symmetric matrix ``[num_nodes, num_nodes]`` of A + Aᵀ.

    Args:
        arcs: the relation.
        weight: ``[num_arcs]`` in out-order; ones (int64) when not given.

    Returns:
        Rows with ascending columns, no entry twice; an arc of weight 0 keeps its entry.

    Example:
        >>> arcs = Arcs.from_pairs([0, 1, 1], [1, 0, 2], num_nodes=3)
        >>> symmetrised(arcs).toarray().tolist()
        [[0, 2, 0], [2, 0, 1], [0, 1, 0]]
    """
    data = np.ones(arcs.num_arcs, np.int64) if weight is None else np.asarray(weight)
    shape = (arcs.num_nodes, arcs.num_nodes)
    out = sp.csr_matrix((data, arcs.targets, arcs.indptr), shape=shape)
    into = sp.csr_matrix((data[arcs.in_order], arcs.sources, arcs.in_indptr), shape=shape)
    out.has_canonical_format = into.has_canonical_format = True
    both: Any = out + into
    return sp.csr_matrix(both)


def pair_of(arcs: Arcs) -> tuple[np.ndarray, int]:
    """Which unordered pair each arc belongs to.

    Returns:
        ``[num_arcs]`` int64 ints 0 … p-1 and p, the number of pairs: an arc and its reverse have the same int.

    Example:
        >>> pair_of(Arcs.from_pairs([0, 1, 1], [1, 0, 2], num_nodes=3))
        (array([0, 0, 1]), 2)
    """
    reverse = arcs.reverse_at
    at = np.arange(arcs.num_arcs)
    first = np.where(reverse < 0, at, np.minimum(at, reverse))
    number = np.cumsum(first == at) - 1
    return number[first], int(number[-1]) + 1 if len(number) else 0
