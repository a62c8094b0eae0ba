"""What /v1/convert is asked and answers, field by field."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

MAX_EXPOSURES = 1000
MAX_COLUMNS = 4096
MAX_TEXT = 1024
MAX_ELAPSED = 1e10
"""Seconds: three hundred years."""


def _plain(value: Any) -> Any:
    if value is not None and not isinstance(value, str | int | float):
        raise ValueError("a string, a number, true, false or null is wanted")
    if isinstance(value, str) and len(value) > MAX_TEXT:
        raise ValueError(f"a string of at most {MAX_TEXT} characters is wanted")
    if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise ValueError("a string holds half of a surrogate pair")
    return value


Name = Annotated[str, Field(min_length=1, max_length=256)]
Value = Annotated[
    Any,
    AfterValidator(_plain),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "maxLength": MAX_TEXT},
                {"type": "number"},
                {"type": "boolean"},
                {"type": "null"},
            ]
        }
    ),
]


class OneExposure(BaseModel):
    """One exposure."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"columns": {"item": "mug"}}})
    columns: dict[Name, Value] = Field(
        max_length=MAX_COLUMNS,
        description="Every column that GET /v1/convert lists, by name; null for unknown.",
    )
    elapsed: float | None = Field(
        default=None,
        ge=0,
        le=MAX_ELAPSED,
        allow_inf_nan=False,
        strict=True,
        description="Seconds since the exposure in which it has not converted: `later` is asked for too.",
    )


class ManyExposures(BaseModel):
    """Several exposures, column by column."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"columns": {"item": ["mug", "cup"]}}}
    )
    columns: dict[Name, Annotated[list[Value], Field(min_length=1, max_length=MAX_EXPOSURES)]] = Field(
        max_length=MAX_COLUMNS,
        description="Every column that GET /v1/convert lists, by name, a value an exposure; null for unknown.",
    )


class _About(BaseModel):
    """What every answer carries."""

    model_version: str = Field(description="Of the conversion model.")
    estimator: str = Field(description="How it learns from labels that are still open.")
    label_horizon: int = Field(description="Attribution window of the probability, seconds.")
    label_age: int = Field(
        description="From the newest exposure with a final label to the clock, seconds; at least the window."
    )
    known_until: str = Field(description="The model's clock, ISO 8601 UTC: nothing at or after it was seen.")


class Converted(_About):
    """The answer to one exposure."""

    probability: float = Field(ge=0, le=1, description="Of a conversion within the label horizon.")
    elapsed: float | None = Field(default=None, description="As asked, seconds.")
    come: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Share of its conversions that have come by then, were it to convert.",
    )
    later: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Probability of a conversion in the rest of the horizon, as none has come: "
        "p (1 - F) / (1 - p F) with F = `come`. Engagement is not looked at.",
    )


class ConvertedMany(_About):
    """The answer to several exposures, in their order."""

    probability: list[float]


class Column(BaseModel):
    """A column that the model asks for."""

    name: str
    kind: Literal["any", "text", "integer", "code", "number"] = Field(
        description="`text` and `integer` are hashed, `any` is either, `code` is a bucket from 0 on."
    )
    buckets: int | None = Field(default=None, description="Of a category.")


class ConvertModel(_About):
    """The conversion model that is served."""

    network: Literal["logistic", "mlp", "dcn"]
    columns: list[Column]
