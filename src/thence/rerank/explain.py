"""Why a recommendation stands where it does, in words: the exact contributions of its parts, by group."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from thence.base.errors import DataError
from thence.rerank.reranker import Reranker
from thence.rerank.words import GROUPS, WORDS, Reason


def contributions(reranker: Reranker, source: int, targets: Sequence[int] | np.ndarray) -> np.ndarray:
    """``[len(targets), len(GROUPS) + 1]`` float32: by group, and the constant last; rows add up to the score.

    A target that is no candidate of the source has NaN: nothing but the first stage speaks of it.

    Raises:
        DataError: a node is out of range.
    """
    asked = np.asarray(targets, np.int64)
    size = len(reranker.ids)
    if not 0 <= source < size or (len(asked) and not (asked.min() >= 0 and asked.max() < size)):
        raise DataError(f"a node is out of range: {source} → {asked.tolist()}", where=f"{size} nodes")
    found = np.full((len(asked), len(GROUPS) + 1), np.nan, np.float32)
    at, table = reranker.table(np.array([source]))
    place = np.searchsorted(at[2], asked)
    inside = place < len(at[2])
    inside[inside] = at[2][place[inside]] == asked[inside]
    values = reranker.trees.contributions(np.ascontiguousarray(table[place[inside]]))
    found[inside] = np.concatenate([values[:, :-1] @ _membership(reranker), values[:, -1:]], axis=1)
    return found


def reasons(reranker: Reranker, source: int, target: int, num: int = 3) -> list[Reason]:
    """The ``num`` groups of parts that add most to a recommendation, the largest first.

    Example:
        >>> from thence.base.ids import IdMap
        >>> from thence.encode.baseline.svd import svd
        >>> from thence.graph import Arcs, DiGraph
        >>> from thence.rerank.learn import RerankConfig
        >>> pairs = [(i, j) for i in range(6) for j in range(6, 12) if i + j != 11]
        >>> arcs = Arcs.from_pairs(*zip(*pairs), num_nodes=12)
        >>> graph = DiGraph(IdMap([f"n{k}" for k in range(12)]), {"bought_after": arcs})
        >>> config = RerankConfig(candidates=12, folds=2, trees=20, negatives=1.0)
        >>> reranker = Reranker.fit(graph, lambda rest: svd(rest, 2), config)
        >>> all(reason.value > 0 for reason in reasons(reranker, 0, 11))
        True
    """
    values = contributions(reranker, source, [target])[0, :-1]
    if np.isnan(values).all():
        return [Reason("first", WORDS["first"], float("nan"))]
    order = np.argsort(-values, kind="stable")[:num]
    return [Reason(GROUPS[g], WORDS[GROUPS[g]], float(values[g])) for g in order if values[g] > 0]


def _membership(reranker: Reranker) -> np.ndarray:
    """``[columns, len(GROUPS)]``: which group each column belongs to; places belong to their part's."""
    group = {part.name: part.group for part in reranker.finder.parts}
    matrix = np.zeros((len(reranker.trees.names), len(GROUPS)), np.float32)
    for column, name in enumerate(reranker.trees.names):
        matrix[column, GROUPS.index(group[name.removesuffix(".place")])] = 1.0
    return matrix
