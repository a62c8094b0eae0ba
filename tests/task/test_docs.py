"""The page's Python runs as it stands, on a smaller graph under the same name."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from tests.task.worlds import communities

from thence.task import LabelTask

PAGE = Path(__file__).parents[2] / "docs" / "tasks.md"


def test_the_pages_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = communities()
    masks = [np.isin(np.arange(60), graph.splits[part])[None] for part in ("train", "valid", "test")]
    np.savez(
        tmp_path / "minesweeper.npz",
        node_features=graph.x,
        node_labels=graph.y,
        edges=graph.arcs.pairs.T,
        train_masks=masks[0],
        val_masks=masks[1],
        test_masks=masks[2],
    )
    monkeypatch.chdir(tmp_path)
    code = re.search(r"```python\n(.+?)```", PAGE.read_text(), re.S)
    assert code is not None
    names: dict = {}
    exec(compile(code[1].replace("700", "20").replace("=100", "=10"), "tasks.md", "exec"), names)  # noqa: S102
    assert isinstance(names["task"], LabelTask) and set(names["task"].evaluate(graph)) == {
        "accuracy",
        "auc",
        "ap",
    }
    assert names["task"].info["steps"] == 20 and (tmp_path / "runs/mines/task").is_dir()
