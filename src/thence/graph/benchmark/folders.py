"""Labelled graphs in folders of text: OGB's ``.csv.gz`` files, and the TU collection's ``.txt`` files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from thence.base.errors import DataError
from thence.graph.benchmark.npz import as_arcs
from thence.graph.benchmark.splits import Split
from thence.graph.labelled import LabelledGraph


def read_ogb(folder: str | Path, split: int = 0) -> LabelledGraph:
    """A labelled graph from a folder in the form of the Open Graph Benchmark.

    ``raw/edge.csv.gz`` holds source,target rows, ``raw/num-node-list.csv.gz`` the nodes of each graph,
    ``raw/node-feat.csv.gz`` features, ``raw/node-label.csv.gz`` or ``raw/graph-label.csv.gz`` labels, and
    ``split/NAME/train|valid|test.csv.gz`` rows of labels, one split a NAME. Where there are several graphs,
    nodes count from 0 in each, and ``raw/num-edge-list.csv.gz`` says how many rows of edges are each graph's.
    Files may stand without ``raw/`` and without ``.gz``. Labels with a fraction are values, others classes; an
    empty one is unknown.

    Args:
        folder: the folder.
        split: which of its splits, by the order of their names.

    Raises:
        DataError: a file is absent or contradicts another, there is no such split, or a row holds several
            labels.

    References:
        Hu et al., "Open Graph Benchmark: datasets for machine learning on graphs", NeurIPS 2020.
    """
    folder = Path(folder)
    raw = folder / "raw" if (folder / "raw").is_dir() else folder
    pairs = _whole(_file(raw, "edge"))
    sizes = _whole(_file(raw, "num-node-list"))[:, 0]
    per_graph = len(sizes) > 1
    if per_graph:
        edges = _whole(_file(raw, "num-edge-list"))[:, 0]
        if len(edges) != len(sizes) or edges.sum() != len(pairs):
            raise DataError(f"{len(pairs)} edges, but {edges.sum()} in {len(edges)} graphs", where=folder)
        pairs = pairs + np.repeat(np.cumsum(sizes) - sizes, edges)[:, None]
    y = _labels(_table(_file(raw, "graph-label" if per_graph else "node-label")), folder)
    features = _file(raw, "node-feat", must=False)
    total = int(sizes.sum())
    if len(y) != (len(sizes) if per_graph else total):
        raise DataError(f"{len(y)} labels for {total} nodes in {len(sizes)} graphs", where=folder)
    return _made(
        folder,
        pairs,
        total,
        y=y,
        parts=[] if features is None else [_table(features)],
        graph_of=np.repeat(np.arange(len(sizes)), sizes) if per_graph else None,
        splits=_split(folder / "split", split),
    )


def read_tu(folder: str | Path) -> LabelledGraph:
    """Graphs with labels from a folder of the TU collection.

    ``NAME_A.txt`` holds source,target rows, nodes counted from 1; ``NAME_graph_indicator.txt`` the graph of
    each node, from 1; ``NAME_graph_labels.txt`` classes, or ``NAME_graph_attributes.txt`` numbers. Features are
    ``NAME_node_attributes.txt``, with ``NAME_node_labels.txt`` beside them, one column a label.

    Raises:
        DataError: a file is absent or contradicts another.

    References:
        Morris et al., "TUDataset: a collection of benchmark datasets for learning with graphs", 2020.
    """
    folder = Path(folder)
    found = sorted(folder.glob("*_A.txt"))
    if len(found) != 1:
        raise DataError(f"{len(found)} files *_A.txt where one belongs", where=folder)
    name = found[0].name.removesuffix("_A.txt")

    def table(part: str) -> np.ndarray | None:
        path = folder / f"{name}_{part}.txt"
        return _table(path) if path.is_file() else None

    of = folder / f"{name}_graph_indicator.txt"
    if not of.is_file():
        raise DataError("no *_graph_indicator.txt", where=folder)
    indicator, y = _whole(of)[:, 0], table("graph_labels")
    if y is not None:
        _, y = np.unique(y[:, 0], return_inverse=True)
    else:
        numbers = table("graph_attributes")
        if numbers is None:
            raise DataError("no *_graph_labels.txt and no *_graph_attributes.txt", where=folder)
        y = numbers[:, 0].astype(np.float32)
    parts = [part for part in (table("node_attributes"), _one_hot(table("node_labels"))) if part is not None]
    return _made(
        folder,
        _whole(found[0]) - 1,
        len(indicator),
        y=y,
        parts=parts,
        graph_of=indicator - 1,
    )


def _made(
    folder: Path,
    pairs: np.ndarray,
    num_nodes: int,
    *,
    y: np.ndarray,
    parts: list[np.ndarray],
    graph_of: np.ndarray | None,
    splits: Split | None = None,
) -> LabelledGraph:
    if pairs.shape[1] != 2:
        raise DataError(f"edges of shape {pairs.shape}", where=folder, fix="Two node numbers a row.")
    if any(len(part) != num_nodes for part in parts):
        raise DataError(f"features of another number of nodes than {num_nodes}", where=folder)
    if graph_of is not None and not (
        len(graph_of) and graph_of[0] == 0 and np.isin(np.diff(graph_of), (0, 1)).all()
    ):
        raise DataError("graphs are not numbered in order without gaps", where=folder)
    with np.errstate(over="ignore"):
        x = np.hstack([*parts, np.zeros((num_nodes, 0))]).astype(np.float32)
    told = "nodes" if graph_of is None else "graphs"
    try:
        return LabelledGraph(as_arcs(pairs.T, num_nodes), x, y, splits or {}, graph_of, told)
    except DataError as error:
        raise DataError(error.what, where=folder, fix=error.fix) from error


def _file(folder: Path, name: str, *, must: bool = True) -> Path | None:
    found = [folder / f"{name}{end}" for end in (".csv.gz", ".csv") if (folder / f"{name}{end}").is_file()]
    if must and not found:
        raise DataError(f"no {name}.csv.gz", where=folder)
    return found[0] if found else None


def _table(path: Path | None) -> np.ndarray:
    """``[rows, columns]`` float64 of a file of numbers without a header; what is empty is NaN."""
    import pyarrow.csv as pcsv

    assert path is not None
    try:
        with pa.input_stream(str(path), compression="gzip" if path.suffix == ".gz" else None) as stream:
            content = stream.read()
        if not content.strip():
            return np.zeros((0, 2))
        width = content.split(b"\n", 1)[0].count(b",") + 1
        names = [str(column) for column in range(width)]
        table = pcsv.read_csv(
            pa.BufferReader(content.replace(b" ", b"")),
            pcsv.ReadOptions(column_names=names),
            pcsv.ParseOptions(ignore_empty_lines=width > 1),
            pcsv.ConvertOptions(column_types=dict.fromkeys(names, pa.float64()), null_values=["", "nan"]),
        )
    except (OSError, EOFError, ValueError, pa.ArrowException) as error:
        raise DataError(f"cannot be read as numbers: {error}", where=path) from error
    return np.column_stack([column.to_numpy() for column in table.columns])


def _whole(path: Path | None) -> np.ndarray:
    """``[rows, columns]`` int64 of a file of whole numbers from 0."""
    table = _table(path)
    if not ((table >= 0) & (table < 2**31) & (table == np.round(table))).all():
        raise DataError("a number is not whole, below 0 or too large", where=path)
    return table.astype(np.int64)


def _labels(table: np.ndarray, where: Path) -> np.ndarray:
    if table.shape[1] != 1:
        raise DataError(f"{table.shape[1]} labels a row", where=where, fix="Keep the column to learn.")
    value, known = table[:, 0], ~np.isnan(table[:, 0])
    if (value[known] != np.round(value[known])).any() or (np.abs(value[known]) >= 2**31).any():
        with np.errstate(over="ignore"):
            return value.astype(np.float32)
    return np.where(known, value, -1).astype(np.int64)


def _split(folder: Path, number: int) -> Split:
    found = sorted(own for own in folder.iterdir() if own.is_dir()) if folder.is_dir() else []
    if not found:
        return {}
    if not 0 <= number < len(found):
        raise DataError(f"no split {number} among {len(found)}", where=folder, fix="Count from 0.")
    return {part: _whole(_file(found[number], part))[:, 0] for part in ("train", "valid", "test")}


def _one_hot(labels: np.ndarray | None) -> np.ndarray | None:
    if labels is None:
        return None
    columns = []
    for column in labels.T:
        _, own = np.unique(column, return_inverse=True)
        columns.append(np.eye(own.max(initial=-1) + 1, dtype=np.float32)[own])
    return np.hstack(columns)
