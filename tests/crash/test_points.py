"""Kill -9 at twenty-five named points of training and publishing: the weights come out the same bytes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.crash.points import POINTS

ROOT = Path(__file__).parents[2]
FEW = [POINTS[at] for at in (3, 7, 15, 22)]


@pytest.mark.parametrize("points", [FEW, pytest.param(POINTS, marks=pytest.mark.slow)], ids=["few", "all"])
def test_killed_there_the_weights_are_those_of_the_whole_run(tmp_path: Path, points: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.crash.points", str(tmp_path / "runs"), *points],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    whole, *killed = (json.loads(line) for line in done.stdout.splitlines())
    assert whole["codes"] == [0, 0, 0] and whole["left"] == []
    assert [run["point"] for run in killed] == points
    for run in killed:
        assert run["codes"] == [-signal.SIGKILL, 0, 0], (
            run,
            done.stderr[-2000:],
        )  # it was reached, all was whole
        assert run["ends"] == whole["ends"], run
        assert run["left"] == [], run


def test_there_are_twenty_five_of_them() -> None:
    assert len(POINTS) == len(set(POINTS)) == 25
