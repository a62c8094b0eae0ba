"""``thence train``: from a run's log to a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from thence.cli.console import emit, show
from thence.cli.options import ConfigFile, JsonFlag, Set
from thence.cli.progress import progress_shown

EXAMPLE = "Example:  thence train runs/shop --set split.test=2017-10-15 --set train.steps=200"


def train(
    run: Annotated[Path, typer.Argument(help="A run's folder, with its log inside.")],
    start: Annotated[
        Path | None, typer.Option("--from", help="An earlier run or model to go on from: a few steps suffice.")
    ] = None,
    config: ConfigFile = None,
    values: Set = None,
    as_json: JsonFlag = False,
) -> None:
    """Train on the log of a run; writes graph and model beside it.

    The last weeks are held back: one period to choose the number of steps, one for thence evaluate. With
    --from, what an earlier model has learned is carried over to the products of today; nothing is chosen anew.
    """
    from thence.cli.pipeline import train_run
    from thence.cli.settings import read_settings
    from thence.cli.update import update_run

    settings = read_settings(config, values or [])
    with progress_shown() as progress:
        if start is None:
            model = train_run(run, settings, progress)
        else:
            model = update_run(run, settings, start, progress)
    if as_json:
        emit({"run": run, "nodes": len(model.ids), "dim": model.dim, "best_step": model.info["best_step"]})
    else:
        show(f"{run / 'model'}: {model!r} after {model.info['best_step']} steps")
