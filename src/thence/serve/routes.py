"""The routes: each takes what is live once and hands over to a plain function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from thence.serve import answers
from thence.serve.neighborhood import MAX_SIDE, neighborhood
from thence.serve.problems import Problem
from thence.serve.schemas import (
    Compared,
    Direction,
    Found,
    Health,
    Model,
    Neighborhood,
    OneItem,
    Related,
)
from thence.serve.store import Store

MAX_ID = 256
MAX_OWNED = 1000

Answered = Callable[[str, str], None]
"""Told of a question and of the route that answered it."""
ItemId = Annotated[str, Path(min_length=1, max_length=MAX_ID, description="External id of the item.")]
K = Annotated[int, Query(ge=1, le=1000, description="Answers wanted.")]
Way = Annotated[Direction, Query(description="`next`: what follows. `before`: what leads here.")]
PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "The request names a host that is not served."},
    404: {"model": Problem, "description": "Unknown; the answer names what comes nearest."},
    422: {"model": Problem, "description": "A parameter is out of range."},
    503: {"model": Problem, "description": "No model is loaded yet."},
}


def list_routes(store: Store, answered: Answered) -> APIRouter:
    """What follows an item, or leads to it, by the model and by the plain baseline.

    Args:
        store: what answers.
        answered: told of each question that was answered, and by what.
    """
    router = APIRouter(responses=PROBLEMS, tags=["items"])

    @router.get("/related/{item_id:path}")
    def related(
        item_id: ItemId,
        k: K = 10,
        direction: Way = "next",
        category: Annotated[str | None, Query(max_length=1000, description="A path, or its beginning.")] = None,
        owned: Annotated[
            list[Annotated[str, Query(max_length=MAX_ID * 64)]],
            Query(max_length=MAX_OWNED, description="Ids left out; repeated, or joined by commas."),
        ] = [],  # noqa: B006
    ) -> Related:
        """What follows an item, or what leads to it, with the evidence."""
        question = answers.Question(item_id, k, direction, category or None, split_ids(owned))
        found = answers.related(store.live(), question)
        answered("related", found.route)
        return found

    @router.get("/compare/{item_id:path}")
    def compare(item_id: ItemId, k: K = 10, direction: Way = "next") -> Compared:
        """The best plain baseline's list for the same question."""
        found = answers.compared(store.live(), item_id, k, direction)
        answered("compare", found.route)
        return found

    return router


def item_routes(store: Store) -> APIRouter:
    """Items themselves: found, described, drawn, and what is loaded."""
    router = APIRouter(responses=PROBLEMS, tags=["items"])

    @router.get("/neighborhood/{item_id:path}")
    def drawn(item_id: ItemId, k: Annotated[int, Query(ge=1, le=MAX_SIDE)] = 8) -> Neighborhood:
        """What leads to an item, what follows it, and the arcs among them: at most 40 nodes."""
        return neighborhood(store.live(), item_id, k)

    @router.get("/items/search")
    def search(
        q: Annotated[str, Query(max_length=MAX_ID, description="Words in any case.")] = "",
        limit: Annotated[int, Query(ge=1, le=100)] = 10,
    ) -> Found:
        """Items whose title, brand, category or id hold every word."""
        return answers.searched(store.live(), q, limit)

    @router.get("/items/{item_id:path}")
    def item(item_id: ItemId) -> OneItem:
        """One item."""
        return answers.one_item(store.live(), item_id)

    @router.get("/model")
    def model() -> Model:
        """What is loaded, and examples to start from."""
        return answers.model(store.live())

    return router


def health_routes(store: Store) -> APIRouter:
    """Is the process alive, and can it answer?"""
    router = APIRouter(prefix="/health", tags=["health"])

    @router.get("/live")
    async def live() -> Health:
        """The process runs."""
        return Health(status="live")

    @router.get("/ready", responses={503: {"model": Health, "description": "No model is loaded yet."}})
    async def ready(response: Response) -> Health:
        """A verified model is loaded."""
        if not store.ready:
            response.status_code = 503
            return Health(status="loading")
        return Health(status="ready", model_version=store.version)

    return router


def split_ids(values: list[str]) -> list[str]:
    """Ids from repeated parameters; a value is also taken apart at its commas.

    Example:
        >>> split_ids(["a,b", "c"])
        ['a,b', 'a', 'b', 'c']
    """
    return [id_ for value in values for id_ in dict.fromkeys([value, *value.split(",")]) if id_]
