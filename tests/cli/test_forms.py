"""Smaller forms of a run's model: what the verbs write is what they say, and the bundle answers by it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest
from tests.cli.test_verbs import SETTINGS, command, said, small_world

from thence.base.errors import ConfigError
from thence.base.progress import silent
from thence.cli import pipeline
from thence.cli.forms import MODEL, Subject
from thence.cli.pipeline import Judged
from thence.cli.run import execute
from thence.cli.settings import read_settings
from thence.compress import Student
from thence.compress.quantize import KINDS, QuantizedEmbeddings
from thence.encode.embeddings import Embeddings
from thence.evaluate.tradeoff import Tradeoff
from thence.index.keep import load_index
from thence.serve.bundle import Bundle


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a small world without a second stage."""
    folder = tmp_path_factory.mktemp("forms")
    log = small_world().log
    pq.write_table(log.events.rename(who="user_id").to_pyarrow(), folder / "events.parquet")
    assert log.items is not None
    csv.write_csv(log.items.to_pyarrow(), folder / "items.csv")
    (folder / "run.toml").write_text(SETTINGS + "\n[rerank]\nenabled = false\n")
    said("run", folder / "run.toml")
    return folder / "runs" / "world"


@pytest.fixture
def fresh(run: Path, tmp_path: Path) -> Path:
    shutil.copytree(run, tmp_path / "run")
    return tmp_path / "run"


def test_an_index_answers_in_the_bundle(fresh: Path) -> None:
    told = said("index", fresh, "--kind", "hnsw", "--recall", "0.8", "--floor", "0.5")
    model = Embeddings.load(fresh / "model")
    index = load_index(fresh / "index", model)
    assert told["kind"] == "hnsw" == index.report.kind and told["recall"] == dict(index.report.recall)
    assert min(told["recall"].values()) >= 0.5
    bundle = Bundle.load(fresh / "bundle")
    assert bundle.index is not None and bundle.index.report.kind == "hnsw"
    table = Tradeoff.load(fresh / "tradeoff")
    assert [form.name for form in table.forms] == [MODEL, "index hnsw"]
    assert table.forms[1].bytes > table.forms[0].bytes == 4 * len(model.ids) * (2 * model.dim + 1)
    code, out = command("recommend", fresh, model.ids.decode([0])[0], "-k", "3")
    assert code == 0 and out.count("\n") == 4


def test_all_kinds_of_codes_are_judged_and_the_smallest_good_one_kept(fresh: Path) -> None:
    told = said("quantize", fresh, "--recall", "0.9")
    kept = QuantizedEmbeddings.load(fresh / "quantized")
    assert (kept.kind, kept.bytes) == (told["kind"], told["bytes"]) and told["recall@20"] >= 0.9
    table = Tradeoff.load(fresh / "tradeoff")
    assert {form.name.removesuffix(", re-scored") for form in table.forms[1:]} == {*KINDS} - {"pq16"}  # too few
    good = [form for form in table.forms[1:] if form.recall >= 0.95 and "re-scored" not in form.name]
    assert kept.bytes <= min(form.bytes for form in good)
    named = said("quantize", fresh, "--kind", "float16")
    assert named["kind"] == "float16" == QuantizedEmbeddings.load(fresh / "quantized").kind
    assert len(Tradeoff.load(fresh / "tradeoff").forms) == len(table.forms)


def test_a_student_places_a_new_product_from_the_command_line(fresh: Path) -> None:
    said("distill", fresh, "--set", "distill.steps=2", "--set", "distill.words=16", "--set", "distill.shared=8")
    student, bundle = Student.load(fresh / "student"), Bundle.load(fresh / "bundle")
    assert bundle.student is not None and bundle.student.dim == student.dim
    assert bundle.graph.nodes is not None
    some = bundle.graph.nodes.slice(0, 1).to_pylist()[0]
    told = said("recommend", fresh, "--title", some["title"], "--category", some["category"], "-k", "4")
    assert told["route"] == "student" and len(told["results"]) == 4 and told["read"]
    code, out = command("recommend", fresh, "--title", some["title"], "--direction", "before")
    assert code == 0 and out.startswith("what would lead to")
    names = [form.name for form in Tradeoff.load(fresh / "tradeoff").forms]
    assert names == [MODEL, "student", "student, words alone"]


