"""Exact top-k: score every node, keep the k best; the answer that every approximate index is held to.

For query i and direction *next* the answers are the k nodes j ≠ i with the greatest s(i → j); for direction
*before* they are the k nodes j ≠ i with the greatest s(j → i). Equal scores are ordered by node id, so that
the answer is one and the same whatever the batch.

Time O(num_queries · num_nodes · dim), memory one batch of scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from thence.base.errors import DataError
from thence.base.ids import MISSING, IdMap
from thence.base.progress import Progress, silent
from thence.encode.embeddings import Embeddings
from thence.encode.scorer import Scorer
from thence.index.filters import Filter
from thence.index.neighbors import (
    QUESTIONS,
    Direction,
    Neighbors,
    Question,
    asked_nodes,
    check_direction,
    check_filters,
    check_k,
)
from thence.index.report import IndexReport
from thence.index.scan import scan
from thence.index.space import check_vectors, space_of

BATCH_BYTES = 64 << 20


def _by_nature() -> IndexReport:
    return IndexReport("exact", recall=dict.fromkeys(QUESTIONS, 1.0))


@dataclass(frozen=True, eq=False, repr=False)
class ExactIndex:
    """Embeddings that answer by scoring every node.

    Args:
        embeddings: the two vectors of each node.
        report: how it came to be chosen.

    Example:
        >>> from thence.base.ids import IdMap
        >>> source, target = np.array([[1.0, 0], [0, 0.5], [0, 0]]), np.array([[0, 0.5], [1.0, 0], [0.6, 0]])
        >>> index = ExactIndex(Embeddings(IdMap(["phone", "case", "charger"]), source, target))
        >>> index
        ExactIndex(3 nodes, dim 2)
        >>> index.ids.decode(index.search([0], k=2).nodes[0])
        ['case', 'charger']
        >>> index.ids.decode(index.search([1], k=1, direction="before").nodes[0])
        ['phone']
    """

    embeddings: Embeddings
    report: IndexReport = field(default_factory=_by_nature)

    def __repr__(self) -> str:
        """One line with the counts."""
        return f"ExactIndex({len(self.embeddings.ids):,} nodes, dim {self.embeddings.dim})"

    @property
    def ids(self) -> IdMap:
        """External ids of the nodes."""
        return self.embeddings.ids

    def search(
        self,
        nodes: ArrayLike,
        k: int,
        direction: Question = "next",
        *,
        allowed: np.ndarray | None = None,
        exclude: Sequence[ArrayLike] | None = None,
    ) -> Neighbors:
        """The k best answers for each of ``nodes``; arguments and errors as in :meth:`Index.search`."""
        space = space_of(self.embeddings, direction)
        own = asked_nodes(nodes, k, len(self.ids))
        bar = Filter.of(own, len(self.ids), alive=None, allowed=allowed, exclude=exclude)
        found, scores = scan(space.asking[own], space, k, bar)
        if space.constant is not None:
            scores += space.constant[own][:, None]
        return Neighbors(self.ids, own, found, scores, direction)

    def search_vectors(
        self,
        vectors: ArrayLike,
        k: int,
        direction: Question = "next",
        *,
        allowed: np.ndarray | None = None,
        exclude: Sequence[ArrayLike] | None = None,
    ) -> Neighbors:
        """The k best answers for vectors; arguments and errors as in :meth:`Index.search_vectors`.

        Example:
            >>> from thence.base.ids import IdMap
            >>> eye = np.eye(3, dtype=np.float32)
            >>> ring = ExactIndex(Embeddings(IdMap(["a", "b", "c"]), eye, eye[[2, 0, 1]]))  # a → b → c → a
            >>> ring.search_vectors([[0.9, 0.1, 0.0]], k=2).nodes.tolist()  # nearly an "a"
            [[1, 2]]
        """
        space = space_of(self.embeddings, direction)
        check_k(k, len(self.ids))
        asked = check_vectors(vectors, space.dim)
        own = np.full(len(asked), MISSING, np.int64)
        bar = Filter.of(own, len(self.ids), alive=None, allowed=allowed, exclude=exclude)
        return Neighbors(self.ids, own, *scan(asked, space, k, bar), direction)

    def save(self, folder: str | Path) -> None:
        """Write it as an artifact of kind ``index``, without the vectors; load_index opens it."""
        from thence.index.keep import save_index

        save_index(self, folder)


def top_k(
    scorer: Scorer,
    nodes: ArrayLike,
    k: int,
    direction: Direction = "next",
    *,
    allowed: np.ndarray | None = None,
    exclude: Sequence[ArrayLike] | None = None,
    progress: Progress = silent,
) -> Neighbors:
    """The k best answers of any scorer for each query node, never the query itself.

    Filters are applied before the k best are chosen, so fewer than k come back only where fewer exist.

    Args:
        scorer: embeddings, a baseline, anything that scores arcs; its ``-inf`` means "never answer this".
        nodes: ``[num_queries]`` node ids.
        k: answers a query, 1 … num_nodes.
        direction: ``"next"`` for what follows the query, ``"before"`` for what leads to it.
        allowed: ``[num_nodes]`` bool; only these nodes are answers. All when not given.
        exclude: for each query the node ids that must not be answered (what the customer owns, say).
        progress: told after each batch.

    Raises:
        ConfigError: k or the direction is out of range.
        DataError: a node is out of range, a filter has the wrong shape, or the scorer gives NaN.

    Example:
        >>> from thence.base.ids import IdMap
        >>> eye = np.eye(3, dtype=np.float32)
        >>> ring = Embeddings(IdMap(["a", "b", "c"]), source=eye, target=eye[[2, 0, 1]])  # a → b → c → a
        >>> top_k(ring, [0, 1], k=1).nodes.ravel().tolist()
        [1, 2]
        >>> top_k(ring, [0], k=1, direction="before", exclude=[[2]]).nodes.tolist()
        [[1]]
    """
    num_nodes = len(scorer.ids)
    check_direction(direction)
    queries = asked_nodes(nodes, k, num_nodes)
    check_filters(allowed, exclude, len(queries), num_nodes)
    found = np.full((len(queries), k), MISSING, np.int32)
    scores = np.full((len(queries), k), -np.inf, np.float32)
    rows = max(1, BATCH_BYTES // (4 * num_nodes))
    for start in range(0, len(queries), rows):
        batch = queries[start : start + rows]
        block = score_block(scorer, batch, direction)
        if allowed is not None:
            np.copyto(block, -np.inf, where=~allowed)
        for row, query in enumerate(batch):
            block[row, query] = -np.inf
            if exclude is not None:
                block[row, np.asarray(exclude[start + row], dtype=np.int64)] = -np.inf
            best = best_of_row(block[row], k)
            found[start + row, : len(best)] = best
            scores[start + row, : len(best)] = block[row, best]
        progress("search", start + len(batch), len(queries))
    return Neighbors(scorer.ids, queries, found, scores, direction)


def score_block(scorer: Scorer, queries: np.ndarray, direction: Direction) -> np.ndarray:
    """Scores ``[num_queries, num_nodes]`` float32 of every answer in one direction, in memory of its own.

    Raises:
        DataError: the scorer gives NaN, or a block of the wrong shape.
    """
    block = scorer.scores(queries) if direction == "next" else scorer.scores_into(queries)
    block = np.array(block, dtype=np.float32)
    if block.shape != (len(queries), len(scorer.ids)):
        raise DataError(f"the scorer gave shape {block.shape} for {len(queries)} queries", where=repr(scorer))
    if np.isnan(block).any():
        raise DataError("the scorer gave NaN", where=repr(scorer), fix="Train the model again.")
    return block


def best_of_row(scores: np.ndarray, k: int) -> np.ndarray:
    """Positions of the k greatest of ``scores`` (``[num_nodes]``), greatest first, ties by position.

    Positions whose score is ``-inf`` never come back.

    Example:
        >>> best_of_row(np.array([0.5, 2.0, 0.5, 0.5, -np.inf]), 3).tolist()
        [1, 0, 2]
    """
    candidates = np.flatnonzero(scores > -np.inf)  # partition is slow among many equal values
    if k < len(candidates):
        values = scores[candidates]
        smallest_kept = np.partition(values, len(values) - k)[len(values) - k]
        candidates = candidates[values >= smallest_kept]
    return candidates[np.argsort(-scores[candidates], kind="stable")[:k]]
