"""The application: routes, the page's files, errors in words, and the guard around all of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match
from starlette.staticfiles import StaticFiles

from thence.serve.access import API, Access
from thence.serve.bundle import Bundle
from thence.serve.metrics import TYPE, Measured, Metrics
from thence.serve.models import Models
from thence.serve.origin import Reloader
from thence.serve.problems import Problem, RefusedError
from thence.serve.routes import PROBLEMS, health_routes, item_routes, list_routes
from thence.serve.routes_admin import model_routes
from thence.serve.routes_convert import convert_routes
from thence.serve.routes_data import data_routes
from thence.serve.routes_decide import decide_routes
from thence.serve.routes_place import place_routes
from thence.serve.routes_several import several_routes
from thence.serve.security import HEADERS, REPORT_POLICY, Guard
from thence.serve.store import Store

STATIC = Path(__file__).parent / "static"
GET = ["GET", "HEAD"]
METHODS = (*GET, "POST")
PAGES = ("/evaluation", "/conversion", "/decision", "/data", "/models")
"""Views of the page with addresses of their own."""
ALWAYS: dict[int | str, dict[str, Any]] = {
    400: PROBLEMS[400],
    401: {"model": Problem, "description": "The token is missing or wrong, where one is asked for."},
}
"""What any route may answer."""
MAX_FAULTS = 5
MAX_WHERE = 100


def create_app(
    source: Bundle | Models | Store, access: Access | None = None, reloader: Reloader | None = None
) -> FastAPI:
    """The service over a bundle, over models without items, or over a store that gets them later.

    Args:
        source: a bundle or models, which are verified and published here; or a store, empty or not.
        access: who may ask; this machine alone when None.
        reloader: replaces what the store serves; None where it came from no folder.

    Raises:
        ArtifactError: wrong answers to the first questions.

    Example:
        >>> app = create_app(Store())
        >>> "/v1/related/{item_id}" in app.openapi()["paths"]
        True
    """
    store = source if isinstance(source, Store) else Store()
    if not isinstance(source, Store):
        store.publish(source)
    app = FastAPI(
        title="thence",
        summary="What follows an item, and what leads to it.",
        version="1",
        docs_url=None,  # the default pages load their scripts from elsewhere; /docs is our own
        redoc_url=None,
        redirect_slashes=False,
        responses=ALWAYS,
    )
    app.include_router(health_routes(store))
    metrics = Metrics()
    for routes in (list_routes, several_routes, place_routes):
        app.include_router(routes(store, metrics.answered), prefix=API)
    for routes in (item_routes, convert_routes, decide_routes, data_routes):
        app.include_router(routes(store), prefix=API)
    app.include_router(model_routes(store, reloader), prefix=API)
    app.include_router(page_routes(store, metrics), include_in_schema=False)
    app.mount("/static", StaticFiles(directory=STATIC))
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _broken)
    app.add_middleware(Guard, access=access)
    app.add_middleware(Measured, metrics=metrics, store=store)  # the outermost: what is refused is counted too
    return app


def page_routes(store: Store, metrics: Metrics) -> APIRouter:
    """The page, the description of the API for people, the evaluation report, and figures for Prometheus."""
    router = APIRouter(responses=PROBLEMS)

    @router.api_route("/", methods=GET)
    async def page() -> FileResponse:
        return FileResponse(STATIC / ("index.html" if store.has_items or not store.ready else "docs.html"))

    async def shell() -> FileResponse:
        return FileResponse(STATIC / "index.html")

    for path in PAGES:
        router.add_api_route(path, shell, methods=GET)

    @router.api_route("/docs", methods=GET)
    async def docs() -> FileResponse:
        return FileResponse(STATIC / "docs.html")

    @router.api_route("/favicon.ico", methods=GET)
    async def icon() -> FileResponse:
        return FileResponse(STATIC / "icon.svg", media_type="image/svg+xml")

    @router.api_route("/metrics", methods=GET)
    def figures() -> PlainTextResponse:
        return PlainTextResponse(metrics.text(), media_type=TYPE)

    @router.api_route("/report", methods=GET)
    def report() -> HTMLResponse:
        html = store.live().bundle.report_html
        if html is None:
            raise RefusedError(404, "this bundle has no report", fix="Bundle it with an evaluation.")
        return HTMLResponse(html, headers={"content-security-policy": REPORT_POLICY})

    @router.api_route("/report.json", methods=GET)
    def report_json() -> JSONResponse:
        figures = store.live().bundle.report
        if figures is None:
            raise RefusedError(404, "this bundle has no report", fix="Bundle it with an evaluation.")
        return JSONResponse(dict(figures))

    return router


def _refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, RefusedError):
        raise error
    return JSONResponse(error.problem.model_dump(), error.status)


def _invalid(request: Request, error: Exception) -> Response:
    """Say which parameter is wrong, without repeating what was sent."""
    faults = error.errors() if isinstance(error, RequestValidationError) else []
    told = [
        f"{'.'.join(map(str, fault['loc'][1:]))[:MAX_WHERE]}: {fault['msg']}" for fault in faults[:MAX_FAULTS]
    ]
    said = "; ".join([*told, *([f"and {len(faults) - MAX_FAULTS} more"] if len(faults) > MAX_FAULTS else [])])
    said = said.encode(
        "utf-8", "replace"
    ).decode()  # JSON may name halves of surrogate pairs, which UTF-8 lacks
    return JSONResponse(Problem(error=said or "invalid request", fix="See /docs.").model_dump(), 422)


def _http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    said = {404: "no such page", 405: "this method is not answered here"}.get(status, "the request was refused")
    headers = {"allow": ", ".join(_methods(request))} if status == 405 else None
    return JSONResponse(Problem(error=said, fix="See /docs.").model_dump(), status, headers)


def _methods(request: Request) -> list[str]:
    """The methods that are answered at a path, by all of its routes."""
    found: set[str] = set()
    for method in METHODS:
        scope = {**request.scope, "method": method}
        if any(route.matches(scope)[0] is Match.FULL for route in request.app.router.routes):
            found.add(method)
    return sorted(found)


def _broken(request: Request, error: Exception) -> Response:
    """The last resort: no traces leave the house."""
    problem = Problem(error="an error of the service", fix="Its log says more.")
    return JSONResponse(problem.model_dump(), 500, headers=dict(HEADERS))  # this runs outside the guard
