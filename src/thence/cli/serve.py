"""``thence serve``: the service and its page, on this machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from thence.cli.console import say
from thence.cli.folders import part_of

EXAMPLE = "Example:  thence serve runs/shop --port 8000"


def serve(
    run: Annotated[Path, typer.Argument(help="A run's folder, or a bundle.")],
    host: Annotated[str, typer.Option(help="A loopback address.")] = "127.0.0.1",
    conversion: Annotated[
        Path | None, typer.Option(help="A saved conversion model, which answers /convert.")
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where the page answers.")] = 8000,
) -> None:
    """Answer over HTTP and show the page, until interrupted."""
    from thence.serve import Bundle
    from thence.serve import run as run_service

    bundle = Bundle.load(part_of(run, "bundle"))
    if conversion is not None:
        from thence.conversion.model import ConversionModel

        bundle = replace(bundle, conversion=ConversionModel.load(conversion))
    say(f"{bundle!r}")
    if bundle.conversion is not None:
        say(f"{bundle.conversion!r} answers /convert")
    say(f"open http://{host}:{port}  (Ctrl-C ends it)")
    run_service(bundle, host=host, port=port)
