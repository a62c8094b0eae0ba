"""Kill -9 at named moments of an ingest: the old log stands or the new one, and the next ingest succeeds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

FORGE = Path(__file__).with_name("forge.py")


def test_killed_at_every_named_moment(tmp_path):
    run = subprocess.run(
        [sys.executable, str(FORGE), str(tmp_path)], capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode == 0, run.stderr
    reports = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(reports) == 28
    for report in reports:
        assert report["code"] == -9, report
        assert report["found"] == ("new" if report["moment"] in PUBLISHED else "old"), report
        assert (report["then"], report["left"]) == ("new", ["log"]), report


PUBLISHED = {"after publish", "after exchange"}
