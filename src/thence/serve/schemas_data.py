"""What is told of the data, field by field: the log as ``data.json`` keeps it, and the graph."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from thence.base.errors import DataError

Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class SourceFacts(BaseModel):
    """What was read from one file or table."""

    model_config = ConfigDict(extra="forbid")

    name: str
    catalogue: bool = Field(description="Whether it holds items, not events.")
    read: Count = Field(description="Rows.")
    accepted: Count | None = Field(description="Rows that are new in the log; not counted of a catalogue.")
    quarantined: Count = Field(description="Rows refused, and kept aside with the reason.")
    duplicates: Count | None = Field(description="Rows that the log had already; not counted of a catalogue.")


class Refused(BaseModel):
    """Rows that were refused for one reason."""

    model_config = ConfigDict(extra="forbid")

    reason: str
    rows: Count
    catalogue: bool = Field(description="Whether they are rows of a catalogue, not events.")


class LogFacts(BaseModel):
    """Counts of a log; see :func:`thence.events.facts.log_facts`."""

    model_config = ConfigDict(extra="forbid")

    events: Count
    users: Count
    items: Count = Field(description="Items that have events.")
    catalogue: Count = Field(description="Items that the catalogue describes.")
    first: str | None = Field(description="The first event, ISO 8601 UTC.")
    last: str | None
    kinds: dict[str, Count] = Field(description="Events by kind, the most frequent first.")
    bin_days: int = Field(ge=1, description="Width of the bins over time.")
    over_time: list[tuple[str, Count]] = Field(description="Where a bin begins, and its events.")
    sources: list[SourceFacts]
    refused: list[Refused]

    @classmethod
    def read(cls, path: Path) -> LogFacts:
        """Read and check a file that holds them.

        Raises:
            DataError: it holds something else.
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise DataError(f"{error.error_count()} faults in {path.name}") from error


class DegreeBin(BaseModel):
    """How many items have so many arcs."""

    low: int
    high: int = Field(description="Included.")
    items: int


class Degrees(BaseModel):
    """How many arcs an item has, one way."""

    mean: float
    median: float
    max: int
    bins: list[DegreeBin]


class RelationFacts(BaseModel):
    """One relation of the graph."""

    relation: str
    arcs: int
    directed: bool
    one_way_share: Share = Field(description="Share of its arcs whose reverse does not exist.")
    clear_share: Share = Field(description="Share whose direction is at least 2 standard errors from chance.")
    leaving: Degrees = Field(description="Arcs that lead away from an item.")
    arriving: Degrees = Field(description="Arcs that lead to it.")


class GraphFacts(BaseModel):
    """The graph that the model was learned from."""

    items: int
    isolated: int = Field(description="Items without any arc.")
    relations: list[RelationFacts]


class DataFacts(BaseModel):
    """The answer of /v1/data."""

    model_version: str
    log: LogFacts | None = Field(description="None in bundles that were made without it.")
    graph: GraphFacts
