"""The routes about exposures: will this one convert?"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from thence.serve import convert, convert_figures
from thence.serve.problems import Problem
from thence.serve.routes import PROBLEMS
from thence.serve.schemas_convert import Converted, ConvertedMany, ConvertModel, ManyExposures, OneExposure
from thence.serve.schemas_figures import ConvertFigures
from thence.serve.store import Store

REFUSALS: dict[int | str, dict[str, Any]] = {
    **PROBLEMS,
    404: {"model": Problem, "description": "No conversion model is served."},
    413: {"model": Problem, "description": "The body is larger than 1 MiB."},
    422: {"model": Problem, "description": "A column is unknown or missing, or a value is of another type."},
}


def convert_routes(store: Store) -> APIRouter:
    """The questions about exposures."""
    router = APIRouter(prefix="/convert", responses=REFUSALS, tags=["conversion"])

    @router.get("")
    def described() -> ConvertModel:
        """What the conversion model is, and the columns that it asks for."""
        return convert.described(store.models())

    @router.get("/figures")
    def kept() -> ConvertFigures:
        """How right the model is on exposures that it never saw, and how late conversions come."""
        return convert_figures.figures(store.models())

    @router.post("")
    def one(asked: OneExposure) -> Converted:
        """The probability that an exposure converts within the label horizon, and with `elapsed` still does."""
        return convert.converted(store.models(), asked.columns, asked.elapsed)

    @router.post("/batch")
    def many(asked: ManyExposures) -> ConvertedMany:
        """The same of up to 1,000 exposures."""
        return convert.converted_many(store.models(), asked.columns)

    return router
