"""By similarity: keep arcs whose ends belong together, give nodes of few arcs what an index suggests."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from thence.base.errors import DataError
from thence.graph.arcs import BLOCK, Arcs
from thence.graph.sparsify.check import Side, count_asked, sources_of
from thence.graph.sparsify.top import top_score

Similarity = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""From sources ``[n]`` and targets ``[n]`` to the scores ``[n]`` of the arcs between them."""


def inner_product(source: np.ndarray, target: np.ndarray) -> Similarity:
    """The similarity ⟨source[i], target[j]⟩ of arc i → j.

    Args:
        source: ``[num_nodes, d]`` vectors of nodes as sources.
        target: ``[num_nodes, d]`` vectors of nodes as targets.

    Raises:
        DataError: shapes disagree or a number is not finite.

    Example:
        >>> score = inner_product(np.eye(2), np.array([[5.0, 0.0], [2.0, 3.0]]))
        >>> score(np.array([0, 1]), np.array([1, 1])).tolist()
        [2.0, 3.0]
    """
    source, target = np.asarray(source), np.asarray(target)
    if source.ndim != 2 or source.shape != target.shape:
        raise DataError(f"source vectors have shape {source.shape}, target vectors {target.shape}")
    for name, vectors in (("source", source), ("target", target)):
        if vectors.dtype.kind not in "biuf" or not np.isfinite(vectors).all():
            raise DataError(f"a {name} vector is not finite")

    def scores(i: np.ndarray, j: np.ndarray) -> np.ndarray:
        if len(i) and max(i.max(), j.max()) >= len(source):
            raise DataError(f"node {max(i.max(), j.max())} is out of range", where=f"{len(source)} vectors")
        return np.einsum("nd,nd->n", source[i], target[j])

    return scores


def similarities(arcs: Arcs, similarity: Similarity) -> np.ndarray:
    """``[num_arcs]`` float64: the similarity of each arc in out-order.

    Raises:
        DataError: the function gives another number of scores than it was asked for.
    """
    scores, source = np.empty(arcs.num_arcs), sources_of(arcs)
    for at in range(0, arcs.num_arcs, BLOCK):
        part = slice(at, min(at + BLOCK, arcs.num_arcs))
        found = np.asarray(similarity(source[part], arcs.targets[part]))
        if found.shape != (part.stop - part.start,):
            raise DataError(f"similarities of shape {found.shape} for {part.stop - part.start} arcs")
        scores[part] = found
    return scores


def top_similar(
    arcs: Arcs,
    similarity: Similarity,
    k: int | None = None,
    *,
    share: float | None = None,
    side: Side = "out",
    keep_structure: bool = False,
) -> Arcs:
    """Keep the arcs that are among the k most similar of their source, target, either or both.

    Args:
        arcs: the relation.
        similarity: :func:`inner_product` of vectors, or any function of its form.
        k: how many a row keeps.
        share: in place of k: the smallest k that keeps at least this share of all arcs.
        side: whose rows are pruned.
        keep_structure: keep a spanning structure besides.

    Raises:
        ConfigError: not exactly one of k and share is given, or one is out of range.
        DataError: a similarity is NaN.

    Example:
        >>> arcs = Arcs.from_pairs([0, 0], [1, 2], num_nodes=3)
        >>> target = np.array([[0.0], [1.0], [2.0]])
        >>> top_similar(arcs, inner_product(np.ones((3, 1)), target), 1).pairs.tolist()
        [[0], [2]]
    """
    score = similarities(arcs, similarity)
    return top_score(arcs, score, k, share=share, side=side, keep_structure=keep_structure)


def fill_tail(arcs: Arcs, table: np.ndarray, k: int, *, weight: np.ndarray | None = None) -> Arcs:
    """Add arcs to nodes of fewer than k targets, from a table of neighbours, best first, until they have k.

    Args:
        arcs: the relation.
        table: ``[num_nodes, n]`` ints, candidates of each node as an index gives them; -1 for none. The node
            itself and the targets that it has are passed over.
        k: the out-degree that is filled up to.
        weight: ``[num_nodes, n]`` weights of the candidates; ones when not given.

    Returns:
        The arcs and those added, with a value ``added`` (bool). Other values of added arcs are 0: nobody was
        seen to make that step.

    Raises:
        ConfigError: k is negative.
        DataError: the relation is undirected, the table has another shape, a node is out of range or stands
            twice in a row, or a weight is not finite.

    Example:
        >>> arcs = Arcs.from_pairs([0], [1], num_nodes=3)
        >>> filled = fill_tail(arcs, np.array([[1, 2], [2, -1], [-1, -1]]), 2)
        >>> filled.pairs.tolist(), filled.values["added"].tolist()
        ([[0, 0, 1], [1, 2, 2]], [False, True, True])
    """
    most, table = count_asked(k), np.asarray(table)
    if not arcs.directed:
        raise DataError("an undirected relation cannot be filled", fix="Pass directed arcs.")
    if table.ndim != 2 or len(table) != arcs.num_nodes or (table.size and table.dtype.kind not in "iu"):
        raise DataError(f"the table is {table.dtype} of shape {table.shape}", where=repr(arcs))
    if table.size and (table.min() < -1 or table.max() >= arcs.num_nodes):
        raise DataError("a node of the table is out of range", where=f"{arcs.num_nodes} nodes")
    weights = np.ones(table.shape, np.float32) if weight is None else np.asarray(weight)
    if weights.shape != table.shape:
        raise DataError(f"weights have shape {weights.shape}, the table {table.shape}")
    short = np.flatnonzero(arcs.out_degree < most)
    wanted = table[short].astype(np.int64)
    row, column = np.nonzero((wanted >= 0) & (wanted != short[:, None]))
    source, target = short[row], wanted[row, column]
    new = ~arcs.contains(source, target)
    row, column, source, target = row[new], column[new], source[new], target[new]
    first = np.searchsorted(row, row)
    fits = np.arange(len(row)) - first < (most - arcs.out_degree)[source]
    return _joined(arcs, source[fits], target[fits], weights[short[row[fits]], column[fits]])


def _joined(arcs: Arcs, source: np.ndarray, target: np.ndarray, weight: np.ndarray) -> Arcs:
    known = {name: array for name, array in arcs.values.items() if name != "added"}
    values = {name: np.concatenate([a, np.zeros(len(source), a.dtype)]) for name, a in known.items()}
    values["weight"] = np.concatenate([arcs.weight, weight.astype(np.float32)])
    values["added"] = np.arange(len(values["weight"])) >= arcs.num_arcs
    pairs = np.concatenate([arcs.pairs, np.stack([source, target])], axis=1)
    return Arcs.from_pairs(*pairs, num_nodes=arcs.num_nodes, values=values)
