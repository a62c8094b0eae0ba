"""Orders of nodes: by degree, by breadth-first search, by reverse Cuthill-McKee."""

from __future__ import annotations

import numpy as np
from scipy.sparse.csgraph import breadth_first_order, connected_components, reverse_cuthill_mckee

from thence.graph.arcs import Arcs
from thence.graph.partition.symmetric import symmetrised


def degree_order(arcs: Arcs) -> np.ndarray:
    """``[num_nodes]`` int64: nodes of most arcs, in and out together, first; equal ones as they stood.

    Example:
        >>> degree_order(Arcs.from_pairs([0, 1], [2, 2], num_nodes=4)).tolist()
        [2, 0, 1, 3]
    """
    return np.argsort(-(arcs.out_degree + arcs.in_degree), kind="stable")


def rcm_order(arcs: Arcs) -> np.ndarray:
    """``[num_nodes]`` int64: reverse Cuthill-McKee of the symmetrised graph, which makes its bandwidth small.

    References:
        Cuthill & McKee 1969; George & Liu 1981; by SciPy.

    Example:
        >>> rcm_order(Arcs.from_pairs([0, 2, 1], [2, 1, 3], num_nodes=4)).tolist()  # the path 0 - 2 - 1 - 3
        [3, 1, 2, 0]
    """
    if not arcs.num_nodes:  # which SciPy cannot do
        return np.empty(0, np.int64)
    return reverse_cuthill_mckee(symmetrised(arcs), symmetric_mode=True).astype(np.int64)


def bfs_order(arcs: Arcs) -> np.ndarray:
    """``[num_nodes]`` int64: breadth first over the symmetrised graph, the largest component first.

    Each component is searched from its node of largest degree; isolated nodes come last.

    Example:
        >>> bfs_order(Arcs.from_pairs([0, 3, 4], [2, 4, 1], num_nodes=6)).tolist()
        [4, 1, 3, 0, 2, 5]
    """
    pairs = symmetrised(arcs)
    degree = arcs.out_degree + arcs.in_degree
    count, label = connected_components(pairs, directed=False)
    size = np.bincount(label, minlength=count)
    by_degree = np.argsort(-degree, kind="stable")
    _, first = np.unique(label[by_degree], return_index=True)
    start = by_degree[first]
    found = [
        breadth_first_order(pairs, start[part], directed=False, return_predecessors=False)
        for part in np.argsort(-size, kind="stable")
        if size[part] > 1
    ]
    alone = np.flatnonzero(size[label] == 1) if len(label) else np.empty(0, np.int64)
    return np.concatenate([*found, alone]).astype(np.int64)
