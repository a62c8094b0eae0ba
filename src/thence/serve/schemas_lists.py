"""What is asked and answered of several items at once, and of items that play the same part."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from thence.serve.problems import NearItem
from thence.serve.question import Filters
from thence.serve.schemas import Direction, ItemCard, Related, Result

MAX_ITEMS, MAX_ANSWERS = 200, 10_000
"""Items in one request, and answers to it."""


def _whole(value: Any) -> Any:
    """309.0 is a whole number to JSON Schema; true and "309" are none."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Id = Annotated[str, Field(min_length=1, max_length=256)]
Joined = list[Annotated[str, Field(max_length=256 * 64)]]
OWNED, EXCLUDE = "Ids that the customer has already", "Ids that the customer must not see"
Items = Annotated[list[Id], Field(min_length=1, max_length=MAX_ITEMS, description="External ids.")]
K = Annotated[int, Field(ge=1, le=1000, description="Answers wanted.")]
Whole = Annotated[K, BeforeValidator(_whole)]
Way = Annotated[Direction, Field(description="`next`: what follows. `before`: what leads here.")]
Role = Literal["source", "target"]


class Passing(BaseModel):
    """Which items may be answered, as a caller says it."""

    model_config = ConfigDict(extra="forbid")

    category: str | None = Field(default=None, max_length=1000, description="A path, or its beginning.")
    brand: list[Id] = Field(default=[], max_length=100, description="One of these, in any case.")
    price_min: float | None = Field(default=None, allow_inf_nan=False)
    price_max: float | None = Field(default=None, allow_inf_nan=False)
    owned: list[Id] = Field(default=[], max_length=1000, description=f"{OWNED}.")
    exclude: list[Id] = Field(default=[], max_length=1000, description=f"{EXCLUDE}.")

    @property
    def filters(self) -> Filters:
        """The same as the answers take it."""
        owned = (*self.owned, *self.exclude)
        return Filters(self.category or None, tuple(self.brand), self.price_min, self.price_max, owned)


class ListQuery(Passing):
    """What one item is asked with."""

    owned: Joined = Field(default=[], max_length=1000, description=f"{OWNED}; or joined by commas.")
    exclude: Joined = Field(default=[], max_length=1000, description=f"{EXCLUDE}; or joined by commas.")
    k: K = 10
    direction: Way = "next"


class SimilarQuery(Passing):
    """What one item is asked with, where no direction is meant."""

    owned: Joined = Field(default=[], max_length=1000, description=f"{OWNED}; or joined by commas.")
    exclude: Joined = Field(default=[], max_length=1000, description=f"{EXCLUDE}; or joined by commas.")
    k: K = 10
    role: Role = Field(
        default="target",
        description="`target`: what follows the same products. `source`: what leads to the same.",
    )


class ManyItems(Passing):
    """Many items, each a question of its own. At most 10,000 answers: items times k."""

    model_config = ConfigDict(extra="forbid", strict=True)

    items: Items
    k: Whole = 10
    direction: Way = "next"


class History(Passing):
    """What a customer met, the latest last: one question."""

    model_config = ConfigDict(extra="forbid", strict=True)

    items: Items
    k: Whole = 10
    direction: Way = "next"
    decay: float = Field(
        default=2.0, gt=0, le=1e6, description="Steps from the end in which an item's weight falls to 1/e."
    )
    again: bool = Field(default=False, description="Whether items of the history may be answered.")


class Unknown(BaseModel):
    """An item that is not known, in its place among the answers."""

    item_id: str
    error: str
    nearest: list[NearItem] = Field(description="Items that may have been meant.")


class RelatedMany(BaseModel):
    """The answer of /v1/related/batch: one entry an item, in the order of the question."""

    model_version: str
    answers: list[Related | Unknown]


class Following(BaseModel):
    """The answer of /v1/related/history: one list for the whole of it."""

    items: list[ItemCard] = Field(description="The history as it is known, the latest last.")
    unknown: list[str] = Field(description="Ids that were passed over.")
    direction: Direction
    model_version: str
    route: Literal["model", "none"]
    note: str | None = None
    results: list[Result]


class Alike(ItemCard):
    """One item that plays the same part."""

    rank: int
    score: float = Field(description="Inner product of the two items' vectors in the asked role.")
    shared: int = Field(description="Items that both lead to (role source), or that lead to both (target).")
    why: str


class Similar(BaseModel):
    """The answer of /v1/similar."""

    item: ItemCard
    role: Role
    model_version: str
    route: Literal["model", "student", "none"]
    note: str | None = None
    results: list[Alike]
