"""Benchmark folders in OGB's and TU's forms: what comes out by hand, and what is refused."""

from __future__ import annotations

import contextlib
import gzip
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from thence.base.errors import DataError
from thence.graph.benchmark import read_labelled
from thence.graph.labelled import LabelledGraph

LENIENT = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
OGB = {
    "raw/edge": "0,1\n1,2\n1,2\n2,2\n",
    "raw/num-node-list": "3\n",
    "raw/node-feat": "0.5,1\n2,3\n-1,1e-3\n",
    "raw/node-label": "4\n0\n\n",
    "split/time/train": "0\n",
    "split/time/valid": "1\n",
    "split/time/test": "2\n",
    "split/again/train": "1\n2\n",
    "split/again/valid": "",
    "split/again/test": "0\n",
}
OGB_GRAPHS = {
    "raw/edge": "0,1\n1,0\n0,1\n",
    "raw/num-node-list": "2\n3\n",
    "raw/num-edge-list": "2\n1\n",
    "raw/graph-label": "0.5\n-1.25\n",
}
TU = {
    "A": "1, 2\n2, 1\n4, 5\n",
    "graph_indicator": "1\n1\n1\n2\n2\n",
    "graph_labels": "-1\n1\n",
    "node_labels": "7\n3\n7\n3\n3\n",
    "node_attributes": "0.5, 1\n1, 1\n2, 1\n3, 1\n4, 1\n",
}


def ogb(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / "ogb" / f"{name}.csv.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(content.encode()) if isinstance(content, str) else content)
    return folder / "ogb"


def tu(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    (folder / "tu").mkdir(exist_ok=True)
    for name, content in files.items():
        data = content.encode() if isinstance(content, str) else content
        (folder / "tu" / f"MINE_{name}.txt").write_bytes(data)
    return folder / "tu"


def test_a_graph_in_ogbs_form(tmp_path: Path) -> None:
    graph = read_labelled(ogb(tmp_path, OGB), split=1)
    assert graph.arcs.pairs.T.tolist() == [[0, 1], [1, 2]] and graph.told == "nodes"
    np.testing.assert_allclose(graph.x, [[0.5, 1], [2, 3], [-1, 1e-3]])
    assert graph.y.tolist() == [4, 0, -1]
    assert {name: at.tolist() for name, at in graph.splits.items()} == {"train": [0], "valid": [1], "test": [2]}
    again = read_labelled(ogb(tmp_path, OGB)).splits  # by name: "again" comes before "time"
    assert again["train"].tolist() == [1, 2] and again["valid"].tolist() == []


def test_plain_files_without_a_raw_folder(tmp_path: Path) -> None:
    for name in ("edge", "num-node-list", "node-label"):
        (tmp_path / f"{name}.csv").write_text(str(OGB[f"raw/{name}"]))
    graph = read_labelled(tmp_path)
    assert graph.arcs.num_arcs == 2 and graph.x.shape == (3, 0) and graph.splits == {}


def test_graphs_in_ogbs_form(tmp_path: Path) -> None:
    graph = read_labelled(ogb(tmp_path, OGB_GRAPHS))
    assert graph.arcs.pairs.T.tolist() == [[0, 1], [1, 0], [2, 3]] and graph.told == "graphs"
    assert graph.graph_of is not None and graph.graph_of.tolist() == [0, 0, 1, 1, 1]
    assert graph.y.dtype == np.float32 and graph.y.tolist() == [0.5, -1.25]


def test_graphs_of_the_tu_collection(tmp_path: Path) -> None:
    graph = read_labelled(tu(tmp_path, TU))
    assert graph.arcs.pairs.T.tolist() == [[0, 1], [1, 0], [3, 4]] and graph.told == "graphs"
    assert graph.y.tolist() == [0, 1] and graph.num_graphs == 2
    assert graph.x.tolist() == [[0.5, 1, 0, 1], [1, 1, 1, 0], [2, 1, 0, 1], [3, 1, 1, 0], [4, 1, 1, 0]]
    (tmp_path / "tu" / "MINE_graph_labels.txt").rename(tmp_path / "tu" / "MINE_graph_attributes.txt")
    assert (
        read_labelled(tmp_path / "tu").y.tolist() == [-1, 1] and read_labelled(tmp_path / "tu").num_classes == 0
    )


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"raw/edge": "0,7\n"}, "out of range"),
        ({"raw/edge": "0,0.5\n"}, "not whole"),
        ({"raw/edge": "0\n1\n"}, "edges of shape"),
        ({"raw/edge": "0,1\n2\n"}, "cannot be read as numbers"),
        ({"raw/edge": "a,b\n"}, "cannot be read as numbers"),
        ({"raw/edge": b"not gzip"}, "cannot be read as numbers"),
        ({"raw/node-feat": "1\n2\n"}, "features of another number"),
        ({"raw/node-feat": "1\n2\n\n"}, "finite"),
        ({"raw/node-label": "1\n2\n"}, "2 labels for 3 nodes in 1 graphs"),
        ({"raw/node-label": "1,1\n2,1\n3,1\n"}, "2 labels a row"),
        ({"raw/num-node-list": "-3\n"}, "below 0"),
        ({"split/again/train": "9\n"}, "beyond the 3 nodes"),
        ({"split/again/train": "0.5\n"}, "not whole"),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path: Path, change: dict[str, str], match: str) -> None:
    with pytest.raises(DataError, match=match):
        read_labelled(ogb(tmp_path, {**OGB, **change}))


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"A": "0, 1\n"}, "out of range"),
        ({"graph_indicator": "1\n1\n1\n3\n3\n"}, "without gaps"),
        ({"graph_indicator": "2\n1\n1\n2\n2\n"}, "without gaps"),
        ({"graph_labels": "1\n"}, "1 labels for 2 graphs"),
        ({"node_labels": "1\n"}, "features of another number"),
    ],
)
def test_what_of_tu_contradicts_itself_is_refused(tmp_path: Path, change: dict[str, str], match: str) -> None:
    with pytest.raises(DataError, match=match):
        read_labelled(tu(tmp_path, {**TU, **change}))


