"""The route about the data behind a model."""

from __future__ import annotations

from fastapi import APIRouter

from thence.serve.data import DataDesk
from thence.serve.routes import PROBLEMS
from thence.serve.schemas_data import DataFacts
from thence.serve.store import Store


def data_routes(store: Store) -> APIRouter:
    """What the model was learned from, in counts."""
    router = APIRouter(responses=PROBLEMS, tags=["models"])
    desk = DataDesk()

    @router.get("/data")
    def data() -> DataFacts:
        """The log with what its ingest refused, and the graph with its degrees."""
        return desk.tell(store.live())

    return router
