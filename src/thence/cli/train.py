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

    The last weeks are held back: one period to choose the method and the number of steps, one for thence
    evaluate. With --from, what an earlier model has learned is carried over to the products of today, and
    nothing is chosen anew; a spectral one has no weights to carry over and is fitted anew.
    """
    from thence.cli.first import note_of
    from thence.cli.pipeline import train_run
    from thence.cli.settings import read_settings
    from thence.cli.update import update_run

    settings = read_settings(config, values or [])
    with progress_shown() as progress:
        if start is None:
            model = train_run(run, settings, progress)
        else:
            model = update_run(run, settings, start, progress)
    steps, told = model.info.get("best_step"), model.info.get("retrieve", {})
    if as_json:
        named = {"method": told.get("method"), "best_step": steps}  # null where nothing was trained in steps
        emit({"run": run, "nodes": len(model.ids), "dim": model.dim} | named)
    else:
        show(f"{run / 'model'}: {model!r}" + (f" after {steps} steps" if steps else ""))
        show(f"first stage: {note_of(model)}")
