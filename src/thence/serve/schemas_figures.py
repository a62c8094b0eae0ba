"""What /v1/convert/figures and /v1/decide/map answer, field by field: how right the models are."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]


class _Kept(BaseModel):
    """What a saved model holds of itself: numbers of which none is NaN or infinite."""

    model_config = ConfigDict(allow_inf_nan=False)


class Beside(BaseModel):
    """What was told of some exposures, and what was seen of them."""

    model_config = ConfigDict(allow_inf_nan=False)
    count: Count = Field(description="Exposures.")
    conversions: Count
    told: Share = Field(description="Mean probability.")
    seen: Share = Field(description="Share that converted.")
    low: Share = Field(description="Lower end of the 95 % interval of the share (Wilson).")
    high: Share


class RateRow(Beside):
    """Exposures with like probabilities."""

    from_: Share = Field(alias="from", description="Least probability.")
    to: Share


class AgeRow(Beside):
    """Exposures of which nothing had come by an age; told and seen is what came later."""

    age: float = Field(ge=0, description="Seconds since the exposure.")


class GroupRow(_Kept):
    """A third of the exposures, by how soon the model expects their conversions."""

    name: Literal["quick", "median", "slow"]
    exposures: Count
    conversions: Count
    told: list[Share] = Field(description="Share of conversions by each age, as the model tells it.")
    seen: list[Share] = Field(description="The same as it was seen; empty where nothing converted.")


class HeldOut(_Kept):
    """How the model does on exposures after its clock, which it never saw, with final labels."""

    first: str = Field(description="Time of the first of them, ISO 8601 UTC.")
    last: str
    known_until: str = Field(description="Until when their labels were known.")
    exposures: Count
    conversions: Count
    rate: Share = Field(description="Share that converted.")
    told: Share = Field(description="Mean probability.")
    calibration: float | None = Field(description="Mean probability over the share that converted.")
    auc: Share | None
    nll: float = Field(description="Mean negative log-likelihood.")
    plain_rate: Share | None = Field(description="Of the newest exposures that were final at the clock.")
    plain_nll: float | None = Field(description="Of that one rate for everybody.")
    ece: Share
    rates: list[RateRow]
    ages: list[AgeRow]
    delays: list[Share] = Field(description="Share of conversions by each age of the delay curve, as seen.")
    groups: list[GroupRow] = Field(description="Empty where the model knows one delay for all.")


class Reading(BaseModel):
    """How the label of a young exposure is to be read."""

    age: float = Field(description="Seconds since the exposure.")
    share: Share = Field(description="Share of the conversions that have come by then.")


class Delays(BaseModel):
    """How late conversions come, of exposures whose label was final at the model's clock."""

    ages: list[float] = Field(description="Seconds since the exposure, from 0 to the label horizon.")
    share: list[Share] = Field(description="Share of the conversions that have come by then.")
    conversions: Count = Field(description="That it was counted on.")
    exposures: Count = Field(description="Of how many exposures.")
    median: float = Field(description="Age by which half of them have come, seconds.")
    reading: list[Reading]


class ConvertFigures(BaseModel):
    """Whether the conversion model is right, and how young labels are to be read."""

    model_version: str
    own_delays: bool = Field(description="Whether the model knows a delay of each exposure.")
    delays: Delays | None = Field(description="Null in a model that was saved without.")
    held_out: HeldOut | None = Field(description="Null where nobody has judged it.")


class Tally(_Kept):
    """What a boundary does to the cases that judge it; intervals are of 95 % (Wilson)."""

    taken: Count = Field(description="Cases acted on.")
    hits: Count = Field(description="Positive ones among them.")
    asked: Count = Field(description="Cases about which somebody is asked.")
    share: Share = Field(description="Of the cases, acted on.")
    precision: Share | None = Field(description="Null where nothing is acted on.")
    precision_low: Share | None
    precision_high: Share | None
    recall: Share
    recall_low: Share
    recall_high: Share
    across: list[float | None] = Field(
        description="Where it runs, from 0 to the number of cells of the score, at as many heights of each "
        "level of uncertainty as of the next; null where no score is enough."
    )
    asks: list[float | None] | None = Field(description="The same of where one begins to ask; null for never.")


class Step(_Kept):
    """What one wanted precision brings, on cases held out."""

    precision: Share = Field(description="Wanted.")
    boundary: Tally | None = Field(description="Of the policy's method; null where none is known to keep it.")
    single: Tally | None = Field(description="Of one threshold of the score.")


class Cell(_Kept):
    """Cases of like score and uncertainty."""

    count: Count
    positive: Count
    rate: Share | None = Field(description="Mean of the policy's calibrated rates; null where no case is.")
    score: float | None = Field(description="Of the middle case.")
    uncertainty: float | None


class Picture(_Kept):
    """Rates over score and uncertainty, and what each wanted precision would bring."""

    cases: Count = Field(description="That judge.")
    positives: Count
    held_out: bool = Field(description="Whether the boundaries were not fitted to them.")
    score_edges: list[float]
    uncertainty_edges: list[float]
    cells: list[list[Cell]] = Field(description="By level of uncertainty, the surest first, then by score.")
    own: Tally = Field(description="The policy as it is served.")
    steps: list[Step] = Field(description="By rising precision.")


class DecideMap(BaseModel):
    """The policy's picture."""

    policy_version: str
    method: str | None = Field(description="How its boundary was found.")
    unsure: Literal["given", "evidence", "laplace"] = Field(
        description="What its uncertainty is: as the user gives it; -ln of how often training saw a case's "
        "categories; the variance of the model's logit."
    )
    picture: Picture | None = Field(description="Null in a policy that was fitted without.")
