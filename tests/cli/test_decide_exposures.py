"""``thence decide --model``: decisions on exposures, with a conversion model's scores and its evidence."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.cli.test_verbs import command, said

from thence.conversion.model import ConversionModel
from thence.decide.exposed import ExposureEvidence
from thence.decide.policy import Policy
from thence.events.clock import DAY


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clicks of 30 days on shops with rates of their own, and a model that knows the first fourteen."""
    rng = np.random.default_rng(0)
    count = 5000
    time = np.sort(rng.integers(0, 30 * DAY, count))
    shop = np.minimum(rng.zipf(1.3, count), 500) - 1
    buys = rng.random(count) < rng.beta(0.8, 2.0, 500)[shop]
    end = [int(t) + DAY if hit else None for t, hit in zip(time, buys, strict=True)]
    columns = {
        "time": pa.array(time, pa.timestamp("us", "UTC")),
        "conversion_time": pa.array(end, pa.int64()).cast(pa.timestamp("us", "UTC")),
        "shop": pa.array([f"s{each}" for each in shop]),
        "hour": pa.array(rng.integers(0, 24, count)),
    }
    into = tmp_path_factory.mktemp("clicks")
    pq.write_table(pa.table(columns), into / "clicks.parquet")
    words = ["--window-days", "2", "--net", "logistic", "--batch-size", "64", "--learning-rate", "0.05"]
    words += ["--estimator", "wait", "--at", "1970-01-15", "--numeric", "hour", "--into", into / "model"]
    assert command("conversion", "fit", into / "clicks.parquet", *words)[0] == 0
    return into


@pytest.fixture(scope="module")
def told(folder: Path) -> dict:
    words = ["--model", folder / "model", "--precision", "0.5", "--miss", "0.2", "--evidence", "shop"]
    return said(
        "decide", "fit", folder / "clicks.parquet", *words, "--at", "1970-01-24", "--into", folder / "policy"
    )


def test_a_policy_is_fitted_to_what_the_model_never_saw(folder: Path, told: dict) -> None:
    time = pq.read_table(folder / "clicks.parquet")["time"].cast(pa.int64()).to_numpy()
    cases = ((time >= 14 * DAY) & (time < 21 * DAY)).sum()
    assert told["cases"]["fitted"] + told["cases"]["judged"] == cases
    policy = Policy.load(folder / "policy")
    assert isinstance(policy.sure, ExposureEvidence) and policy.sure.columns == ("shop",)
    assert policy.told["model"]["version"] == ConversionModel.load(folder / "model").version
    assert policy.told["model"]["until"] == time[time < 21 * DAY].max() + 1  # to the microsecond


def test_it_is_judged_on_what_came_after_those(folder: Path, told: dict, tmp_path: Path) -> None:
    words = ["--model", folder / "model", "--segment", "shop", "--report", tmp_path / "p.html"]
    judged = said("decide", "evaluate", folder / "policy", folder / "clicks.parquet", *words)
    clicks = pq.read_table(folder / "clicks.parquet")
    time = clicks["time"].cast(pa.int64()).to_numpy()
    end = clicks["conversion_time"].cast(pa.int64()).drop_null().to_numpy().max() + 1
    last = time[time < 21 * DAY].max()
    assert judged["figures"]["cases"] == ((time > last) & (time < end - 2 * DAY)).sum()
    assert (tmp_path / "p.html").is_file()
    early = ["--model", folder / "model", "--at", "1970-01-20", "--json"]
    code, out = command("decide", "evaluate", folder / "policy", folder / "clicks.parquet", *early)
    assert code == 2 and "has a final label yet" in json.loads(out)["error"]["what"]


def test_tables_of_exposures_are_decided(folder: Path, told: dict, tmp_path: Path) -> None:
    words = ["--model", folder / "model", "--into", tmp_path / "o.parquet"]
    done = said("decide", "apply", folder / "policy", folder / "clicks.parquet", *words)
    out = pq.read_table(tmp_path / "o.parquet")
    model, policy = ConversionModel.load(folder / "model"), Policy.load(folder / "policy")
    features = model.schema.features({name: out[name] for name in model.schema.names})
    np.testing.assert_array_equal(out["score"].to_numpy(), model.predict_proba(features)[:, 1])
    assert policy.sure is not None
    np.testing.assert_array_equal(out["uncertainty"].to_numpy(), policy.sure.uncertainty(features, model))
    made = policy.decide(out["score"].to_numpy(), out["uncertainty"].to_numpy())
    assert out["action"].to_pylist() == made.named() and done["version"] == told["version"]


