"""The verbs on a small world: what they write is what they say, and every stage can be done by itself."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest

from thence.base.artifact import MANIFEST, digest
from thence.cli import main
from thence.encode.embeddings import Embeddings
from thence.events import EventLog
from thence.events.worlds import World, WorldConfig, simulate
from thence.graph.digraph import DiGraph
from thence.rerank.timely import Known, TimelyReranker
from thence.serve.bundle import Bundle

SETTINGS = """
into = "runs/world"
name = "A small world"
baselines = ["popularity", "counts"]

[ingest]
sources = ["events.parquet"]
items = ["items.csv"]
rename = { who = "user_id" }
max_reject = 0.0

[graph]
relations = ["bought_after", "same_basket"]
min_count = 2

[encode]
dim = 8

[train]
steps = 20
validate_every = 10
batch_size = 64

[evaluate]
resamples = 20
"""


@cache
def small_world() -> World:
    return simulate(WorldConfig(items=100, customers=1_000), seed=3)


def command(*arguments: str | Path) -> tuple[int, str]:
    """Run a command in this process: its exit code and its standard output."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as stopped:
            return int(stopped.code or 0), out.getvalue()
    return 0, out.getvalue()


def said(*arguments: str | Path) -> dict:
    """The one object that a command prints with --json."""
    code, out = command(*arguments, "--json")
    assert code == 0 and out.count("\n") == 1
    return json.loads(out)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with raw files and settings, and the run that ``thence run`` made of them."""
    folder = tmp_path_factory.mktemp("shop")
    log = small_world().log
    events = log.events.rename(who="user_id").to_pyarrow()
    pq.write_table(events, folder / "events.parquet")
    assert log.items is not None
    csv.write_csv(log.items.to_pyarrow(), folder / "items.csv")
    (folder / "run.toml").write_text(SETTINGS)
    (folder / "said.json").write_text(json.dumps(said("run", folder / "run.toml")))
    return folder


@pytest.fixture(scope="module")
def run(shop: Path) -> Path:
    return shop / "runs" / "world"


def test_a_run_leaves_every_part_and_tells_its_figures(shop: Path, run: Path) -> None:
    told = json.loads((shop / "said.json").read_text())
    assert told["run"] == str(run)
    parts = {"log", "graph", "model", "reranker", "report", "bundle", "settings.yaml"}
    assert {part.name for part in run.iterdir()} == parts  # and no encoder: nothing was trained
    assert Embeddings.load(run / "model").info["retrieve"]["method"] == "spectral"
    bundle = Bundle.load(run / "bundle")
    assert told["model_version"] == bundle.version and told["items"] == len(bundle.embeddings.ids)
    names = {"ours.HR@10", "embeddings.HR@10", "popularity.HR@10", "counts.HR@10", "ours.direction_auc"}
    assert set(told["figures"]) >= names
    assert bundle.baseline is not None and bundle.baseline.name in ("popularity", "counts")
    assert "A small world" in (run / "report" / "report.html").read_text()


def test_the_model_knows_nothing_of_the_test_period(run: Path) -> None:
    moments = Embeddings.load(run / "model").info["split"]
    graph = DiGraph.load(run / "graph")
    assert graph.nodes is not None
    assert max(graph.nodes["last_time"].to_pylist()) < moments["test_from"]
    last = max(int(arcs.values["last_time"].max()) for arcs in graph.relations.values())
    assert last < moments["test_from"]


def test_the_stages_by_themselves_give_the_same_bytes(shop: Path, run: Path, tmp_path: Path) -> None:
    into = tmp_path / "again"
    told = said(
        "ingest",
        shop / "events.parquet",
        "--items",
        shop / "items.csv",
        "--rename",
        "who=user_id",
        "--into",
        into / "log",
    )
    assert (
        told["read"] == told["accepted"] + told["quarantined"] + told["duplicates"] == small_world().log.count()
    )
    trained = said("train", into, "--config", shop / "run.toml")
    assert trained["method"] == "spectral" and trained["best_step"] is None
    evaluated = said("evaluate", into, "--config", shop / "run.toml")
    assert evaluated["figures"] == json.loads((shop / "said.json").read_text())["figures"]
    for part in ("graph", "model"):
        assert digest(into / part / MANIFEST) == digest(run / part / MANIFEST)


def test_reading_a_file_twice_changes_nothing(shop: Path, run: Path) -> None:
    before = digest(run / "log" / MANIFEST)
    told = said("ingest", shop / "events.parquet", "--rename", "who=user_id", "--into", run / "log")
    assert told["accepted"] == 0 and told["duplicates"] == told["read"] > 0
    assert digest(run / "log" / MANIFEST) == before


@pytest.fixture(scope="module")
def alone(shop: Path, run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run without its second stage."""
    folder = tmp_path_factory.mktemp("alone") / "run"
    shutil.copytree(run, folder)
    said("evaluate", folder, "--config", shop / "run.toml", "--set", "rerank.enabled=false")
    return folder


