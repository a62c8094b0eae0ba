"""Kill -9 and full disks: afterwards the old artifact opens or the new one, and no litter stays."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from thence.base import artifact, folders
from thence.base.artifact import MANIFEST, write_artifact

FORGE = Path(__file__).with_name("forge.py")


def forge(mode: str, root: Path) -> tuple[list[dict], list[str]]:
    """Run the forge; its reports, and the names of the functions in which it was killed."""
    run = subprocess.run(
        [sys.executable, str(FORGE), mode, str(root)], capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode == 0, run.stderr
    places, reports = [], []
    for line in run.stdout.splitlines():
        *killed, report = line.split(" ", 1) if not line.startswith("{") else [line]
        places += killed
        reports.append(json.loads(report))
    return reports, places


@pytest.mark.parametrize("mode", ["first", "replace-exchange", "replace-rename"])
def test_killed_at_every_named_moment(tmp_path: Path, mode: str) -> None:
    reports, places = forge(mode, tmp_path)
    old = 0 if "replace" in mode else None
    killed = [report for report in reports if report["code"] != 0]
    assert all(report["code"] == -9 for report in killed)
    assert len(killed) >= 2 * 10
    assert {"fsync", "write_text", "save", "mkdir"} <= set(places)
    assert ("exchange" if mode == "replace-exchange" else "rename") in places
    assert {report["found"] for report in killed} == {old, 1}
    assert all(report["then"] == 2 and report["left"] == ["a"] for report in reports)
    assert [report["found"] for report in reports if report["code"] == 0] == [1, 1]


def test_a_full_disk_leaves_the_old_artifact_and_no_litter(tmp_path: Path) -> None:
    reports, _ = forge("fill", tmp_path)
    assert [report["code"] for report in reports] == [2, 2, 2, 2]
    assert all(report["found"] == 0 and report["left"] == ["a"] for report in reports)


def test_what_the_manifest_names_is_durable_before_it_and_all_before_the_rename(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    fsync, rename, write_text = os.fsync, Path.rename, Path.write_text

    def synced(handle: int) -> None:
        order.append("sync " + Path(f"/proc/self/fd/{handle}").readlink().name.split(".tmp")[0])
        fsync(handle)

    def renamed(self: Path, target: Path) -> Path:
        order.append("rename")
        return rename(self, target)

    def written(self: Path, text: str, encoding: str | None = None) -> int:
        order.append(f"write {self.name}")
        return write_text(self, text, encoding=encoding)

    monkeypatch.setattr(folders.os, "fsync", synced)
    monkeypatch.setattr(Path, "rename", renamed)
    monkeypatch.setattr(Path, "write_text", written)
    with write_artifact(tmp_path / "new" / "a", "note") as draft:
        draft.array("x", np.zeros(3))
        draft.array("y", np.zeros(3))
    hidden = next(step for step in order if step.startswith("sync .a."))
    assert order[: order.index("rename") + 1] == [
        "sync x.npy",
        "sync y.npy",
        f"write {MANIFEST}",
        f"sync {MANIFEST}",
        hidden,
        "rename",
    ]
    assert set(order[order.index("rename") + 1 :]) == {"sync new", f"sync {tmp_path.name}"}
    assert artifact.open_artifact(tmp_path / "new" / "a", "note").counts == {}
