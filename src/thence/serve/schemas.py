"""What the service answers, field by field; the OpenAPI description is made from these."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

Direction = Literal["next", "before"]


class ItemCard(BaseModel):
    """One item; what the catalogue does not say is null."""

    item_id: str
    title: str = Field(description="The id where the catalogue has no title.")
    category: str | None = Field(description='A path, such as "Home > Kitchen".')
    brand: str | None
    price: float | None
    count: int | None = Field(description="How often it was bought.")


class ArcCard(BaseModel):
    """What one relation of the graph knows of one arc."""

    relation: str
    source: str
    target: str
    weight: float
    support: int | None = Field(description="Customers or baskets behind the arc.")
    lift: float | None = Field(description="How many times more often than chance.")
    asymmetry: float | None = Field(description="z-score of the test against the reverse arc.")
    last_time: str | None = Field(description="When it was last seen, ISO 8601 UTC.")


class Via(BaseModel):
    """How an answer without an arc may have come about."""

    kind: Literal["path", "alike", "features"]
    item: ItemCard | None


class Reason(BaseModel):
    """What one group of parts adds to a re-ranked answer."""

    words: str
    value: float = Field(description="Added to the log odds.")


class Result(ItemCard):
    """One recommended item and what speaks for it."""

    rank: int
    score: float = Field(description="⟨source, target⟩ + bias of the arc; log odds on the route table.")
    support: int | None
    lift: float | None
    direction_strength: float | None = Field(
        description="Share of the evidence that points this way; 0.5 says nothing, null: no arc."
    )
    why: str
    arcs: list[ArcCard]
    via: Via | None = Field(description="Only where no arc joins the two items.")
    because: ItemCard | None = Field(
        default=None, description="Of a history, the item that speaks most for it; the evidence is its own."
    )
    reasons: list[Reason] = Field(default=[], description="The largest first; on the route table alone.")


class Related(BaseModel):
    """The answer of /v1/related."""

    item: ItemCard
    direction: Direction
    model_version: str
    route: Literal["table", "model", "student", "fallback", "none"] = Field(
        description="What produced the answer: the second stage's table, the embeddings (model), or, where "
        "these know nothing of the item, a student that reads its title, its category or nothing."
    )
    note: str | None = Field(
        default=None, description="What to know of the answer where it is not the model's."
    )
    results: list[Result]


class BaselineResult(ItemCard):
    """One item in the baseline's list."""

    rank: int
    score: float


class Compared(BaseModel):
    """The answer of /v1/compare: the plain baseline's list for the same question."""

    item: ItemCard
    direction: Direction
    model_version: str
    route: Literal["table"]
    baseline: str = Field(description="The baseline's name in the evaluation report.")
    results: list[BaselineResult]


class Found(BaseModel):
    """The answer of /v1/items/search."""

    query: str
    model_version: str
    results: list[ItemCard]


class OneItem(BaseModel):
    """The answer of /v1/items/{item_id}."""

    item: ItemCard
    model_version: str
    arcs_out: int = Field(description="Arcs that lead away from it, all directed relations together.")
    arcs_in: int = Field(description="Arcs that lead to it.")


class DrawnNode(ItemCard):
    """A node of the drawing."""

    role: Literal["query", "next", "before", "both"]
    score_next: float | None
    score_before: float | None


class DrawnArc(BaseModel):
    """An arc of the drawing; ``kind`` is ``model`` where the model predicts it and no customer drew it."""

    source: str
    target: str
    kind: Literal["arc", "model"]
    relation: str | None
    weight: float | None
    support: int | None
    direction_strength: float | None
    why: str


class Neighborhood(BaseModel):
    """The answer of /v1/neighborhood: the query, what leads to it, what follows it, and the arcs among them."""

    item: ItemCard
    model_version: str
    nodes: list[DrawnNode]
    arcs: list[DrawnArc]


class Example(BaseModel):
    """A strong one-way arc between well-known items, for the first visit."""

    source: ItemCard
    target: ItemCard
    support: int | None
    direction_strength: float


class Model(BaseModel):
    """The answer of /v1/model: what is loaded."""

    model_version: str
    items: int
    dim: int
    arcs: dict[str, int] = Field(description="Arcs in each relation.")
    baseline: str | None
    reranked: bool = Field(description="Whether a second stage answers what follows.")
    student: bool = Field(description="Whether products that the catalogue lacks can be placed.")
    report: bool
    examples: list[Example]


class Health(BaseModel):
    """The answer of /health."""

    status: Literal["live", "ready", "loading"]
    model_version: str | None = None
