"""Item-item collaborative filtering: what follows products like i, likeness being the cosine of out-rows.

score(i → j) = Σ_k cos(A_i, A_k) · A_kj ,     A = w / (Σ_k w_kj)^power
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike

from thence.encode.baseline.counts import discounted
from thence.encode.baseline.matrix import Product
from thence.graph import DiGraph


class ItemCF:
    """The scorer; made by :func:`item_cf`."""

    def __init__(self, graph: DiGraph, power: float) -> None:
        self.ids = graph.ids
        adjacency = discounted(graph, power)
        norms = np.sqrt(np.asarray(adjacency.multiply(adjacency).sum(axis=1)).ravel())
        self._unit = sp.csr_matrix(sp.diags(1 / np.maximum(norms, 1e-12)) @ adjacency)
        self._adjacency, self._likeness = adjacency, Product(self._unit.T)

    @cached_property
    def _follow(self) -> Product:
        return Product(self._adjacency)

    @cached_property
    def _back(self) -> Product:
        return Product(self._unit)

    @cached_property
    def _columns(self) -> Any:
        return self._adjacency.T.tocsr()

    def scores(self, sources: ArrayLike) -> np.ndarray:
        """Scores ``[len(sources), num_nodes]`` of the arcs from each source to every node."""
        return self._follow(self._likeness(self._unit[np.asarray(sources, np.int64)].toarray()))

    def scores_into(self, targets: ArrayLike) -> np.ndarray:
        """Scores ``[len(targets), num_nodes]`` of the arcs from every node to each target."""
        return self._likeness(self._back(self._columns[np.asarray(targets, np.int64)].toarray()))


def item_cf(graph: DiGraph, power: float = 0.0) -> ItemCF:
    """Item-item CF on the main relation.

    Args:
        graph: the graph.
        power: how strongly popular targets are discounted before anything else.

    Example:
        >>> from thence.base.ids import IdMap
        >>> from thence.graph import Arcs
        >>> arcs = Arcs.from_pairs([0, 1, 1], [2, 2, 3], num_nodes=4)  # 0 is like 1, which leads to 3
        >>> item_cf(DiGraph(IdMap("abcd"), {"bought_after": arcs})).scores([0]).round(2)
        array([[0.  , 0.  , 1.71, 0.71]], dtype=float32)
    """
    return ItemCF(graph, power)
