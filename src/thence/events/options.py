"""How raw data is to be read; everything here has a value that suits most files."""

from __future__ import annotations

import time
from dataclasses import dataclass

from thence.base.errors import ConfigError, nearest
from thence.events.clock import DAY, Moment, micros
from thence.events.schema import EVENTS
from thence.events.times import check_unit


@dataclass(frozen=True)
class IngestOptions:
    """How ingest reads.

    Args:
        time_unit: of numeric timestamps: ``s``, ``ms``, ``us`` or ``ns``; None tells it from the magnitude,
            file by file.
        latest: a later timestamp is quarantined as in the future; a day from now when None.
        events: the vocabulary; other events are quarantined.
        delimiter: of CSV files; None tells it from the header.
        max_row_bytes: a longer row of a text format is quarantined without being held in memory.

    Raises:
        ConfigError: a value is out of range.
    """

    time_unit: str | None = None
    latest: Moment | None = None
    events: tuple[str, ...] = EVENTS
    delimiter: str | None = None
    max_row_bytes: int = 1 << 20

    def __post_init__(self) -> None:
        check_unit(self.time_unit)
        if self.latest is not None:
            micros(self.latest)
        if not self.events or any(event != event.strip().lower() or not event for event in self.events):
            raise ConfigError("events must be lower-case words", where=f"events={self.events!r}")
        if self.delimiter is not None and (len(self.delimiter.encode()) != 1 or self.delimiter in '"\r\n'):
            raise ConfigError(f"{self.delimiter!r} is no delimiter", fix="Give one character, such as ';'.")
        if not 1 <= self.max_row_bytes <= 1 << 28:
            raise ConfigError("max_row_bytes must lie between 1 and 256 MiB", where=f"{self.max_row_bytes}")

    def latest_micros(self) -> int:
        """The latest timestamp that is accepted, in microseconds."""
        return micros(self.latest) if self.latest is not None else int(time.time() * 1e6) + DAY

    def check_event(self, event: str | None) -> None:
        """Raise ConfigError unless a constant event is in the vocabulary."""
        if event is not None and event not in self.events:
            raise ConfigError(f"event {event!r} is unknown", fix=nearest(event, self.events))
