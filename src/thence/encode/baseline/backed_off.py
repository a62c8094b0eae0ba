"""Counts backed off to the catalogue: what a pair of products has not shown yet, their kinds have.

With the nodes in groups (one for each category and maker, say), W_cd the weight of arcs from group c to group
d, and r_j = Σ_k w_kj,

    score(i → j) = w_ij + strength · W_{c(i)d(j)} / Σ_d W_{c(i)d} · r_j / Σ_{k in d(j)} r_k

which is, but for a factor that a source's answers share, the mean of P(j | i) under a Dirichlet prior of that
strength around what group c(i) leads to, dealt out within each group by popularity. Two flavours of one soup
are so joined before anybody has bought both. Without a catalogue all nodes are one group, and it backs off to
popularity.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from numpy.typing import ArrayLike

from thence.base.arrow import pc
from thence.base.errors import ConfigError
from thence.encode.baseline.popularity import received
from thence.encode.known import is_known
from thence.graph import DiGraph


class BackedOff:
    """The scorer; made by :func:`backed_off`."""

    def __init__(self, graph: DiGraph, group: np.ndarray, strength: float) -> None:
        self.ids, self._group, self._strength = graph.ids, group, np.float32(strength)
        self._matrix: Any = graph.main.matrix()
        popular = received(graph)
        place = (np.arange(len(group)), group)
        members = sp.csr_matrix((np.ones(len(group), np.float32), place), shape=(len(group), group.max() + 1))
        between: Any = sp.csr_matrix(members.T @ self._matrix @ members, dtype=np.float64)
        left = np.maximum(np.asarray(between.sum(axis=1)).ravel(), 1e-12)
        self._kind: Any = sp.csr_matrix(sp.diags(1 / left) @ between, dtype=np.float32)
        whole = np.maximum(np.bincount(group, weights=popular), 1e-12)
        self._share = (popular / whole[group]).astype(np.float32)
        self._known = is_known(graph).astype(np.float32)  # no kind speaks for what nothing is known of

    @cached_property
    def _columns(self) -> tuple[Any, Any]:
        return self._matrix.T.tocsr(), self._kind.T.tocsr()

    def scores(self, sources: ArrayLike) -> np.ndarray:
        """Scores ``[len(sources), num_nodes]`` of the arcs from each source to every node."""
        own = np.asarray(sources, np.int64)
        prior = self._kind[self._group[own]].toarray()[:, self._group] * self._share
        prior *= self._known[own][:, None]
        return (self._matrix[own].toarray() + self._strength * prior).astype(np.float32)

    def scores_into(self, targets: ArrayLike) -> np.ndarray:
        """Scores ``[len(targets), num_nodes]`` of the arcs from every node to each target."""
        own = np.asarray(targets, np.int64)
        matrix, kind = self._columns
        prior = kind[self._group[own]].toarray()[:, self._group] * self._share[own][:, None]
        prior *= self._known
        return (matrix[own].toarray() + self._strength * prior).astype(np.float32)


def backed_off(
    graph: DiGraph, strength: float = 400.0, labels: tuple[str, ...] | list[str] = ("category", "manufacturer")
) -> BackedOff:
    """Counts of the main relation, backed off to groups of the catalogue.

    Args:
        graph: the graph.
        strength: how much weight of arcs the groups' say is worth.
        labels: columns of ``graph.nodes`` whose values together make a group; those that are not there are
            left out.

    Raises:
        ConfigError: ``strength`` is negative.

    Example:
        >>> from thence.base.ids import IdMap
        >>> from thence.graph import Arcs
        >>> nodes = pa.table({"category": ["soup", "soup", "soup", "bread"]})
        >>> arcs = Arcs.from_pairs([0, 1], [1, 3], num_nodes=4, weight=[3.0, 1.0])
        >>> graph = DiGraph(IdMap("abcd"), {"bought_after": arcs}, nodes)
        >>> backed_off(graph, strength=4.0).scores([2])  # never seen, but a soup
        array([[0., 3., 0., 1.]], dtype=float32)
    """
    if not strength >= 0:
        raise ConfigError(f"strength={strength}", fix="It is not negative.")
    return BackedOff(graph, kinds(graph.nodes, labels, graph.num_nodes), strength)


def kinds(nodes: pa.Table | None, labels: tuple[str, ...] | list[str], num_nodes: int) -> np.ndarray:
    """``[num_nodes]`` int64: a code for each different combination of the labels that there are.

    Example:
        >>> nodes = pa.table({"category": ["soup", "soup", None, "soup"], "brand": ["A", "B", "A", "A"]})
        >>> kinds(nodes, ["category", "brand", "colour"], 4).tolist()
        [1, 2, 0, 1]
    """
    code = np.zeros(num_nodes, np.int64)
    for label in labels:
        if nodes is None or label not in nodes.column_names:
            continue
        column: Any = nodes[label].combine_chunks()
        column = column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
        values = (
            pc.fill_null(pc.dictionary_encode(column.cast(pa.string())).indices, -1).to_numpy().astype(np.int64)
        )
        code = code * (int(values.max()) + 2) + values + 1
        code = np.unique(code, return_inverse=True)[1].astype(np.int64)
    return code
