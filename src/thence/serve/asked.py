"""Query parameters as one model, read in one go.

FastAPI reads them one by one, which takes half as long as the answer of a table does; what is refused, and how
the parameters are described, is the same here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.requests import Request

Form = TypeVar("Form", bound=BaseModel)


def reader_of(form: type[Form]) -> Callable[[Request], Awaitable[Form]]:
    """A dependency that reads a request's query as a model; where one value is taken, the last one counts.

    Args:
        form: the model; fields whose schema is an array take repeated parameters.

    Raises:
        RequestValidationError: when it is asked, if a parameter is unknown or out of range.
    """
    properties = form.model_json_schema()["properties"]
    several = {name for name, schema in properties.items() if schema.get("type") == "array"}

    async def read(request: Request) -> Form:
        sent = request.query_params
        try:
            return form.model_validate(
                {name: sent.getlist(name) if name in several else sent[name] for name in sent}
            )
        except ValidationError as error:
            faults = error.errors(include_url=False, include_context=False)
            raise RequestValidationError(
                [fault | {"loc": ("query", *fault["loc"])} for fault in faults]
            ) from error

    return read


def parameters_of(form: type[BaseModel]) -> dict[str, Any]:
    """The same parameters for the description of the API (OpenAPI 3.1).

    Example:
        >>> from thence.serve.schemas_lists import SimilarQuery
        >>> [one["name"] for one in parameters_of(SimilarQuery)["parameters"]][-2:]
        ['k', 'role']
    """
    listed = []
    for name, schema in form.model_json_schema()["properties"].items():
        described = {"description": schema["description"]} if "description" in schema else {}
        listed.append({"name": name, "in": "query", "required": False, "schema": schema, **described})
    return {"parameters": listed}
