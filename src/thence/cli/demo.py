"""``thence demo``: a real retailer's year, from raw purchases to the page, with nothing to download."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from thence.cli.console import say, show
from thence.cli.progress import progress_shown

if TYPE_CHECKING:
    from thence.cli.settings import RunConfig

EXAMPLE = "Example:  THENCE_DEMO_EXIT=1 thence demo   (stops after the table, without the page)"
EXIT = "THENCE_DEMO_EXIT"
VALID, TEST = "2017-09-01", "2017-10-15"
PLAIN = (
    "popularity",
    "counts",
    "recent_counts",
    "backed_off",
    "lift",
    "reverse",
    "item_cf",
    "svd",
    "page_rank",
)
"""Those that take seconds on a graph as dense as a grocer's; walks both ways and back take minutes."""
MIN_COUNT = 40  # 6,210 products; rarer ones have too few baskets to be judged on


def demo(
    into: Annotated[Path, typer.Option("--into", help="The run's folder.")] = Path("runs/demo"),
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where the page answers.")] = 8000,
) -> None:
    """Run everything on The Complete Journey (1.5 million purchases), print the table, open the page."""
    from thence.cli.run import execute
    from thence.events import complete_journey
    from thence.serve import run as run_service

    with progress_shown() as progress:
        judged = execute(settings(into), complete_journey(), progress)
    show(judged.text())
    show(f"the whole report: {into / 'report' / 'report.html'}")
    if os.environ.get(EXIT, "") not in ("", "0"):
        return
    say(f"open http://127.0.0.1:{port}  (Ctrl-C ends it)")
    run_service(judged.bundle, port=port)


def settings(into: Path) -> RunConfig:
    """The demo's settings: products bought 40 times, tested on what was bought from 15 October on."""
    from thence.cli.settings import RunConfig, SplitSection
    from thence.graph.build import GraphConfig

    return RunConfig(
        into=into,
        name="The Complete Journey",
        split=SplitSection(valid=VALID, test=TEST),
        graph=GraphConfig(min_count=MIN_COUNT),
        baselines=PLAIN,
    )
