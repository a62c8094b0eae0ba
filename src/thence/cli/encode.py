"""``thence encode``: vectors of a graph's nodes, by an encoder that learns its arcs or by a fitted task."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from thence.base.errors import ConfigError
from thence.cli.classify import Encoder, Positions, Seed, Settings, Undirected, read_graph, task_config
from thence.cli.console import emit, show
from thence.cli.options import Into, JsonFlag
from thence.cli.progress import progress_shown

if TYPE_CHECKING:
    from thence.base.ids import IdMap
    from thence.graph import Arcs

EXAMPLE = (
    "Example:  thence encode runs/shop/graph --encoder dir_sage --positions propagate --into runs/shop/vectors"
)
STEPS = 200


def encode(
    source: Annotated[Path, typer.Argument(metavar="GRAPH", help="A graph, or data as thence classify reads.")],
    into: Into,
    encoder: Encoder = "dir_sage",
    positions: Positions = None,
    values: Settings = None,
    task: Annotated[
        Path | None, typer.Option(help="A task that thence classify has fitted; nothing is learned then.")
    ] = None,
    undirected: Undirected = False,
    seed: Seed = 0,
    as_json: JsonFlag = False,
) -> None:
    """Write a source and a target vector of each node, from which follows how likely an arc is.

    The encoder learns from arcs alone: 85 of 100 are seen, 5 choose the step, 10 judge. With --task a fitted
    task writes one vector of each node or graph.
    """
    if task is not None:
        if positions or values:
            raise ConfigError("--task has its own settings", fix="Leave out --positions and --set.")
        _by_task(task, source, undirected, into, as_json)
        return
    from thence.task import ArcGraph, ArcTask

    config = task_config(encoder, positions or (), values or (), seed, STEPS)
    arcs, x, ids = _opened(source, undirected)
    graph = ArcGraph.hiding(arcs, x, (0.85, 0.05, 0.1), seed=seed)
    fitted = ArcTask(config)
    with progress_shown() as progress:
        fitted.fit(graph, progress=progress)
    figures = fitted.evaluate(graph)
    embeddings = fitted.encode(graph, ids)
    embeddings.save(into)
    if as_json:
        emit({"into": into, "nodes": len(embeddings.ids), "dim": embeddings.dim, "figures": figures})
    else:
        show(f"{into}: {embeddings!r}, {fitted.info['inputs']}")
        show("hidden arcs: " + ", ".join(f"{name} {value:.4f}" for name, value in figures.items()))


def _by_task(folder: Path, source: Path, undirected: bool, into: Path, as_json: bool) -> None:
    """Write what a fitted task makes of each node or graph."""
    from thence.base.artifact import write_artifact
    from thence.task import LabelTask, load_task

    fitted = load_task(folder)
    if not isinstance(fitted, LabelTask):
        raise ConfigError("not a task of labels", where=folder, fix="Give one that thence classify wrote.")
    graph = read_graph(source, 0, undirected)
    vectors = fitted.encode(graph)
    with write_artifact(into, "vectors") as draft:
        draft.array("vectors", vectors)
        draft.counts["rows"], draft.counts["dim"] = vectors.shape
        draft.config.update(encoder=fitted.config.encoder, of="graphs" if fitted.of_graphs else "nodes")
    if as_json:
        emit({"into": into, "rows": vectors.shape[0], "dim": vectors.shape[1]})
    else:
        show(f"{into / 'vectors.npy'}: {vectors.shape[0]:,} rows of {vectors.shape[1]}")


def _opened(source: Path, undirected: bool) -> tuple[Arcs, Any, IdMap | None]:
    """Arcs, features and ids of a saved graph, of a run's graph or of a benchmark's files."""
    import numpy as np

    from thence.base.artifact import MANIFEST
    from thence.encode.features import item_features
    from thence.graph import DiGraph

    for folder in (source, source / "graph"):
        if (folder / MANIFEST).is_file():
            if undirected:
                raise ConfigError("--undirected is for files of benchmarks", where=source, fix="Leave it out.")
            graph = DiGraph.load(folder)
            known = graph.nodes is not None
            x = item_features(graph.nodes) if known else np.zeros((graph.num_nodes, 0), np.float32)
            return graph.main, x, graph.ids
    labelled = read_graph(source, 0, undirected)
    return labelled.arcs, labelled.x, None
