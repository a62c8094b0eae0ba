"""Neighbors: for each query the k best answers to one question, best first.

Two questions have a direction: what follows the query (``next``) and what leads to it (``before``). Two ask
what plays the same role: what leads to the same products (``similar_source``: source with source vectors), and
what follows the same (``similar_target``: target with target vectors).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike

from thence.base.artifact import open_artifact, write_artifact
from thence.base.errors import ArtifactError, ConfigError, DataError, nearest
from thence.base.ids import MISSING, IdMap

KIND = "neighbors"
DIRECTIONS: tuple[Literal["next"], Literal["before"]] = ("next", "before")
Direction = Literal["next", "before"]
SIMILAR = ("similar_source", "similar_target")
QUESTIONS = (*DIRECTIONS, *SIMILAR)
Question = Literal["next", "before", "similar_source", "similar_target"]


@dataclass(frozen=True, eq=False, repr=False)
class Neighbors:
    """Answers to "what comes next?" (or before, or what is similar) for a batch of queries. Immutable.

    Args:
        ids: external id of each node.
        query: ``[num_queries]`` int32 node ids; -1 for a query that is a vector without a node.
        nodes: ``[num_queries, k]`` int32 node ids, best first; -1 where fewer than k answers exist.
        scores: ``[num_queries, k]`` float32, descending; ``-inf`` where ``nodes`` is -1.
        direction: ``"next"``, where the arcs lead from the query to the answers; ``"before"``, where they lead
            from the answers to the query; ``"similar_source"`` or ``"similar_target"``, where no arc is meant.

    Raises:
        DataError: shapes disagree, or a node is out of range.
        ConfigError: the direction is unknown.

    Example:
        >>> ids = IdMap(["phone", "case", "charger"])
        >>> neighbors = Neighbors(ids, np.array([1]), np.array([[0, -1]]), np.array([[2.0, -np.inf]]), "before")
        >>> neighbors
        Neighbors(1 queries, k 2, before)
        >>> neighbors.table().to_pylist()  # the arc leads from the phone into the case
        [{'source': 'phone', 'target': 'case', 'score': 2.0, 'rank': 1}]
    """

    ids: IdMap
    query: np.ndarray
    nodes: np.ndarray
    scores: np.ndarray
    direction: Question = "next"

    def __post_init__(self) -> None:
        check_question(self.direction)
        for name, dtype in (("query", np.int32), ("nodes", np.int32), ("scores", np.float32)):
            object.__setattr__(self, name, np.ascontiguousarray(getattr(self, name), dtype=dtype))
        if self.nodes.ndim != 2 or self.nodes.shape != self.scores.shape:
            raise DataError(f"nodes have shape {self.nodes.shape}, scores {self.scores.shape}")
        if self.query.shape != (len(self.nodes),):
            raise DataError(f"{self.query.shape} queries for {len(self.nodes)} rows of answers")
        check_nodes(self.query[self.query != MISSING], len(self.ids))
        if self.nodes.size and (self.nodes.min() < MISSING or self.nodes.max() >= len(self.ids)):
            raise DataError("an answer is out of range", where=repr(self.ids))

    def __repr__(self) -> str:
        """One line with the counts."""
        return f"Neighbors({len(self.query):,} queries, k {self.k}, {self.direction})"

    @property
    def k(self) -> int:
        """How many answers each query has room for."""
        return self.nodes.shape[1]

    @property
    def counts(self) -> np.ndarray:
        """``[num_queries]`` int64: how many answers each query really has."""
        return (self.nodes != MISSING).sum(axis=1)

    def table(self) -> pa.Table:
        """One row an answer: ``source``, ``target`` (external ids), ``score`` and ``rank`` (from 1).

        Source and target are those of the arc, so for ``"before"`` the query stands as the target. Where no arc
        is meant, the columns are ``item`` (the query) and ``similar``. A query without a node is null.
        """
        filled = self.nodes != MISSING
        asked = np.repeat(self.query, filled.sum(axis=1))
        query = self.ids.array.take(pa.array(asked, mask=asked == MISSING))
        answer = self.ids.array.take(pa.array(self.nodes[filled]))
        rank = np.broadcast_to(np.arange(1, self.k + 1, dtype=np.int32), self.nodes.shape)[filled]
        if self.direction in SIMILAR:
            columns = {"item": query, "similar": answer}
        elif self.direction == "next":
            columns = {"source": query, "target": answer}
        else:
            columns = {"source": answer, "target": query}
        return pa.table({**columns, "score": self.scores[filled], "rank": rank})

    def save(self, folder: str | Path) -> None:
        """Write them as an artifact of kind ``neighbors``."""
        with write_artifact(folder, KIND) as draft:
            draft.table("ids", pa.table({"id": self.ids.array}))
            draft.tensors("neighbors", {"query": self.query, "nodes": self.nodes, "scores": self.scores})
            draft.counts.update(queries=len(self.query), k=self.k)
            draft.config["direction"] = self.direction

    @classmethod
    def load(cls, folder: str | Path) -> Neighbors:
        """Open saved neighbors.

        Raises:
            ArtifactError: they are absent, torn, tampered with, or not neighbors.
        """
        art = open_artifact(folder, KIND)
        try:
            ids = IdMap(art.table("ids")["id"])
            return cls(ids, **art.tensors("neighbors"), direction=art.config["direction"])
        except (DataError, ConfigError, TypeError, KeyError) as error:
            raise ArtifactError(f"inconsistent neighbors: {error}", where=folder) from error


def check_direction(direction: str) -> None:
    """Raise ConfigError unless ``direction`` is ``"next"`` or ``"before"``."""
    if direction not in DIRECTIONS:
        raise ConfigError(f"unknown direction {direction!r}", fix=nearest(str(direction), DIRECTIONS))


def check_question(question: str) -> None:
    """Raise ConfigError unless ``question`` is one of :data:`QUESTIONS`."""
    if question not in QUESTIONS:
        raise ConfigError(f"unknown direction {question!r}", fix=nearest(str(question), QUESTIONS))


def check_nodes(nodes: np.ndarray, num_nodes: int) -> None:
    """Raise DataError unless each of ``nodes`` lies in ``0 … num_nodes-1``."""
    if nodes.size and (nodes.min() < 0 or nodes.max() >= num_nodes):
        wrong = nodes[(nodes < 0) | (nodes >= num_nodes)][0]
        raise DataError(f"node {wrong} is out of range", where=f"{num_nodes} nodes")


def check_k(k: int, num_nodes: int) -> None:
    """Raise ConfigError unless ``k`` is a whole number in ``1 … num_nodes``."""
    if not isinstance(k, int | np.integer) or not 1 <= k <= num_nodes:
        raise ConfigError(
            f"k is {k!r}", where=f"{num_nodes} nodes", fix=f"Choose a whole number from 1 to {num_nodes}."
        )


def check_filters(
    allowed: np.ndarray | None, exclude: Sequence[ArrayLike] | None, num_queries: int, num_nodes: int
) -> None:
    """Raise DataError unless the filters fit the queries and the nodes."""
    if allowed is not None and (allowed.dtype != np.bool_ or allowed.shape != (num_nodes,)):
        raise DataError(f"allowed is {allowed.dtype}{list(allowed.shape)}, not bool[{num_nodes}]")
    if exclude is None:
        return
    if len(exclude) != num_queries:
        raise DataError(f"exclude has {len(exclude)} lists for {num_queries} queries")
    for row in exclude:
        check_nodes(whole_numbers(row, "exclude"), num_nodes)


def asked_nodes(nodes: ArrayLike, k: int, num_nodes: int) -> np.ndarray:
    """``[num_queries]`` int64 query nodes, they and k checked.

    Raises:
        ConfigError: k is out of range.
        DataError: a node is out of range, or no whole number.

    Example:
        >>> asked_nodes(2, 1, num_nodes=3)
        array([2])
        >>> asked_nodes([0.5], 1, num_nodes=3)
        Traceback (most recent call last):
        thence.base.errors.DataError: nodes are float64, not whole numbers
    """
    check_k(k, num_nodes)
    own = whole_numbers(nodes, "nodes")
    check_nodes(own, num_nodes)
    return own


def whole_numbers(values: ArrayLike, what: str) -> np.ndarray:
    """``[n]`` int64. Raise DataError where they are of another type: 0.5 is no node, nor is a mask."""
    found = np.asarray(values)
    if found.size and found.dtype.kind not in "iu":
        raise DataError(f"{what} are {found.dtype}, not whole numbers")
    return found.astype(np.int64).reshape(-1)
