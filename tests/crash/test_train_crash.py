"""Kill -9 while training: the resumed run ends with the very bytes of the run that nobody interrupted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def runs(work: str, folder: Path) -> list[dict]:
    """Let the trainer work; its reports, without the names that a burnt fuse prints before them."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.crash.trainer", work, str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [
        json.loads(line[line.index("{") :]) | {"at": line[: line.index("{")].strip()}
        for line in done.stdout.splitlines()
    ]


def test_a_killed_run_ends_with_the_same_bytes(tmp_path: Path) -> None:
    """Killed at chosen steps, at random ones, and from outside at random times; then three torn ones."""
    first, *others = runs("kills", tmp_path)
    killed, torn = others[:-3], others[-3:]
    assert (first["code"], first["best_step"]) == (0, 4) and len(first["sha256"]) == 64
    assert len(killed) == 7 and killed[0]["killed"] == [None, None, 3, 3, 6]
    assert all(len(run["killed"]) == 2 for run in killed[1:4])
    for run in killed:
        assert (run["code"], run["sha256"]) == (0, first["sha256"]), run
        assert set(run["killed"]) <= {None, 3, 6}
    assert [(run["code"], run["sha256"]) for run in torn] == [(2, None)] * 3  # ArtifactError


@pytest.mark.slow
@pytest.mark.parametrize("work", ["moments", "moments-late", "moments-rename"])
def test_a_run_killed_while_it_writes_a_checkpoint_ends_with_the_same_bytes(tmp_path: Path, work: str) -> None:
    first, *others = runs(work, tmp_path)
    places = {run["at"] for run in others}
    assert {"fsync", "write_text", "mkdir", "digest", "rename" if "rename" in work else "exchange"} <= places
    assert {run["killed"][0] for run in others} == {None, 3, 6}
    for run in others:
        assert (run["code"], run["sha256"]) == (0, first["sha256"]), run
        if run["killed"] != [6]:  # after the last checkpoint there is no writer to sweep
            assert run["left"] == ["checkpoint", "model"], run
