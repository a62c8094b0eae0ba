"""The routes about decisions: shall this one be acted on?"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from thence.serve import decide
from thence.serve.problems import Problem
from thence.serve.routes import PROBLEMS
from thence.serve.schemas_decide import Decided, DecidedMany, DecidePolicy, ManyCases, OneCase
from thence.serve.schemas_figures import DecideMap
from thence.serve.store import Store

REFUSALS: dict[int | str, dict[str, Any]] = {
    **PROBLEMS,
    404: {"model": Problem, "description": "No policy is served, or no conversion model for columns."},
    413: {"model": Problem, "description": "The body is larger than 1 MiB."},
    422: {"model": Problem, "description": "A number is missing or not finite, or a column does not fit."},
}


def decide_routes(store: Store) -> APIRouter:
    """The questions about decisions."""
    router = APIRouter(prefix="/decide", responses=REFUSALS, tags=["decisions"])

    @router.get("")
    def described() -> DecidePolicy:
        """What the policy is best in, and what it asks for."""
        return decide.described(store.models())

    @router.get("/map")
    def drawn() -> DecideMap:
        """Rates over score and uncertainty, the boundary, and what each wanted precision would bring."""
        return decide.mapped(store.models())

    @router.post("")
    def one(case: OneCase) -> Decided:
        """Act, ask or hold, at what rate, and why: of a score, or of an exposure's columns."""
        return decide.decided(store.models(), case)

    @router.post("/batch")
    def many(cases: ManyCases) -> DecidedMany:
        """The same of up to 1,000 cases."""
        return decide.decided_many(store.models(), cases)

    return router
