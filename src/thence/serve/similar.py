"""Items that play the same part: what follows the same products, or what leads to the same.

The score is the cosine of the two items' vectors in the asked role. As targets: a case and another case, since
both follow phones. As sources: two phones, since cases follow both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from thence.graph.arcs import Arcs
from thence.index.exact import best_of_row
from thence.index.neighbors import Direction
from thence.serve.answers import NONE_LEFT, find
from thence.serve.evidence import side_of
from thence.serve.place import product_of
from thence.serve.question import Question
from thence.serve.rows import card
from thence.serve.schemas_lists import Alike, Role, Similar
from thence.serve.standing import route_of

if TYPE_CHECKING:
    from thence.serve.store import Live

ASKS: dict[Role, Direction] = {"source": "next", "target": "before"}
NAMED = 3


def similar_items(live: Live, question: Question, role: Role) -> Similar:
    """The k items whose vectors in a role point most nearly the same way.

    Raises:
        RefusedError: the item (404), or a filter's category or brand (422) is unknown.
    """
    node = find(live, question.item_id)
    allowed, out = question.filters.allowed(live), [node, *question.filters.left_out(live)]
    route = route_of(live, node, ASKS[role])
    route = route if route in ("model", "student") else "none"
    cosine = _cosines(live, node, role, route)
    if allowed is not None:
        cosine[~allowed] = -np.inf
    cosine[out] = -np.inf
    best = best_of_row(cosine, min(question.k, len(cosine)))
    best = best[np.isfinite(cosine[best])]
    return Similar(
        item=card(live.catalogue, node),
        role=role,
        model_version=live.version,
        route=route,
        note=_note(live, node, route, bool(len(best)), allowed is not None),
        results=[
            _alike(live, node, int(other), rank, float(cosine[other]), role)
            for rank, other in enumerate(best, start=1)
        ],
    )


def _cosines(live: Live, node: int, role: Role, route: str) -> np.ndarray:
    """``[num_nodes]`` float32: cosines with an item's vector; -inf where there is none to compare."""
    rows, length = getattr(live.bundle.embeddings, role), live.lengths[role]
    if route == "none":
        return np.full(len(rows), -np.inf, np.float32)
    vector = rows[node]
    if route == "student":
        assert live.newcomers is not None  # the route says so
        return live.newcomers.cosines(product_of(live, node), ASKS[role])
    found = np.full(len(rows), -np.inf, np.float32)
    return np.divide(rows @ vector, length * length[node], out=found, where=length > 0)


def _alike(live: Live, node: int, other: int, rank: int, score: float, role: Role) -> Alike:
    shared, names = _shared(live, live.graph.main, node, other, ASKS[role])
    what = "lead to" if role == "source" else "follow"
    rest = shared - len(names)
    told = ", ".join(names) + (f" and {rest:,} more" if rest else "")
    return Alike(
        **vars(live.catalogue.item(other)),
        rank=rank,
        score=score,
        shared=shared,
        why=f"both {what} {told}" if names else f"no product that both {what}; by the model alone",
    )


def _shared(live: Live, arcs: Arcs, a: int, b: int, direction: Direction) -> tuple[int, list[str]]:
    """How many items both are joined to, and the titles of those whose weaker arc is strongest."""
    (mine, my_weight), (theirs, their_weight) = side_of(arcs, a, direction), side_of(arcs, b, direction)
    both, at_mine, at_theirs = np.intersect1d(mine, theirs, assume_unique=True, return_indices=True)
    strongest = np.argsort(-np.minimum(my_weight[at_mine], their_weight[at_theirs]), kind="stable")[:NAMED]
    return len(both), [live.catalogue.item(int(node)).title for node in both[strongest]]


def _note(live: Live, node: int, route: str, any_found: bool, filtered: bool) -> str | None:
    title = live.catalogue.item(node).title
    if route == "none":
        return f"the model knows nothing of {title} in this role, and no student reads it. No list is better."
    if route == "student":
        return (
            f"the model knows nothing of {title} in this role. Shown is what is written alike, by its student."
        )
    return NONE_LEFT if filtered and not any_found else None
