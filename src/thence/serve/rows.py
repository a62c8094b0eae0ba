"""Answers as they are sent: each with its item, the arcs behind it, and what speaks for it in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from thence.index.neighbors import Direction
from thence.rerank.words import Reason
from thence.serve.catalogue import Catalogue
from thence.serve.evidence import ArcFact, Evidence, evidence, sentence, stamp, via
from thence.serve.schemas import ItemCard, Via
from thence.serve.second import told

if TYPE_CHECKING:
    from thence.serve.store import Live


def card(catalogue: Catalogue, node: int) -> ItemCard:
    """One item as it is sent."""
    return ItemCard(**vars(catalogue.item(node)))


def explain(
    live: Live,
    node: int,
    answers: np.ndarray,
    direction: Direction,
    reasons: Sequence[Sequence[Reason]] | None = None,
) -> list[tuple[Evidence, str, Via | None]]:
    """For each answer: the evidence, the same in words, and the detour where no arc joins the two.

    Where the second stage answered, its reasons stand in the words instead of a detour.
    """
    queries = np.full(len(answers), node)
    source, target = (queries, answers) if direction == "next" else (answers, queries)
    rows = evidence(live.graph, source, target)
    if reasons is not None:
        return [
            (row, sentence(row) if row.facts else told(why), None)
            for row, why in zip(rows, reasons, strict=True)
        ]
    bare = np.array([i for i, row in enumerate(rows) if not row.facts], dtype=np.int64)
    routes = via(live.graph, live.bundle.embeddings, node, answers[bare], direction)
    detour = dict(zip(bare.tolist(), routes, strict=True))
    found: list[tuple[Evidence, str, Via | None]] = []
    for i, row in enumerate(rows):
        if row.facts:
            found.append((row, sentence(row), None))
        else:
            kind, middle = detour[i]
            item = None if middle is None else card(live.catalogue, middle)
            found.append((row, _detour(kind, item), Via.model_validate({"kind": kind, "item": item})))
    return found


def results_of(
    live: Live,
    node: int,
    answers: np.ndarray,
    scores: np.ndarray,
    direction: Direction,
    reasons: Sequence[Sequence[Reason]] | None = None,
) -> list[dict[str, Any]]:
    """Answers with the evidence behind each, best first, as :class:`~thence.serve.schemas.Result` says them.

    Args:
        live: what is being served.
        node: the query.
        answers: ``[num_answers]`` node ids, best first.
        scores: ``[num_answers]``.
        direction: of the question.
        reasons: of the second stage, where it answered.
    """
    rows = explain(live, node, answers, direction, reasons)
    each, item = reasons or [()] * len(rows), live.catalogue.item
    return [
        {
            **vars(item(answer)),
            "rank": rank,
            "score": score,
            "support": row.support,
            "lift": row.lift,
            "direction_strength": row.direction_strength,
            "why": why,
            "arcs": [arc_of(live, fact) for fact in row.facts],
            "via": detour,
            "because": None,
            "reasons": [{"words": one.words, "value": one.value} for one in because],
        }
        for rank, (answer, score, (row, why, detour), because) in enumerate(
            zip(answers.tolist(), scores.tolist(), rows, each, strict=True), start=1
        )
    ]


def bare(live: Live, node: int, rank: int, score: float, why: str) -> dict[str, Any]:
    """An answer that no arc speaks for."""
    told = {"rank": rank, "score": score, "why": why, "arcs": [], "via": None, "because": None, "reasons": []}
    return {
        **vars(live.catalogue.item(node)),
        **told,
        **dict.fromkeys(("support", "lift", "direction_strength")),
    }


def _detour(kind: str, item: ItemCard | None) -> str:
    start = "no arc; from the model's embeddings"
    if item is None:
        return f"{start} alone: the item has no arcs"
    return f"{start} via {item.title}" + (" (arcs lead through it)" if kind == "path" else " (most alike)")


def arc_of(live: Live, fact: ArcFact) -> dict[str, Any]:
    """One arc as :class:`~thence.serve.schemas.ArcCard` says it."""
    ids = live.index.ids.array
    return {
        "relation": fact.relation,
        "source": ids[fact.source].as_py(),
        "target": ids[fact.target].as_py(),
        "weight": fact.weight,
        "support": fact.support,
        "lift": fact.lift,
        "asymmetry": fact.asymmetry,
        "last_time": None if fact.last_time is None else stamp(fact.last_time),
    }
