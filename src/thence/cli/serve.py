"""``thence serve``: the service and its page, on this machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from thence.base.errors import ConfigError
from thence.cli.console import say
from thence.cli.folders import part_of

if TYPE_CHECKING:
    from thence.serve import Bundle, Models

EXAMPLE = "Example:  thence serve runs/shop --port 8000"


def serve(
    run: Annotated[
        Path | None,
        typer.Argument(help="A run's folder, or a bundle; may be left out beside a model or policy."),
    ] = None,
    host: Annotated[str, typer.Option(help="A loopback address.")] = "127.0.0.1",
    conversion: Annotated[
        Path | None, typer.Option(help="A saved conversion model, which answers /v1/convert.")
    ] = None,
    policy: Annotated[Path | None, typer.Option(help="A saved policy, which answers /v1/decide.")] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where the page answers.")] = 8000,
) -> None:
    """Answer over HTTP and show the page, until interrupted."""
    from thence.serve import run as run_service

    served = _served(run, conversion, policy)
    say(f"{served!r}")
    if served.conversion is not None:
        say(f"{served.conversion!r} answers /v1/convert")
    if served.policy is not None:
        say(f"{served.policy!r} answers /v1/decide")
    say(f"open http://{host}:{port}  (Ctrl-C ends it)")
    run_service(served, host=host, port=port)


def _served(run: Path | None, conversion: Path | None, policy: Path | None) -> Bundle | Models:
    """A bundle with the models laid over it, or the models alone."""
    if run is None and conversion is None and policy is None:
        raise ConfigError("nothing to serve", fix="Name a run's folder, or give --conversion or --policy.")
    from thence.serve import Bundle, Models

    parts = {}
    if conversion is not None:
        from thence.conversion.model import ConversionModel

        parts["conversion"] = ConversionModel.load(conversion)
    if policy is not None:
        from thence.decide.policy import Policy

        parts["policy"] = Policy.load(policy)
    if run is None:
        return Models(**parts)
    return replace(Bundle.load(part_of(run, "bundle")), **parts)
