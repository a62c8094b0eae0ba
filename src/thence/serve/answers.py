"""The questions that the service answers, as plain functions from what is live to what is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import numpy as np

from thence.base.errors import nearest
from thence.index.neighbors import Direction
from thence.rerank.explain import Reason
from thence.serve.catalogue import Catalogue
from thence.serve.evidence import ArcFact, Evidence, evidence, sentence, via
from thence.serve.place import product_of
from thence.serve.problems import NearItem, RefusedError
from thence.serve.schemas import (
    ArcCard,
    BaselineResult,
    Compared,
    Example,
    Found,
    ItemCard,
    Model,
    OneItem,
    Related,
    Result,
    Via,
)
from thence.serve.schemas import Reason as ReasonCard
from thence.serve.second import listed, told
from thence.serve.standing import by_category, note_of, route_of
from thence.serve.store import Live


@dataclass(frozen=True)
class Question:
    """What a caller of /v1/related asks for.

    Args:
        item_id: external id of the query item.
        k: answers wanted; fewer come back only where fewer exist.
        direction: ``"next"`` for what follows, ``"before"`` for what leads here.
        category: only items in this category or below it.
        owned: external ids that are not answered; unknown ones cannot be answered anyway.
    """

    item_id: str
    k: int = 10
    direction: Direction = "next"
    category: str | None = None
    owned: Sequence[str] = ()


def related(live: Live, question: Question) -> Related:
    """The model's k best answers with the evidence behind each.

    What follows an item is looked up in the second stage's table where the bundle has one; within a category,
    and where more is asked for than it holds, the embeddings answer.

    Raises:
        RefusedError: the item (404) or the category (422) is unknown.
    """
    node = find(live, question.item_id)
    allowed = None if question.category is None else _category(live, question.category)
    owned = [live.index.ids.index(id_) for id_ in question.owned if id_ in live.index.ids]
    k = min(question.k, len(live.index.ids))
    route = route_of(live, node, question.direction)
    second = listed(live, node, k, question.direction, owned) if route == "model" and allowed is None else None
    if second is not None:
        route = "reranked"
        results = _results(live, node, second.nodes, second.scores, question.direction, second.reasons)
    elif route == "model":
        found = live.index.search([node], k, question.direction, allowed=allowed, exclude=[owned])
        keep = found.nodes[0] >= 0
        answers, scores = found.nodes[0][keep].astype(np.int64), found.scores[0][keep]
        results = _results(live, node, answers, scores, question.direction)
    elif route == "student":
        results = _by_student(live, question, node, allowed, owned)
    else:
        results = _by_category(live, question, node, allowed, owned)
    shown = card(live.catalogue, node)
    return Related(
        item=shown,
        direction=question.direction,
        model_version=live.version,
        route=route,
        note=note_of(route, shown.title, shown.category, question.direction),
        results=results,
    )


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
            BaselineResult(**asdict(live.catalogue.item(other)), rank=rank, score=score)
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
    directed = [arcs for arcs in live.bundle.graph.relations.values() if arcs.directed]
    return OneItem(
        item=card(live.catalogue, node),
        model_version=live.version,
        arcs_out=int(sum(len(arcs.out(node)) for arcs in directed)),
        arcs_in=int(sum(len(arcs.into(node)) for arcs in directed)),
    )


def model(live: Live) -> Model:
    """What is loaded, and good examples to start from."""
    graph, table = live.bundle.graph, live.bundle.baseline
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


def card(catalogue: Catalogue, node: int) -> ItemCard:
    """One item as it is sent."""
    return ItemCard(**asdict(catalogue.item(node)))


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
    rows = evidence(live.bundle.graph, source, target)
    if reasons is not None:
        return [
            (row, sentence(row) if row.facts else told(why), None)
            for row, why in zip(rows, reasons, strict=True)
        ]
    bare = np.array([i for i, row in enumerate(rows) if not row.facts], dtype=np.int64)
    routes = via(live.bundle.graph, live.bundle.embeddings, node, answers[bare], direction)
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


def _results(
    live: Live,
    node: int,
    answers: np.ndarray,
    scores: np.ndarray,
    direction: Direction,
    reasons: Sequence[Sequence[Reason]] | None = None,
) -> list[Result]:
    rows = explain(live, node, answers, direction, reasons)
    each = reasons or [()] * len(rows)
    return [
        Result(
            **asdict(live.catalogue.item(int(answer))),
            rank=rank,
            score=float(score),
            support=row.support,
            lift=row.lift,
            direction_strength=row.direction_strength,
            why=why,
            arcs=[_arc_card(live, fact) for fact in row.facts],
            via=detour,
            reasons=[ReasonCard(words=one.words, value=one.value) for one in because],
        )
        for rank, (answer, score, (row, why, detour), because) in enumerate(
            zip(answers, scores, rows, each, strict=True), start=1
        )
    ]


def _by_student(
    live: Live, question: Question, node: int, allowed: np.ndarray | None, owned: Sequence[int]
) -> list[Result]:
    """What the student of the model makes of the node's title and category."""
    assert live.newcomers is not None  # the route says so
    k = min(question.k, len(live.index.ids))
    nodes, scores = live.newcomers.search(
        product_of(live, node), k, question.direction, allowed=allowed, exclude=[node, *owned]
    )
    why = "no arc; from what is written of it"
    return [
        _bare(live, int(other), rank, float(score), why)
        for rank, (other, score) in enumerate(zip(nodes, scores, strict=True), start=1)
    ]


def _bare(live: Live, node: int, rank: int, score: float, why: str) -> Result:
    """An answer that no arc speaks for."""
    return Result(
        **asdict(live.catalogue.item(node)),
        rank=rank,
        score=score,
        support=None,
        lift=None,
        direction_strength=None,
        why=why,
        arcs=[],
        via=None,
    )


def _by_category(
    live: Live, question: Question, node: int, allowed: np.ndarray | None, owned: Sequence[int]
) -> list[Result]:
    """What the node's category leads to, most weight first; empty where there is none."""
    weight = by_category(live, node, question.direction)
    weight[list(owned)] = 0.0
    if allowed is not None:
        weight[~allowed] = 0.0
    best = np.argsort(-weight, kind="stable")[: question.k]
    what = "follow" if question.direction == "next" else "lead to"
    why = f"no arc; arcs that {what} other products of the same category"
    return [
        _bare(live, int(other), rank, float(weight[other]), why)
        for rank, other in enumerate(best[weight[best] > 0], start=1)
    ]


def _detour(kind: str, item: ItemCard | None) -> str:
    start = "no arc; from the model's embeddings"
    if item is None:
        return f"{start} alone: the item has no arcs"
    return f"{start} via {item.title}" + (" (arcs lead through it)" if kind == "path" else " (most alike)")


def _arc_card(live: Live, fact: ArcFact) -> ArcCard:
    ids = live.index.ids.array
    last = None if fact.last_time is None else datetime.fromtimestamp(fact.last_time / 1e6, tz=UTC)
    return ArcCard(
        relation=fact.relation,
        source=ids[fact.source].as_py(),
        target=ids[fact.target].as_py(),
        weight=fact.weight,
        support=fact.support,
        lift=fact.lift,
        asymmetry=fact.asymmetry,
        last_time=None if last is None else last.isoformat().replace("+00:00", "Z"),
    )


def _category(live: Live, path: str) -> np.ndarray:
    allowed = live.catalogue.in_category(path)
    if not allowed.any():
        raise RefusedError(
            422,
            f"no item in category {path!r}",
            fix=nearest(path, live.catalogue.category_paths()),
            model_version=live.version,
        )
    return allowed
