"""What is known of an index: its kind, why that one, its settings, and the recall that was measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from thence.base.errors import ConfigError, nearest

KINDS = ("exact", "hnsw", "ivf_pq", "ivf_rabitq", "scann")


@dataclass(frozen=True)
class IndexReport:
    """How an index was built and how well it answers. Kept in the manifest.

    Args:
        kind: one of :data:`KINDS`, or ``"table"``.
        asked: the kind that was asked for, such as ``"auto"``.
        reason: why this kind answers, in one sentence; says so where it is not the one that was asked for.
        recall: measured recall@k against the exact answers by question, on queries that nothing was chosen on.
        k: the k of that recall.
        target: the recall that was asked for.
        queries: how many queries each recall was measured on.
        settings: sizes and efforts that were chosen.
        seconds: CPU seconds of the build, measuring included.
        structure_seconds: those of them that went into training and filling the structures.
        changed: share of the rows that were added, changed or deleted since.

    Example:
        >>> IndexReport("exact", "auto", "3 nodes: scoring all is as fast", {"next": 1.0}).recall["next"]
        1.0
    """

    kind: str
    asked: str = "exact"
    reason: str = ""
    recall: Mapping[str, float] = field(default_factory=dict)
    k: int = 20
    target: float = 1.0
    queries: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    structure_seconds: float = 0.0
    changed: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """The same as plain JSON-able values."""
        return asdict(self) | {"recall": dict(self.recall), "settings": dict(self.settings)}


def check_kind(kind: str) -> None:
    """Raise ConfigError unless ``kind`` is ``"auto"`` or one of :data:`KINDS`."""
    if kind not in ("auto", *KINDS):
        raise ConfigError(f"unknown kind of index {kind!r}", fix=nearest(str(kind), ("auto", *KINDS)))
