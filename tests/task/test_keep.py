"""Saved and resumed tasks: the same bytes, and what is torn is refused."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.task.worlds import communities, layers, paths_and_rings

from thence.base.artifact import MANIFEST, digest, open_artifact
from thence.base.errors import ArtifactError, ConfigError, FitError
from thence.task import ArcGraph, ArcTask, LabelTask, TaskConfig, load_task

CONFIG = TaskConfig(
    encoder="sage",
    settings={"dim": 8, "norm": "batch"},
    steps=9,
    checkpoint_every=2,
    validate_every=3,
    batch=25,
)
ROOT = Path(__file__).parents[2]


def test_a_saved_task_answers_as_it_did(tmp_path: Path) -> None:
    arcs = ArcGraph.hiding(layers(), np.eye(32, dtype=np.float32))
    for number, (task, graph) in enumerate(
        [
            (LabelTask(CONFIG), communities()),
            (LabelTask(replace(CONFIG, positions=("profile",))), paths_and_rings()),
            (ArcTask(CONFIG), arcs),
        ]
    ):
        task.fit(graph).save(tmp_path / str(number))
        again = load_task(tmp_path / str(number))
        assert type(again) is type(task) and again.config == task.config
        assert again.evaluate(graph) == task.evaluate(graph) and again.info == task.info
    values = replace(communities(), y=np.arange(60, dtype=np.float32))
    task = LabelTask(CONFIG).fit(values)
    task.save(tmp_path / "values")
    assert np.array_equal(load_task(tmp_path / "values").predict(values), task.predict(values))  # type: ignore[attr-defined]


def test_what_is_not_fitted_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(FitError, match="not fitted"):
        LabelTask().save(tmp_path / "t")
    assert not (tmp_path / "t").exists()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("task", "shopping"),
        ("task", None),
        ("settings", {"encoder": "gcn", "steps": "many"}),
        ("settings", {"encoder": "none such"}),
        ("settings", {"encoder": "sage", "settings": {"dim": 4}}),
        ("told", {}),
        ("told", {"of_graphs": 0, "num_classes": 5, "shift": 0, "scale": 1}),
        ("info", 3),
    ],
)
def test_an_inconsistent_task_is_refused(tmp_path: Path, key: str, value: object) -> None:
    LabelTask(replace(CONFIG, steps=1)).fit(communities()).save(tmp_path / "t")
    manifest = json.loads((tmp_path / "t" / MANIFEST).read_text())
    manifest["config"][key] = value
    (tmp_path / "t" / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(ArtifactError):
        load_task(tmp_path / "t")


def test_what_is_no_task_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no artifact there"):
        load_task(tmp_path / "absent")


class StoppedError(Exception):
    """What stands for a process that ends."""


def test_a_resumed_run_is_the_same_run(tmp_path: Path) -> None:
    def stop(at: int):
        def progress(task: str, done: int, total: int | None) -> None:
            if done == at:
                raise StoppedError

        return progress

    for number, (task, graph) in enumerate(
        [(LabelTask, communities()), (ArcTask, ArcGraph.hiding(layers(), np.eye(32, dtype=np.float32)))]
    ):
        whole = task(CONFIG).fit(graph)
        folder = tmp_path / f"c{number}"
        for at in (1, 4, 7, 8):
            with pytest.raises(StoppedError):
                task(CONFIG).fit(graph, checkpoint=folder, progress=stop(at))
        resumed = task(CONFIG).fit(graph, checkpoint=folder)
        assert resumed.info == whole.info
        for (name, ours), theirs in zip(
            resumed.net.state_dict().items(), whole.net.state_dict().values(), strict=True
        ):
            assert np.array_equal(ours, theirs), name


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    graph = communities()
    LabelTask(CONFIG).fit(graph, checkpoint=tmp_path / "c")
    y = graph.y.copy()
    y[0] = 1 - y[0]
    other = [
        (replace(CONFIG, seed=1), graph),
        (replace(CONFIG, settings={"dim": 4}), graph),
        (CONFIG, replace(graph, y=y)),
        (CONFIG, replace(graph, x=graph.x + 1)),
        (CONFIG, replace(graph, arcs=graph.arcs.reversed())),
        (CONFIG, replace(graph, splits={"train": graph.splits["train"]})),
    ]
    for config, changed in other:
        with pytest.raises(ArtifactError, match="of another graph or configuration"):
            LabelTask(config).fit(changed, checkpoint=tmp_path / "c")
    with pytest.raises(ConfigError, match="checkpoint_every is 0"):
        LabelTask(replace(CONFIG, checkpoint_every=0)).fit(graph, checkpoint=tmp_path / "d")


SCRIPT = """
import os, signal, sys
import torch
torch.set_num_threads(1)
from tests.task.test_keep import CONFIG
from tests.task.worlds import communities
from thence.task import LabelTask
def progress(task, done, total):
    if done == 5:
        os.kill(os.getpid(), signal.SIGKILL)
LabelTask(CONFIG).fit(communities(), checkpoint=sys.argv[1], progress=progress)
"""


def test_a_killed_run_ends_with_the_same_bytes(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "c")]
    killed = subprocess.run(command, cwd=ROOT, env=os.environ, timeout=200, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert open_artifact(tmp_path / "c", "checkpoint").counts["step"] == 4
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the same bytes are promised for the same threads
    try:
        for name, checkpoint in (("resumed", tmp_path / "c"), ("whole", None)):
            LabelTask(CONFIG).fit(communities(), checkpoint=checkpoint).save(tmp_path / name)
    finally:
        torch.set_num_threads(threads)
    first, second = (digest(tmp_path / name / "net.safetensors") for name in ("resumed", "whole"))
    assert first == second
