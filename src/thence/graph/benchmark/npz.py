"""Graphs in ``.npz`` files: the heterophilous benchmark's, and compressed rows with either style of names.

Arrays are read with pickling forbidden. An arc that a file names twice counts once, and self-loops are left
out: layers that want them add their own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from thence.base.errors import DataError
from thence.graph.arcs import Arcs
from thence.graph.benchmark.splits import Split
from thence.graph.labelled import LabelledGraph

STYLES = {"adj_matrix.": "attr_matrix.", "adj_": "attr_"}
"""How files of compressed rows name adjacency and attributes."""
MASKS = {"train": "train_masks", "valid": "val_masks", "test": "test_masks"}


def read_npz(path: str | Path, split: int = 0) -> LabelledGraph:
    """A labelled graph from an ``.npz`` file of a public benchmark.

    Two kinds are known by the names of their arrays. ``node_features``, ``node_labels``, ``edges`` and masks
    ``[splits, n]`` for train, val and test are those of the heterophilous graphs; where every edge stands as
    (smaller, larger), the list tells no direction and both are taken. ``adj_data`` or ``adj_matrix.data``, with
    ``indices``, ``indptr`` and ``shape``, the same of ``attr``, and ``labels`` are those of citation graphs,
    which name no split; entry (i, j) is the arc i → j.

    Args:
        path: the file.
        split: which of the file's splits.

    Raises:
        DataError: the file is absent, of no such kind, has no such split, or contradicts itself.

    References:
        Platonov et al., "A critical look at the evaluation of GNNs under heterophily", ICLR 2023. Shchur et
        al., "Pitfalls of graph neural network evaluation", 2018.
    """
    try:
        with Path(path).open("rb") as stream:
            file = np.load(stream, allow_pickle=False)
            if not isinstance(file, np.lib.npyio.NpzFile):
                raise ValueError("it holds one array alone")
            if {"node_features", "node_labels", "edges"} <= set(file.files):
                return _edge_list(file, split)
            for style, attributes in STYLES.items():
                if f"{style}data" in file.files:
                    return _compressed_rows(file, style, attributes)
            raise ValueError(f"no graph among {', '.join(sorted(file.files)[:5])}")
    except DataError as error:
        raise DataError(error.what, where=path, fix=error.fix) from error
    except Exception as error:  # parsers of damaged bytes raise nearly anything
        raise DataError(f"cannot be read as a labelled graph: {error}", where=path) from error


def as_arcs(pairs: np.ndarray, num_nodes: int) -> Arcs:
    """Arcs from pairs ``[2, m]`` that may stand twice or lead back to where they start.

    Raises:
        DataError: a node is out of range.

    Example:
        >>> as_arcs(np.array([[0, 0, 1], [1, 1, 1]]), 2).pairs.tolist()
        [[0], [1]]
    """
    if pairs.size and (pairs.min() < 0 or pairs.max() >= num_nodes):
        raise DataError(f"a node is out of range (of {num_nodes})")
    real = pairs[:, pairs[0] != pairs[1]]
    once: Any = sp.csr_matrix((np.ones(real.shape[1]), (real[0], real[1])), shape=(num_nodes, num_nodes))
    source, target = once.nonzero()
    return Arcs.from_pairs(source, target, num_nodes=num_nodes)


def _edge_list(file: Any, split: int) -> LabelledGraph:
    pairs, y = _ints(file["edges"], 2), _ints(file["node_labels"], 1)
    if pairs.shape[1] != 2:
        raise ValueError(f"edges of shape {pairs.shape}")
    masks = {part: np.asarray(file[name], bool) for part, name in MASKS.items() if name in file.files}
    if any(mark.ndim != 2 or mark.shape[1] != len(y) for mark in masks.values()):
        raise ValueError(f"masks of another shape than [splits, {len(y)}]")
    splits: Split = {}
    for part, mark in masks.items():
        if not 0 <= split < len(mark):
            raise DataError(f"no split {split} among {len(mark)}", fix="Count from 0.")
        splits[part] = np.flatnonzero(mark[split])
    x = np.asarray(file["node_features"])
    arcs = as_arcs(pairs.T, len(y))
    graph = LabelledGraph(arcs, _numbers(x, "node_features"), np.maximum(y, -1), splits)
    return graph.undirected() if len(pairs) and (pairs[:, 0] < pairs[:, 1]).all() else graph


def _compressed_rows(file: Any, style: str, attributes: str) -> LabelledGraph:
    adjacency = _matrix(file, style)
    nodes = adjacency.shape[0]
    if adjacency.shape[1] != nodes:
        raise ValueError(f"an adjacency of shape {adjacency.shape}")
    known = f"{attributes}data" in file.files
    x = _matrix(file, attributes) if known else np.zeros((nodes, 0), np.float32)
    y = np.maximum(_ints(file["labels"], 1), -1) if "labels" in file.files else np.full(nodes, -1)
    return LabelledGraph(as_arcs(np.stack(adjacency.nonzero()), nodes), x, y, {})


def _matrix(file: Any, name: str) -> Any:
    data = _numbers(file[f"{name}data"], f"{name}data")
    indices, indptr, shape = (_ints(file[f"{name}{part}"], 1) for part in ("indices", "indptr", "shape"))
    matrix = sp.csr_matrix((data, indices, indptr), shape=tuple(shape.tolist()))
    matrix.check_format()
    return matrix


def _numbers(array: np.ndarray, name: str) -> np.ndarray:
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{name} is of {array.dtype}")
    with np.errstate(over="ignore"):  # too large becomes infinite, which is refused
        return array.astype(np.float32)


def _ints(array: np.ndarray, axes: int) -> np.ndarray:
    if array.dtype.kind not in "iu" or array.ndim != axes:
        raise ValueError(f"{array.dtype} {array.shape} where ints of {axes} axes belong")
    return array.astype(np.int64)
