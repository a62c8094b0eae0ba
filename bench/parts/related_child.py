"""A method in a process of its own: what it takes is its own, and when it breaks nothing else does."""

from __future__ import annotations

import json
import multiprocessing
import resource
import sys
import traceback
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import Any

from common import say

Figures = Mapping[str, float]


def in_child(name: str, work: Callable[[], Figures], limit: float) -> dict[str, float]:
    """Run ``work`` in a forked process; its figures, or nothing when it fails or takes too long.

    Args:
        name: as progress and failures are told.
        work: gives figures.
        limit: seconds of wall time after which the process is ended.
    """
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    child: Any = context.Process(target=_work, args=(there, work), daemon=True)
    child.start()
    there.close()
    try:
        told: dict[str, Any] = (
            json.loads(here.recv_bytes()) if here.poll(limit) else {"failed": f"took over {limit:.0f} s"}
        )
    except EOFError:
        told = {"failed": "the process ended without a word (out of memory?)"}
    if child.is_alive() and "failed" in told:
        child.kill()
    child.join()
    if "failed" in told:
        say(f"  {name}: FAILED, skipped: {told['failed']}")
        return {}
    return told


def _work(pipe: Connection, work: Callable[[], Figures]) -> None:
    try:
        told: dict[str, Any] = dict(work())
    except Exception as error:
        traceback.print_exc(file=sys.stderr)
        told = {"failed": f"{type(error).__name__}: {error}"}
    pipe.send_bytes(json.dumps(told).encode())
    pipe.close()


def peak_gib() -> float:
    """The most memory that this process ever held, with the interpreter and the graph."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
