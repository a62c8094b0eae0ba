"""Arcs between the nodes that are most alike: a similarity graph, made by search and added as a relation.

Every node looks, by an index, for the k nodes whose vectors have the greatest cosine with its own. ``mutual``
keeps a pair when each is among the other's k, otherwise one side is enough; ``groups`` lets nodes look among
their own kind alone (their category), which also makes the search cheaper. The weight is the cosine; pairs at
right angles or beyond are left out. The relation is undirected: likeness has no direction.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from sklearn.random_projection import GaussianRandomProjection

from thence.base.errors import ConfigError, DataError
from thence.base.ids import IdMap
from thence.base.rng import derive_seed
from thence.encode.embeddings import Embeddings
from thence.encode.features import item_features
from thence.graph import Arcs
from thence.index.build import build_index

BATCH = 4_096
"""Nodes that are looked for at a time."""


def similarity_arcs(
    vectors: np.ndarray,
    k: int = 10,
    *,
    mutual: bool = False,
    groups: np.ndarray | None = None,
    recall: float = 0.95,
) -> Arcs:
    """Undirected arcs between nodes that are among each other's, or one's, k most alike.

    Args:
        vectors: ``[num_nodes, d]``, finite; a row of zeros is like nothing.
        k: how many nodes each looks for.
        mutual: keep a pair only when each found the other.
        groups: ``[num_nodes]`` int, the group of each node, in which it looks; below 0 it looks nowhere.
        recall: share of the true k that the index shall find; up to 20,000 nodes all are compared.

    Raises:
        DataError: a number is not finite, or there are not as many groups as nodes.
        ConfigError: k is below 1, or the recall is no share.

    Example:
        >>> vectors = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.1, 0.9]])
        >>> similarity_arcs(vectors, k=1).pairs.tolist()
        [[0, 1, 2, 3], [1, 0, 3, 2]]
    """
    rows = np.asarray(vectors, np.float32)
    if rows.ndim != 2 or not np.isfinite(rows).all():
        raise DataError(f"vectors have shape {rows.shape}, or one of them is not finite")
    own = np.zeros(len(rows), np.int64) if groups is None else np.asarray(groups, np.int64)
    if len(own) != len(rows):
        raise DataError(f"{len(own)} groups for {len(rows)} nodes")
    if k < 1 or not 0 < recall <= 1:
        raise ConfigError(f"k={k}, recall={recall}", fix="k is at least 1, recall a share.")
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    unit, own = rows / np.maximum(length, 1e-12), np.where(length[:, 0] > 0, own, -1)
    order = np.argsort(own, kind="stable")[np.count_nonzero(own < 0) :]
    bounds = np.flatnonzero(np.diff(own[order])) + 1
    found = [_nearest(unit, part, k, recall) for part in np.split(order, bounds) if len(part) > 1]
    empty = (np.zeros(0, np.int64),) * 3
    at, to, cosine = (np.concatenate(parts) for parts in zip(empty, *found, strict=True))
    one: Any = sp.csr_matrix((cosine, (at, to)), shape=(len(rows), len(rows)))
    both = sp.coo_matrix(one.minimum(one.T) if mutual else one.maximum(one.T))
    return Arcs.from_pairs(both.row, both.col, num_nodes=len(rows), weight=both.data, directed=False)


def feature_vectors(nodes: pa.Table, dim: int = 128, *, seed: int = 0) -> np.ndarray:
    """What a catalogue says of its products, as dense vectors with nearly the rows' inner products.

    Args:
        nodes: a catalogue in node order, as :func:`~thence.encode.features.item_features` reads it.
        dim: most columns; where the catalogue has more they are projected, and the error of an inner product of
            unit rows is about 1 / √dim.
        seed: of the projection.

    Returns:
        ``[num_nodes, dim or fewer]`` float32; rows of zeros where nothing is said.

    Example:
        >>> nodes = pa.table({"brand": ["Karan", "Lovex", "Karan"]})
        >>> feature_vectors(nodes).tolist()
        [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]

    References:
        Johnson, Lindenstrauss, "Extensions of Lipschitz mappings into a Hilbert space", 1984, lemma 1.
    """
    rows: Any = item_features(nodes)
    if rows.shape[1] <= dim:
        return rows.toarray()
    drawn = derive_seed(seed, "feature vectors") % 2**32
    made: Any = GaussianRandomProjection(random_state=drawn).set_params(n_components=dim)
    return np.asarray(made.fit_transform(rows), np.float32)


def _nearest(unit: np.ndarray, part: np.ndarray, k: int, recall: float) -> tuple[np.ndarray, ...]:
    """Sources, targets and cosines: each node of a group and its k most alike of the group."""
    rows = unit[part]
    ids = IdMap(pa.array(np.arange(len(part))).cast(pa.string()))
    index = build_index(Embeddings(ids, rows, rows), recall=recall, k=k, allow_exact=True)
    k = min(k, len(part))
    found = [index.search(asked, k) for asked in np.split(np.arange(len(part)), range(BATCH, len(part), BATCH))]
    nodes, cosine = (np.concatenate([getattr(each, name) for each in found]) for name in ("nodes", "scores"))
    kept = (nodes >= 0) & (cosine > 0)
    at = np.repeat(np.arange(len(part)), kept.sum(1))
    return part[at], part[nodes[kept]], cosine[kept]