def test_a_run_makes_the_forms_that_its_settings_ask_for(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = Judged(None, Bundle.load(fresh / "bundle"))  # type: ignore[arg-type]
    monkeypatch.setattr(pipeline, "train_run", lambda *given: None)  # it stands already
    monkeypatch.setattr(pipeline, "evaluate_run", lambda *given: done)
    plain = read_settings(None, [f"into={fresh}"])
    assert execute(plain, None, silent) is done and not (fresh / "tradeoff").exists()
    words = ["forms.index=auto", "forms.codes=int8", "forms.student=true", f"into={fresh}"]
    words += ["distill.steps=0", "distill.words=16", "distill.shared=8"]
    judged = execute(read_settings(None, words), None, silent)
    assert judged.bundle.student is not None
    assert judged.bundle.index is not None and judged.bundle.index.report.kind == "exact"
    names = [form.name for form in Tradeoff.load(fresh / "tradeoff").forms]
    assert set(names) == {MODEL, "int8", "int8, re-scored", "student", "student, words alone"}
    assert all(name in judged.forms for name in names)


@pytest.mark.parametrize(("value", "fault"), [("forms.index=ivf_qp", "index"), ("forms.codes=int9", "codes")])
def test_a_form_that_does_not_exist_is_told_before_anything_is_read(
    run: Path, tmp_path: Path, value: str, fault: str
) -> None:
    settings = read_settings(run.parent.parent / "run.toml", [f"into={tmp_path / 'run'}", value])
    with pytest.raises(ConfigError, match=f"unknown kind of {fault}"):
        execute(settings, None, silent)
    assert not (tmp_path / "run").exists()


def test_forms_of_another_model_are_not_compared(fresh: Path) -> None:
    said("quantize", fresh, "--kind", "int8")
    model = Embeddings.load(fresh / "model")
    shutil.rmtree(fresh / "model")
    Embeddings(model.ids, model.source * 2, model.target, model.bias, model.info).save(fresh / "model")
    said("quantize", fresh, "--kind", "float16")
    names = [form.name for form in Tradeoff.load(fresh / "tradeoff").forms]
    assert names == [MODEL, "float16", "float16, re-scored"]


def test_the_cases_are_those_of_the_test_period(run: Path) -> None:
    subject, told = Subject.open(run), json.loads((run / "report" / "manifest.json").read_text())
    assert told["kind"] == "report" and len(subject.cases.sources) <= 1_000
    assert np.isin(subject.cases.sources, np.arange(len(subject.model.ids))).all()
    assert len(subject.exact.nodes[0]) == 20


def test_vectors_and_the_student_go_elsewhere(fresh: Path, tmp_path: Path) -> None:
    from thence.index.push import read_vectors

    said("export", fresh, "--to", "parquet", "--into", tmp_path / "vectors")
    model, again = Embeddings.load(fresh / "model"), read_vectors(tmp_path / "vectors")
    assert np.array_equal(again.source, model.source) and np.array_equal(again.target, model.target)
    pytest.importorskip("onnxruntime")
    from thence.compress.export import OnnxStudent

    said("distill", fresh, "--set", "distill.steps=1", "--set", "distill.words=16", "--set", "distill.shared=8")
    told = said("export", fresh, "--to", "onnx", "--into", tmp_path / "onnx")
    assert float(told["parity"]) < 1e-3
    product = Bundle.load(fresh / "bundle").graph.nodes.slice(3, 1)  # type: ignore[union-attr]
    here, there = Student.load(fresh / "student"), OnnxStudent.load(tmp_path / "onnx")
    assert np.allclose(here.embed(product).source, there.embed(product).source, atol=1e-4)


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["index", "--kind", "hsnw"], "hnsw"),
        (["quantize", "--kind", "int9"], "int8"),
        (["quantize", "--recall", "1.0"], "lower --recall"),
        (["export", "--to", "faiss"], "parquet"),
        (["export", "--to", "parquet"], "--into"),
        (["export", "--to", "onnx", "--into", "x"], "'student'"),
        (["export", "--to", "qdrant", "--url", "http://127.0.0.1:9"], "does not answer"),
        (["export", "--to", "pgvector", "--url", "postgresql://127.0.0.1:9/x"], "does not answer"),
        (["recommend"], "--title"),
        (["recommend", "milk", "--title", "milk"], "--title"),
        (["recommend", "--title", "milk"], "thence distill"),
    ],
)
def test_wrong_input_says_what_to_do(run: Path, words: list[str], fault: str, capsys) -> None:
    code, _ = command(words[0], run, *words[1:])
    assert code == 2 and fault in capsys.readouterr().err
