"""A student in ONNX answers as the student does, or is not written."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.compress.distill.world import shop

from thence.base.artifact import open_artifact
from thence.base.errors import ArtifactError, ConfigError, DataError
from thence.compress import DistillConfig, Student, fit_student, heuristic_teacher
from thence.compress.distill.net import Branch
from thence.compress.distill.student import PARTS
from thence.compress.export import OnnxStudent, export_onnx, student_model
from thence.compress.export import student as exporting

GRAPH, KIND, COLD = shop()
assert GRAPH.nodes is not None
NODES = GRAPH.nodes
PRODUCTS = NODES.select(["title", "category"])
POSITIONS = 3


def branch(inputs: int, outputs: int, seed: int, hidden: int = 16) -> Branch:
    random = np.random.default_rng(seed)
    made = Branch(
        random.normal(size=(inputs, outputs)).astype(np.float32),
        random.normal(size=outputs).astype(np.float32),
        hidden=hidden,
        seed=seed,
    )
    made.outer.data += 0.3
    made.inner_offset.data += 0.1
    return made


@pytest.fixture(scope="module")
def student() -> Student:
    """One whose branches are drawn by chance, so that every array counts."""
    start = fit_student(
        GRAPH, heuristic_teacher(GRAPH, "arcs", dim=4), DistillConfig(words=6, shared=4, steps=0)
    )
    words, outputs = start.project.shape[1], len(start.cold["offset"])
    cold, warm = branch(words, outputs, 1), branch(words + POSITIONS, outputs, 2)
    return replace(start, cold=cold.arrays(), warm=warm.arrays())


@pytest.fixture(scope="module")
def folder(student: Student, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("onnx") / "student"
    assert export_onnx(student, place, PRODUCTS) <= 1e-4
    return place


def positions() -> np.ndarray:
    found = np.random.default_rng(3).normal(size=(len(NODES), POSITIONS)).astype(np.float32)
    found[::3] = 0
    return found


@pytest.mark.parametrize("given", [None, positions()], ids=["cold", "warm"])
def test_onnx_numpy_and_torch_say_the_same(student: Student, folder: Path, given: np.ndarray | None) -> None:
    served = OnnxStudent.load(folder)
    ours, theirs = served.embed(PRODUCTS, given), student.embed(PRODUCTS, given)
    words = torch.from_numpy(np.asarray(student.transform.rows(PRODUCTS) @ student.project, np.float32))
    literal = torch_branch(student.cold)(words)
    if given is not None:
        known = torch.from_numpy(given.any(axis=1, keepdims=True).astype(np.float32))
        assert student.warm is not None
        literal += known * torch_branch(student.warm)(torch.cat([words, torch.from_numpy(given)], dim=1))
    wanted = literal.detach().numpy()
    dim = student.dim
    parts = {"source": wanted[:, :dim], "target": wanted[:, dim:-1], "bias": wanted[:, -1]}
    largest = np.abs(wanted).max()
    for name, part in parts.items():
        np.testing.assert_allclose(getattr(ours, name), part, atol=1e-5 * largest)
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), atol=1e-5 * largest)
    assert np.abs(ours.source - ours.target).max() > 0.1  # the two roles are not one


def torch_branch(arrays) -> Branch:
    made = Branch(arrays["weight"], arrays["offset"], hidden=arrays["inner"].shape[1])
    for name in PARTS:
        getattr(made, name).data.copy_(torch.from_numpy(arrays[name]))
    return made


def test_a_batch_is_what_each_product_is_alone(student: Student, folder: Path, monkeypatch) -> None:
    served = OnnxStudent.load(folder)
    whole = served.embed(PRODUCTS)
    for row in (0, 7, 89):
        product = PRODUCTS.slice(row, 1).to_pylist()[0]
        alone = served.place(product)
        np.testing.assert_allclose(alone.source, whole.source[row], atol=1e-5)
        np.testing.assert_allclose(alone.target, whole.target[row], atol=1e-5)
        assert alone.bias == pytest.approx(float(whole.bias[row]), abs=1e-5)
        np.testing.assert_allclose(student.place(product).source, alone.source, atol=1e-4)
    monkeypatch.setattr(exporting, "BATCH_BYTES", 1)  # one product a batch
    np.testing.assert_allclose(served.embed(PRODUCTS).source, whole.source, atol=1e-5)


def test_one_thread_and_two_say_the_same(folder: Path) -> None:
    one, two = (OnnxStudent.load(folder, threads=threads).embed(PRODUCTS).target for threads in (1, 2))
    np.testing.assert_allclose(two, one, atol=1e-5)
    with pytest.raises(ConfigError, match="threads"):
        OnnxStudent.load(folder, threads=0)


def test_its_embeddings_answer_as_the_student_s(student: Student, folder: Path) -> None:
    served = OnnxStudent.load(folder)
    ours, theirs = (made.embeddings(GRAPH.ids, PRODUCTS) for made in (served, student))
    np.testing.assert_allclose(ours.scores([3, 4]), theirs.scores([3, 4]), rtol=1e-3, atol=1e-2)
    assert ours.ids == GRAPH.ids and ours.info["encoder"] == "student"


def test_the_manifest_keeps_the_parity(folder: Path) -> None:
    art = open_artifact(folder, "onnx_student")
    assert 0 <= art.metrics["parity"] <= 1e-4 and art.counts["compared"] == len(NODES)
    assert repr(OnnxStudent.load(folder)).startswith("OnnxStudent(")


@pytest.mark.parametrize("mutant", ["roles swapped", "no relu", "bias lost", "not a number"])
def test_a_graph_that_answers_otherwise_is_not_written(
    student: Student, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mutant: str
) -> None:
    def wrong(project, cold, warm):
        dim, changed = student.dim, {name: array.copy() for name, array in cold.items()}
        for name in ("weight", "outer", "offset"):
            if mutant == "roles swapped":
                source, target, bias = np.split(cold[name], [dim, 2 * dim], axis=-1)
                changed[name] = np.concatenate([target, source, bias], axis=-1)
        if mutant == "no relu":
            changed["inner_offset"] = changed["inner_offset"] + 100
        if mutant == "bias lost":
            changed["offset"][-1] = 0
        if mutant == "not a number":
            changed["offset"][0] = np.nan
        return student_model(project, changed, warm)

    monkeypatch.setattr(exporting, "student_model", wrong)
    with pytest.raises(ArtifactError, match="differs by"):
        export_onnx(student, tmp_path / "student", PRODUCTS)
    assert list(tmp_path.iterdir()) == []


def test_wrong_input_is_told(student: Student, folder: Path, tmp_path: Path) -> None:
    served = OnnxStudent.load(folder)
    for wrong in (np.zeros((90, 4)), np.zeros(90), np.zeros((89, 3))):
        with pytest.raises(DataError, match="positions"):
            served.embed(PRODUCTS, wrong)
    with pytest.raises(DataError, match="not finite"):
        served.embed(PRODUCTS, np.full((90, 3), np.nan))
    with pytest.raises(DataError, match="nothing of"):
        served.place({"title": "zzz"})
    with pytest.raises(DataError):
        served.embed([{"titel": "red"}])
    with pytest.raises(DataError, match="no products"):
        export_onnx(student, tmp_path / "none", PRODUCTS.slice(0, 0))
    cold_only = replace(student, warm=None)
    export_onnx(cold_only, tmp_path / "cold", PRODUCTS)
    with pytest.raises(DataError, match="positions"):
        OnnxStudent.load(tmp_path / "cold").embed(PRODUCTS, np.zeros((90, 3)))


@pytest.mark.parametrize("name", ["onnx", "onnxruntime"])
def test_a_missing_library_says_which_extra_to_install(
    student: Student, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ConfigError, match=r"pip install 'thence\[onnx\]'"):
        export_onnx(student, tmp_path / "none", PRODUCTS)
    assert not (tmp_path / "none").exists()
    if name == "onnxruntime":
        with pytest.raises(ConfigError, match=r"pip install 'thence\[onnx\]'"):
            OnnxStudent.load(folder)


def test_torn_tampered_and_foreign_ones_are_refused(student: Student, tmp_path: Path) -> None:
    from thence.base.artifact import _manifest_digest, digest

    place = tmp_path / "student"
    export_onnx(student, place, PRODUCTS)
    path, manifest = place / "student.onnx", json.loads((place / "manifest.json").read_text())
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    with pytest.raises(ArtifactError, match="bytes"):
        OnnxStudent.load(place)
    path.write_bytes(b"\x00" + whole[1:])
    with pytest.raises(ArtifactError, match="digest"):
        OnnxStudent.load(place)
    manifest["files"]["student.onnx"]["sha256"] = digest(path)  # even one that is signed again
    (place / "manifest.json").write_text(json.dumps(manifest | {"digest": _manifest_digest(manifest)}))
    with pytest.raises(ArtifactError, match="onnxruntime cannot run"):
        OnnxStudent.load(place)
    student.save(tmp_path / "plain")
    with pytest.raises(ArtifactError, match="onnx_student"):
        OnnxStudent.load(tmp_path / "plain")


def test_the_model_names_no_file_and_no_operator_of_others(student: Student) -> None:
    model = student_model(student.project, student.cold, student.warm)
    assert {node.domain for node in model.graph.node} == {""} and model.ir_version == 8
    assert all(not tensor.external_data for tensor in model.graph.initializer)
    assert [entry.name for entry in model.graph.input] == ["entries", "values", "position"]


def test_a_student_beyond_the_format_is_told(student: Student, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("thence.compress.export.graph.LARGEST", 10)
    with pytest.raises(ConfigError, match="larger than"):
        student_model(student.project, student.cold)
