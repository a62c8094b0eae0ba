"""Kill -9 while tuning: what comes out is what the tuning that nobody interrupted found."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_killed_tuning_finds_the_same(tmp_path: Path) -> None:
    """Killed after trials, and while a line is written of which some bytes are then there."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.crash.tuner", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    whole, *killed = (json.loads(line) for line in done.stdout.splitlines())
    assert (whole["code"], whole["lines"]) == (0, 1 + 2 * 4) and len(whole["digest"]) == 64
    assert [len(run["killed"]) for run in killed] == [4, 3]
    for run in killed:
        assert 0 not in run["killed"] and run["code"] == 0, run
        assert (run["digest"], run["lines"]) == (whole["digest"], whole["lines"])
