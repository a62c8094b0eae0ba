"""A process that ingests and kills itself at a chosen moment. Run by test_ingest_crash.py.

It forks one child for each moment, so that Python starts once, and prints one JSON line for each.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from thence.base import artifact, folders
from thence.base.artifact import open_artifact
from thence.events import dedupe, ingest, kernels, parts, rowhash, store  # noqa: F401
from thence.events import ingest as ingest_function

MOMENTS = [
    (pq.ParquetWriter, "write_table"),
    (pq.ParquetWriter, "close"),
    (dedupe.Repeats, "add"),
    (dedupe.Repeats, "add_known"),
    (dedupe.Repeats, "find"),
    (os, "link"),
    (Path, "replace"),
    (Path, "unlink"),
    (shutil, "rmtree"),
    (artifact, "fsync"),
    (artifact, "digest"),
    (Path, "write_text"),
    (folders.Workspace, "publish"),
    (folders, "exchange"),
]


def events(start: int) -> pa.Table:
    numbers = list(range(start, start + 50))
    return pa.table(
        {
            "timestamp": numbers,
            "user_id": [f"u{number % 7}" for number in numbers],
            "item_id": [f"i{number % 11}" for number in numbers],
            "event": ["view"] * 49 + ["jump"],
        }
    )


def kill_at(owner: object, name: str, after: bool) -> None:
    original = getattr(owner, name)

    def dying(*args, **options):
        if not after:
            os.kill(os.getpid(), signal.SIGKILL)
        original(*args, **options)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, dying)


def child(log: Path, moment: tuple[object, str], after: bool) -> int:
    pid = os.fork()
    if not pid:
        kill_at(*moment, after)
        ingest_function(events(30), log)  # 20 rows repeat, so parts are rewritten
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def main(root: Path) -> None:
    ingest_function(events(0), root / "old")
    ingest_function([events(0), events(30)], root / "new")
    prints = {open_artifact(root / name, "eventlog").fingerprint: name for name in ("old", "new")}
    for moment in MOMENTS:
        for after in (False, True):
            log = root / "work" / "log"
            shutil.rmtree(log.parent, ignore_errors=True)
            shutil.copytree(root / "old", log)
            code = child(log, moment, after)
            found = open_artifact(log, "eventlog")
            ingest_function(events(30), log)
            report = {
                "moment": f"{'after' if after else 'before'} {moment[1]}",
                "code": code,
                "found": prints.get(found.fingerprint),
                "then": prints.get(open_artifact(log, "eventlog").fingerprint),
                "left": sorted(path.name for path in log.parent.iterdir()),
            }
            print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
