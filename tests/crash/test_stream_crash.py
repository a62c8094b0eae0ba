"""Kill -9 while streaming: the resumed run predicts the very bytes of the run that nobody interrupted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from thence.conversion.delayed import ESTIMATORS

ROOT = Path(__file__).parents[2]


def runs(folder: Path, *names: str) -> list[dict]:
    """Let the streamer work; its reports."""
    words = [sys.executable, "-m", "tests.crash.streamer", str(folder), *names]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def held(reports: list[dict]) -> None:
    for whole, killed in zip(reports[::2], reports[1::2], strict=True):
        assert (whole["code"], killed["code"]) == (0, 0), (whole, killed)
        assert killed["ends"] == [-9, -9, -9]
        assert whole["told"]["rows"] > 0 and whole["told"]["refreshes"] == 6
        assert (killed["digest"], killed["told"]) == (whole["digest"], whole["told"]), whole["name"]


def test_a_killed_stream_ends_with_the_same_bytes(tmp_path: Path) -> None:
    """One without models beside the main one, and one whose models are fitted again at every refresh."""
    held(runs(tmp_path, "naive", "es_dfm"))


@pytest.mark.slow
def test_every_estimator_goes_on_where_it_stopped(tmp_path: Path) -> None:
    reports = runs(tmp_path)
    assert {report["name"] for report in reports} == set(ESTIMATORS)
    held(reports)
