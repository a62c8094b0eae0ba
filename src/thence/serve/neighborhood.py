"""The directed neighbourhood of an item, ready to be drawn: at most 40 nodes and the arcs among them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from thence.index.neighbors import Direction
from thence.rerank.words import Reason
from thence.serve.answers import find
from thence.serve.evidence import Evidence, evidence, sentence
from thence.serve.rows import card, explain
from thence.serve.schemas import DrawnArc, DrawnNode, Neighborhood
from thence.serve.second import listed
from thence.serve.standing import route_of
from thence.serve.store import Live

MAX_SIDE = 19
MAX_AMONG = 40


def neighborhood(live: Live, item_id: str, k: int = 8) -> Neighborhood:
    """The k best answers in each direction, the arcs that join them to the query, the strongest among them.

    An answer that no customer's arc joins to the query is joined by an arc of kind ``model``.

    Args:
        live: what is being served.
        item_id: external id of the query item.
        k: answers a side, 1 … 19.

    Raises:
        RefusedError: the item is unknown (404).
    """
    node = find(live, item_id)
    second = listed(live, node, k, "next") if route_of(live, node, "next") == "model" else None
    side = {direction: _side(live, node, k, direction) for direction in ("next", "before")}
    reasons = None
    if second is not None:
        side["next"] = dict(zip(second.nodes.tolist(), second.scores.tolist(), strict=True))
        reasons = second.reasons
    nodes = list(dict.fromkeys([node, *side["before"], *side["next"]]))
    arcs = [
        *_query_arcs(live, node, list(side["next"]), "next", reasons),
        *_query_arcs(live, node, list(side["before"]), "before"),
        *_among(live, [n for n in nodes if n != node]),
    ]
    return Neighborhood(
        item=card(live.catalogue, node),
        model_version=live.version,
        nodes=[_drawn_node(live, node, other, side["next"], side["before"]) for other in nodes],
        arcs=arcs,
    )


def _side(live: Live, node: int, k: int, direction: Direction) -> dict[int, float]:
    found = live.index.search([node], min(k, len(live.index.ids)), direction)
    keep = found.nodes[0] >= 0
    return dict(zip(found.nodes[0][keep].tolist(), found.scores[0][keep].tolist(), strict=True))


def _drawn_node(
    live: Live, query: int, node: int, after: dict[int, float], before: dict[int, float]
) -> DrawnNode:
    if node == query:
        role = "query"
    elif node in after and node in before:
        role = "both"
    else:
        role = "next" if node in after else "before"
    return DrawnNode(
        **vars(live.catalogue.item(node)),
        role=role,
        score_next=after.get(node),
        score_before=before.get(node),
    )


def _query_arcs(
    live: Live,
    query: int,
    answers: list[int],
    direction: Direction,
    reasons: Sequence[Sequence[Reason]] | None = None,
) -> list[DrawnArc]:
    told = explain(live, query, np.array(answers, dtype=np.int64), direction, reasons)
    pairs = [(query, other) if direction == "next" else (other, query) for other in answers]
    return [
        _drawn_arc(live, source, target, row, why)
        for (source, target), (row, why, _) in zip(pairs, told, strict=True)
    ]


def _among(live: Live, nodes: list[int]) -> list[DrawnArc]:
    """The strongest arcs among the answers; of two opposite ones the stronger."""
    if len(nodes) < 2:
        return []
    grid = np.array(nodes, dtype=np.int64)
    source, target = (side.ravel() for side in np.meshgrid(grid, grid, indexing="ij"))
    source, target = source[source != target], target[source != target]
    rows = evidence(live.graph, source, target)
    known = [
        (s, t, row)
        for s, t, row in zip(source.tolist(), target.tolist(), rows, strict=True)
        if row.direction_strength is not None
        and row.facts
        and (row.direction_strength > 0.5 or (row.direction_strength == 0.5 and s < t))
    ]
    known.sort(key=lambda arc: (-(arc[2].support or 0), -arc[2].facts[0].weight, arc[0], arc[1]))
    return [_drawn_arc(live, s, t, row, sentence(row)) for s, t, row in known[:MAX_AMONG]]


def _drawn_arc(live: Live, source: int, target: int, row: Evidence, why: str) -> DrawnArc:
    ids, first = live.index.ids.array, row.facts[0] if row.facts else None
    return DrawnArc(
        source=ids[source].as_py(),
        target=ids[target].as_py(),
        kind="model" if first is None else "arc",
        relation=None if first is None else first.relation,
        weight=None if first is None else first.weight,
        support=row.support,
        direction_strength=row.direction_strength,
        why=why,
    )
