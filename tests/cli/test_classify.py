"""``thence classify`` and ``thence encode`` as a new user types them."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.csv as csv
import pytest
from tests.task.worlds import communities, layers, paths_and_rings

from thence.base.artifact import open_artifact
from thence.base.ids import IdMap
from thence.cli import main
from thence.cli.classify import task_config
from thence.encode.embeddings import Embeddings
from thence.graph.digraph import DiGraph
from thence.task import LabelTask, load_task

FEW = ["--set", "steps=25", "--set", "dim=8"]


def thence(*arguments: object) -> tuple[int, str]:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as end:
            return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three files: nodes with splits, nodes without, and a folder of graphs."""
    folder = tmp_path_factory.mktemp("data")
    graph = communities()
    arrays: dict[str, Any] = {"node_features": graph.x, "node_labels": graph.y, "edges": graph.arcs.pairs.T}
    masks: dict[str, Any] = {
        f"{name}_masks": np.isin(np.arange(60), graph.splits[part])[None]
        for name, part in (("train", "train"), ("val", "valid"), ("test", "test"))
    }
    np.savez(folder / "nodes.npz", **(arrays | masks))
    np.savez(folder / "undivided.npz", **arrays)
    rings = paths_and_rings()
    (folder / "rings").mkdir()
    assert rings.graph_of is not None
    for name, rows in (
        ("A", rings.arcs.pairs.T + 1),
        ("graph_indicator", rings.graph_of[:, None] + 1),
        ("graph_labels", rings.y[:, None]),
    ):
        np.savetxt(folder / "rings" / f"R_{name}.txt", rows, fmt="%d", delimiter=", ")
    return folder


def test_nodes_are_classified_beside_plain_answers(data: Path, tmp_path: Path) -> None:
    code, out = thence("classify", data / "nodes.npz", *FEW, "--into", tmp_path)
    assert code == 0
    lines = out.splitlines()
    assert lines[2].split() == ["accuracy", "train", "valid", "test"]
    rows = {line[:20].strip(): [float(x) for x in line[20:].split()] for line in lines[3:7]}
    assert list(rows) == ["majority", "logistic regression", "label propagation", "gcn"]
    assert all(len(row) == 3 for row in rows.values()) and rows["gcn"][2] > rows["majority"][2]
    task = load_task(tmp_path / "task")
    assert isinstance(task, LabelTask)
    told = csv.read_csv(tmp_path / "told.csv")
    assert told.column_names == ["node", "class", "probability"] and told.num_rows == 60
    predicted = task.predict(communities())
    assert told["class"].to_pylist() == predicted.argmax(axis=1).tolist()
    code, out = thence("classify", data / "nodes.npz", *FEW, "--json")
    figures = json.loads(out)["figures"]
    assert figures["gcn.test.accuracy"] == pytest.approx(rows["gcn"][2], abs=1e-4)


def test_a_file_without_splits_is_divided(data: Path, capfd: pytest.CaptureFixture) -> None:
    code, out = thence(
        "classify", data / "undivided.npz", *FEW, "--set", "metric=auc", "--undirected", "--json"
    )
    assert code == 0 and "gcn.test.auc" in json.loads(out)["figures"]
    assert "no split in undivided.npz: number 0 is drawn" in capfd.readouterr().err


def test_graphs_are_classified(data: Path, tmp_path: Path) -> None:
    code, out = thence("classify", data / "rings", "--encoder", "gin", *FEW, "--into", tmp_path / "r")
    assert code == 0 and "no features" in out and "gin" in out and "label propagation" not in out
    assert csv.read_csv(tmp_path / "r" / "told.csv").column_names == ["graph", "class", "probability"]
    code, out = thence("encode", data / "rings", "--task", tmp_path / "r" / "task", "--into", tmp_path / "v")
    vectors = open_artifact(tmp_path / "v", "vectors")
    assert code == 0 and vectors.array("vectors").shape == (24, 8) and vectors.config["of"] == "graphs"


def test_a_graph_is_encoded_from_its_arcs_alone(data: Path, tmp_path: Path) -> None:
    arcs = layers()
    ids = IdMap([f"n{node}" for node in range(32)])
    DiGraph(ids, {"leads_to": arcs}).save(tmp_path / "run" / "graph")
    for number, place in enumerate((tmp_path / "run", tmp_path / "run" / "graph", data / "nodes.npz")):
        code, out = thence("encode", place, *FEW, "--into", tmp_path / str(number), "--json")
        assert code == 0 and set(json.loads(out)["figures"]) == {"auc", "ap", "hits@50"}
    first, second, third = (Embeddings.load(tmp_path / str(number)) for number in range(3))
    assert np.array_equal(first.source, second.source) and first.ids.decode([3]) == ["n3"]
    assert len(third.ids) == 60


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["classify", "absent.npz"], "nothing is there"),
        (["classify", "nodes.npz", "--split", "4"], "no split 4 among 1"),
        (["classify", "nodes.npz", "--encoder", "sagee"], "Did you mean 'sage'"),
        (["classify", "nodes.npz", "--set", "stepz=3"], "Did you mean 'steps'"),
        (["classify", "nodes.npz", "--set", "dim=many"], "dim is 'many'"),
        (["classify", "nodes.npz", "--set", "steps"], "is not KEY=VALUE"),
        (["classify", "nodes.npz", "--set", "metric=mae"], "does not fit"),
        (["classify", "nodes.npz", "--positions", "profil"], "profile"),
        (["classify", "nodes.npz", "--per-class", "2"], "the file names its splits"),
        (["encode", "nodes.npz", "--into", "x", "--task", "absent"], "no artifact there"),
        (["encode", "nodes.npz", "--into", "x", "--task", "t", "--positions", "svd"], "its own settings"),
        (["encode", "absent", "--into", "x"], "nothing is there"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(
    data: Path, arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(data)
    assert thence(*arguments)[0] == 2
    error = capfd.readouterr().err
    assert error.startswith("error: ") and said in error and error.count("\n") == 1


def test_keys_are_sorted_to_where_they_belong() -> None:
    config = task_config("polynormer", ["svd"], ["steps=3", "beta=0.5", 'conv="sage"', "pool=max"], 7)
    assert (config.steps, config.pool, config.seed, config.positions) == (3, "max", 7, ("svd",))
    assert dict(config.settings) == {"beta": 0.5, "conv": "sage"}
