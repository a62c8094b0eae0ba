"""The routes: each takes what is live once and hands over to a plain function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BaseModel
from pydantic_core import to_json
from starlette.concurrency import run_in_threadpool as aside

from thence.serve import answers
from thence.serve.answers import related_fields
from thence.serve.asked import parameters_of, reader_of
from thence.serve.explain import explained
from thence.serve.neighborhood import MAX_SIDE, neighborhood
from thence.serve.problems import Problem
from thence.serve.question import Filters, Question
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
from thence.serve.schemas_explain import Explained
from thence.serve.schemas_lists import ListQuery, Passing, Similar, SimilarQuery
from thence.serve.similar import similar_items
from thence.serve.store import Store

MAX_ID, JSON = 256, "application/json"
Answered = Callable[[str, str], None]
"""Told of a question and of the route that answered it."""
ItemId = Annotated[str, Path(min_length=1, max_length=MAX_ID, description="External id of the item.")]
SourceId = Annotated[
    str, Path(min_length=1, max_length=MAX_ID, description="External id where the arc begins.")
]
TargetId = Annotated[str, Path(min_length=1, max_length=MAX_ID, description="External id where it ends.")]
SourceParam = Annotated[
    str, Query(min_length=1, max_length=MAX_ID, description="External id where the arc begins.")
]
TargetParam = Annotated[str, Query(min_length=1, max_length=MAX_ID, description="External id where it ends.")]
K = Annotated[int, Query(ge=1, le=1000, description="Answers wanted.")]
Way = Annotated[Direction, Query(description="`next`: what follows. `before`: what leads here.")]
PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "The request names a host that is not served."},
    404: {"model": Problem, "description": "Unknown; the answer names what comes nearest."},
    422: {"model": Problem, "description": "A parameter is out of range."},
    503: {"model": Problem, "description": "No model is loaded yet."},
}


def list_routes(store: Store, answered: Answered) -> APIRouter:
    """What follows an item, or leads to it, by the model and by the plain baseline; what plays its part.

    Args:
        store: what answers.
        answered: told of each question that was answered, and by what.
    """
    router = APIRouter(responses=PROBLEMS, tags=["items"])

    @router.get("/related/{item_id:path}", response_model=Related, openapi_extra=parameters_of(ListQuery))
    async def related(item_id: ItemId, asked: Annotated[ListQuery, Depends(reader_of(ListQuery))]) -> Response:
        """What follows an item, or what leads to it, with the evidence."""
        live, question = store.live(), Question(item_id, asked.k, asked.direction, taken_apart(asked))
        quick = answers.is_quick(live, question)  # a look-up is done before a thread has begun
        found = related_fields(live, question) if quick else await aside(related_fields, live, question)
        answered("related", found["route"])
        return Response(to_json(found, inf_nan_mode="null"), media_type=JSON)

    @router.get("/similar/{item_id:path}", response_model=Similar, openapi_extra=parameters_of(SimilarQuery))
    def similar(item_id: ItemId, asked: Annotated[SimilarQuery, Depends(reader_of(SimilarQuery))]) -> Response:
        """What can stand in an item's place: what follows the same products, or leads to the same."""
        found = similar_items(store.live(), Question(item_id, asked.k, filters=taken_apart(asked)), asked.role)
        answered("similar", found.route)
        return sent(found)

    @router.get("/explain/{source}/{target}", response_model=Explained)
    def explain(source: SourceId, target: TargetId) -> Response:
        """What stands behind source → target: arcs, paths, and what removing each arc would change."""
        return sent(explained(store.live(), source, target))

    @router.get("/explain", response_model=Explained)
    def explain_any(source: SourceParam, target: TargetParam) -> Response:
        """The same, for ids that hold a slash."""
        return sent(explained(store.live(), source, target))

    @router.get("/compare/{item_id:path}", response_model=Compared)
    def compare(item_id: ItemId, k: K = 10, direction: Way = "next") -> Response:
        """The best plain baseline's list for the same question."""
        found = answers.compared(store.live(), item_id, k, direction)
        answered("compare", found.route)
        return sent(found)

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


def sent(answer: BaseModel) -> Response:
    """An answer as bytes; it was made by its schema and need not be checked by it again."""
    return Response(answer.model_dump_json(), media_type=JSON)


def taken_apart(asked: Passing) -> Filters:
    """The filters of an address, where ids may be joined by commas."""
    filters = asked.filters
    return replace(filters, owned=tuple(split_ids(filters.owned))) if filters.owned else filters


def split_ids(values: Sequence[str]) -> list[str]:
    """Ids from repeated parameters; a value is also taken apart at its commas.

    Example:
        >>> split_ids(["a,b", "c"])
        ['a,b', 'a', 'b', 'c']
    """
    return [id_ for value in values for id_ in dict.fromkeys([value, *value.split(",")]) if id_]
