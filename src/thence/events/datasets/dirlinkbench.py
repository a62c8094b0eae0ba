"""DirLinkBench: citation graphs with words as features, and the benchmark's own ten splits of their arcs.

Graphs are ``.npz`` files of compressed sparse rows (adjacency and attributes); as in the benchmark, only the
largest weakly connected component counts, without self-loops, its nodes in the file's order. Splits are
``split/NAME/K/*.npy`` in one tar archive: arcs and as many absent pairs for training, validation and test.
Arrays are read with pickling forbidden.

Reference: He et al., DirLinkBench, 2025; the graphs are those of Bojchevski and Günnemann, "Deep Gaussian
Embedding of Graphs", ICLR 2018.
"""

from __future__ import annotations

import io
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from thence.base.errors import DataError


@dataclass(frozen=True, eq=False)
class CitationGraph:
    """Papers, what they cite and which words they use.

    Args:
        ids: ``[num_nodes]`` string ids, the row of each paper in the file.
        arcs: ``[2, num_arcs]`` int64: row 0 cites row 1.
        nodes: a table in node order with ``item_id`` and ``words``, a map from word to weight.
    """

    ids: pa.Array
    arcs: np.ndarray
    nodes: pa.Table


@dataclass(frozen=True, eq=False)
class LinkSplit:
    """Arcs ``[2, …]`` of each part, and absent pairs ``[2, …]`` to tell them from."""

    train: np.ndarray
    valid: np.ndarray
    test: np.ndarray
    absent_train: np.ndarray
    absent_valid: np.ndarray
    absent_test: np.ndarray


def read_citation_graph(path: str | Path) -> CitationGraph:
    """The largest component of a graph in an ``.npz`` file.

    Raises:
        DataError: the file is absent, holds no such matrices, or they contradict themselves.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            adjacency, words = _matrix(file, "adj_matrix"), _matrix(file, "attr_matrix")
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"cannot be read as a graph: {error}", where=path) from error
    if adjacency.shape[0] != adjacency.shape[1] or len(words.indptr) != len(adjacency.indptr):
        raise DataError(f"{adjacency.shape} arcs but {words.shape} words", where=path)
    _, part = connected_components(adjacency, directed=False)
    kept = np.flatnonzero(part == np.bincount(part).argmax())
    inside = sp.coo_matrix(adjacency[kept][:, kept])
    real = (inside.row != inside.col) & (inside.data != 0)
    rows = sp.csr_matrix(words[kept])
    keys = pa.array([f"w{column}" for column in rows.indices])
    bags = pa.MapArray.from_arrays(rows.indptr.astype(np.int32), keys, pa.array(rows.data, pa.float32()))
    ids = pa.array([str(row) for row in kept])
    arcs = np.stack([inside.row[real], inside.col[real]]).astype(np.int64)
    return CitationGraph(ids, arcs, pa.table({"item_id": ids, "words": bags}))


def read_link_split(path: str | Path, name: str, number: int) -> LinkSplit:
    """One of the benchmark's splits.

    Args:
        path: the tar archive.
        name: ``cora_ml`` or ``citeseer``.
        number: 0 to 9.

    Raises:
        DataError: the archive is absent or has no such split.
    """
    parts = [f"{sign}_{part}_edges" for sign in ("pos", "neg") for part in ("train", "val", "test")]
    wanted = {f"split/{name}/{number}/{part}.npy": part for part in parts}
    found: dict[str, np.ndarray] = {}
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                stream = archive.extractfile(member) if member.name in wanted else None
                if stream is not None:
                    found[wanted[member.name]] = _pairs(stream.read())
    except (OSError, ValueError, tarfile.TarError) as error:
        raise DataError(f"cannot be read as splits: {error}", where=path) from error
    missing = [part for part in parts if part not in found]
    if missing:
        raise DataError(f"no {missing[0]} of split {number} of {name!r}", where=path)
    return LinkSplit(*(found[part] for part in parts))


def _matrix(file: np.lib.npyio.NpzFile, name: str) -> Any:
    data, indices, indptr, shape = (file[f"{name}.{part}"] for part in ("data", "indices", "indptr", "shape"))
    matrix = sp.csr_matrix((data, indices, indptr), shape=tuple(shape))
    matrix.check_format()
    return matrix


def _pairs(content: bytes) -> np.ndarray:
    array = np.load(io.BytesIO(content), allow_pickle=False)
    if array.ndim != 2 or array.shape[1] != 2 or array.dtype.kind not in "iu":
        raise ValueError(f"an array of {array.dtype} {array.shape} holds no pairs")
    return np.ascontiguousarray(array.T.astype(np.int64))
