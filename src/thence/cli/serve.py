"""``thence serve``: the service and its page, on this machine or, with a token, for others."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from thence.cli.console import say
from thence.cli.folders import part_of

if TYPE_CHECKING:
    pass

if TYPE_CHECKING:
    from thence.serve import Store

EXAMPLE = "Example:  thence serve runs/shop --port 8000"
TOKEN = "THENCE_TOKEN"


def serve(
    run: Annotated[
        Path | None,
        typer.Argument(help="A run's folder, or a bundle; may be left out beside a model or policy."),
    ] = None,
    host: Annotated[
        str, typer.Option(help="A loopback address; with a token any address of this machine.")
    ] = "127.0.0.1",
    conversion: Annotated[
        Path | None, typer.Option(help="A saved conversion model, which answers /v1/convert.")
    ] = None,
    policy: Annotated[Path | None, typer.Option(help="A saved policy, which answers /v1/decide.")] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where the page answers.")] = 8000,
    token_file: Annotated[
        Path | None,
        typer.Option(help=f"Holds the token that admin routes and public addresses ask for; else ${TOKEN}."),
    ] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option(help="A host name that the service is asked by; may be repeated.")
    ] = None,
    watch: Annotated[
        float | None,
        typer.Option(min=0.1, help="Look at the folders so often, in seconds, and load what has changed."),
    ] = None,
) -> None:
    """Answer over HTTP and show the page, until interrupted."""
    from thence.serve import Origin
    from thence.serve import run as run_service
    from thence.serve.access import read_token

    origin = Origin(None if run is None else part_of(run, "bundle"), conversion, policy)
    token = os.environ.get(TOKEN) if token_file is None else read_token(token_file)

    def ready(store: Store) -> None:
        for line in store.told():
            say(line)
        say(f"open http://{host}:{port}  (Ctrl-C ends it)")

    names = frozenset(allow_host or ())
    run_service(origin, host=host, port=port, token=token or None, names=names, watch=watch, ready=ready)
