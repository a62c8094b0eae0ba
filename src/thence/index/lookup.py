"""A precomputed table behind the interface of an index: rows that are read, not searched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from thence.base.errors import ConfigError, DataError
from thence.base.ids import MISSING, IdMap
from thence.index.filters import Filter
from thence.index.neighbors import DIRECTIONS, Neighbors, Question, asked_nodes, check_question
from thence.index.protocol import Index
from thence.index.report import IndexReport
from thence.index.table import NeighborTable


@dataclass(frozen=True, eq=False, repr=False)
class TableIndex:
    """A table of neighbors that answers like an index, and asks the one behind it for what it does not hold.

    A row of fewer than the table's k answers is all that there is. Where filters leave fewer than k of a full
    row, or a question has no row (a vector, similar items, a larger k), the index behind answers.

    Args:
        table: answers in both directions, precomputed.
        behind: an index of the same nodes; None to refuse what the table does not hold.

    Raises:
        DataError: the index behind has other nodes.

    Example:
        >>> from thence.encode.embeddings import Embeddings
        >>> from thence.index.exact import ExactIndex
        >>> eye = np.eye(3, dtype=np.float32)
        >>> ring = Embeddings(IdMap(["a", "b", "c"]), source=eye, target=eye[[2, 0, 1]])  # a → b → c → a
        >>> index = TableIndex(NeighborTable.build(ring, k=1, name="ring"), ExactIndex(ring))
        >>> index.search([0], k=1).nodes.tolist(), index.search([0], k=1, exclude=[[1]]).nodes.tolist()
        ([[1]], [[2]])
    """

    table: NeighborTable
    behind: Index | None = None

    def __post_init__(self) -> None:
        if self.behind is not None and self.behind.ids != self.table.ids:
            raise DataError("the index behind the table has other nodes", where=repr(self.table))

    def __repr__(self) -> str:
        """One line with the table and what is behind it."""
        return f"TableIndex({self.table!r}, {self.behind!r})"

    @property
    def ids(self) -> IdMap:
        """External ids of the nodes."""
        return self.table.ids

    @property
    def report(self) -> IndexReport:
        """Which table answers, and the measured recall of the index behind it."""
        reason = f"{self.table.next.k} answers a node are precomputed by {self.table.name!r}"
        recall = {} if self.behind is None else self.behind.report.recall
        return IndexReport("table", "table", reason, recall)

    def search(
        self,
        nodes: ArrayLike,
        k: int,
        direction: Question = "next",
        *,
        allowed: np.ndarray | None = None,
        exclude: Sequence[ArrayLike] | None = None,
    ) -> Neighbors:
        """The k best answers for each of ``nodes``; arguments and errors as in :meth:`Index.search`.

        Raises:
            ConfigError: nothing is behind the table, and it does not hold what was asked.
        """
        check_question(direction)
        own = asked_nodes(nodes, k, len(self.ids))
        bar = Filter.of(own, len(self.ids), alive=None, allowed=allowed, exclude=exclude)
        if direction not in DIRECTIONS:
            behind = self._behind(f"{direction!r} is not in the table")
            return behind.search(own, k, direction, allowed=allowed, exclude=exclude)
        side = self.table.next if direction == "next" else self.table.before
        found, scores, short = _fitting(side, own, k, bar)
        if len(short):
            behind = self._behind(
                f"{len(short)} of {len(own)} queries need more than {side.k} precomputed answers"
            )
            lists = None if exclude is None else [exclude[query] for query in short]
            more = behind.search(own[short], k, direction, allowed=allowed, exclude=lists)
            found[short], scores[short] = more.nodes, more.scores
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
        """What the index behind answers; arguments and errors as in :meth:`Index.search_vectors`."""
        behind = self._behind("a vector has no row in the table")
        return behind.search_vectors(vectors, k, direction, allowed=allowed, exclude=exclude)

    def save(self, folder: str | Path) -> None:
        """Write the table as an artifact of kind ``neighbor-table``; the index behind is saved by itself."""
        self.table.save(folder)

    def _behind(self, why: str) -> Index:
        if self.behind is None:
            raise ConfigError(why, where=repr(self.table), fix="Put one behind it: TableIndex(table, index).")
        return self.behind


def _fitting(
    side: Neighbors, own: np.ndarray, k: int, bar: Filter
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nodes and scores ``[Q, k]`` of the table that no filter bars, and the queries that need more."""
    found = np.full((len(own), k), MISSING, np.int32)
    scores = np.full((len(own), k), -np.inf, np.float32)
    short, whole = [], side.k >= len(side.ids) - 1
    for at, node in enumerate(own):
        row, excluded = side.nodes[node], bar.excluded[bar.begins[at] : bar.begins[at + 1]]
        fit = (row != MISSING) & (row != node) & ~np.isin(row, excluded)
        if len(bar.keep):
            fit &= bar.keep[row]
        places = np.flatnonzero(fit)[:k]
        found[at, : len(places)], scores[at, : len(places)] = row[places], side.scores[node, places]
        if len(places) < k and row[-1] != MISSING and not whole:
            short.append(at)
    return found, scores, np.array(short, np.int64)
