"""``thence train --from``: weeks later, a model goes on from where it stood."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.cli.test_verbs import command, said, small_world

from thence.encode.embeddings import Embeddings
from thence.events.clock import iso
from thence.graph.digraph import DiGraph
from thence.train.warm import kept_encoder

WORDS = [
    "--set",
    "graph.min_count=2",
    "--set",
    'graph.relations=["bought_after", "same_basket"]',
    "--set",
    "retrieve.method=dual",
    "--set",
    "encode.dim=8",
    "--set",
    "train.steps=20",
    "--set",
    "train.validate_every=10",
    "--set",
    'baselines=["counts"]',
    "--set",
    "evaluate.resamples=5",
]


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """A run that was trained on the first part of a log, and where its test period began; then the log grew."""
    run = tmp_path_factory.mktemp("weeks") / "run"
    log = small_world().log
    first, last = log.span()
    log.before(first + (last - first) * 8 // 10).save(run / "log")
    said("train", run, *WORDS)
    shutil.rmtree(run / "log")
    log.save(run / "log")
    return run, int(Embeddings.load(run / "model").info["split"]["test_from"])


def test_an_update_takes_few_steps_and_knows_what_is_new(weeks: tuple[Path, int], tmp_path: Path) -> None:
    run, test_from = weeks
    again = tmp_path / "again"
    shutil.copytree(run / "log", again / "log")
    old = Embeddings.load(run / "model")
    told = said("train", again, "--from", run)  # its settings are the model's
    new = Embeddings.load(again / "model")
    assert told["dim"] == 8 and told["best_step"] == new.info["train"]["steps"] == round(
        0.25 * old.info["best_step"]
    )
    assert new.info["split"]["test_from"] > test_from
    assert new.info["updated"]["known"] == len(old.ids) <= len(new.ids)
    assert new.info["baselines"] == old.info["baselines"]
    graph = DiGraph.load(again / "graph")
    assert list(graph.relations) == ["bought_after", "same_basket"] and graph.ids.array == new.ids.array
    place = new.ids.encode(old.ids.array)
    angle = np.sum(old.source * new.source[place], 1) / np.linalg.norm(old.source, axis=1)
    assert np.median(angle / np.linalg.norm(new.source[place], axis=1)) > 0.8  # it went on, not afresh
    assert not np.allclose(old.source, new.source[place])


def test_an_update_goes_on_from_an_update_and_is_judged(weeks: tuple[Path, int], tmp_path: Path) -> None:
    again = tmp_path / "again"
    shutil.copytree(weeks[0], again)
    said("train", again, "--from", again)
    first = kept_encoder(again / "encoder")
    said("train", again, "--from", again / "model")
    second = kept_encoder(again / "encoder")
    assert first.info["best_step"] == second.info["best_step"]
    assert not np.allclose(first.state["free_source"], second.state["free_source"])
    figures = said("evaluate", again, *WORDS)["figures"]
    assert figures["ours.HR@10"] > 0


def test_what_cannot_go_on_is_told(
    weeks: tuple[Path, int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, test_from = weeks
    for words, told in (
        (["--from", run, *WORDS, "--set", "encode.dim=16"], "the model has dim=8, asked for is dim=16"),
        (["--from", run, "--set", 'graph.relations=["same_basket"]'], "the model has relations bought_after"),
        (["--from", run, "--set", "split.test=" + iso(test_from)[:10]], "the model has seen events up to"),
        (["--from", tmp_path], "there is no 'model'"),
        (["--from", tmp_path / "none"], "no run and no artifact there"),
        (["--from", run / "log"], "a 'eventlog' stands where a 'embeddings' was expected"),
        (["--from", run, "--set", "retrieve.method=spectral"], "the model has method=dual, asked for is"),
    ):
        assert command("train", run, *words)[0] == 2, words
        assert told in capsys.readouterr().err
