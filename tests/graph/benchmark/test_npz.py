"""Benchmark files in .npz: which arcs, labels and splits come out, and that damaged bytes are refused."""

from __future__ import annotations

import contextlib
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from thence.base.errors import DataError
from thence.graph.benchmark.npz import read_npz
from thence.graph.labelled import LabelledGraph

LENIENT = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def edge_list(**other: Any) -> dict[str, Any]:
    """Four nodes, 0 → 1 and back, 2 → 1 twice, 3 → 3."""
    return {
        "node_features": np.arange(8.0).reshape(4, 2),
        "node_labels": np.array([1, 0, -1, 2]),
        "edges": np.array([[0, 1], [1, 0], [2, 1], [2, 1], [3, 3]]),
        "train_masks": np.array([[1, 0, 0, 0], [0, 1, 0, 0]], bool),
        "val_masks": np.array([[0, 1, 0, 0], [1, 0, 0, 0]], bool),
        "test_masks": np.array([[0, 0, 1, 1], [0, 0, 1, 1]], bool),
    } | other


def rows(style: str, **other: Any) -> dict[str, Any]:
    """Three papers: 0 cites 1 and itself, 2 cites 0."""
    arrays: dict[str, Any] = {"labels": np.array([0, 1, 1], np.int8)}
    for name, dense in (("adj", [[1, 1, 0], [0, 0, 0], [1, 0, 0]]), ("attr", [[0, 2], [1, 0], [0, 0]])):
        m = sp.csr_matrix(np.array(dense, np.float32))
        key = style.format(name)
        arrays |= {f"{key}data": m.data, f"{key}indices": m.indices, f"{key}indptr": m.indptr}
        arrays[f"{key}shape"] = np.array(m.shape)
    return arrays | other


def read(folder: Path, arrays: dict[str, Any], split: int = 0) -> LabelledGraph:
    np.savez(folder / "g.npz", **arrays)
    return read_npz(folder / "g.npz", split)


def test_an_edge_list_keeps_its_direction(tmp_path: Path) -> None:
    graph = read(tmp_path, edge_list())
    assert graph.arcs.pairs.T.tolist() == [[0, 1], [1, 0], [2, 1]] and graph.arcs.directed
    assert graph.y.tolist() == [1, 0, -1, 2] and graph.num_classes == 3
    assert graph.x.dtype == np.float32 and graph.x.tolist() == np.arange(8.0).reshape(4, 2).tolist()
    assert {name: at.tolist() for name, at in graph.splits.items()} == {
        "train": [0],
        "valid": [1],
        "test": [2, 3],
    }
    assert graph.part("test").tolist() == [3]  # the label of node 2 is not known
    assert read(tmp_path, edge_list(), split=1).part("train").tolist() == [1]


def test_edges_that_stand_once_as_smaller_and_larger_lead_both_ways(tmp_path: Path) -> None:
    graph = read(tmp_path, edge_list(edges=np.array([[0, 1], [1, 3]])))
    assert graph.arcs.pairs.T.tolist() == [[0, 1], [1, 0], [1, 3], [3, 1]] and not graph.arcs.directed


@pytest.mark.parametrize("style", ["{}_", "{}_matrix."])
def test_compressed_rows_of_both_styles(tmp_path: Path, style: str) -> None:
    graph = read(tmp_path, rows(style))
    assert graph.arcs.pairs.T.tolist() == [[0, 1], [2, 0]]
    assert graph.x.toarray().tolist() == [[0, 2], [1, 0], [0, 0]] and graph.y.tolist() == [0, 1, 1]
    assert graph.splits == {}


def test_what_compressed_rows_leave_out_may_be_left_out(tmp_path: Path) -> None:
    arrays = {key: value for key, value in rows("{}_").items() if key.startswith("adj")}
    graph = read(tmp_path, arrays)
    assert graph.x.shape == (3, 0) and graph.y.tolist() == [-1, -1, -1] and graph.num_classes == 0


