"""What /v1/decide is asked and answers, field by field."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from thence.serve.schemas_convert import MAX_COLUMNS, MAX_EXPOSURES, Converted, ConvertedMany, Name, Value

Action = Literal["act", "ask", "hold"]
Number = Annotated[float, Field(allow_inf_nan=False)]
Numbers = Annotated[list[Number], Field(min_length=1, max_length=MAX_EXPOSURES)]
UNSURE = "On the scale that the policy was fitted on; may be left out where GET /v1/decide says so."
COLUMNS = (
    "Of an exposure, every column that GET /v1/convert lists: score and uncertainty are worked out of them."
)


class OneCase(BaseModel):
    """One case: its score, or the columns of an exposure."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"example": {"score": 0.83, "uncertainty": -4.1}}
    )
    score: Number | None = Field(default=None, description="On the scale that the policy was fitted on.")
    uncertainty: Number | None = Field(default=None, description=UNSURE)
    columns: dict[Name, Value] | None = Field(default=None, max_length=MAX_COLUMNS, description=COLUMNS)


class ManyCases(BaseModel):
    """Several cases: their scores, or the columns of exposures."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"example": {"score": [0.83, 0.4], "uncertainty": [-4.1, -1.0]}},
    )
    score: Numbers | None = Field(default=None, description="On the scale that the policy was fitted on.")
    uncertainty: Numbers | None = Field(default=None, description=UNSURE)
    columns: dict[Name, Annotated[list[Value], Field(min_length=1, max_length=MAX_EXPOSURES)]] | None = Field(
        default=None, max_length=MAX_COLUMNS, description=COLUMNS
    )


class Decision(BaseModel):
    """What to do with a case, and why."""

    action: Action
    score: float
    uncertainty: float | None = Field(description="Null where none was given, and none is needed.")
    rate: float = Field(ge=0, le=1, description="Calibrated rate of positives among cases like it.")
    low: float = Field(ge=0, le=1, description="Lower end of the rate's Venn-Abers interval.")
    high: float = Field(ge=0, le=1, description="Upper end of it.")
    needed: float | None = Field(
        description="Least score that is acted on at this uncertainty; null where no score is enough."
    )
    why: str = Field(description="The reason in words.")


class Decided(Decision):
    """The answer to one case."""

    policy_version: str = Field(description="Of the policy.")
    converted: Converted | None = Field(default=None, description="What /v1/convert answers, for columns.")


class DecidedMany(BaseModel):
    """The answer to several cases, in their order."""

    policy_version: str = Field(description="Of the policy.")
    decisions: list[Decision]
    converted: ConvertedMany | None = Field(default=None, description="What /v1/convert answers, for columns.")


class DecidePolicy(BaseModel):
    """The policy that is served."""

    policy_version: str
    target: str | None = Field(description="What it is best in: recall, precision, cost or budget.")
    bound: float | None = Field(description="Of the other number, that it keeps.")
    confidence: float | None = Field(
        description="With which the bound holds on new cases; null for no guarantee."
    )
    miss: float | None = Field(description="Share of the positives that may be held without asking.")
    asks: bool = Field(description="Whether there are cases about which somebody is asked.")
    needs_uncertainty: bool = Field(description="Whether an uncertainty must be given with a score.")
    uses_uncertainty: bool = Field(description="Whether the boundary looks at it.")
    fitted_to: str | None = Field(description="Version of the conversion model whose scores it was fitted to.")
    takes_columns: bool = Field(description="Whether exposures can be sent as columns.")
