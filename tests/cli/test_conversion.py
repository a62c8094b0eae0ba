"""``thence conversion``: exposures become predictions, a report, a model and scores; bad input is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.cli.test_verbs import command, said

from thence.conversion.model import ConversionModel
from thence.conversion.sources.table import read_exposures, write_exposures
from thence.evaluate.conversion import ConversionReport
from thence.evaluate.conversion.predictions import Streamed
from thence.events import EventLog
from thence.events.clock import DAY, HOUR

QUICK = ["--window-days", "3", "--net", "logistic", "--batch-size", "64", "--learning-rate", "0.05"]


@pytest.fixture(scope="module")
def clicks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two colours, of which one converts; as a user's own tool would write it."""
    rng = np.random.default_rng(0)
    time = np.sort(rng.integers(0, 30 * DAY, 3000))
    colour, place = rng.integers(0, 2, 3000), rng.integers(0, 9, 3000)
    bought = rng.random(3000) < np.where(colour, 0.7, 0.1)
    delay = rng.exponential(DAY / 2, 3000).astype(np.int64) + 1
    end = [int(t + d) if hit else None for t, d, hit in zip(time, delay, bought, strict=True)]
    path = tmp_path_factory.mktemp("clicks") / "clicks.parquet"
    columns = {
        "time": pa.array(time, pa.timestamp("us", "UTC")),
        "conversion_time": pa.array(end, pa.int64()).cast(pa.timestamp("us", "UTC")),
        "colour": pa.array(["grey", "red"]).take(pa.array(colour)),
        "place": pa.array(place),
        "price": pa.array(rng.random(3000)),
    }
    pq.write_table(pa.table(columns), path)
    return path


def test_a_model_is_fitted_refreshed_and_asked(clicks: Path, tmp_path: Path) -> None:
    early = tmp_path / "early"
    told = said(
        "conversion", "fit", clicks, *QUICK, "--estimator", "wait", "--at", "1970-01-20", "--into", early
    )
    assert told["estimator"] == "wait" and told["known_until"].startswith("1970-01-20")
    assert 3 <= told["label_age_days"] < 3.2
    now = tmp_path / "now"
    later = said("conversion", "fit", clicks, "--from", early, "--at", "1970-01-25", "--into", now)
    assert later["known_until"].startswith("1970-01-25") and later["version"] != told["version"]
    scored = tmp_path / "scored.parquet"
    counted = said("conversion", "score", now, clicks, "--into", scored)
    table = pq.read_table(scored)
    assert counted["rows"] == len(table) == 3000 and counted["version"] == later["version"]
    assert table.drop_columns(["probability"]).equals(pq.read_table(clicks))
    chance = table["probability"].to_numpy()
    red = np.array(table["colour"].to_pylist()) == "red"
    assert chance[red].mean() > 0.5 > 0.3 > chance[~red].mean()
    shown = read_exposures(clicks, window=3 * DAY).exposures
    model = ConversionModel.load(now)
    assert np.array_equal(model.predict_proba(shown.features)[:, 1], chance)


