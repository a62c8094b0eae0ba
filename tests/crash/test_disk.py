"""A disk that is full or read-only: a typed error that says what to do, and the old bundle answers on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_no_room_and_no_leave_are_told_and_nothing_is_lost(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.crash.full", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines() if line != "no mount"]
    told, after = lines[0::2], lines[1::2]
    assert len(told) == len(after) >= 6
    for one, then in zip(told, after, strict=True):
        assert one["error"] and one["error"].startswith("cannot write"), (one, then)
        room = "Make room" in one["fix"]
        assert room or ("Read-only" in one["error"] and "may change" in one["fix"]), one
        assert (then["changed"], then["same"]) == (False, True), (one, then)
        assert not [name for name in then["left"] if name.startswith(".")], then
    assert sum("Make room" in one["fix"] for one in told) in (5, 8)
