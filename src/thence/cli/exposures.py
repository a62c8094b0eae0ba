"""Exposures for ``thence conversion`` and ``thence decide``: of a file, or of a log."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from thence.cli.console import say

if TYPE_CHECKING:
    from thence.conversion.exposures import Exposures


def opened_exposures(
    path: Path,
    window_days: float | None,
    until: str | None,
    numeric: list[str] | None,
    events: tuple[str, str],
) -> Exposures:
    """Exposures of a file or a log; what was refused is told."""
    from thence.base.errors import ConfigError
    from thence.conversion.sources.table import META, read_exposures
    from thence.events.clock import DAY

    window = None if window_days is None else round(window_days * DAY)
    missing = ConfigError("no attribution window", where=path, fix="Give it with --window-days.")
    if window is None and path.is_file() and META not in _metadata(path):
        raise missing
    if path.is_dir():
        if window is None:
            raise missing
        from thence.conversion.sources.from_log import exposures_of
        from thence.events import EventLog

        log = EventLog.load(path).before(until) if until else EventLog.load(path)
        return exposures_of(log, window=window, exposure=events[0], conversion=events[1], engagement=("cart",))
    exposures, report = read_exposures(path, window=window, until=until, numeric=numeric or ())
    if report.refused or report.events:
        say(f"{path}: {report}")
    return exposures


def _metadata(path: Path) -> dict[bytes, bytes]:
    """What a Parquet file says of itself; nothing where it cannot be read, which its reader tells better."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_schema(path).metadata or {}
    except (OSError, pa.ArrowInvalid):
        return {}


def kinds_of(path: Path, exposures: Exposures) -> dict[str, str]:
    """What values the columns of categories hold: codes in a file that thence wrote, else text or integers."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from thence.conversion.sources.table import META

    names = exposures.features.names[: len(exposures.features.buckets)]
    if path.is_dir():
        return {}
    schema = pq.read_schema(path)
    if META in (schema.metadata or {}):
        return dict.fromkeys(names, "code")
    whole = {name for name in names if pa.types.is_integer(schema.field(name).type)}
    return {name: "integer" if name in whole else "any" for name in names}


def numeric_of(model: Any, source: Path) -> list[str]:
    """The model's numbers that the file has as columns of whole numbers."""
    if source.is_dir():
        return []
    import pyarrow.parquet as pq

    from thence.base.errors import DataError

    try:
        there = pq.read_schema(source).names
    except (OSError, ValueError) as error:
        raise DataError(f"cannot be read as Parquet: {error}", where=source) from error
    return [name for name in model.schema.names[len(model.schema.buckets) :] if name in there]


def alone(model: Path) -> Path:
    """A folder that may be written anew: no part of a bundle, whose digests would no longer fit."""
    from thence.base.artifact import MANIFEST
    from thence.base.errors import ConfigError

    if (model.resolve().parent / MANIFEST).is_file():
        raise ConfigError(
            "it is part of a bundle, whose digests would no longer fit",
            where=model,
            fix="Judge a copy, and serve it with --conversion.",
        )
    return model
