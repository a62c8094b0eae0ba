"""What the groups of parts are called, and one reason of an answer: all that a reader of a table needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

WORDS: Mapping[str, str] = {
    "arc": "it has followed before",
    "reverse": "the reverse is bought",
    "alike_sources": "products that lead to the same ones lead to it",
    "alike_targets": "it is bought with what follows",
    "same_before": "both follow the same products",
    "chain": "it follows what follows",
    "other": "seen together in other ways",
    "first": "the embeddings place it near",
    "factors": "the factorised graph places it near",
    "page_rank": "walks from it end there",
    "category": "products of these categories follow each other",
    "features": "its description fits",
    "popularity": "how often either is bought",
}
GROUPS = tuple(WORDS)


@dataclass(frozen=True)
class Reason:
    """One group of parts and what it adds to a recommendation's log odds.

    Args:
        group: key of :data:`WORDS`.
        words: the same as a shopkeeper reads it.
        value: what it adds to the log odds; below 0 it speaks against.
    """

    group: str
    words: str
    value: float
