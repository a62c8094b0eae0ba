"""Questions about several items: each its own, or a history as one.

A history h, the latest item last, asks with the decayed mean of its vectors,

    score(h → j) = Σ_k w_k (⟨source[h_k], target[j]⟩ + bias[j]) / Σ_k w_k
    w_k = exp(−(|h| − 1 − k) / decay) ,

which is one more question to the same index. Items that the model has no vector for say nothing. For one item
this is its own score.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from thence.serve.answers import NONE_LEFT, find, related
from thence.serve.problems import RefusedError
from thence.serve.question import Question
from thence.serve.rows import card, results_of
from thence.serve.schemas import Related
from thence.serve.schemas_lists import (
    MAX_ANSWERS,
    Following,
    History,
    ManyItems,
    RelatedMany,
    Unknown,
)

if TYPE_CHECKING:
    from thence.serve.store import Live

NOTHING = "The model knows nothing of these items. No list is better than a list of what is merely popular."


def related_many(live: Live, asked: ManyItems) -> RelatedMany:
    """Each item's answers, in order; an unknown one says so in its place.

    Raises:
        RefusedError: more than 10,000 answers are wanted, or a filter's category or brand is unknown (422).
    """
    wanted = len(asked.items) * asked.k
    if wanted > MAX_ANSWERS:
        raise RefusedError(
            422,
            f"{len(asked.items)} items of {asked.k} answers are {wanted:,}",
            fix=f"Ask for at most {MAX_ANSWERS:,} in one request.",
            model_version=live.version,
        )
    filters = asked.filters

    def one(item_id: str) -> Related | Unknown:
        try:
            return related(live, Question(item_id, asked.k, asked.direction, filters))
        except RefusedError as refused:
            if refused.status != 404:
                raise
            return Unknown(item_id=item_id, error=refused.problem.error, nearest=refused.problem.nearest)

    return RelatedMany(model_version=live.version, answers=[one(item_id) for item_id in asked.items])


def following(live: Live, asked: History) -> Following:
    """What follows a whole history, or leads to it, without what it holds already.

    Raises:
        RefusedError: no item of it is known (404), or a filter's category or brand is unknown (422).
    """
    ids = live.index.ids
    known = [item for item in asked.items if item in ids]
    if not known:
        find(live, asked.items[-1])  # refuses, and names what comes nearest
    nodes = np.array([ids.index(item) for item in known], np.int64)
    allowed = asked.filters.allowed(live)
    out = [*asked.filters.left_out(live), *([] if asked.again else nodes.tolist())]
    results = _results(live, asked, nodes, allowed, out)
    note = NOTHING if results is None else NONE_LEFT if not results and allowed is not None else None
    return Following.model_validate(
        {
            "items": [card(live.catalogue, int(node)) for node in nodes],
            "unknown": list(dict.fromkeys(item for item in asked.items if item not in ids)),
            "direction": asked.direction,
            "model_version": live.version,
            "route": "none" if results is None else "model",
            "note": note,
            "results": results or [],
        }
    )


def _results(
    live: Live, asked: History, nodes: np.ndarray, allowed: np.ndarray | None, out: list[int]
) -> list[dict[str, Any]] | None:
    """The list; None where the model has no vector for any of the history."""
    model, direction = live.bundle.embeddings, asked.direction
    side, other = (model.source, model.target) if direction == "next" else (model.target, model.source)
    told = live.known[direction][nodes]
    if not told.any():
        return None
    weight = np.exp(-np.arange(len(nodes))[::-1] / asked.decay)[told].astype(np.float32)
    asking, told = side[nodes[told]], nodes[told]
    weight /= weight.sum()
    k = min(asked.k, len(live.index.ids))
    found = live.index.search_vectors((weight @ asking)[None], k, direction, allowed=allowed, exclude=[out])
    keep = found.nodes[0] >= 0
    answers, scores = found.nodes[0][keep].astype(np.int64), found.scores[0][keep]
    if direction == "before" and model.bias is not None:
        scores = scores + weight @ model.bias[told]
    because = told[np.argmax((asking @ other[answers].T) * weight[:, None], axis=0)]
    rows: dict[int, dict[str, Any]] = {}
    for node in np.unique(because):
        at = np.flatnonzero(because == node)
        for place, row in zip(at, results_of(live, int(node), answers[at], scores[at], direction), strict=True):
            rows[int(place)] = row | {"rank": int(place) + 1, "because": vars(live.catalogue.item(int(node)))}
    return [rows[place] for place in range(len(answers))]
