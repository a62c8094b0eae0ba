"""What /v1/explain answers."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from thence.serve.schemas import ArcCard, ItemCard


class PathCard(BaseModel):
    """A detour through one third item."""

    through: ItemCard
    arcs: list[ArcCard] = Field(description="The two arcs, in order.")
    strength: float = Field(description="Weight of the weaker arc.")


class Without(BaseModel):
    """What removing one arc would change. Nothing is trained anew."""

    what: str
    arc: ArcCard
    score: float = Field(description="The embeddings' score without the arc.")
    rank: int = Field(description="The target's place among all items without the arc.")
    change: float = Field(
        description="Score without the arc minus score with it; below 0: it speaks for the pair."
    )


class Explained(BaseModel):
    """The answer of /v1/explain: what stands behind source → target."""

    source: ItemCard
    target: ItemCard
    model_version: str
    route: Literal["table", "model", "student", "fallback", "none"] = Field(
        description="What answers /v1/related of the source."
    )
    score: float = Field(description="⟨source, target⟩ + bias, by the embeddings.")
    rank: int = Field(description="The target's place among all items by that score, from 1.")
    listed_at: int | None = Field(description="Its place in the second stage's list, where one answers.")
    direction_strength: float | None = Field(description="As of /v1/related.")
    arcs: list[ArcCard] = Field(description="Arcs of the pair, both ways.")
    paths: list[PathCard]
    without: list[Without] = Field(description="The largest change first.")
    note: str | None
