"""A process that writes artifacts and kills itself, or runs out of disk, at a chosen moment.

Run by test_crash.py. It forks one child for each moment, so that Python starts once, and prints one JSON line
for each. A kill loses nothing that was written, so the real ``fsync`` is left out for speed; its calls count.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

from thence.base import artifact, folders
from thence.base.artifact import open_artifact, write_artifact
from thence.base.errors import ArtifactError

LIMIT = 60  # moments at most


def write(folder: Path, start: int) -> None:
    with write_artifact(folder, "note") as draft:
        draft.array("large", np.arange(3000) + start)
        draft.tensors("vectors", {"bias": np.full(2, start)})
        draft.table("names", pa.table({"id": [f"n{start}"]}))


def read(folder: Path) -> int | None:
    """Which of the artifacts stands there: its number, or None for none; raises when it is torn or mixed."""
    try:
        art = open_artifact(folder, "note")
    except ArtifactError as error:
        if "no artifact there" in str(error):
            return None
        raise
    start = int(art.array("large")[0])
    whole = art.tensors("vectors")["bias"].tolist() == [start, start]
    if not whole or art.table("names")["id"].to_pylist() != [f"n{start}"]:
        raise RuntimeError("a mixture")
    return start


class Fuse:
    """Counts the calls of patched functions; at call ``at`` (before or after it) the process is killed."""

    def __init__(self, at: int, after: bool) -> None:
        self.left, self.after, self.name = at, after, ""

    def wrap(self, owner: object, name: str) -> None:
        original: Callable = getattr(owner, name)

        def burning(*args, **options):
            self.left -= 1
            if self.left == 0 and not self.after:
                self.kill(name)
            result = original(*args, **options)
            if self.left == 0 and self.after:
                self.kill(name)
            return result

        setattr(owner, name, burning)

    def kill(self, name: str) -> None:
        os.write(1, f"{name} ".encode())
        os.kill(os.getpid(), signal.SIGKILL)


def burn(folder: Path, at: int, after: bool) -> None:
    fuse = Fuse(at, after)
    fuse.wrap(folders, "fsync")
    fuse.wrap(artifact, "fsync")
    fuse.wrap(folders, "exchange")
    fuse.wrap(np, "save")
    fuse.wrap(Path, "rename")
    fuse.wrap(Path, "mkdir")
    fuse.wrap(Path, "write_text")
    fuse.wrap(shutil, "rmtree")
    fuse.wrap(os, "unlink")
    fuse.wrap(os, "rmdir")
    write(folder, 1)


def child(work: Callable[[], object]) -> int:
    """Run ``work`` in a fork; its exit code, negative for a signal."""
    pid = os.fork()
    if not pid:
        try:
            work()
        except ArtifactError:
            os._exit(2)
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(3)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def torture(root: Path, *, replace: bool, swap: bool, after: bool) -> None:
    if not swap:
        folders.exchange = lambda first, second: False
    for at in range(1, LIMIT):
        folder = root / f"{replace}{swap}{after}{at}" / "a"
        if replace:
            write(folder, 0)
        code = child(lambda folder=folder, at=at: burn(folder, at, after))
        found = read(folder)
        write(folder, 2)
        left = sorted(path.name for path in folder.parent.iterdir())
        print(
            json.dumps({"at": at, "code": code, "found": found, "then": read(folder), "left": left}), flush=True
        )
        if code == 0:
            return
    raise RuntimeError("the work has more moments than the limit")


def fill(root: Path) -> None:
    """Write with a limit on the size of files: the kernel refuses as it does on a full disk."""
    folder = root / "full" / "a"
    write(folder, 0)

    def work() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        write(folder, 1)

    for limit in (0, 64, 1000, 20_000):
        code = child(work)
        left = sorted(path.name for path in folder.parent.iterdir())
        print(json.dumps({"limit": limit, "code": code, "found": read(folder), "left": left}), flush=True)


if __name__ == "__main__":
    os.fsync = lambda handle: None
    base = Path(sys.argv[2])
    if sys.argv[1] == "fill":
        fill(base)
    else:
        for late in (False, True):
            torture(base, replace="replace" in sys.argv[1], swap="rename" not in sys.argv[1], after=late)
