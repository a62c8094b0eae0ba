"""``thence classify``: classes or values of nodes or graphs, learned and judged beside plain answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from thence.base.errors import ConfigError, DataError, nearest
from thence.cli.console import emit, say, show
from thence.cli.options import JsonFlag
from thence.cli.progress import progress_shown

if TYPE_CHECKING:
    from thence.graph.labelled import LabelledGraph
    from thence.task import LabelTask, TaskConfig

EXAMPLE = "Example:  thence classify cora.npz --encoder sage --set dim=128 --set steps=300 --into runs/cora"
Encoder = Annotated[
    str,
    typer.Option(help="What reads the graph: gcn, sage, gat, dir_sage, sgformer …; a wrong name tells all."),
]
Positions = Annotated[
    list[str] | None,
    typer.Option(help="A kind of positions to lay beside the features, such as profile; may be repeated."),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="KEY=VALUE of the training or of the encoder; may be repeated."),
]
Undirected = Annotated[bool, typer.Option("--undirected", help="Take every arc in both directions.")]
Seed = Annotated[int, typer.Option(help="Of all draws.")]
PARTS = ("train", "valid", "test")


def classify(
    data: Annotated[Path, typer.Argument(help="An .npz of a benchmark, or a folder in OGB's or TU's form.")],
    encoder: Encoder = "gcn",
    positions: Positions = None,
    values: Settings = None,
    split: Annotated[int, typer.Option(min=0, help="Which of the file's splits, or which one to draw.")] = 0,
    per_class: Annotated[
        int | None,
        typer.Option(
            min=1, help="Where the file names no split: labels of each class to learn from, not half."
        ),
    ] = None,
    undirected: Undirected = False,
    seed: Seed = 0,
    into: Annotated[
        Path | None,
        typer.Option("--into", "--out", help="Folder to write the fitted task and what it tells to."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Learn labels on a graph, and judge what was learned beside plain answers.

    The best step is chosen on the valid split; the test split is looked at once, at the end.
    """
    from thence.task import LabelTask

    config = task_config(encoder, positions or (), values or (), seed)
    graph = split_graph(read_graph(data, split, undirected), data, split, per_class)
    task = LabelTask(config)
    with progress_shown() as progress:
        task.fit(graph, progress=progress)
    metric = str(task.info["metric"])
    table = {
        **_plain(graph, metric),
        encoder: {part: task.evaluate(graph, part)[metric] for part in PARTS if _known(graph, part)},
    }
    if into is not None:
        _write(task, graph, into)
    if as_json:
        figures = {
            f"{name}.{part}.{metric}": value for name, row in table.items() for part, value in row.items()
        }
        emit({"data": data, "graph": repr(graph), "best_step": task.info["best_step"], "figures": figures})
        return
    show(f"{data}: {graph!r}")
    show(f"inputs: {task.info['inputs']}; best step {task.info['best_step']} of {task.info['steps']}")
    show(_text(table, metric))
    if into is not None:
        show(f"{into / 'task'}: the fitted task; {into / 'told.csv'}: what it tells")


def task_config(
    encoder: str, positions: Sequence[str], values: Sequence[str], seed: int, steps: int | None = None
) -> TaskConfig:
    """Settings of a task from what was typed; a key is the task's own or the encoder's.

    Args:
        encoder: its name.
        positions: kinds of positions.
        values: ``KEY=VALUE``, the value read as TOML, and as text where that fails.
        seed: of all draws.
        steps: the most steps where no value names them.

    Raises:
        ConfigError: a key or a value does not fit.

    Example:
        >>> config = task_config("gcn", [], ["steps=7", "dim=16"], 0)
        >>> config.steps, dict(config.settings)
        (7, {'dim': 16})
    """
    from thence.base.config import check_config
    from thence.cli.settings import literal
    from thence.encode.encoders import encoder_settings
    from thence.task import TaskConfig

    own = {field.name for field in fields(TaskConfig)} - {"encoder", "settings", "positions", "seed"}
    known = encoder_settings(encoder)
    task: dict[str, Any] = {} if steps is None else {"steps": steps}
    settings: dict[str, Any] = {}
    for value in values:
        key, equals, text = value.partition("=")
        if not (key and equals):
            raise ConfigError(f"--set {value!r} is not KEY=VALUE", fix="For example steps=200.")
        if key not in own | set(known):
            raise ConfigError(f"unknown key {key!r}", where="--set", fix=nearest(key, own | set(known)))
        (task if key in own else settings)[key] = literal(text)
    encoder_settings(encoder, settings)
    return check_config(
        {"encoder": encoder, "positions": tuple(positions), "seed": seed, "settings": settings, **task},
        TaskConfig,
        where="--set",
    )


