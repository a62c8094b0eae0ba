"""``thence evaluate``: how good a run's model is, beside plain baselines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from thence.cli.console import emit, show
from thence.cli.options import ConfigFile, JsonFlag, Set
from thence.cli.progress import progress_shown

EXAMPLE = "Example:  thence evaluate runs/shop --set evaluate.k=10"


def evaluate(
    run: Annotated[Path, typer.Argument(help="A run's folder, with log, graph and model inside.")],
    config: ConfigFile = None,
    values: Set = None,
    as_json: JsonFlag = False,
) -> None:
    """Judge a model on the weeks that it has not seen; writes the report and the bundle for thence serve.

    A case is a product that somebody bought for the first time together with another one.
    """
    from thence.cli.pipeline import evaluate_run, summary
    from thence.cli.settings import read_settings

    settings = read_settings(config, values or [])
    with progress_shown() as progress:
        judged = evaluate_run(run, settings, progress)
    if as_json:
        emit(summary(judged, run))
    else:
        show(judged.text())
        show(f"the whole report: {run / 'report' / 'report.html'}")
