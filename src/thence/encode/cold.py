"""Cold products: what nobody has bought borrows from the warm products that are most like it.

A cold node c (one without arcs) finds the k warm nodes whose features are nearest, and takes the mean of what
is known of them, weighted by likeness:

    p_cw ∝ max(0, cos(x_c, x_w)) ,   Σ_w p_cw = 1
    score(c → j) = Σ_w p_cw · score(w → j) ,     score(i → c) = Σ_w p_cw · score(i → w)

:func:`lend` does that to any scorer. For embeddings it is one step of propagation along arcs c ~ w
(:func:`place_cold`): source_c = Σ p_cw source_w, target_c = Σ p_cw target_w, so that an index serves it. DAEMON
gives a cold product arcs to similar warm ones and runs its layers over them (Virinchi et al., ECML-PKDD 2022,
section 4.5; the number and the kind of these arcs are not stated): :func:`with_cold_arcs` adds them to a graph
for encoders that do so. :func:`feature_knn` and :func:`category_popularity` are the plain answers.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike

from thence.base.errors import ConfigError, DataError
from thence.base.ids import IdMap
from thence.encode.baseline.matrix import MatrixScorer
from thence.encode.baseline.popularity import received
from thence.encode.embeddings import Embeddings
from thence.encode.features import item_features
from thence.encode.known import check_fittable
from thence.encode.scorer import Scorer
from thence.graph import Arcs, DiGraph
from thence.graph.nodes import categories

BATCH = 1024


def is_warm(graph: DiGraph) -> np.ndarray:
    """``[num_nodes]`` bool: the node has an arc in the main relation."""
    return (graph.main.out_degree + graph.main.in_degree) > 0


def alike(features: Any, warm: np.ndarray, k: int = 20, strength: np.ndarray | None = None) -> sp.csr_matrix:
    """The k warm nodes that are most like each cold one, as shares.

    Args:
        features: ``[num_nodes, num_features]`` sparse, of any length of rows.
        warm: ``[num_nodes]`` bool.
        k: warm nodes for each cold one; fewer where fewer share a feature.
        strength: ``[num_nodes]``, which of equally alike nodes come first, such as their numbers of arcs.

    Returns:
        ``[num_nodes, num_nodes]`` float32; the row of a cold node sums to 1, or is empty when it shares no
        feature with any warm node; the rows of warm nodes are empty.

    Raises:
        ConfigError: ``k`` is below 1.
        DataError: a feature is not finite.

    Example:
        >>> features = sp.csr_matrix([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
        >>> alike(features, np.array([True, True, False]), k=2).toarray()[2].round(3).tolist()
        [0.5, 0.5, 0.0]
    """
    if k < 1:
        raise ConfigError(f"k={k}", fix="Give at least one warm node.")
    rows: Any = sp.csr_matrix(features, dtype=np.float32)
    if not np.isfinite(rows.data).all():
        raise DataError("a feature is not finite", fix="Fill or drop what is missing.")
    norms = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    unit = sp.csr_matrix(sp.diags(1 / np.maximum(norms, 1e-12)) @ rows)
    order = np.argsort(-(np.zeros(len(warm)) if strength is None else strength), kind="stable")
    near = order[warm[order]]  # the stronger first, so that a stable sort settles ties by strength
    cold = np.flatnonzero(~warm)
    parts = [_nearest(unit[cold[at : at + BATCH]], unit[near], k) for at in range(0, len(cold), BATCH)]
    if not parts or not len(near):
        return sp.csr_matrix((len(warm), len(warm)), dtype=np.float32)
    found: Any = sp.vstack(parts).tocoo()
    shape = (len(warm), len(warm))
    return sp.csr_matrix((found.data.astype(np.float32), (cold[found.row], near[found.col])), shape=shape)


def _nearest(cold: Any, warm: Any, k: int) -> sp.csr_matrix:
    """Shares ``[B, W]`` of the k nearest rows; ties to the earlier one."""
    cosine: Any = sp.csr_matrix(cold @ warm.T)
    cosine.sort_indices()
    row = np.repeat(np.arange(cosine.shape[0]), np.diff(cosine.indptr))
    order = np.lexsort((cosine.indices, -cosine.data, row))
    rank = np.arange(len(order)) - cosine.indptr[row[order]]
    kept = np.sort(order[(rank < k) & (cosine.data[order] > 0)])
    best = sp.csr_matrix((cosine.data[kept], (row[kept], cosine.indices[kept])), shape=cosine.shape)
    sums = np.maximum(np.asarray(best.sum(axis=1)).ravel(), 1e-12)
    return sp.csr_matrix(sp.diags(1 / sums) @ best)


def alike_in(graph: DiGraph, k: int = 20) -> sp.csr_matrix:
    """:func:`alike` for the nodes of a graph without arcs, by what its catalogue says.

    Raises:
        DataError: the graph has no catalogue.
    """
    if graph.nodes is None:
        raise DataError("the graph has no catalogue to find like products by", where=repr(graph))
    degree = graph.main.out_degree + graph.main.in_degree
    return alike(item_features(graph.nodes), degree > 0, k, degree)


class Lent:
    """A scorer whose cold nodes have the mean scores of others; made by :func:`lend`."""

    def __init__(self, scorer: Scorer, shares: Any) -> None:
        self._scorer, self._shares = scorer, sp.csr_matrix(shares)
        self._cold = np.diff(self._shares.indptr) > 0
        fill = (~self._cold).astype(np.float32)
        self._mix: Any = sp.csr_matrix(self._shares + sp.diags(fill), dtype=np.float32)

    @property
    def ids(self) -> IdMap:
        """External ids of the nodes."""
        return self._scorer.ids

    def scores(self, sources: ArrayLike) -> np.ndarray:
        """Scores ``[len(sources), num_nodes]`` of the arcs from each source to every node."""
        return self._mean(self._scorer.scores, sources)

    def scores_into(self, targets: ArrayLike) -> np.ndarray:
        """Scores ``[len(targets), num_nodes]`` of the arcs from every node to each target."""
        return self._mean(self._scorer.scores_into, targets)

    def _mean(self, ask: Any, nodes: ArrayLike) -> np.ndarray:
        """Mixed on both sides: the asked nodes, and the columns that answer."""
        mix = self._mix[np.asarray(nodes, np.int64)]
        used = np.unique(mix.indices)
        mean = np.asarray(mix[:, used] @ ask(used), dtype=np.float32)  # -inf stays -inf
        mean[:, self._cold] = (self._shares[self._cold] @ mean.T).T
        return np.ascontiguousarray(mean, dtype=np.float32)


def lend(scorer: Scorer, shares: Any) -> Scorer:
    """Give cold nodes the mean scores of the nodes that are like them, as sources and as targets.

    Args:
        scorer: anything that scores; embeddings stay embeddings (:func:`place_cold`).
        shares: what :func:`alike` gives.

    Example:
        >>> scorer = MatrixScorer(IdMap("abc"), sp.csr_matrix([[0, 2.0, 0], [0, 0, 0], [0, 0, 0]]))
        >>> shares = sp.csr_matrix(([1.0], ([2], [0])), shape=(3, 3))  # c is like a
        >>> lend(scorer, shares).scores([2]).tolist()
        [[0.0, 2.0, 0.0]]
    """
    return place_cold(scorer, shares) if isinstance(scorer, Embeddings) else Lent(scorer, shares)


def place_cold(embeddings: Embeddings, shares: Any) -> Embeddings:
    """Embeddings whose cold nodes stand at the mean of the nodes that are like them, in both roles.

    Args:
        embeddings: of all nodes; those of cold ones are replaced.
        shares: what :func:`alike` gives.

    Example:
        >>> vectors = Embeddings(IdMap("abc"), np.array([[2.0], [4.0], [9.0]]), np.array([[1.0], [3.0], [9.0]]))
        >>> shares = sp.csr_matrix(([0.5, 0.5], ([2, 2], [0, 1])), shape=(3, 3))
        >>> placed = place_cold(vectors, shares)
        >>> placed.source.ravel().tolist(), placed.target.ravel().tolist()
        ([2.0, 4.0, 3.0], [1.0, 3.0, 2.0])
    """
    mix: Any = sp.csr_matrix(shares)
    cold = np.diff(mix.indptr) > 0
    found = {}
    for name in ("source", "target", "bias"):
        values = getattr(embeddings, name).copy()
        values[cold] = mix[cold] @ values
        found[name] = values
    return replace(embeddings, **found)


def with_cold_arcs(graph: DiGraph, shares: Any, relation: str | None = None) -> DiGraph:
    """The graph with arcs from each cold node to the warm ones that are like it, weighted by share.

    Args:
        graph: the graph; it is not changed.
        shares: what :func:`alike` gives.
        relation: the relation that gets them, the main one when None. A relation that does not exist is made;
            in an undirected one both directions are added.

    Example:
        >>> arcs = Arcs.from_pairs([0], [1], num_nodes=3)
        >>> shares = sp.csr_matrix(([1.0], ([2], [0])), shape=(3, 3))
        >>> with_cold_arcs(DiGraph(IdMap("abc"), {"bought_after": arcs}), shares).main.pairs.tolist()
        [[0, 2], [1, 0]]
    """
    name = next(iter(graph.relations)) if relation is None else relation
    found: Any = sp.csr_matrix(shares).tocoo()
    source, target, weight = found.row, found.col, found.data
    old = graph.relations.get(name)
    if old is not None and not old.directed:
        source, target, weight = np.r_[source, target], np.r_[target, source], np.r_[weight, weight]
    if old is not None:
        source, target = np.r_[old.pairs[0], source], np.r_[old.pairs[1], target]
        weight = np.r_[old.weight, weight]
    directed = old is None or old.directed
    arcs = Arcs.from_pairs(source, target, num_nodes=graph.num_nodes, weight=weight, directed=directed)
    return graph.with_relation(name, arcs)


def feature_knn(graph: DiGraph, k: int = 20) -> Scorer:
    """The plain answer for a cold product: what follows the products that are most like it, counted.

    Args:
        graph: a graph with a catalogue; nodes without arcs are cold.
        k: how many like products are asked.

    Raises:
        FitError: the graph has no arcs.
        DataError: it has no catalogue.
    """
    check_fittable(graph)
    matrix = graph.main.matrix()
    sums = np.maximum(np.asarray(matrix.sum(axis=1)).ravel(), 1e-12)
    return lend(MatrixScorer(graph.ids, sp.csr_matrix(sp.diags(1 / sums) @ matrix)), alike_in(graph, k))


def category_popularity(graph: DiGraph) -> Embeddings:
    """What follows the products of the same category, counted; the rest by popularity far below.

    source_i picks its category and target_j holds the weight that arcs of each category bring to j; a product
    without a category is answered with what is popular everywhere.

    Args:
        graph: a graph whose catalogue has a column ``category``.

    Raises:
        FitError: the graph has no arcs.
        DataError: it has no catalogue.

    Example:
        >>> import pyarrow as pa
        >>> arcs = Arcs.from_pairs([0, 1], [2, 2], num_nodes=4, weight=[1.0, 2.0])
        >>> nodes = pa.table({"category": ["phone", "phone", "case", "phone"]})
        >>> graph = DiGraph(IdMap("abcd"), {"bought_after": arcs}, nodes)
        >>> int(category_popularity(graph).scores([3])[0].argmax())  # d is a phone: the case follows
        2
    """
    check_fittable(graph)
    if graph.nodes is None:
        raise DataError("the graph has no catalogue", where=repr(graph), fix="Give nodes with a category.")
    code = categories(graph.nodes)
    known, size = code >= 0, int(code.max(initial=-1)) + 1
    member = sp.csr_matrix(
        (np.ones(int(known.sum())), (np.flatnonzero(known), code[known])), shape=(graph.num_nodes, max(size, 1))
    )
    brought = cast("sp.csr_matrix", sp.csr_matrix(member.T @ graph.main.matrix()))
    everywhere = received(graph)
    target = brought.T.toarray()
    small = 0.5 / max(float(everywhere.sum()), 1e-12) * _step(target)
    return Embeddings(graph.ids, member.toarray(), target, small * everywhere)


def _step(values: np.ndarray) -> float:
    """The smallest value above 0: the popularity beside it settles ties and nothing else."""
    positive = values[values > 0]
    return float(positive.min()) if len(positive) else 1.0