def test_a_model_is_judged_by_what_came_after_its_clock(clicks: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    words = ["conversion", "fit", clicks, *QUICK, "--estimator", "wait", "--into", model]
    told = said(*words, "--at", "1970-01-20")
    found = told["figures"]
    assert found["first"] >= "1970-01-20" and found["last"] < "1970-02-01" and found["exposures"] > 500
    assert 0.8 < found["calibration"] < 1.2 and 0.7 < found["auc"] < 0.9 and found["nll"] < found["plain_nll"]
    assert found["ages"][0]["age"] == 0 and found["groups"] == []
    assert ConversionModel.load(model).figures == found
    again = said("conversion", "judge", model, clicks, "--at", "1970-01-26")
    assert again["version"] == told["version"] == ConversionModel.load(model).version
    assert again["figures"]["exposures"] < found["exposures"]
    assert ConversionModel.load(model).figures == again["figures"]
    code, shown = command("conversion", "judge", model, clicks)
    assert code == 0 and "exposures that it never saw" in shown
    code, shown = command(*words)  # the clock is the end of the log: nothing came after it
    assert code == 0 and "not judged" in shown
    assert ConversionModel.load(model).figures is None
    assert command("conversion", "judge", model, clicks)[0] == 2


def test_a_model_inside_a_bundle_is_left_as_it_is(tmp_path: Path, clicks: Path, capsys: pytest.CaptureFixture):
    (tmp_path / "manifest.json").write_text("{}")
    assert command("conversion", "judge", tmp_path / "conversion", clicks)[0] == 2
    assert "part of a bundle" in capsys.readouterr().err


def test_a_stream_is_run_judged_and_judged_again(clicks: Path, tmp_path: Path) -> None:
    run = tmp_path / "stream"
    words = [
        "conversion",
        "stream",
        clicks,
        *QUICK,
        "--method",
        "wait",
        "--method",
        "es_dfm",
        "--step-hours",
        "48",
    ]
    told = said(*words, "--seeds", "2", "--segment", "colour", "--into", run)
    figures = told["figures"]
    assert {name.split(".")[0] for name in figures} >= {
        "wait",
        "es_dfm",
        "oracle",
        "pretrained",
        "best_published",
    }
    assert 0.7 < figures["wait.AUC"] < 0.9 and figures["wait.AUC.std"] >= 0 and figures["beyond_oracle"] >= 0
    made = Streamed.load(run / "predictions")
    assert set(made.runs) == {"pretrained", "oracle", "wait", "es_dfm"} and made.step == 48 * HOUR
    assert not (run / "checkpoints").exists()
    html = (run / "report" / "report.html").read_text(encoding="utf-8")
    assert "By segment" in html and "nan" not in html
    again = said(
        "conversion",
        "evaluate",
        run,
        clicks,
        "--window-days",
        "3",
        "--segment",
        "colour",
        "--into",
        tmp_path / "r",
    )
    assert again["figures"] == figures
    assert ConversionReport.load(tmp_path / "r").standing.methods == ("pretrained", "oracle", "wait", "es_dfm")
    code, out = command("conversion", "evaluate", run, clicks, "--window-days", "3", "--into", tmp_path / "r")
    assert code == 0 and "By NLL" in out and "report.html" in out


def test_a_file_that_thence_wrote_needs_no_window(clicks: Path, tmp_path: Path) -> None:
    kept, model = tmp_path / "kept.parquet", tmp_path / "model"
    write_exposures(read_exposures(clicks, window=3 * DAY).exposures, kept)
    said("conversion", "fit", kept, *QUICK[2:], "--estimator", "wait", "--into", model)
    assert set(ConversionModel.load(model).schema.kinds) == {"code"}
    assert said("conversion", "score", model, kept, "--into", tmp_path / "scored.parquet")["rows"] == 3000


def test_bad_input_is_told_in_one_line(clicks: Path, tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    into = ["--into", tmp_path / "out"]
    broken, model = tmp_path / "broken.parquet", tmp_path / "model"
    broken.write_bytes(b"PAR1 no")
    said("conversion", "fit", clicks, *QUICK, "--estimator", "wait", "--into", model)
    bare = tmp_path / "bare.parquet"
    pq.write_table(pq.read_table(clicks).drop_columns(["colour"]), bare)
    early = tmp_path / "early.parquet"
    time = np.arange(200) * HOUR
    pq.write_table(pa.table({"time": time, "conversion_time": time - 5}), early)
    cases = [
        (["fit", tmp_path / "none.parquet", *into], "no such file"),
        (["fit", broken, *QUICK, *into], "cannot be read as Parquet"),
        (["fit", clicks, *into], "no attribution window"),
        (["fit", clicks, "--window-days", "40", *into], "longer than the log"),
        (["fit", clicks, *QUICK, "--estimator", "wiat", *into], "wait"),
        (["fit", early, "--window-days", "1", *into], "conversion before its exposure: 200"),
        (["fit", clicks, *QUICK, "--from", model, "--at", "1970-01-02", *into], "is not later"),
        (["stream", clicks, *QUICK, "--method", "es_dmf", *into], "Did you mean 'es_dfm'"),
        (["stream", clicks, *QUICK, "--start", "1970-01-02", *into], "no exposure is mature"),
        (["stream", clicks, *QUICK, "--segment", "color", *into], "Did you mean 'colour'"),
        (["evaluate", tmp_path, clicks, *QUICK[:2], *into], "no artifact"),
        (["score", model, bare, *into], "columns ['colour'] are missing"),
        (["score", tmp_path, clicks, *into], "no artifact"),
    ]
    for words, expected in cases:
        code, _ = command("conversion", *words)
        error = capfd.readouterr().err
        assert code == 2, (words, error)
        lines = [line for line in error.splitlines() if line.startswith("error:")]
        assert len(lines) == 1 and expected in lines[0], (words, error)


def test_a_log_is_a_source_too(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    time, who = np.sort(rng.integers(0, 20 * DAY, 1500)), rng.integers(0, 300, 1500)
    event = np.array(["click", "purchase", "cart"])[rng.choice(3, 1500, p=[0.6, 0.3, 0.1])]
    rows = {"timestamp": time, "user_id": [f"u{n}" for n in who], "item_id": ["tea"] * 1500, "event": event}
    log, model = tmp_path / "log", tmp_path / "model"
    EventLog.from_tables(pa.table(rows)).save(log)
    told = said("conversion", "fit", log, *QUICK, "--estimator", "wait", "--into", model)
    assert told["estimator"] == "wait" and "item_id" in ConversionModel.load(model).schema.names
    code, _ = command("conversion", "fit", log, *QUICK, "--exposure", "clik", "--into", model)
    assert code == 2
