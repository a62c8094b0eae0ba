"""What an ingest did, in counts that add up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class SourceReport:
    """The counts of one source; ``read == accepted + quarantined + duplicates``."""

    name: str
    sha256: str
    read: int
    accepted: int
    quarantined: int
    duplicates: int

    def entry(self) -> dict[str, Any]:
        """The line of the ledger."""
        return dict(vars(self))


@dataclass(frozen=True)
class IngestReport:
    """What became of the rows that were read: ``read == accepted + quarantined + duplicates``, always.

    Args:
        read: rows read.
        accepted: rows that are new in the log.
        quarantined: rows refused and kept aside with the reason.
        duplicates: rows equal in every column to one that the log has, or that came before.
        reasons: quarantined rows by reason, most frequent first.
        sources: the same counts, source by source.
        items: the counts of the catalogue, where one was given.
        changed: whether the artifact was written anew.

    Example:
        >>> report = IngestReport(read=10, accepted=7, quarantined=2, duplicates=1, reasons={"too late": 2})
        >>> report
        IngestReport(10 read = 7 accepted + 2 quarantined + 1 duplicates; too late: 2)
        >>> report.exceeds(0.1), report.exceeds(0.2), report.exceeds(None)
        (True, False, False)
    """

    read: int
    accepted: int
    quarantined: int
    duplicates: int
    reasons: Mapping[str, int] = field(default_factory=dict)
    sources: tuple[SourceReport, ...] = ()
    items: IngestReport | None = None
    changed: bool = True

    def __repr__(self) -> str:
        """One line with the counts."""
        reasons = "".join(f"; {reason}: {count:,}" for reason, count in self.reasons.items())
        items = f"; items {self.items.read:,} read, {self.items.accepted:,} new" if self.items else ""
        return (
            f"IngestReport({self.read:,} read = {self.accepted:,} accepted + {self.quarantined:,} quarantined "
            f"+ {self.duplicates:,} duplicates{reasons}{items})"
        )

    @property
    def rejected_share(self) -> float:
        """The share of rows read that were quarantined; of events and catalogue whichever is larger."""
        own = self.quarantined / self.read if self.read else 0.0
        return max(own, self.items.rejected_share if self.items else 0.0)

    def exceeds(self, max_reject: float | None) -> bool:
        """Whether more than this share was quarantined; None tolerates all."""
        return max_reject is not None and self.rejected_share > max_reject
