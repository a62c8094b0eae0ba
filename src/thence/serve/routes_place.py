"""The route about products that the catalogue does not have."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from thence.serve.place import Described, placed
from thence.serve.routes import PROBLEMS, Answered, K, Way
from thence.serve.schemas_place import Placed
from thence.serve.store import Store

MAX_TEXT = 1000


def place_routes(store: Store, answered: Answered) -> APIRouter:
    """What follows, or leads to, a product that nobody has bought yet."""
    router = APIRouter(responses=PROBLEMS, tags=["items"])

    @router.get("/place")
    def place(
        title: Annotated[str, Query(min_length=1, max_length=MAX_TEXT, description="Of the product.")],
        category: Annotated[str | None, Query(max_length=MAX_TEXT, description="Its path.")] = None,
        price: Annotated[float | None, Query(ge=0, allow_inf_nan=False)] = None,
        k: K = 10,
        direction: Way = "next",
    ) -> Placed:
        """What follows, or leads to, a product that the catalogue does not have."""
        found = placed(store.live(), Described(title, category or None, price, k, direction))
        answered("place", found.route)
        return found

    return router
