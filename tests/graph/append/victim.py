"""A process that appends and is killed at a chosen moment. Run by test_crash.py.

It forks one child for each moment, so that Python starts once, and prints one JSON line for each.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

from tests.base.forge import Fuse, child
from tests.graph.append.forge import FIRST, LATE, table_of
from tests.graph.literal import log_of

from thence.base import artifact, folders
from thence.graph.append import append, snapshot, start
from thence.graph.build import GraphConfig
from thence.graph.digraph import DiGraph

LIMIT = 400
ONE = GraphConfig(("bought_after",), min_count=1, min_support=1)


def burn(root: Path, at: int, late: bool) -> None:
    fuse = Fuse(at, late)
    fuse.wrap(folders, "fsync")
    fuse.wrap(artifact, "fsync")
    fuse.wrap(folders, "exchange")
    fuse.wrap(Path, "rename")
    fuse.wrap(Path, "mkdir")
    fuse.wrap(Path, "write_text")
    fuse.wrap(shutil, "rmtree")
    append(root / "state", table_of(LATE), root / "graph")


def prints(root: Path) -> list[str]:
    """The fingerprints of the state's snapshot and of the saved one, both read whole."""
    made, saved = snapshot(root / "state", verify=True), DiGraph.load(root / "graph")
    return [graph.info["log"]["fingerprint"] + repr(graph) for graph in (made, saved)]


def main(root: Path, late: bool, stride: int) -> None:
    base = root / "base"
    start(log_of(FIRST), base / "state", ONE).save(base / "graph")
    old = prints(base)[0]
    shutil.copytree(base, root / "done")
    append(root / "done" / "state", table_of(LATE), root / "done" / "graph")
    new = prints(root / "done")[0]
    names = {old: "old", new: "new"}
    for at in range(1, LIMIT, stride):
        work = root / f"work{at}"
        shutil.copytree(base, work)
        code = child(lambda work=work, at=at: burn(work, at, late))
        state, graph = (names.get(one) for one in prints(work))
        if state == "old":
            append(work / "state", table_of(LATE), work / "graph")
        then = [names.get(one) for one in prints(work)]
        left = sorted(path.name for path in (work / "state").iterdir() if not path.name.startswith("part-0"))
        litter = sorted(path.name for path in work.iterdir())
        report = {"code": code, "state": state, "graph": graph, "then": then, "left": left, "litter": litter}
        print(json.dumps(report), flush=True)
        shutil.rmtree(work)
        if code == 0:
            return
    raise RuntimeError("more moments than the limit")


if __name__ == "__main__":
    os.fsync = lambda handle: None
    main(Path(sys.argv[1]), sys.argv[2] == "late", int(sys.argv[3]))
