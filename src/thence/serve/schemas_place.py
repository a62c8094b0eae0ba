"""What /v1/place answers, field by field."""

from __future__ import annotations

from pydantic import BaseModel, Field

from thence.serve.schemas import Direction, ItemCard


class Newcomer(BaseModel):
    """A product that the catalogue does not have, as the caller described it."""

    title: str
    category: str | None
    price: float | None


class PlacedResult(ItemCard):
    """One item beside the newcomer."""

    rank: int
    score: float = Field(description="⟨source, target⟩ + bias, by the vectors that the student gives.")


class Placed(BaseModel):
    """The answer of /v1/place."""

    newcomer: Newcomer
    direction: Direction
    model_version: str
    route: str = Field(description="Always `student`.")
    read: list[str] = Field(
        description="Words and categories of it that the student knows; the rest says nothing."
    )
    alike: list[ItemCard] = Field(description="Known items whose vectors in this role are the nearest.")
    results: list[PlacedResult]