def test_the_second_stage_is_judged_and_served(run: Path) -> None:
    pytest.importorskip("xgboost")
    log, model = EventLog.load(run / "log"), Embeddings.load(run / "model")
    graph, told = DiGraph.load(run / "graph"), model.info["rerank"]
    assert told["re-ranked"] > told["embeddings"] and told["note"].startswith("re-ranked")
    known = log.before(model.info["split"]["test_from"])
    scores = TimelyReranker.load(run / "reranker", Known(graph, known)).scores([3])[0]
    scores[3] = -np.inf
    answer = said("recommend", run, model.ids.decode([3])[0], "-k", "5")
    assert answer["route"] == "table"
    assert [row["item_id"] for row in answer["results"]] == model.ids.decode(np.argsort(-scores)[:5])
    assert all(row["reasons"] for row in answer["results"][:1])


def test_without_a_second_stage_the_embeddings_are_ours(shop: Path, run: Path, alone: Path) -> None:
    bundle, whole = Bundle.load(alone / "bundle"), Bundle.load(run / "bundle")
    assert bundle.reranked is None and whole.reranked is not None
    assert bundle.report is not None and whole.report is not None
    assert "embeddings.HR@10" not in bundle.report
    assert bundle.report["ours.HR@10"] == whole.report["embeddings.HR@10"]
    assert whole.data is not None and whole.data.events == EventLog.load(run / "log").count()
    assert sum(source.read for source in whole.data.sources if not source.catalogue) >= whole.data.events
    told = whole.report["report"]  # the page draws intervals and differences from this
    assert told["info"]["headline"] == "HR@10"
    assert set(told["baselines"]) < {row["method"] for row in told["figures"]}
    assert {"low", "high"} < set(told["gaps"][0]) and json.loads(json.dumps(whole.report, allow_nan=False))


def test_without_xgboost_a_run_goes_on_and_says_so(
    shop: Path, alone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "xgboost", None)
    into = tmp_path / "run"
    shutil.copytree(alone, into)
    said("train", into, "--config", shop / "run.toml")
    assert not (into / "reranker").exists()
    code, out = command("evaluate", into, "--config", shop / "run.toml")
    assert code == 0 and "embeddings alone: re-ranking needs XGBoost. Install thence[rerank]." in out


@pytest.mark.parametrize("direction", ["next", "before"])
def test_recommend_answers_as_the_embeddings_do(run: Path, alone: Path, direction: str) -> None:
    model = Embeddings.load(run / "model")
    item = model.ids.decode([3])[0]
    told = said("recommend", alone if direction == "next" else run, item, "-k", "5", "--direction", direction)
    scores = (model.scores([3]) if direction == "next" else model.scores_into([3]))[0].copy()
    scores[3] = -np.inf
    assert [row["item_id"] for row in told["results"]] == model.ids.decode(np.argsort(-scores)[:5])
    code, out = command("recommend", run / "bundle", item, "-k", "5", "--direction", direction)
    assert code == 0 and len(out.splitlines()) == 6
    assert out.startswith("what follows" if direction == "next" else "what leads to")


