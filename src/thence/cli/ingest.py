"""``thence ingest``: a shop's raw events into a log."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from thence.base.errors import ConfigError
from thence.cli.console import emit, fail, show
from thence.cli.options import Engine, Into, JsonFlag
from thence.cli.progress import progress_shown

if TYPE_CHECKING:
    from thence.events import IngestOptions, IngestReport

EXAMPLE = (
    "Example:  thence ingest clicks.csv orders/*.parquet --items catalogue.csv "
    "--rename customer=user_id --into runs/shop/log"
)
REJECTED = 3


def ingest(
    sources: Annotated[
        list[str], typer.Argument(help="Parquet, CSV or JSONL files (.gz too), folders or globs.")
    ],
    into: Into,
    items: Annotated[list[str] | None, typer.Option(help="The catalogue, in the same formats.")] = None,
    rename: Annotated[
        list[str] | None, typer.Option(help="THEIRS=OURS, a column's name; may be repeated.")
    ] = None,
    event: Annotated[str | None, typer.Option(help="The event of every row, where no column tells.")] = None,
    time_unit: Annotated[str | None, typer.Option(help="Of numeric timestamps: s, ms, us or ns.")] = None,
    delimiter: Annotated[
        str | None, typer.Option(help="Of CSV files; told from the header by default.")
    ] = None,
    max_reject: Annotated[
        float | None, typer.Option(min=0, max=1, help="Exit with 3 when a larger share of rows is refused.")
    ] = None,
    engine: Engine = "duckdb",
    as_json: JsonFlag = False,
) -> None:
    """Read events into a log, adding to the one that stands there.

    Every row read is accepted, quarantined with file, offset and reason, or a duplicate. Reading a file twice
    changes nothing.
    """
    from thence.events import IngestOptions
    from thence.events import ingest as ingest_events

    options, renames = IngestOptions(time_unit=time_unit, delimiter=delimiter), parse_renames(rename or [])
    if engine != "duckdb":
        report = screened(sources, into, items, renames, event, options)
    else:
        with progress_shown() as progress:
            report = ingest_events(
                sources, into, items=items, rename=renames, event=event, options=options, progress=progress
            )
    if as_json:
        emit({"into": into, **summary(report)})
    else:
        show(describe(report, into))
    if report.exceeds(max_reject):
        fail(
            f"{report.rejected_share:.2%} of the rows were refused, more than --max-reject {max_reject} allows",
            hint=f"The refused rows and their reasons stand in {into}/quarantine.parquet.",
        )
        raise typer.Exit(REJECTED)


def screened(
    sources: Sequence[str],
    into: Path,
    items: Sequence[str] | None,
    renames: dict[str, str],
    event: str | None,
    options: IngestOptions,
) -> IngestReport:
    """Parquet files judged on Spark, where they lie, and what is accepted saved as a new log.

    Raises:
        ConfigError: a file is no Parquet file, or ``into`` stands there already.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from thence.events import screen
    from thence.events.engine import connect, files_of
    from thence.events.read.sources import find_sources

    if into.exists():
        raise ConfigError(
            f"{into} stands there already", fix="Spark writes new logs only: name another folder."
        )
    found = find_sources(list(sources))
    listed = find_sources(list(items)) if items else []
    for source in (*found, *listed):
        if source.format != "parquet":
            raise ConfigError(
                f"{source.name} is no Parquet", fix="Give Parquet to Spark, or use --engine duckdb."
            )
    catalogue = pa.concat_tables([pq.read_table(source.name) for source in listed]) if listed else None
    raw = files_of(connect("spark"), "raw", [Path(source.name) for source in found])
    return screen(raw, options, event=event, rename=renames).save(into, catalogue)


def parse_renames(pairs: Sequence[str]) -> dict[str, str]:
    """``THEIRS=OURS`` as a map.

    Raises:
        ConfigError: a pair has no equals sign, or one name is renamed twice.

    Example:
        >>> parse_renames(["customer=user_id", "when=timestamp"])
        {'customer': 'user_id', 'when': 'timestamp'}
    """
    renames: dict[str, str] = {}
    for pair in pairs:
        theirs, equals, ours = pair.partition("=")
        if not (theirs and equals and ours):
            raise ConfigError(f"--rename {pair!r} is not THEIRS=OURS", fix="For example customer=user_id.")
        if theirs in renames:
            raise ConfigError(f"--rename names the column {theirs!r} twice")
        renames[theirs] = ours
    return renames


def summary(report: IngestReport) -> dict[str, object]:
    """The counts of a report, for JSON."""
    counts = {key: getattr(report, key) for key in ("read", "accepted", "quarantined", "duplicates")}
    items = summary(report.items) if report.items else None
    return {**counts, "reasons": dict(report.reasons), "items": items}


def describe(report: IngestReport, into: Path) -> str:
    """The counts of a report, for people."""
    lines = [f"{into}: {_counts(report)}"]
    lines += [f"  refused, {reason}: {count:,}" for reason, count in report.reasons.items()]
    if report.items:
        lines.append(f"  catalogue: {_counts(report.items)}")
        lines += [f"  refused, {reason}: {count:,}" for reason, count in report.items.reasons.items()]
    return "\n".join(lines)


def _counts(report: IngestReport) -> str:
    return (
        f"{report.read:,} rows read = {report.accepted:,} accepted + {report.quarantined:,} quarantined "
        f"+ {report.duplicates:,} duplicates"
    )
