"""An order in which the nodes of a community stand together, and communities that belong together too.

Label propagation with a bound on sizes finds communities small enough for a processor's cache; the graph of
communities is clustered the same way with a bound :data:`GROWTH` times as large; and again, until nothing
joins. Nodes are sorted by the community of the coarsest level, then the next finer, and last by falling degree.

References:
    Raghavan, Albert & Kumara, "Near linear time algorithm to detect community structures in large-scale
    networks", Phys. Rev. E 76, 2007; sizes bounded as in Meyerhenke, Sanders & Schulz, "Partitioning complex
    networks via size-constrained clustering", SEA 2014; the nested order as in Arai et al., "Rabbit order",
    IPDPS 2016.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from thence.base.rng import generator
from thence.graph.arcs import Arcs
from thence.graph.partition.symmetric import symmetrised

COMMUNITY = 1_024
"""Most nodes of a community of the finest level: at 64 float32 a node 256 KiB, as second-level caches hold."""
GROWTH = 16
PASSES, SETTLED = 10, 0.01


def community_order(arcs: Arcs, *, seed: int = 0, most: int = COMMUNITY) -> np.ndarray:
    """The nodes in that order.

    Args:
        arcs: the relation; directions are set aside.
        seed: of the order in which nodes choose.
        most: bound on the size of the smallest communities.

    Returns:
        ``[num_nodes]`` int64, the node that comes first, second, ….

    Example:
        >>> arcs = Arcs.from_pairs([0, 2, 4, 1, 3, 5, 4], [2, 4, 0, 3, 5, 1, 5], num_nodes=6)  # two triangles
        >>> community_order(arcs, most=3).tolist()
        [4, 0, 2, 5, 1, 3]
    """
    matrix: Any = symmetrised(arcs)
    size = np.ones(arcs.num_nodes, np.int64)
    whole, levels = np.arange(arcs.num_nodes), [-(arcs.out_degree + arcs.in_degree)]
    while matrix.shape[0] > 1:
        label = communities(matrix, size, most, seed)
        count = int(label.max()) + 1
        if count == matrix.shape[0]:
            break
        whole = label[whole]
        levels.append(whole)
        matrix, size = _merged(matrix, size, label)
        most *= GROWTH
    return np.lexsort(levels)


def merged_communities(arcs: Arcs, most: int, *, seed: int = 0) -> np.ndarray:
    """Communities that join until none fits into another: a component within the bound becomes one.

    Args:
        arcs: the relation; directions are set aside.
        most: no community has more nodes.
        seed: of the order in which nodes choose.

    Returns:
        ``[num_nodes]`` int64, the community of each node, 0 … c-1.

    Example:
        >>> path = Arcs.from_pairs([0, 1, 2, 3, 5], [1, 2, 3, 4, 6], num_nodes=7)
        >>> merged_communities(path, 5).tolist()
        [0, 0, 0, 0, 0, 1, 1]
    """
    matrix: Any = symmetrised(arcs)
    size, whole = np.ones(arcs.num_nodes, np.int64), np.arange(arcs.num_nodes)
    while matrix.shape[0] > 1:
        label = communities(matrix, size, most, seed)
        if label.max() + 1 == matrix.shape[0]:
            break
        whole = label[whole]
        matrix, size = _merged(matrix, size, label)
    return whole


def _merged(matrix: Any, size: np.ndarray, label: np.ndarray) -> tuple[Any, np.ndarray]:
    """The graph whose nodes are the communities, and how much each fills."""
    join = sp.csr_matrix((np.ones(len(label), np.int64), (label, np.arange(len(label)))))
    matrix = sp.csr_matrix(join @ matrix @ join.T)
    matrix.setdiag(0)
    matrix.eliminate_zeros()
    return matrix, np.bincount(label, size).astype(np.int64)


def communities(matrix: Any, size: np.ndarray, most: int, seed: int = 0) -> np.ndarray:
    """The community of each node, by label propagation until hardly any node moves.

    Args:
        matrix: ``[n, n]`` symmetric, int64 weights, zero diagonal.
        size: ``[n]`` int64, how much each node fills.
        most: no community is filled beyond this.
        seed: of the order in which nodes choose.

    Returns:
        ``[n]`` int64, 0 … c-1.

    Example:
        >>> path = sp.csr_matrix(np.array([[0, 5, 0], [5, 0, 1], [0, 1, 0]]))
        >>> communities(path, np.ones(3, np.int64), 2).tolist()
        [0, 0, 1]
    """
    from thence.graph.reorder.kernel import label_pass

    nodes = len(size)
    label, filled = np.arange(nodes), size.copy()
    order = generator(seed, "reorder", "community").permutation(nodes)
    for _ in range(PASSES):
        rows = (matrix.indptr, matrix.indices, matrix.data.astype(np.int64, copy=False))
        if label_pass(order, *rows, size, float(most), label, filled) <= SETTLED * nodes:
            break
    return np.unique(label, return_inverse=True)[1]
