"""``thence serve``: the service and its page, on this machine or, with a token, for others."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from thence.cli.console import say
from thence.cli.folders import part_of

if TYPE_CHECKING:
    from thence.cli.serve_settings import ServeSettings
    from thence.serve import Store

EXAMPLE = "Example:  thence serve runs/shop --port 8000"
TOKEN = "THENCE_TOKEN"


def serve(
    run: Annotated[
        Path | None,
        typer.Argument(help="A run's folder, or a bundle; may be left out beside a model or policy."),
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(help="A loopback address; with a token any address of this machine. [default: 127.0.0.1]"),
    ] = None,
    conversion: Annotated[
        Path | None, typer.Option(help="A saved conversion model, which answers /v1/convert.")
    ] = None,
    policy: Annotated[Path | None, typer.Option(help="A saved policy, which answers /v1/decide.")] = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Where the page answers. [default: 8000]")
    ] = None,
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
    log: Annotated[
        Literal["text", "json"] | None, typer.Option(help="A line a request on standard error, in this form.")
    ] = None,
    settings: Annotated[
        Path | None,
        typer.Option(help="All of these in a .yaml or .toml file; else in THENCE_SERVE_… variables."),
    ] = None,
) -> None:
    """Answer over HTTP and show the page, until interrupted."""
    given = dict(locals())
    from thence.cli.serve_settings import serve_settings

    _answer(serve_settings(given, os.environ))


def _answer(found: ServeSettings) -> None:
    from thence.serve import Origin
    from thence.serve import run as run_service
    from thence.serve.access import read_token

    origin = Origin(None if found.run is None else part_of(found.run, "bundle"), found.conversion, found.policy)
    token = os.environ.get(TOKEN) if found.token_file is None else read_token(found.token_file)

    def ready(store: Store) -> None:
        if found.log == "json":
            return  # its lines say so
        for line in store.told():
            say(line)
        say(f"open http://{found.host}:{found.port}  (Ctrl-C ends it)")

    run_service(
        origin,
        host=found.host,
        port=found.port,
        token=token or None,
        names=frozenset(found.allow_host),
        watch=found.watch,
        ready=ready,
        log=found.log,
    )
