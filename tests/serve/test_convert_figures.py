"""/v1/convert/figures and silence until an age: answers of a delay that is known, models that lack them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.serve.shop import Client, bundle
from tests.serve.test_convert import post

from thence.base.errors import ArtifactError
from thence.conversion.delays import DelayCurve, ages_of
from thence.conversion.exposures import NEVER, Exposures
from thence.conversion.learn import LearnConfig
from thence.conversion.model import ConversionModel
from thence.conversion.net import NetConfig
from thence.conversion.sources.hashing import describe
from thence.evaluate.conversion.later import judge_later
from thence.events.clock import DAY, HOUR
from thence.serve import Models, create_app
from thence.serve.store import Store

WINDOW = 4 * DAY


def gone(age: float) -> float:
    """Exponential with a mean of a day, cut at four."""
    return float(-np.expm1(-age / DAY) / -np.expm1(-4.0))


@pytest.fixture(scope="module")
def shown() -> Exposures:
    rng = np.random.default_rng(0)
    count = 4000
    item = np.where(rng.random(count) < 0.5, "mug", "cup")
    time = np.sort(rng.integers(0, 30 * DAY, count))
    ends = np.where(rng.random(count) < np.where(item == "mug", 0.6, 0.2), time + HOUR, NEVER)
    return Exposures.make(time, ends, window=WINDOW, features=describe({"item": item}, {}, buckets=50))


@pytest.fixture(scope="module")
def model(shown: Exposures) -> ConversionModel:
    """Fitted, judged, and with a delay put in whose answers are known by hand."""
    learn = LearnConfig(100, 0.1, passes=3)
    made = ConversionModel("wait", net=NetConfig("logistic"), learn=learn, kinds={"item": "text"})
    made.fit(shown, at=20 * DAY)
    made.figures = judge_later(made, shown)
    ages = ages_of(WINDOW)
    share = np.append(np.array([gone(age) for age in ages[:-1]]), 1.0)
    made.delays = DelayCurve(ages, share, 500, 2000)
    return made


@pytest.fixture(scope="module")
def asking(model: ConversionModel) -> Client:
    return Client(create_app(Models(conversion=model)))


def test_delays_are_told_and_how_young_labels_are_read(asking: Client, model: ConversionModel) -> None:
    told = asking.json("/v1/convert/figures")
    assert told["model_version"] == model.version and told["own_delays"] is False
    delays = told["delays"]
    assert (delays["conversions"], delays["exposures"]) == (500, 2000)
    assert delays["ages"][0] == 0 and delays["ages"][-1] == 4 * 86400 and delays["share"][-1] == 1
    assert delays["median"] == pytest.approx(0.674 * 86400, rel=0.12)  # where 1 - e^-a = .5 (1 - e^-4)
    reading = {row["age"] / 3600: row["share"] for row in delays["reading"]}
    assert list(reading) == [1, 3, 6, 12, 24, 48, 72]  # by a quarter of an hour 1.06 %: no line
    for hours, share in reading.items():
        assert share == pytest.approx(gone(hours * HOUR), abs=0.002)


def test_the_judgement_is_the_models(asking: Client, model: ConversionModel, shown: Exposures) -> None:
    held = asking.json("/v1/convert/figures")["held_out"]
    assert held == model.figures
    assert held["exposures"] == len(shown) - len(shown.before(20 * DAY)) and held["first"] >= "1970-01-21"
    for row in held["rates"]:
        assert row["low"] <= row["seen"] <= row["high"]


@pytest.mark.parametrize("days", [0.0, 0.5, 1.0, 3.0, 4.0, 40.0])
def test_silence_until_an_age_leaves_less(asking: Client, days: float) -> None:
    body = {"columns": {"item": "mug"}, "elapsed": days * 86400}
    told = post(asking, "/v1/convert", body).json()
    p, f = told["probability"], 1.0 if days >= 4 else gone(days * DAY)
    assert p > 0.5 and told["elapsed"] == days * 86400
    assert told["come"] == pytest.approx(f, abs=0.002)
    assert told["later"] == pytest.approx(p * (1 - told["come"]) / (1 - p * told["come"]), abs=1e-6)


@pytest.mark.parametrize("elapsed", [-1, "soon", "5", True, 1e11, None])
def test_an_age_that_is_none_is_refused_or_left_out(asking: Client, elapsed: object) -> None:
    answer = post(asking, "/v1/convert", {"columns": {"item": "mug"}, "elapsed": elapsed})
    if elapsed is None:
        assert answer.status_code == 200 and answer.json()["later"] is None
    else:
        assert answer.status_code == 422 and "elapsed" in answer.json()["error"]


def test_a_model_of_an_earlier_release_says_what_it_lacks(shown: Exposures) -> None:
    learn = LearnConfig(100, 0.1)
    old = ConversionModel("wait", net=NetConfig("logistic"), learn=learn, kinds={"item": "text"})
    old.fit(shown, at=20 * DAY)
    old.delays = old.figures = None
    client = Client(create_app(Models(conversion=old)))
    assert client.json("/v1/convert/figures") == {
        "model_version": old.version, "own_delays": False, "delays": None, "held_out": None,
    }  # fmt: skip
    answer = post(client, "/v1/convert", {"columns": {"item": "mug"}, "elapsed": 5})
    assert answer.status_code == 422 and "how late" in answer.json()["error"] and answer.json()["fix"]
    assert post(client, "/v1/convert", {"columns": {"item": "mug"}}).status_code == 200


def test_without_a_model_it_is_a_404_and_with_items_it_is_the_same(model: ConversionModel) -> None:
    assert Client(create_app(bundle())).get("/v1/convert/figures").status_code == 404
    both = Client(create_app(replace(bundle(), conversion=model)))
    assert both.json("/v1/convert/figures")["held_out"] == model.figures


def test_figures_that_are_none_are_not_published(shown: Exposures) -> None:
    made = ConversionModel("wait", net=NetConfig("logistic"), learn=LearnConfig(100, 0.1))
    made.fit(shown, at=20 * DAY)
    judged = judge_later(made, shown)
    for wrong in ({}, judged | {"rate": 2.0}, judged | {"nll": float("nan")}, judged | {"rates": [{}]}):
        made.figures = wrong
        with pytest.raises(ArtifactError, match="figures are malformed"):
            Store().publish(Models(conversion=made))
