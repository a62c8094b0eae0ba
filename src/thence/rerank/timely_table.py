"""Answers of a timely re-ranker for every node, with why: what a service looks up."""

from __future__ import annotations

import numpy as np

from thence.base.errors import ConfigError
from thence.base.progress import Progress, silent
from thence.index import NeighborTable
from thence.index.neighbors import Neighbors
from thence.rerank.table import RerankedTable
from thence.rerank.timely import TimelyReranker


def timely_table(
    reranker: TimelyReranker, k: int, name: str = "re-ranked", progress: Progress = silent
) -> RerankedTable:
    """What follows every node that arcs lead away from, and why; none is asked what leads to it.

    Reasons follow each pair's path down the trees (:meth:`~thence.rerank.model.Trees.contributions`, quick).

    Args:
        reranker: the scorer; every node's candidates are re-ranked once.
        k: answers a node; fewer where it has fewer candidates.
        name: of the method, as the evaluation report calls it.
        progress: told the number of nodes answered.

    Raises:
        ConfigError: k is out of range.
        DataError: what is known has other parts than the trees were fitted to.
    """
    num = len(reranker.ids)
    if not 1 <= k < max(num, 2):
        raise ConfigError(f"k = {k} of {num} nodes", fix="Ask for fewer answers than there are nodes.")
    group = {part.name: part.group for part in reranker.now.parts}
    groups = tuple(dict.fromkeys(group[name] for name in reranker.trees.names))
    member = np.array([[group[name] == one for one in groups] for name in reranker.trees.names], np.float32)
    nodes, scores = np.full((num, k), -1, np.int32), np.full((num, k), -np.inf, np.float32)
    why = np.full((num, k, len(groups)), np.nan, np.float32)
    arcs = reranker.now.graph.main
    for at, table in reranker.of(np.flatnonzero(arcs.out_degree)).tables():
        margin = reranker.trees.margins(table)
        row = np.repeat(np.arange(len(at[0])), np.diff(at[1]))
        order = np.lexsort((at[2], -margin, row))
        rank = np.arange(len(row)) - at[1][row]
        order, rank, source = order[rank < k], rank[rank < k], at[0][row[rank < k]]
        nodes[source, rank], scores[source, rank] = at[2][order], margin[order]
        told = reranker.trees.contributions(np.ascontiguousarray(table[order]), quick=True)
        why[source, rank] = told[:, :-1] @ member
        progress("re-ranked table", int(at[0][-1]) + 1, num)
    after = Neighbors(reranker.ids, np.arange(num), nodes, scores, "next")
    none = np.empty((num, 0))
    before = Neighbors(reranker.ids, np.arange(num), none, none, "before")
    return RerankedTable(NeighborTable(name, after, before), why, np.empty((num, 0, len(groups))), groups)