def test_recommend_finds_a_product_by_its_title(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = Bundle.load(run / "bundle")
    nodes = bundle.graph.nodes
    assert nodes is not None
    title = nodes["title"][0].as_py()
    code, out = command("recommend", run, title.upper())
    assert code == 0 and title in out.splitlines()[0]
    assert command("recommend", run, "zzzz qqqq") == (2, "")
    assert "no product matches 'zzzz qqqq'" in capsys.readouterr().err


def test_graph_build_and_stats_agree(run: Path, tmp_path: Path) -> None:
    built = said(
        "graph",
        "build",
        run / "log",
        "--relation",
        "bought_after",
        "--min-count",
        "2",
        "--into",
        tmp_path / "g",
    )
    stats = said("graph", "stats", tmp_path / "g")
    graph = DiGraph.load(tmp_path / "g")
    assert built["nodes"] == stats["nodes"] == graph.num_nodes
    assert built["arcs"] == {"bought_after": stats["relations"]["bought_after"]["arcs"]}
    code, out = command("graph", "stats", run)
    assert code == 0 and "bought_after:" in out and "one-way" in out


def test_evaluate_prints_the_table(shop: Path, run: Path) -> None:
    code, out = command("evaluate", run, "--config", shop / "run.toml")
    assert code == 0 and "HR@10" in out and "counts" in out and "report.html" in out


def test_too_many_refused_rows_exit_with_3_and_are_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "timestamp,user_id,item_id,event\n2026-01-01,ann,phone,purchase\nyesterday,ann,case,purchase\n"
    (tmp_path / "a.csv").write_text(rows)
    code, out = command(
        "ingest", tmp_path / "a.csv", "--into", tmp_path / "log", "--max-reject", "0.1", "--json"
    )
    told = json.loads(out)
    assert code == 3 and (told["read"], told["accepted"], told["quarantined"]) == (2, 1, 1)
    assert "50.00% of the rows were refused" in capsys.readouterr().err
    assert command("ingest", tmp_path / "a.csv", "--into", tmp_path / "log2", "--max-reject", "0.5")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["train", "nowhere"], "no run and no artifact there"),
        (["train", "{shop}"], "there is no 'log': it is no run's folder"),
        (["serve", "{run}/log"], "a 'eventlog' stands where a 'bundle' was expected"),
        (["ingest", "{shop}/absent.csv", "--into", "{tmp}/log"], "absent.csv"),
        (["ingest", "{shop}/events.parquet", "--into", "{tmp}/log"], "user_id"),
        (["ingest", "{shop}/events.parquet", "--into", "{tmp}/log", "--rename", "who"], "is not THEIRS=OURS"),
        (["ingest", "{shop}/events.parquet", "--into", "{shop}"], "not an artifact"),
        (["recommend", "{run}", "x", "--direction", "nxt"], "Did you mean 'next'?"),
        (
            ["graph", "build", "{run}/log", "--relation", "same_baskets", "--into", "{tmp}/g"],
            "Did you mean 'same_basket'?",
        ),
        (["evaluate", "{run}", "--set", "evaluate.kk=3"], "unknown key 'evaluate.kk'"),
        (["train", "{run}", "--set", "split.test=1999-01-01"], "leave a piece empty"),
        (["run", "{shop}/absent.toml"], "No such file"),
    ],
)
def test_faults_of_the_user_are_one_line(
    shop: Path, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], part: str
) -> None:
    code, out = command(*(argument.format(shop=shop, run=run, tmp=tmp_path) for argument in arguments))
    error = capsys.readouterr().err
    assert code == 2 and out == "" and part in error and "Traceback" not in error
    assert sum(line.startswith("error: ") for line in error.splitlines()) == 1


def test_serve_answers_until_it_is_interrupted(run: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen(
        [sys.executable, "-m", "thence", "serve", str(run), "--port", str(port)],
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert answers(f"http://127.0.0.1:{port}/health/ready")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) in (0, 130)
        told = process.stderr.read()
        assert f"open http://127.0.0.1:{port}" in told and "Traceback" not in told


def answers(address: str) -> bool:
    for _ in range(400):
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=5) as answer:
            return answer.status == 200
        time.sleep(0.05)
    return False


def test_output_into_a_closed_pipe_is_no_fault(run: Path) -> None:
    line = f"{sys.executable} -m thence graph stats {run} | true"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, env={**os.environ}, check=False)
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr
