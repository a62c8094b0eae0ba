"""How long work tells how far it is: the library calls, whoever runs it draws.

A progress callback takes the name of the task, the units done so far and the total (None when unknown).
The command line draws bars from these calls; the library itself prints nothing.
"""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int | None], None]


def silent(task: str, done: int, total: int | None) -> None:
    """The default callback: draws nothing."""
