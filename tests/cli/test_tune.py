"""``thence tune``: what it writes is what ``thence train`` reads, and it goes on where it stopped."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from tests.cli.test_verbs import command, said, small_world

from thence.cli.settings import read_settings
from thence.encode.embeddings import Embeddings
from thence.train.trials import Study

QUICK = ["--set", "train.validate_every=2", "--set", "train.batch_size=64", "--steps", "4"]


@pytest.fixture(scope="module")
def arcs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("arcs") / "arcs.tsv.gz"
    pairs = np.random.default_rng(0).integers(0, 30, (400, 2))
    with gzip.open(path, "wt") as file:
        file.write("# source target\n" + "".join(f"n{i}\tn{j}\n" for i, j in pairs))
    return path


def test_arcs_of_a_file_are_tuned_on(arcs: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    words = ["tune", run, "--arcs", arcs, "--method", "lift", "--method", "dual", "--method", "counts", *QUICK]
    told = said(*words, "--trials", "2")
    assert {name: entry["trials"] for name, entry in told["methods"].items()} == {
        "lift": 2,
        "dual": 2,
        "counts": 1,
    }
    assert told["methods"]["dual"]["seconds"] > 0 and told["settings"] == str(run / "tuned.yaml")
    study = Study.load(run / "tune")
    assert study.summary() == told["methods"]
    lines = (run / "tune.jsonl").read_bytes().splitlines()
    assert len(lines) == 1 + 5
    assert said(*words, "--trials", "2") == told  # nothing is made again, seconds are the same ones
    assert said(*words, "--trials", "3")["methods"]["lift"]["trials"] == 3
    assert (run / "tune.jsonl").read_bytes().splitlines()[: len(lines)] == lines
    settings = read_settings(run / "tuned.yaml")
    best = Study.load(run / "tune").best("dual").settings
    assert settings.encode.dim == best["dim"] and settings.train.weight_decay == best["train.weight_decay"]
    assert settings.train.steps == 4
    code, out = command(*words, "--trials", "3")
    assert code == 0 and "by default" in out and "thence train" in out


def test_a_run_is_tuned_and_trained_with_what_was_found(tmp_path: Path) -> None:
    run = tmp_path / "run"
    small_world().log.save(run / "log")
    few = ["--set", "graph.min_count=2", "--set", 'baselines=["counts"]', *QUICK[:4]]
    ours = ["--method", "dual", "--method", "spectral"]
    told = said("tune", run, *ours, "--trials", "2", "--steps", "4", *few)
    assert set(told["methods"]) == {"dual", "spectral"}
    wanted = ["train", run, "--config", run / "tuned.yaml", "--set"]
    assert said(*wanted, "retrieve.method=spectral")["method"] == "spectral"
    found, info = told["methods"]["spectral"]["settings"], Embeddings.load(run / "model").info
    assert info["spectral"] == found and info["parts"]["damp"] == found["damp"]
    trained = said(*wanted, "retrieve.method=dual")
    assert trained["dim"] == told["methods"]["dual"]["settings"]["dim"]
    assert Embeddings.load(run / "model").info["train"]["steps"] == 4


def test_without_our_method_no_settings_are_written(arcs: Path, tmp_path: Path) -> None:
    told = said("tune", tmp_path / "run", "--arcs", arcs, "--method", "lift", "--trials", "1")
    assert told["settings"] is None and not (tmp_path / "run" / "tuned.yaml").exists()


def test_what_cannot_be_tuned_is_told(arcs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("tune", tmp_path, "--arcs", arcs, "--method", "lifts")[0] == 2
    assert "Did you mean 'lift'?" in capsys.readouterr().err
    assert command("tune", tmp_path / "none")[0] == 2
    assert "no run and no artifact there" in capsys.readouterr().err
    assert command("tune", tmp_path, "--arcs", tmp_path / "absent.tsv")[0] == 2