@pytest.mark.parametrize(
    ("arrays", "match"),
    [
        (edge_list(edges=np.array([[0, 4]])), "out of range"),
        (edge_list(edges=np.array([[-1, 2]])), "out of range"),
        (edge_list(edges=np.array([0, 4])), "ints of 2 axes"),
        (edge_list(edges=np.array([[0.5, 1]])), "ints of 2 axes"),
        (edge_list(edges=np.zeros((2, 3), int)), "edges of shape"),
        (edge_list(node_features=np.ones((3, 2))), "features have shape"),
        (edge_list(node_features=np.full((4, 2), np.inf)), "finite"),
        (edge_list(node_features=np.full((4, 2), "a")), "node_features is of"),
        (edge_list(node_labels=np.array([{"an": "object"}] * 4)), "cannot be read"),
        (edge_list(val_masks=np.ones((2, 3), bool)), "masks of another shape"),
        (edge_list(val_masks=np.ones((2, 4), bool)), "twice"),
        (rows("{}_", adj_indices=np.array([0, 1, 5])), "cannot be read"),
        (rows("{}_", adj_indptr=np.array([0, 9])), "cannot be read"),
        (rows("{}_", adj_shape=np.array([3, 4])), "an adjacency of shape"),
        (rows("{}_", adj_shape=np.array([3])), "cannot be read"),
        (rows("{}_", labels=np.array([0, 1])), "2 labels for 3 nodes"),
        ({"anything": np.ones(3)}, "no graph among anything"),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path: Path, arrays: dict[str, Any], match: str) -> None:
    with pytest.raises(DataError, match=match):
        read(tmp_path, arrays)


def test_splits_that_are_not_there(tmp_path: Path) -> None:
    for number in (2, -1):
        with pytest.raises(DataError, match="among 2"):
            read(tmp_path, edge_list(), number)


def test_no_such_file_and_no_archive(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_npz(tmp_path / "absent.npz")
    np.save(tmp_path / "one.npy", np.ones(2))
    with pytest.raises(DataError, match="one array alone"):
        read_npz(tmp_path / "one.npy")


@given(st.binary(max_size=200))
@LENIENT
def test_random_bytes_are_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "g.npz").write_bytes(data)
    with pytest.raises(DataError):
        read_npz(tmp_path / "g.npz")


@given(st.integers(0, 2**32), st.binary(min_size=1, max_size=6), st.sampled_from(["edges", "{}_"]))
@LENIENT
def test_changed_bytes_are_refused_or_read_as_another_graph(
    tmp_path: Path, at: int, patch: bytes, style: str
) -> None:
    """Also behind the archive's checksums, which are made anew around each changed array."""
    whole = io.BytesIO()
    np.savez(whole, **(edge_list() if style == "edges" else rows(style)))
    with zipfile.ZipFile(whole) as archive, zipfile.ZipFile(tmp_path / "g.npz", "w") as out:
        names = archive.namelist()
        for place, name in enumerate(names):
            content = bytearray(archive.read(name))
            if place == at % len(names):
                start = (at // len(names)) % len(content)
                content[start : start + len(patch)] = patch
            out.writestr(name, bytes(content))
    with contextlib.suppress(DataError):
        assert isinstance(read_npz(tmp_path / "g.npz"), LabelledGraph)


@given(st.integers(0, 2**32), st.binary(min_size=1, max_size=6))
@LENIENT
def test_a_changed_archive_is_refused_or_read(tmp_path: Path, at: int, patch: bytes) -> None:
    whole = io.BytesIO()
    np.savez_compressed(whole, **edge_list())
    content = bytearray(whole.getvalue())
    content[at % len(content) :][: len(patch)] = patch
    start = at % len(content)
    content[start : start + len(patch)] = patch
    (tmp_path / "g.npz").write_bytes(bytes(content))
    with contextlib.suppress(DataError):
        assert isinstance(read_npz(tmp_path / "g.npz"), LabelledGraph)
