"""Item CF plus the reverse arc: two plain answers in one.

    score(i → j) = cf_ij + weight · max_k cf_ik · w_ji / max_k w_ki

with cf_ij of :mod:`thence.encode.baseline.item_cf`. Each row of CF is compared with the row's own best, so that
a reverse arc counts alike for every source; where CF knows nothing of a source, its best counts as 1. On a
graph whose arcs weigh the same, w_ji / max_k w_ki is 1 where there is a reverse arc. A random split of arcs
leaves the reverse of many test arcs among those that are known, so this baseline is strong there; judge on a
leak-free split as well.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike

from thence.base.errors import ConfigError
from thence.encode.baseline.item_cf import ItemCF, item_cf
from thence.graph import DiGraph

ROWS = 1 << 22
"""Scores that are held at a time while each source's best is looked for."""


class CFReverse:
    """The scorer; made by :func:`cf_reverse`."""

    def __init__(self, graph: DiGraph, cf: ItemCF, weight: float) -> None:
        self.ids, self._cf, self._weight = graph.ids, cf, np.float32(weight)
        into: Any = sp.csr_matrix(graph.main.matrix().T)
        largest = np.maximum(into.max(axis=1).toarray().ravel(), 1e-12)
        self._reverse: Any = sp.csr_matrix(sp.diags(1 / largest) @ into, dtype=np.float32)

    @cached_property
    def _columns(self) -> Any:
        return self._reverse.T.tocsr()

    @cached_property
    def _best(self) -> np.ndarray:
        """``[num_nodes]`` each source's largest CF score."""
        n = len(self.ids)
        size = max(1, ROWS // max(n, 1))
        parts = [self._cf.scores(np.arange(at, min(at + size, n))).max(axis=1) for at in range(0, n, size)]
        return _or_one(np.concatenate(parts))

    def scores(self, sources: ArrayLike) -> np.ndarray:
        """Scores ``[len(sources), num_nodes]`` of the arcs from each source to every node."""
        own = np.asarray(sources, np.int64)
        rows = self._cf.scores(own)
        best = _or_one(rows.max(axis=1, initial=0.0))
        return rows + (self._weight * best)[:, None] * self._reverse[own].toarray()

    def scores_into(self, targets: ArrayLike) -> np.ndarray:
        """Scores ``[len(targets), num_nodes]`` of the arcs from every node to each target.

        The first call looks for the best CF score of every source, which costs as much as scoring all of them.
        """
        own = np.asarray(targets, np.int64)
        return self._cf.scores_into(own) + self._weight * self._best * self._columns[own].toarray()


def _or_one(best: np.ndarray) -> np.ndarray:
    """The largest scores, 1 where there is none."""
    return np.where(best > 0, best, np.float32(1))


def cf_reverse(graph: DiGraph, weight: float = 0.5, power: float = 0.0) -> CFReverse:
    """Item CF plus reverse arcs on the main relation.

    Args:
        graph: the graph.
        weight: of a reverse arc, in units of the source's largest CF score.
        power: how strongly popular targets are discounted in the CF.

    Raises:
        ConfigError: ``weight`` is negative.

    Example:
        >>> from thence.base.ids import IdMap
        >>> from thence.graph import Arcs
        >>> arcs = Arcs.from_pairs([0, 1, 1, 4], [2, 2, 3, 0], num_nodes=5)  # 0 is like 1; 4 leads to 0
        >>> cf_reverse(DiGraph(IdMap("abcde"), {"bought_after": arcs})).scores([0]).round(2)
        array([[0.  , 0.  , 1.71, 0.71, 0.85]], dtype=float32)
    """
    if not weight >= 0:
        raise ConfigError(f"weight={weight}", fix="It is not negative.")
    return CFReverse(graph, item_cf(graph, power), weight)
