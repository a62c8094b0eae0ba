"""A precomputed table of neighbors in both directions: the cheapest answer, and the baseline's on the page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike

from thence.base.artifact import open_artifact, write_artifact
from thence.base.errors import ArtifactError, ConfigError, DataError
from thence.base.ids import IdMap
from thence.base.progress import Progress, silent
from thence.encode.scorer import Scorer
from thence.index.exact import top_k
from thence.index.neighbors import Direction, Neighbors, check_direction

KIND = "neighbor-table"


@dataclass(frozen=True, eq=False, repr=False)
class NeighborTable:
    """Row i holds the answers for node i: what follows it, and what leads to it.

    Args:
        name: the method that gave the scores, as the evaluation report calls it.
        next: neighbors in direction next, one row a node in node order.
        before: neighbors in direction before, one row a node in node order.

    Raises:
        DataError: a direction is wrong, or the rows are not all nodes in order.

    Example:
        >>> from thence.encode.embeddings import Embeddings
        >>> eye = np.eye(3, dtype=np.float32)
        >>> ring = Embeddings(IdMap(["a", "b", "c"]), source=eye, target=eye[[2, 0, 1]])  # a → b → c → a
        >>> table = NeighborTable.build(ring, k=1, name="ring")
        >>> table
        NeighborTable('ring', 3 nodes, k 1)
        >>> table.row(0, "next")[0].tolist(), table.row(0, "before")[0].tolist()
        ([1], [2])
    """

    name: str
    next: Neighbors
    before: Neighbors

    def __post_init__(self) -> None:
        for direction, side in (("next", self.next), ("before", self.before)):
            if side.direction != direction:
                raise DataError(f"neighbors {side.direction!r} stand where {direction!r} belong")
            if not np.array_equal(side.query, np.arange(len(side.ids))):
                raise DataError("a table needs one row for each node, in node order", where=repr(side))
        if self.next.ids != self.before.ids:
            raise DataError("the two directions have different ids", where=self.name)

    def __repr__(self) -> str:
        """One line with the counts."""
        return f"NeighborTable({self.name!r}, {len(self.ids):,} nodes, k {self.next.k})"

    @property
    def ids(self) -> IdMap:
        """External ids of the nodes."""
        return self.next.ids

    @classmethod
    def build(cls, scorer: Scorer, k: int, name: str, progress: Progress = silent) -> NeighborTable:
        """Answer every node of a scorer in both directions.

        A node of which the scorer says the same of all others gets no answers: it knows nothing of that node,
        and the first k by number would pass for a list.

        Raises:
            ConfigError: k is out of range.
            DataError: the scorer gives NaN.
        """
        nodes, telling = np.arange(len(scorer.ids)), _Telling(scorer)
        return cls(
            name,
            next=top_k(telling, nodes, k, "next", progress=progress),
            before=top_k(telling, nodes, k, "before", progress=progress),
        )

    def row(self, node: int, direction: Direction) -> tuple[np.ndarray, np.ndarray]:
        """Nodes and scores of one node's answers, best first, without padding."""
        check_direction(direction)
        side = self.next if direction == "next" else self.before
        count = int((side.nodes[node] >= 0).sum())
        return side.nodes[node, :count], side.scores[node, :count]

    def save(self, folder: str | Path) -> None:
        """Write it as an artifact of kind ``neighbor-table``."""
        with write_artifact(folder, KIND) as draft:
            draft.table("ids", pa.table({"id": self.ids.array}))
            for side in (self.next, self.before):
                draft.tensors(side.direction, {"nodes": side.nodes, "scores": side.scores})
            draft.counts.update(nodes=len(self.ids), k=self.next.k)
            draft.config["name"] = self.name

    @classmethod
    def load(cls, folder: str | Path) -> NeighborTable:
        """Open a saved table.

        Raises:
            ArtifactError: it is absent, torn, tampered with, or not a table of neighbors.
        """
        art = open_artifact(folder, KIND)
        try:
            ids = IdMap(art.table("ids")["id"])
            every = np.arange(len(ids))
            after = Neighbors(ids, every, **art.tensors("next"), direction="next")
            before = Neighbors(ids, every, **art.tensors("before"), direction="before")
            return cls(str(art.config["name"]), after, before)
        except (DataError, ConfigError, TypeError, KeyError) as error:
            raise ArtifactError(f"inconsistent table: {error}", where=folder) from error


@dataclass(frozen=True, eq=False)
class _Telling:
    """A scorer whose rows are ``-inf`` where it says the same of all others."""

    scorer: Scorer

    @property
    def ids(self) -> IdMap:
        return self.scorer.ids

    def scores(self, sources: ArrayLike) -> np.ndarray:
        return self._told(self.scorer.scores(sources), np.asarray(sources))

    def scores_into(self, targets: ArrayLike) -> np.ndarray:
        return self._told(self.scorer.scores_into(targets), np.asarray(targets))

    def _told(self, block: np.ndarray, queries: np.ndarray) -> np.ndarray:
        told = np.array(block, np.float32)
        told[says_nothing(told, queries)] = -np.inf
        return told


def says_nothing(block: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """``[num_queries]`` bool: all nodes but the query itself, at least two, score the same.

    Example:
        >>> says_nothing(np.array([[9.0, 0.0, 0.0], [0.0, 0.0, 0.5]]), np.array([0, 1]))
        array([ True, False])
    """
    num_nodes = block.shape[1]
    if num_nodes < 3:
        return np.zeros(len(block), bool)
    other = block[np.arange(len(block)), np.where(queries == 0, 1, 0)]
    same = (block == other[:, None]).sum(axis=1)
    own = block[np.arange(len(block)), queries]
    return same - (own == other) == num_nodes - 1
