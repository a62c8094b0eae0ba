"""``thence index``: answers without scoring every product, with the recall measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from thence.cli.console import emit, show
from thence.cli.options import JsonFlag
from thence.cli.progress import progress_shown

if TYPE_CHECKING:
    from thence.base.progress import Progress
    from thence.cli.forms import Subject
    from thence.evaluate.tradeoff import Form, Tradeoff
    from thence.index import AnnIndex, ExactIndex

EXAMPLE = "Example:  thence index runs/shop --kind ivf_pq --recall 0.98"


def index(
    run: Annotated[Path, typer.Argument(help="A run's folder, with log, graph and model inside.")],
    kind: Annotated[str, typer.Option(help="auto, exact, ivf_pq, ivf_rabitq, hnsw or scann.")] = "auto",
    recall: Annotated[
        float, typer.Option(min=0.01, max=1.0, help="Share of the exact answers to find at least.")
    ] = 0.95,
    floor: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Measured recall below which nothing is published.")
    ] = 0.9,
    allow_exact: Annotated[
        bool, typer.Option("--allow-exact", help="Answer exactly where no index reaches the floor.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Build a similarity index of a run's model; the bundle answers by it from now on.

    Its recall is measured on products that nothing was chosen on, and stands in its manifest.
    """
    from thence.cli.forms import Subject

    subject = Subject.open(run)
    with progress_shown() as progress:
        made, forms = built(subject, kind, recall, floor=floor, allow_exact=allow_exact, progress=progress)
    table = subject.tradeoff(*forms)
    if as_json:
        emit({"run": run, **made.report.as_dict()})
    else:
        show(_told(run, made, table))


def built(
    subject: Subject, kind: str, recall: float, *, floor: float, allow_exact: bool, progress: Progress
) -> tuple[AnnIndex | ExactIndex, list[Form]]:
    """Build an index, write ``index``, lay it into the bundle, and judge it."""
    from thence.index import build_index

    made = build_index(subject.model, kind, recall, floor=floor, allow_exact=allow_exact, progress=progress)
    place = subject.folder / "index"
    made.save(place)
    subject.into_bundle(index=made)
    if made.report.kind == "exact":
        return made, []
    size = subject.size + sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
    return made, [subject.form(f"index {made.report.kind}", "index", made, size)]


def _told(run: Path, made: AnnIndex | ExactIndex, table: Tradeoff) -> str:
    report = made.report
    found = ", ".join(f"{name} {value:.3f}" for name, value in report.recall.items())
    return "\n".join(
        [
            f"{run / 'index'}: {report.kind}; {report.reason}",
            f"recall@{report.k}: {found}",
            table.text(),
            f"accuracy against size and time: {run / 'tradeoff' / 'tradeoff.html'}",
        ]
    )
