"""The questions that the service answers, as plain functions from what is live to what is sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from thence.index.exact import ExactIndex
from thence.index.neighbors import Direction
from thence.serve.place import product_of
from thence.serve.problems import NearItem, RefusedError
from thence.serve.question import Filters, Question
from thence.serve.rows import bare, card, results_of
from thence.serve.schemas import BaselineResult, Compared, Example, Found, Model, OneItem, Related
from thence.serve.second import listed
from thence.serve.standing import by_category, note_of, route_of
from thence.serve.store import Live

NO_FILTERS, QUICK_K = Filters(), 20
NONE_LEFT = "No item passes the filters."


def related(live: Live, question: Question) -> Related:
    """The model's k best answers with the evidence behind each; as :func:`related_fields`, checked."""
    return Related.model_validate(related_fields(live, question))


def related_fields(live: Live, question: Question) -> dict[str, Any]:
    """The model's k best answers with the evidence behind each, as :class:`Related` says them, unchecked.

    What follows an item is looked up in the second stage's table where the bundle has one; where more is asked
    for than it holds, and where too little of it passes the filters, the embeddings answer.

    Raises:
        RefusedError: the item (404), or a filter's category or brand (422) is unknown.
    """
    node = find(live, question.item_id)
    allowed, owned = question.filters.allowed(live), question.filters.left_out(live)
    k, direction = min(question.k, len(live.index.ids)), question.direction
    route = route_of(live, node, direction)
    second = listed(live, node, k, direction, owned, allowed) if route == "model" else None
    if second is not None:
        route = "table"
        results = results_of(live, node, second.nodes, second.scores, direction, second.reasons)
    elif route == "model":
        found = live.index.search([node], k, direction, allowed=allowed, exclude=[owned])
        keep = found.nodes[0] >= 0
        results = results_of(
            live, node, found.nodes[0][keep].astype(np.int64), found.scores[0][keep], direction
        )
    elif route == "student":
        results = _by_student(live, question, node, allowed, owned)
    else:
        results = _by_category(live, question, node, allowed, owned)
    shown = live.catalogue.item(node)
    note = note_of(route, shown.title, shown.category, direction)
    return {
        "item": vars(shown),
        "direction": direction,
        "model_version": live.version,
        "route": route,
        "note": NONE_LEFT if not results and allowed is not None and note is None else note,
        "results": results,
    }


def is_quick(live: Live, question: Question) -> bool:
    """Whether an answer likely takes no longer than a thread takes to begin: that of a table or an index."""
    if question.filters != NO_FILTERS or question.k > QUICK_K:
        return False
    looked_up = live.bundle.reranked is not None and question.direction == "next"
    return looked_up or not isinstance(live.index, ExactIndex)


def compared(live: Live, item_id: str, k: int, direction: Direction) -> Compared:
    """The plain baseline's list for the same question.

    Raises:
        RefusedError: the item is unknown, or the bundle has no baseline (404).
    """
    node = find(live, item_id)
    table = live.bundle.baseline
    if table is None:
        raise RefusedError(404, "this bundle has no baseline", model_version=live.version)
    nodes, scores = table.row(node, direction)
    rows = zip(range(1, k + 1), nodes.tolist(), scores.tolist(), strict=False)
    return Compared(
        item=card(live.catalogue, node),
        direction=direction,
        model_version=live.version,
        route="table",
        baseline=table.name,
        results=[
            BaselineResult(**vars(live.catalogue.item(other)), rank=rank, score=score)
            for rank, other, score in rows
        ],
    )


def searched(live: Live, query: str, limit: int) -> Found:
    """Items whose text holds every word of the query, best first."""
    results = [card(live.catalogue, node) for node in live.catalogue.search(query, limit)]
    return Found(query=query, model_version=live.version, results=results)


def one_item(live: Live, item_id: str) -> OneItem:
    """One item and how many arcs it has.

    Raises:
        RefusedError: the item is unknown (404).
    """
    node = find(live, item_id)
    directed = [arcs for arcs in live.graph.relations.values() if arcs.directed]
    return OneItem(
        item=card(live.catalogue, node),
        model_version=live.version,
        arcs_out=int(sum(len(arcs.out(node)) for arcs in directed)),
        arcs_in=int(sum(len(arcs.into(node)) for arcs in directed)),
    )


def model(live: Live) -> Model:
    """What is loaded, and good examples to start from."""
    graph, table = live.graph, live.bundle.baseline
    return Model(
        model_version=live.version,
        items=graph.num_nodes,
        dim=live.bundle.embeddings.dim,
        arcs={name: arcs.num_arcs for name, arcs in graph.relations.items()},
        baseline=None if table is None else table.name,
        reranked=live.bundle.reranked is not None,
        student=live.newcomers is not None,
        report=live.bundle.report_html is not None,
        examples=[
            Example(
                source=card(live.catalogue, example.source),
                target=card(live.catalogue, example.target),
                support=example.support,
                direction_strength=example.direction_strength,
            )
            for example in live.examples
        ],
    )


def find(live: Live, item_id: str) -> int:
    """The node of an external id.

    Raises:
        RefusedError: the id is unknown (404); the answer names what comes nearest.
    """
    if item_id not in live.index.ids:
        near = [live.catalogue.item(node) for node in live.catalogue.nearest(item_id)]
        raise RefusedError(
            404,
            f"no item {item_id!r}",
            fix="Ids are case-sensitive; the search finds an item by its words.",
            nearest=[NearItem(item_id=item.item_id, title=item.title) for item in near],
            model_version=live.version,
        )
    return live.index.ids.index(item_id)


def _by_student(
    live: Live, question: Question, node: int, allowed: np.ndarray | None, owned: Sequence[int]
) -> list[dict[str, Any]]:
    """What the student of the model makes of the node's title and category."""
    assert live.newcomers is not None  # the route says so
    k = min(question.k, len(live.index.ids))
    nodes, scores = live.newcomers.search(
        product_of(live, node), k, question.direction, allowed=allowed, exclude=[node, *owned]
    )
    why = "no arc; from what is written of it"
    return [
        bare(live, int(other), rank, float(score), why)
        for rank, (other, score) in enumerate(zip(nodes, scores, strict=True), start=1)
    ]


def _by_category(
    live: Live, question: Question, node: int, allowed: np.ndarray | None, owned: Sequence[int]
) -> list[dict[str, Any]]:
    """What the node's category leads to, most weight first; empty where there is none."""
    weight = by_category(live, node, question.direction)
    weight[list(owned)] = 0.0
    if allowed is not None:
        weight[~allowed] = 0.0
    best = np.argsort(-weight, kind="stable")[: question.k]
    what = "follow" if question.direction == "next" else "lead to"
    why = f"no arc; arcs that {what} other products of the same category"
    return [
        bare(live, int(other), rank, float(weight[other]), why)
        for rank, other in enumerate(best[weight[best] > 0], start=1)
    ]