@pytest.mark.parametrize("name", ["graph_indicator", "graph_labels"])
def test_what_of_tu_is_missing_is_named(tmp_path: Path, name: str) -> None:
    folder = tu(tmp_path, {part: content for part, content in TU.items() if part != name})
    with pytest.raises(DataError, match=f"no .*{name}"):
        read_labelled(folder)


def test_what_of_ogb_is_missing_is_named(tmp_path: Path) -> None:
    for name, match in (("raw/node-label", "no node-label"), ("split/again/test", "no test")):
        folder = ogb(tmp_path / name.replace("/", "_"), {key: text for key, text in OGB.items() if key != name})
        with pytest.raises(DataError, match=match):
            read_labelled(folder)
    with pytest.raises(DataError, match="no split 2 among 2"):
        read_labelled(ogb(tmp_path, OGB), split=2)


def test_neither_file_nor_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nothing is there"):
        read_labelled(tmp_path / "absent")
    with pytest.raises(DataError, match="no labelled graph that is known"):
        read_labelled(tmp_path)
    (tmp_path / "notes.txt").write_text("a")
    with pytest.raises(DataError, match="no labelled graph that is known"):
        read_labelled(tmp_path / "notes.txt")


@given(st.sampled_from([*OGB]), st.one_of(st.binary(max_size=80), st.text("0123456789,.-\n e", max_size=40)))
@LENIENT
def test_random_files_are_refused_or_read(tmp_path: Path, name: str, content: bytes | str) -> None:
    text = gzip.compress(content) if isinstance(content, bytes) else content
    read_or_refused(ogb(tmp_path, {**OGB, name: text}))


@given(st.sampled_from([*TU]), st.one_of(st.binary(max_size=80), st.text("0123456789,.-\n e", max_size=40)))
@LENIENT
def test_random_files_of_tu_are_refused_or_read(tmp_path: Path, name: str, content: bytes | str) -> None:
    read_or_refused(tu(tmp_path, {**TU, name: content}))


def read_or_refused(folder: Path) -> None:
    with contextlib.suppress(DataError):
        assert isinstance(read_labelled(folder), LabelledGraph)
