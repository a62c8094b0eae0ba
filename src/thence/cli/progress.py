"""Progress on standard error: bars in a terminal, a line for each finished task elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from thence.base.progress import Progress

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID


@contextmanager
def progress_shown() -> Iterator[Progress]:
    """A progress callback whose bars live as long as the ``with`` block.

    Example:
        >>> with progress_shown() as progress:  # without a terminal: one line on standard error when it is done
        ...     progress("arcs", 3, 3)
    """
    if sys.stderr.isatty():
        with _bars() as bars:
            yield Bars(bars)
    else:
        yield Lines()


class Bars:
    """Draws one bar a task; a task without a total pulses."""

    def __init__(self, bars: RichProgress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, task: str, done: int, total: int | None) -> None:
        """Move the bar of a task."""
        if task not in self._tasks:
            self._tasks[task] = self._bars.add_task(task, total=total)
        self._bars.update(self._tasks[task], completed=done, total=total)


class Lines:
    """Writes a line when a task is finished, with the seconds it took, and every so often while it is not.

    Args:
        every: seconds between two lines of an unfinished task.
    """

    def __init__(self, every: float = 15.0) -> None:
        self._every = every
        self._started: dict[str, float] = {}
        self._told: dict[str, float] = {}

    def __call__(self, task: str, done: int, total: int | None) -> None:
        """Note that a task began, or write how far it is; a finished task may begin anew."""
        now = time.monotonic()
        started = self._started.setdefault(task, now)
        if total is not None and done >= total:
            del self._started[task]
            self._told.pop(task, None)
            self._write(f"{task}: {done:,} in {now - started:.1f} s")
        elif now - self._told.setdefault(task, started) >= self._every:
            self._told[task] = now
            self._write(
                f"{task}: {done:,}" + (f" of {total:,}" if total else "") + f" after {now - started:.0f} s"
            )

    def _write(self, line: str) -> None:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()


def _bars() -> RichProgress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as RichProgress

    columns = [TextColumn("{task.description:<20}"), BarColumn(), MofNCompleteColumn()]
    return RichProgress(
        *columns, TimeElapsedColumn(), TimeRemainingColumn(), console=Console(stderr=True), transient=False
    )
