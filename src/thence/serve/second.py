"""Answers of the second stage, where a bundle has one: looked up, with the reasons that stand beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from thence.index.neighbors import Direction
from thence.rerank.words import Reason

if TYPE_CHECKING:
    from thence.serve.store import Live


@dataclass(frozen=True, eq=False)
class Listed:
    """A node's answers, best first, with their log odds and up to three reasons each."""

    nodes: np.ndarray
    scores: np.ndarray
    reasons: list[list[Reason]]


def listed(
    live: Live,
    node: int,
    k: int,
    direction: Direction,
    owned: Sequence[int] = (),
    allowed: np.ndarray | None = None,
) -> Listed | None:
    """The second stage's k best answers to what follows a node; None where the embeddings have to answer.

    They have to where the bundle has no second stage, what leads to a node is asked, the node has no arcs, or
    more is asked for than the table holds of what may be answered.

    Args:
        live: what is being served.
        node: the query.
        k: answers wanted.
        direction: of the question.
        owned: nodes that are not answered.
        allowed: ``[num_nodes]`` bool, the nodes that may be answered; None for all.
    """
    table = live.bundle.reranked
    if table is None or direction != "next":
        return None
    nodes, scores = table.neighbors.row(node, "next")
    rank = _passing(nodes, owned, allowed)[:k]
    if not len(rank) or (len(rank) < k and len(rank) < _others(live, node, owned, allowed)):
        return None
    reasons = table.why(node, rank)
    return Listed(nodes[rank].astype(np.int64), scores[rank], reasons)


def _passing(nodes: np.ndarray, owned: Sequence[int], allowed: np.ndarray | None) -> np.ndarray:
    """Ranks of those that may be answered."""
    passes = np.ones(len(nodes), bool) if allowed is None else allowed[nodes]
    return np.flatnonzero(passes & ~np.isin(nodes, owned) if owned else passes)


def _others(live: Live, node: int, owned: Sequence[int], allowed: np.ndarray | None) -> int:
    """How many items may be answered at all."""
    may = np.ones(len(live.index.ids), bool) if allowed is None else allowed.copy()
    may[[node, *owned]] = False
    return int(may.sum())


def told(reasons: Sequence[Reason]) -> str:
    """Reasons as a reader sees them where no arc joins the two.

    Example:
        >>> told([Reason("category", "products of these categories follow each other", 0.4)])
        'no arc; products of these categories follow each other'
    """
    return "; ".join(["no arc", *(reason.words for reason in reasons)])
