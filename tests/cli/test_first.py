"""The first stage of a run: what foretells the validation period better is trained, kept and judged."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.cli.test_verbs import command, said, small_world

from thence.base.errors import FitError
from thence.base.ids import IdMap
from thence.base.progress import silent
from thence.base.rng import generator
from thence.cli.first import choose_first, fit_again
from thence.cli.settings import RetrieveSection, RunConfig
from thence.encode.dual import DualConfig
from thence.encode.embeddings import Embeddings
from thence.encode.scorer import Scorer
from thence.encode.spectral import spectral
from thence.evaluate import arc_cases, hit_rate
from thence.events.clock import iso
from thence.graph.arcs import Arcs
from thence.graph.digraph import DiGraph
from thence.graph.split import split_arcs
from thence.train import TrainConfig

WORDS = [
    *("--set", "graph.min_count=2", "--set", 'graph.relations=["bought_after", "same_basket"]'),
    *("--set", "encode.dim=8", "--set", "train.steps=20", "--set", "train.validate_every=10"),
    *("--set", 'baselines=["counts"]', "--set", "evaluate.resamples=5", "--set", "rerank.enabled=false"),
]
ALL_BUT_EIGHT = [(i, j) for i in range(8) for j in range(8, 16) if i + j != 15]


def small_graph() -> DiGraph:
    arcs = Arcs.from_pairs(*zip(*ALL_BUT_EIGHT, strict=True), num_nodes=16)
    return DiGraph(IdMap([f"n{node}" for node in range(16)]), {"bought_after": arcs})


def quick(**retrieve: Any) -> RunConfig:
    train = TrainConfig(steps=4, validate_every=2, batch_size=8)
    return RunConfig(encode=DualConfig(dim=4), train=train, retrieve=RetrieveSection(**retrieve))


def worth(**figures: float) -> Callable[[Scorer], float]:
    """A validation figure by method alone; training is judged twice, the second time with a tenth of it."""
    asked = iter((1.0, 0.1))

    def value(model: Scorer) -> float:
        assert isinstance(model, Embeddings)
        return figures["spectral"] if model.info.get("encoder") == "spectral" else figures["dual"] * next(asked)

    return value


@pytest.mark.parametrize(
    ("dual", "computed", "best"), [(0.5, 0.4, "dual"), (0.4, 0.5, "spectral"), (0.4, 0.4, "dual")]
)
def test_the_better_one_on_the_validation_period_is_taken(dual: float, computed: float, best: str) -> None:
    first = choose_first(small_graph(), worth(dual=dual, spectral=computed), quick(), silent)
    assert first.method == first.told["method"] == best
    assert first.told["reached"] == {"dual": dual, "spectral": computed}  # the best step's, not the last one's
    assert first.told["note"] == f"{best}; on the validation period dual {dual:.4f}, spectral {computed:.4f}"
    model, encoder = fit_again(small_graph(), first, quick(), silent)
    if best == "dual":
        assert encoder is not None and model.info["best_step"] == 2 and model.dim == 4
    else:
        assert encoder is None and "best_step" not in model.info
        assert np.array_equal(model.source, spectral(small_graph()).source)


def test_parts_beat_a_few_steps_where_likeness_tells() -> None:
    rng = generator(0, "kinds")  # six kinds; a source leads to most of what its kind leads to
    pairs = [(i, 60 + j) for i in range(60) for j in range(60) if i % 6 == j % 6 and rng.random() < 0.7]
    parts = split_arcs(Arcs.from_pairs(*zip(*pairs, strict=True), num_nodes=120), (0.8, 0.0, 0.2))
    graph = DiGraph(IdMap([f"n{node}" for node in range(120)]), {"bought_after": parts.train})
    cases = arc_cases(parts.test, parts.train)
    first = choose_first(graph, lambda scorer: hit_rate(scorer, cases, 3), quick(), silent)
    assert first.method == "spectral"
    assert first.told["reached"]["spectral"] > 0.4 > 0.1 > first.told["reached"]["dual"]


@pytest.mark.parametrize("method", ["dual", "spectral"])
def test_a_method_that_is_named_is_the_only_one_tried(method: str) -> None:
    first = choose_first(small_graph(), worth(dual=0.1, spectral=0.1), quick(method=method), silent)
    assert first.method == method and list(first.told["reached"]) == [method]


@pytest.mark.parametrize(("limit", "told"), [("max_items", "16 products"), ("max_arcs", "56 arcs")])
def test_a_large_graph_is_left_to_training_and_the_run_says_so(limit: str, told: str) -> None:
    graph, value = small_graph(), worth(dual=0.1, spectral=0.9)
    first = choose_first(graph, value, quick(**{limit: 15}), silent)
    assert first.method == "dual" and list(first.told["reached"]) == ["dual"]
    assert first.told["note"].endswith(f"; spectral was not tried: {told} are more than 15")
    asked = choose_first(graph, value, quick(method="spectral", **{limit: 15}), silent)
    assert asked.method == "spectral"  # whoever asks for it knows


def test_without_cases_there_is_no_choice() -> None:
    with pytest.raises(FitError, match="NaN"):
        choose_first(small_graph(), lambda _: float("nan"), quick(method="spectral"), silent)


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run trained by gradient and then, in the same folder, computed, on the first part of a log."""
    run = tmp_path_factory.mktemp("weeks") / "run"
    log = small_world().log
    first, last = log.span()
    log.before(first + (last - first) * 8 // 10).save(run / "log")
    told = said("train", run, *WORDS, "--set", "retrieve.method=dual")
    assert told["method"] == "dual" and told["best_step"] in (10, 20) and told["dim"] == 8
    assert (run / "encoder").is_dir()
    told = said("train", run, *WORDS, "--set", "retrieve.method=spectral", "--set", "spectral.dim=24")
    assert told["method"] == "spectral" and told["best_step"] is None and told["dim"] == 24
    assert not (run / "encoder").exists()
    shutil.rmtree(run / "log")
    log.save(run / "log")
    return run


def test_a_computed_model_is_judged_and_its_method_named(weeks: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(weeks, run)
    code, out = command("evaluate", run, *WORDS)
    assert code == 0 and "first stage: spectral; on the validation period spectral 0." in out
    assert out.index("first stage:") < out.index("second stage: ") < out.index("the whole report:")


def test_an_update_of_a_computed_model_is_its_settings_on_todays_graph(weeks: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    shutil.copytree(weeks / "log", again / "log")
    told = said("train", again, "--from", weeks)  # its settings are the model's
    assert told == {**told, "method": "spectral", "best_step": None, "dim": 24}
    old, new = Embeddings.load(weeks / "model"), Embeddings.load(again / "model")
    assert new.info["split"]["test_from"] > old.info["split"]["test_from"]
    assert new.info["updated"] == {"known": len(old.ids)} and len(new.ids) >= len(old.ids)
    assert new.info["baselines"] == old.info["baselines"]
    graph = DiGraph.load(again / "graph")
    assert list(graph.relations) == ["bought_after", "same_basket"]
    assert np.array_equal(new.source, spectral(graph, 24).source)
    code, out = command("train", again, "--from", again / "model")
    assert code == 0 and "fitted anew by the earlier model's settings" in out and "steps" not in out


def test_a_computed_model_goes_on_as_itself_alone(weeks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    test_from = iso(Embeddings.load(weeks / "model").info["split"]["test_from"])
    for word, told in (
        ("retrieve.method=dual", "the model has method=spectral, asked for is method=dual"),
        ("spectral.dim=16", "the model has dim=24, asked for is dim=16"),
        ('graph.relations=["same_basket"]', "the model has relations=['bought_after', 'same_basket'], asked"),
        (f"split.test={test_from[:10]}", "the model has seen events up to"),
    ):
        assert command("train", weeks, "--from", weeks, "--set", word)[0] == 2, word
        assert told in capsys.readouterr().err
