"""The routes that take several items in a body."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from thence.serve.problems import Problem
from thence.serve.routes import PROBLEMS, Answered, sent
from thence.serve.schemas_lists import Following, History, ManyItems, RelatedMany, Unknown
from thence.serve.several import following, related_many
from thence.serve.store import Store

REFUSALS: dict[int | str, dict[str, Any]] = {
    **PROBLEMS,
    413: {"model": Problem, "description": "The body is larger than 1 MiB."},
}


def several_routes(store: Store, answered: Answered) -> APIRouter:
    """Questions about several items.

    Args:
        store: what answers.
        answered: told of each question that was answered, and by what.
    """
    router = APIRouter(prefix="/related", responses=REFUSALS, tags=["items"])

    @router.post("/batch", response_model=RelatedMany)
    def batch(asked: ManyItems) -> Response:
        """What follows each of many items, or leads to it: the answers of /v1/related, in order."""
        found = related_many(store.live(), asked)
        for one in found.answers:
            answered("related", "unknown" if isinstance(one, Unknown) else one.route)
        return sent(found)

    @router.post("/history", response_model=Following)
    def history(asked: History) -> Response:
        """What follows a basket or a history as a whole, without what it holds already."""
        found = following(store.live(), asked)
        answered("history", found.route)
        return sent(found)

    return router
