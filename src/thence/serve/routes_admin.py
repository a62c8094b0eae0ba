"""The routes about models: what is live, load what lies there now, one step back."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends
from fastapi.security import HTTPBearer

from thence.base.errors import ThenceError
from thence.serve.log import LOG, told
from thence.serve.origin import Reloader
from thence.serve.problems import Problem, RefusedError
from thence.serve.routes import PROBLEMS
from thence.serve.schemas_admin import ModelCard, ModelCards, Part
from thence.serve.store import Served, Store

TOKEN = Depends(HTTPBearer(description="The token of --token-file.", auto_error=False))
"""For the description alone: the guard has looked at the token before a route is reached."""
REFUSALS: dict[int | str, dict[str, Any]] = {
    400: PROBLEMS[400],
    401: {"model": Problem, "description": "The token is missing or wrong."},
    403: {"model": Problem, "description": "No token was set: these routes are closed."},
    409: {"model": Problem, "description": "A load is under way, or there is nothing to go back to."},
    422: {"model": Problem, "description": "What lies there cannot be served; what was live still answers."},
    503: PROBLEMS[503],
}


def model_routes(store: Store, reloader: Reloader | None) -> APIRouter:
    """What is live, and how that is changed."""
    router = APIRouter(tags=["models"])

    @router.get("/models", responses={503: PROBLEMS[503]})
    def models() -> ModelCards:
        """What is live, and what one step back leads to."""
        return _cards(store)

    @router.post("/admin/reload", responses=REFUSALS, dependencies=[TOKEN])
    def reload() -> ModelCards:
        """Load what lies in the folder now; it is checked before it answers."""
        if reloader is None:
            raise RefusedError(
                409, "this service was not started from a folder", fix="Start it with thence serve."
            )
        try:
            return _cards(store, changed=reloader.reload())
        except ThenceError as error:
            fix = "What was live before still answers."
            raise RefusedError(422, f"what lies there cannot be served: {error.what}", fix=fix) from error

    @router.post("/admin/rollback", responses=REFUSALS, dependencies=[TOKEN])
    def rollback() -> ModelCards:
        """Serve what was live before; asked again, it leads back."""
        store.rollback()
        version = store.version
        LOG.info("rolled back to %s", version, extra=told("rollback", {"model_version": version}))
        return _cards(store, changed=True)

    return router


def _cards(store: Store, *, changed: bool = False) -> ModelCards:
    live, before = store.standing()
    cards = [_card(live, "live"), *([_card(before, "before")] if before is not None else [])]
    return ModelCards(models=cards, changed=changed)


def _card(served: Served, state: Any) -> ModelCard:
    live, models = served.live, served.models
    return ModelCard(
        model_version=served.version,
        state=state,
        items=None if live is None else len(live.index.ids),
        conversion_version=None if models.conversion is None else models.conversion.version,
        policy_version=None if models.policy is None else models.policy.version,
        index=None if live is None else repr(live.index),
        parts=_parts(served),
        fingerprints=list(served.stamp or ()),
        since=served.since.isoformat(timespec="seconds").replace("+00:00", "Z"),
    )


def _parts(served: Served) -> list[Part]:
    named: list[tuple[str, object]] = []
    if served.live is not None:
        bundle = served.live.bundle
        named = [
            ("embeddings", bundle.embeddings),
            ("graph", bundle.graph),
            ("index", served.live.index),
            ("second stage", bundle.reranked),
            ("baseline", bundle.baseline),
            ("student", bundle.student),
            ("arc effects", bundle.effects),
        ]
    named += [("conversion", served.models.conversion), ("policy", served.models.policy)]
    return [Part(name=name, what=repr(part)) for name, part in named if part is not None]
