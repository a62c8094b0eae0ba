"""What an append did, in counts and in seconds of work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from thence.graph.digraph import DiGraph


@dataclass(frozen=True, eq=False)
class AppendReport:
    """What an append did.

    Args:
        graph: the next snapshot.
        events: new events that the view sees.
        users: customers who were counted again: those of the new events, and those of products that begin to
            count or change their category.
        pairs: by relation, pairs whose counts changed.
        looked_up: customers who were read again only to find the last time of a pair.
        seconds: CPU seconds by step: ``read`` (the new events), ``count`` (customers and pairs), ``assemble``
            (the graph from the counts), ``publish`` (writing the graph and the head).
    """

    graph: DiGraph
    events: int
    users: int
    pairs: Mapping[str, int] = field(default_factory=dict)
    looked_up: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)

    def __repr__(self) -> str:
        """One line with the counts."""
        pairs = ", ".join(f"{name}: {num:,}" for name, num in self.pairs.items())
        return f"AppendReport({self.events:,} events, {self.users:,} customers, pairs changed {pairs})"
