"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
Into = Annotated[Path, typer.Option("--into", help="Folder to write; an older result there is replaced.")]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="Settings, a .toml or .yaml file.")]
Set = Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE, over the settings; may be repeated.")]
Engine = Annotated[
    Literal["duckdb", "spark"],
    typer.Option(
        help="What computes: duckdb here, or spark (the extra thence[spark]) where a machine is too small."
    ),
]
K = Annotated[int, typer.Option("-k", min=1, max=1000, help="How many answers.")]
