"""Fitted tasks as artifacts: settings in the manifest, parameters beside it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import torch

from thence.base.artifact import open_artifact, write_artifact
from thence.base.config import check_config
from thence.base.errors import ArtifactError, ThenceError
from thence.task.arcs import ArcTask
from thence.task.config import TaskConfig
from thence.task.labels import LabelTask
from thence.task.task import Task

KIND = "task"
TASKS: dict[str, type[Task]] = {task.kind: task for task in (LabelTask, ArcTask)}


def save_task(task: Task, folder: str | Path) -> None:
    """Write a fitted task; one that stands there is replaced.

    Raises:
        FitError: it is not fitted.
        ArtifactError: the folder holds something else, or cannot be written.
    """
    state = {name: value.numpy(force=True) for name, value in task.net.state_dict().items()}
    with write_artifact(folder, KIND) as draft:
        draft.tensors("net", state)
        draft.counts["inputs"], draft.counts["positions"] = task.inputs, task.placed
        draft.config.update(task=task.kind, settings=asdict(task.config), told=dict(task.told), info=task.info)


def load_task(folder: str | Path) -> Task:
    """A fitted task that was saved; nothing in it is run.

    Raises:
        ArtifactError: it is absent, of another kind, torn, or contradicts itself.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> from thence.graph import Arcs
        >>> from thence.graph.labelled import LabelledGraph
        >>> path = Arcs.from_pairs([0, 1], [1, 2], num_nodes=3)
        >>> x, y = np.eye(3, dtype=np.float32), np.array([0, 1, 1])
        >>> graph = LabelledGraph(path, x, y, {"train": np.arange(3)})
        >>> task = LabelTask(TaskConfig(steps=5)).fit(graph)
        >>> with tempfile.TemporaryDirectory() as tmp:
        ...     task.save(f"{tmp}/task")
        ...     bool((load_task(f"{tmp}/task").predict(graph) == task.predict(graph)).all())
        True
    """
    art = open_artifact(folder, KIND)
    try:
        task = TASKS[art.config["task"]](check_config(art.config["settings"], TaskConfig))
        task.info.update(art.config["info"])
        task.tell(art.config["told"])
        task.build(art.counts["inputs"], art.counts["positions"])
        shapes = {name: value.shape for name, value in task.net.state_dict().items()}  # files know no scalars
        saved = {name: torch.from_numpy(value) for name, value in art.tensors("net").items()}
        task.net.load_state_dict({name: value.reshape(shapes[name]) for name, value in saved.items()})
    except ArtifactError:
        raise
    except (ThenceError, KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise ArtifactError(f"an inconsistent task: {error}", where=folder) from error
    task.net.eval()
    return task