def test_models_and_policies_that_do_not_belong_together_are_told(
    folder: Path, told: dict, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    refresh = ["--from", folder / "model", "--at", "1970-01-16", "--numeric", "hour", "--into", tmp_path / "m"]
    assert command("conversion", "fit", folder / "clicks.parquet", *refresh)[0] == 0
    words = ["--model", tmp_path / "m", "--into", tmp_path / "o.parquet"]
    assert command("decide", "apply", folder / "policy", folder / "clicks.parquet", *words)[0] == 0
    assert "fitted to version" in capfd.readouterr().err
    (tmp_path / "t.csv").write_text("score,label\n" + "0.1,0\n0.9,1\n" * 50)
    assert command("decide", "fit", tmp_path / "t.csv", "--precision", "0.9", "--into", tmp_path / "p")[0] == 0
    code, out = command("decide", "apply", tmp_path / "p", folder / "clicks.parquet", *words, "--json")
    assert code == 2 and "not fitted to a conversion model" in json.loads(out)["error"]["what"]
    column = [
        "--model",
        folder / "model",
        "--precision",
        "0.5",
        "--evidence",
        "shops",
        "--into",
        tmp_path / "q",
    ]
    code, out = command("decide", "fit", folder / "clicks.parquet", *column, "--json")
    assert code == 2 and "shops" in json.loads(out)["error"]["what"]


def test_laplace_of_the_model_from_end_to_end(folder: Path, tmp_path: Path) -> None:
    clicks = folder / "clicks.parquet"
    words = ["--window-days", "2", "--net", "mlp", "--batch-size", "64", "--learning-rate", "0.02"]
    words += ["--estimator", "wait", "--at", "1970-01-15", "--numeric", "hour", "--into", tmp_path / "m"]
    assert command("conversion", "fit", clicks, *words)[0] == 0
    words = ["--model", tmp_path / "m", "--precision", "0.4", "--uncertainty", "laplace"]
    told = said("decide", "fit", clicks, *words, "--at", "1970-01-24", "--into", tmp_path / "p")
    judged = said("decide", "evaluate", tmp_path / "p", clicks, "--model", tmp_path / "m")
    into = ["--into", tmp_path / "o.parquet"]
    done = said("decide", "apply", tmp_path / "p", clicks, "--model", tmp_path / "m", *into)
    out = pq.read_table(tmp_path / "o.parquet")
    model, policy = ConversionModel.load(tmp_path / "m"), Policy.load(tmp_path / "p")
    features = model.schema.features({name: out[name] for name in model.schema.names})
    assert policy.sure is not None and policy.sure.kind == "laplace"
    unsure = policy.sure.uncertainty(features, model)
    np.testing.assert_array_equal(out["uncertainty"].to_numpy(), unsure)
    made = policy.decide(out["score"].to_numpy(), unsure)
    assert out["action"].to_pylist() == made.named()
    assert done["version"] == judged["version"] == told["version"]
    for more, what in (
        (["--evidence", "shop"], "evidence alone"),
        (["--uncertainty", "laplase"], "no uncertainty 'laplase'"),
    ):
        code, text = command("decide", "fit", clicks, *words, *more, "--into", tmp_path / "q", "--json")
        assert code == 2 and what in json.loads(text)["error"]["what"]
    refresh = ["--from", tmp_path / "m", "--at", "1970-01-16", "--numeric", "hour", "--into", tmp_path / "n"]
    assert command("conversion", "fit", clicks, *refresh)[0] == 0
    code, text = command("decide", "apply", tmp_path / "p", clicks, "--model", tmp_path / "n", *into, "--json")
    assert code == 2 and "Laplace is of version" in json.loads(text)["error"]["what"]
