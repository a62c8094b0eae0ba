"""Re-ranked answers of every node, with why each of them stands there: what a service looks up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from thence.base.artifact import open_artifact, write_artifact
from thence.base.errors import ArtifactError, DataError
from thence.base.progress import Progress, silent
from thence.index import NeighborTable
from thence.index.neighbors import Direction, check_direction
from thence.rerank.words import GROUPS, WORDS, Reason

if TYPE_CHECKING:
    from thence.rerank.reranker import Reranker

KIND = "reranked-table"


@dataclass(frozen=True, eq=False, repr=False)
class RerankedTable:
    """A table of neighbors and, for every answer, what each group of parts adds to its log odds.

    Args:
        neighbors: the answers.
        next: ``[num_nodes, k, groups]`` float32 of the answers that follow; NaN where there is none.
        before: the same of the answers that lead to a node.
        groups: names of the last axis.
    """

    neighbors: NeighborTable
    next: np.ndarray
    before: np.ndarray
    groups: tuple[str, ...] = GROUPS

    def __post_init__(self) -> None:
        for side, neighbors in ((self.next, self.neighbors.next), (self.before, self.neighbors.before)):
            if side.shape != (*neighbors.nodes.shape, len(self.groups)):
                raise DataError(f"reasons of shape {side.shape} for answers of {neighbors.nodes.shape}")

    def __repr__(self) -> str:
        """One line with the counts."""
        return f"RerankedTable({self.neighbors!r}, {len(self.groups)} groups)"

    def why(
        self, node: int, ranks: Sequence[int] | np.ndarray, direction: Direction = "next", num: int = 3
    ) -> list[list[Reason]]:
        """For each of a node's answers, by rank from 0, the groups that speak most for it, largest first."""
        check_direction(direction)
        rows = (self.next if direction == "next" else self.before)[node, np.asarray(ranks, np.int64)].tolist()
        return [
            [
                Reason(name := self.groups[g], WORDS.get(name, name), -value)
                for value, g in sorted((-value, g) for g, value in enumerate(values) if value > 0)[:num]
            ]  # NaN is not above 0
            for values in rows
        ]

    def save(self, folder: str | Path) -> None:
        """Write it as two artifacts: the neighbors in ``folder/neighbors``, the reasons in ``folder/why``."""
        self.neighbors.save(Path(folder) / "neighbors")
        with write_artifact(Path(folder) / "why", KIND) as draft:
            draft.tensors("why", {"next": self.next, "before": self.before})
            draft.config["groups"] = list(self.groups)

    @classmethod
    def load(cls, folder: str | Path) -> RerankedTable:
        """Open a saved table.

        Raises:
            ArtifactError: it is absent, torn, tampered with, or inconsistent.
        """
        neighbors = NeighborTable.load(Path(folder) / "neighbors")
        art = open_artifact(Path(folder) / "why", KIND)
        try:
            return cls(neighbors, **art.tensors("why"), groups=tuple(art.config["groups"]))
        except (DataError, KeyError, TypeError) as error:
            raise ArtifactError(f"inconsistent table: {error}", where=folder) from error


def reranked_table(
    reranker: Reranker, k: int, name: str = "re-ranked", progress: Progress = silent
) -> RerankedTable:
    """Answer every node in both directions and say why.

    Args:
        reranker: the scorer; every node is re-ranked once.
        k: answers a node.
        name: of the method, as the evaluation report calls it.
        progress: told the number of nodes explained.

    Raises:
        ConfigError: k is out of range.
    """
    from thence.rerank.explain import contributions  # loads what judges, which a reader of tables need not

    table = NeighborTable.build(reranker, k, name, progress)
    num = len(reranker.ids)
    why = {side: np.full((num, k, len(GROUPS)), np.nan, np.float32) for side in ("next", "before")}
    back_query, back_rank = np.nonzero(table.before.nodes >= 0)
    back_source = table.before.nodes[back_query, back_rank]
    order = np.argsort(back_source, kind="stable")
    first = np.searchsorted(back_source[order], np.arange(num + 1))
    for source in range(num):
        ahead = table.next.nodes[source][table.next.nodes[source] >= 0]
        behind = order[first[source] : first[source + 1]]
        targets = np.concatenate([ahead, back_query[behind]])
        values = contributions(reranker, source, targets)[:, :-1]
        why["next"][source, : len(ahead)] = values[: len(ahead)]
        why["before"][back_query[behind], back_rank[behind]] = values[len(ahead) :]
        progress("reasons", source + 1, num)
    return RerankedTable(table, why["next"], why["before"])
