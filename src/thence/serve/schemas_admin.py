"""What the routes about models answer, field by field."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


class Part(BaseModel):
    """One part of what is served."""

    name: str
    what: str = Field(description="Its kind and its counts.")


class ModelCard(BaseModel):
    """One state of what is served."""

    model_version: str
    state: Literal["live", "before"] = Field(description="`before`: what one step back leads to.")
    items: int | None = Field(description="None for models without items.")
    conversion_version: str | None
    policy_version: str | None
    index: str | None = Field(description="What searches the items.")
    parts: list[Part] = Field(description="What it is made of.")
    fingerprints: list[str] = Field(description="Of the folders it came from; empty where it came from none.")
    since: str = Field(description="When it was published, UTC.")


class ModelCards(BaseModel):
    """The answer of /v1/models, and of routes that change what is live."""

    models: list[ModelCard]
    changed: bool = Field(default=False, description="Whether this request changed what is live.")
