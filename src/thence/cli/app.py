"""The command ``thence``: its verbs, and what a user sees when something goes wrong.

Exit codes: 0 done; 1 a fault of the program; 2 a fault that the user can mend, told in one line; 3 more rows
were refused than ``--max-reject`` allows; 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from thence import __version__
from thence.base.errors import ThenceError
from thence.cli import (
    classify,
    conversion,
    decide,
    demo,
    distill,
    encode,
    evaluate,
    export,
    graph,
    index,
    ingest,
    positions,
    quantize,
    recommend,
    run,
    serve,
    train,
    tune,
)
from thence.cli.console import fail, show_error

app = typer.Typer(
    name="thence",
    help="Recommendations that have a direction: what customers want next, from a shop's event log.",
    epilog="From a log to the page:  thence run shop.toml  then  thence serve runs/shop",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(epilog=ingest.EXAMPLE)(ingest.ingest)
app.add_typer(graph.app)
app.add_typer(conversion.app)
app.add_typer(decide.app)
app.command(epilog=train.EXAMPLE)(train.train)
app.command(epilog=classify.EXAMPLE)(classify.classify)
app.command(epilog=encode.EXAMPLE)(encode.encode)
app.command(epilog=tune.EXAMPLE)(tune.tune)
app.command(epilog=evaluate.EXAMPLE)(evaluate.evaluate)
app.command(epilog=distill.EXAMPLE)(distill.distill)
app.command(epilog=index.EXAMPLE)(index.index)
app.command(epilog=positions.EXAMPLE)(positions.positions)
app.command(epilog=quantize.EXAMPLE)(quantize.quantize)
app.command(epilog=export.EXAMPLE)(export.export)
app.command(epilog=recommend.EXAMPLE)(recommend.recommend)
app.command(epilog=serve.EXAMPLE)(serve.serve)
app.command(epilog=run.EXAMPLE)(run.run)
app.command(epilog=demo.EXAMPLE)(demo.demo)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"thence {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the whole traceback of a fault; may stand anywhere.")
    ] = False,
) -> None:
    """Options of every verb."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and end the process with its exit code.

    Args:
        arguments: without the program's name; None for those of the process.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: idle threads sleep, not spin
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given or bool(os.environ.get("THENCE_DEBUG"))
    as_json = "--json" in given
    try:
        app([word for word in given if word != "--debug"], prog_name="thence")
    except ThenceError as error:
        if debug:
            raise
        show_error(error, as_json=as_json)
        sys.exit(2)
    except KeyboardInterrupt:
        fail("interrupted")
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output has gone, as with ``| head``
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except Exception as error:
        if debug:
            raise
        fail(f"{type(error).__name__}: {error}", hint="This is a fault of thence: add --debug to see where.")
        sys.exit(1)
