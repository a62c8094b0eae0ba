"""``thence run``: everything from raw events to the bundle, as one settings file says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from thence.base.progress import Progress
from thence.cli.console import emit, fail, say, show
from thence.cli.ingest import REJECTED, describe
from thence.cli.options import JsonFlag, Set
from thence.cli.progress import progress_shown

if TYPE_CHECKING:
    from thence.cli.pipeline import Judged
    from thence.cli.settings import IngestSection, RunConfig

EXAMPLE = "Example:  thence run shop.toml --serve"


def run(
    config: Annotated[Path, typer.Argument(help="The settings, a .toml or .yaml file.")],
    values: Set = None,
    serve: Annotated[bool, typer.Option("--serve", help="Open the service afterwards.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Ingest, build the graph, train, evaluate and bundle: a whole run from one file."""
    from thence.cli.pipeline import summary
    from thence.cli.settings import read_settings
    from thence.serve import run as run_service

    settings = read_settings(config, values or [])
    settings = settings.model_copy(update={"into": config.parent / settings.into})
    sources = _sources(settings.ingest, config.parent) if settings.ingest else None
    with progress_shown() as progress:
        judged = execute(settings, sources, progress)
    if as_json:
        emit(summary(judged, settings.into))
    else:
        show(judged.text())
        show(f"the whole report: {settings.into / 'report' / 'report.html'}")
    if serve:
        say(f"open http://{settings.serve.host}:{settings.serve.port}  (Ctrl-C ends it)")
        run_service(judged.bundle, host=settings.serve.host, port=settings.serve.port)


def execute(settings: RunConfig, sources: tuple[Any, Any] | None, progress: Progress) -> Judged:
    """The stages of a run one after the other.

    Args:
        settings: of every stage; ``into`` is the run's folder.
        sources: events and catalogue to ingest, or None for the log that stands there.
        progress: of all stages.

    Raises:
        ThenceError: a stage cannot be done.
    """
    from thence.cli.pipeline import evaluate_run, train_run
    from thence.cli.settings import write_settings
    from thence.cli.smaller import check_forms, make_forms
    from thence.serve.bundle import Bundle

    check_forms(settings.forms)
    if sources is not None:
        _ingest(settings, sources, progress)
    train_run(settings.into, settings, progress)
    write_settings(settings, settings.into / "settings.yaml")
    judged = evaluate_run(settings.into, settings, progress)
    table = make_forms(settings.into, settings, progress)
    if table is None:
        return judged
    return replace(judged, bundle=Bundle.load(settings.into / "bundle"), forms=table.text())


def _sources(section: IngestSection, base: Path) -> tuple[list[str], list[str] | None]:
    return [str(base / one) for one in section.sources], [str(base / one) for one in section.items] or None


def _ingest(settings: RunConfig, sources: tuple[Any, Any], progress: Progress) -> None:
    from thence.events import IngestOptions, ingest

    section = settings.ingest
    options = (
        IngestOptions(time_unit=section.time_unit, delimiter=section.delimiter) if section else IngestOptions()
    )
    report = ingest(
        sources[0],
        settings.into / "log",
        items=sources[1],
        rename=section.rename if section else None,
        event=section.event if section else None,
        options=options,
        progress=progress,
    )
    say(describe(report, settings.into / "log"))
    limit = section.max_reject if section else None
    if report.exceeds(limit):
        fail(f"{report.rejected_share:.2%} of the rows were refused, more than max_reject allows")
        raise typer.Exit(REJECTED)