def read_graph(data: Path, split: int, undirected: bool) -> LabelledGraph:
    """A labelled graph as it was asked for."""
    from thence.graph.benchmark import read_labelled

    graph = read_labelled(data, split)
    return graph.undirected() if undirected else graph


def split_graph(graph: LabelledGraph, data: Path, split: int, per_class: int | None) -> LabelledGraph:
    """The graph with its own split or, where its files name none, with one that is drawn."""
    from thence.graph.benchmark import class_split, random_split

    if not graph.known.any():
        raise DataError("no label is known", where=data, fix="To learn from arcs alone: thence encode.")
    if graph.splits:
        if per_class is not None:
            raise ConfigError("--per-class, but the file names its splits", fix="Leave it out.")
        return graph
    if per_class is None:
        drawn, told = random_split(graph.y, seed=split), "half to learn from, a quarter each to choose and test"
    else:
        if not graph.num_classes:
            raise ConfigError("--per-class, but labels are values", fix="Leave it out.")
        drawn = class_split(graph.y, per_class=per_class, seed=split)
        told = f"{per_class} of each class to learn from, 500 to choose on, 1,000 to test"
    say(f"no split in {data.name}: number {split} is drawn, {told}")
    return replace(graph, splits=drawn)


def _plain(graph: LabelledGraph, metric: str) -> dict[str, dict[str, float]]:
    """What plain answers reach, those that fit."""
    import numpy as np

    from thence.task.metric import METRICS
    from thence.task.plain import label_propagation, logistic_regression, majority

    answers: dict[str, Any] = {}
    if not graph.num_classes:
        values = graph.y[graph.part("train")]
        answers["median"] = np.full((len(graph.y), 1), np.median(values))
    else:
        answers["majority"] = majority(graph)
        if graph.told == "nodes":
            if graph.x.shape[1] and len(np.unique(graph.y[graph.part("train")])) > 1:
                answers["logistic regression"] = logistic_regression(graph, metric)
            answers["label propagation"] = label_propagation(graph)
    table: dict[str, dict[str, float]] = {}
    for name, scores in answers.items():
        rows = {part: graph.part(part) for part in PARTS if _known(graph, part)}
        table[name] = {part: METRICS[metric](graph.y[own], scores[own]) for part, own in rows.items()}
    return table


def _known(graph: LabelledGraph, part: str) -> bool:
    return part in graph.splits and len(graph.part(part)) > 0


def _text(table: Mapping[str, Mapping[str, float]], metric: str) -> str:
    parts = list(next(iter(table.values())))
    width = max(map(len, [*table, metric]))
    lines = [f"{metric:<{width}}" + "".join(f"{part:>10}" for part in parts)]
    for name, row in table.items():
        lines.append(f"{name:<{width}}" + "".join(f"{row[part]:>10.4f}" for part in parts))
    return "\n".join(lines)


def _write(task: LabelTask, graph: LabelledGraph, into: Path) -> None:
    """The fitted task, and a table of what it tells of each node or graph."""
    import pyarrow as pa
    import pyarrow.csv as pcsv

    told = task.predict(graph)
    columns: dict[str, Any] = {graph.told[:-1]: pa.array(range(len(told)))}
    if graph.num_classes:
        columns |= {"class": told.argmax(axis=1), "probability": told.max(axis=1)}
    else:
        columns["value"] = told
    task.save(into / "task")
    pcsv.write_csv(pa.table(columns), into / "told.csv")
