"""The readers of DirLinkBench on files made here: which nodes stay, which arcs, and what is refused."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import scipy.sparse as sp

from thence.base.errors import DataError
from thence.encode.features import item_features
from thence.events.datasets.dirlinkbench import read_citation_graph, read_link_split


def written(folder: Path, adjacency: np.ndarray, words: np.ndarray, **more: np.ndarray) -> Path:
    arrays: dict[str, Any] = dict(more)
    for name, dense in (("adj_matrix", adjacency), ("attr_matrix", words)):
        m = sp.csr_matrix(dense.astype(np.float32))
        arrays |= {f"{name}.data": m.data, f"{name}.indices": m.indices, f"{name}.indptr": m.indptr}
        arrays[f"{name}.shape"] = np.array(m.shape)
    np.savez(folder / "graph.npz", **arrays)
    return folder / "graph.npz"


def test_the_largest_component_without_loops(tmp_path: Path) -> None:
    a = np.zeros((6, 6))
    a[1, 3] = a[5, 3] = a[5, 5] = a[0, 2] = 1
    x = np.arange(24).reshape(6, 4)
    graph = read_citation_graph(written(tmp_path, a, x))
    assert graph.ids.to_pylist() == ["1", "3", "5"]
    assert graph.arcs.T.tolist() == [[0, 1], [2, 1]]
    found = item_features(graph.nodes).toarray()
    expected = x[[1, 3, 5]] / np.linalg.norm(x[[1, 3, 5]], axis=1, keepdims=True)
    np.testing.assert_allclose(found @ found.T, expected @ expected.T, atol=1e-6)


def test_weighted_words_may_be_missing_null_or_nan() -> None:
    bags = pa.array(
        [[("a", 3.0), ("b", 4.0)], None, [], [("b", float("nan")), ("a", None)]], pa.map_("str", "f4")
    )
    x = item_features(pa.table({"words": bags.slice(0)})).toarray()
    np.testing.assert_allclose(x, [[0.6, 0.8], [0, 0], [0, 0], [0, 0]], atol=1e-6)
    assert not item_features(pa.table({"words": bags.slice(1)})).toarray().any()


def archive(folder: Path, skip: str = "", pairs: object = None) -> Path:
    path = folder / "splits.tar.gz"
    with tarfile.open(path, "w:gz") as out:
        for number, part in enumerate(("train", "val", "test")):
            for sign in ("pos", "neg"):
                if f"{sign}_{part}" == skip:
                    continue
                content = io.BytesIO()
                default = np.array([[number, 9], [sign == "pos", 7]], np.int64)
                np.save(content, default if pairs is None else np.asarray(pairs), allow_pickle=True)
                info = tarfile.TarInfo(f"split/cora_ml/3/{sign}_{part}_edges.npy")
                info.size = len(content.getvalue())
                out.addfile(info, io.BytesIO(content.getvalue()))
    return path


def test_a_split_is_read_row_by_row(tmp_path: Path) -> None:
    split = read_link_split(archive(tmp_path), "cora_ml", 3)
    assert split.valid.tolist() == [[1, 1], [9, 7]] and split.absent_valid.tolist() == [[1, 0], [9, 7]]
    assert split.test.tolist() == [[2, 1], [9, 7]] and split.absent_train.tolist() == [[0, 0], [9, 7]]


def test_what_is_missing_or_strange_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no neg_test_edges of split 3"):
        read_link_split(archive(tmp_path, skip="neg_test"), "cora_ml", 3)
    with pytest.raises(DataError, match="no pos_train_edges of split 4"):
        read_link_split(archive(tmp_path), "cora_ml", 4)
    with pytest.raises(DataError, match="cannot be read"):
        read_link_split(archive(tmp_path, pairs=[{"an": "object"}]), "cora_ml", 3)
    with pytest.raises(DataError, match="holds no pairs"):
        read_link_split(archive(tmp_path, pairs=[0.5]), "cora_ml", 3)
    with pytest.raises(DataError, match="cannot be read"):
        read_citation_graph(tmp_path / "absent.npz")
