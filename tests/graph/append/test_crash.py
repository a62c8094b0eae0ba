"""Kill -9 at every moment of an append: the old state or the new one is whole, and so is the saved snapshot."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from tests.graph.append.forge import scratch

SLOW = partial(pytest.param, marks=pytest.mark.slow)
ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(("moment", "stride"), [("early", 8), SLOW("early", 1), SLOW("late", 1)])
def test_killed_at_every_moment(moment, stride):
    with scratch() as folder:
        run = subprocess.run(
            [sys.executable, "-m", "tests.graph.append.victim", folder, moment, str(stride)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    assert run.returncode == 0, run.stderr
    *killed, last = (json.loads(line[line.index("{") :]) for line in run.stdout.splitlines())
    assert len(killed) > 60 / stride and last["code"] == 0
    assert {(one["state"], one["graph"]) for one in killed} >= {("old", "old"), ("old", "new"), ("new", "new")}
    for one in killed:
        assert one["code"] == -9 and (one["state"], one["graph"]) != ("new", "old"), one
        assert one["then"] == ["new", "new"], one
        if one["state"] == "old":  # another append has swept
            assert one["left"] == ["head"] and one["litter"] == ["graph", "state"], one
