"""/v1/decide: act, ask or hold, of scores or of the columns of exposures; and models served without a run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.serve.shop import Client, bundle
from tests.serve.test_convert import post

from thence.base.errors import ArtifactError, ConfigError
from thence.conversion.exposures import NEVER, Exposures
from thence.conversion.learn import LearnConfig
from thence.conversion.model import ConversionModel
from thence.conversion.net import NetConfig
from thence.conversion.sources.hashing import describe
from thence.decide.estimator import DecisionBoundary
from thence.decide.exposed import matured_sample
from thence.decide.fitting import fit_policy
from thence.decide.policy import Decisions, Policy
from thence.decide.sample import Sample
from thence.events.clock import DAY, HOUR
from thence.serve import Bundle, Models, Store, create_app


@pytest.fixture(scope="module")
def policy() -> Policy:
    rng = np.random.default_rng(0)
    score, unsure = rng.random((2, 4000))
    sample = Sample.make(score, unsure, rng.random(4000) < score * (1 - unsure))
    return fit_policy(sample, DecisionBoundary("recall", precision=0.6), miss=0.3).policy


@pytest.fixture(scope="module")
def single() -> Policy:
    """One threshold, which needs no uncertainty."""
    score = np.arange(1000) / 1000
    boundary = DecisionBoundary("recall", precision=0.9)
    return fit_policy(Sample.make(score, None, score > 0.5), boundary).policy


@pytest.fixture(scope="module")
def shown() -> Exposures:
    """Mugs convert, cups do not; the price says nothing."""
    count = 2000
    item = ["mug" if k % 2 else "cup" for k in range(count)]
    time = np.arange(count) * HOUR
    ends = np.where(np.arange(count) % 10 < 2 + 6 * (np.arange(count) % 2), time + HOUR, NEVER)
    return Exposures.make(
        time, ends, window=DAY, features=describe({"item": item}, {"price": [1.0] * count}, 50)
    )


@pytest.fixture(scope="module")
def model(shown: Exposures) -> ConversionModel:
    learn = LearnConfig(100, 0.1, passes=5)
    made = ConversionModel("wait", net=NetConfig("logistic"), learn=learn, kinds={"item": "text"})
    return made.fit(shown, at=900 * HOUR)


@pytest.fixture(scope="module")
def of_exposures(model: ConversionModel, shown: Exposures) -> Policy:
    found = matured_sample(model, shown, 1900 * HOUR)
    told = {"model": {"version": model.version}}
    boundary = DecisionBoundary("recall", precision=0.6)
    return fit_policy(found.sample, boundary, told=told, sure=found.sure).policy


@pytest.fixture(scope="module")
def asking(policy: Policy) -> Client:
    return Client(create_app(Models(policy=policy)))


def test_an_answer_is_the_policys_and_says_why(asking: Client, policy: Policy) -> None:
    score, unsure = [0.95, 0.9, 0.1], [0.05, 0.9, 0.5]
    made = policy.decide(score, unsure)
    many = post(asking, "/v1/decide/batch", {"score": score, "uncertainty": unsure}).json()
    assert many["policy_version"] == policy.version and many["converted"] is None
    for place, told in enumerate(many["decisions"]):
        body = {"score": score[place], "uncertainty": unsure[place]}
        answer = post(asking, "/v1/decide", body)
        assert answer.status_code == 200 and answer.headers["x-content-type-options"] == "nosniff"
        assert answer.json() == told | {"policy_version": policy.version, "converted": None}
        assert told["action"] == made.named()[place] and told["why"] == policy.why(made, place)
        for name in ("rate", "low", "high"):
            assert told[name] == getattr(made, name)[place]
        needed = made.needed[place]
        assert told["needed"] == (needed if np.isfinite(needed) else None)
    assert many["decisions"][0]["action"] == "act" and many["decisions"][2]["action"] == "hold"
    assert many["decisions"][1]["needed"] is None  # no score is enough there


def test_it_says_what_it_is_best_in_and_what_it_asks_for(asking: Client, policy: Policy) -> None:
    told = asking.json("/v1/decide")
    assert told == {
        "policy_version": policy.version, "target": "recall", "bound": 0.6, "confidence": None, "miss": 0.3,
        "asks": True, "needs_uncertainty": True, "uses_uncertainty": True, "fitted_to": None,
        "takes_columns": False,
    }  # fmt: skip


def test_a_policy_without_uncertainty_needs_none(single: Policy) -> None:
    client = Client(create_app(Models(policy=single)))
    assert not client.json("/v1/decide")["needs_uncertainty"]
    told = post(client, "/v1/decide", {"score": 0.9}).json()
    assert told["action"] == "act" and told["uncertainty"] is None
    assert post(client, "/v1/decide", {"score": 0.2, "uncertainty": 3}).json()["action"] == "hold"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "give either a score or columns"),
        ({"score": 0.5, "uncertainty": 1, "columns": {"item": "mug"}}, "give either a score or columns"),
        ({"uncertainty": 0.5}, "give either a score or columns"),
        ({"score": 0.5}, "no uncertainty is given"),
        ({"score": "high", "uncertainty": 1}, "score: Input should be a valid number"),
        ({"score": [0.5], "uncertainty": 1}, "score: Input should be a valid number"),
        ({"score": 0.5, "uncertainty": 1, "more": 1}, "more: Extra inputs"),
    ],
)
def test_what_does_not_fit_is_a_422_in_words(asking: Client, body: dict[str, Any], said: str) -> None:
    answer = post(asking, "/v1/decide", body)
    assert answer.status_code == 422 and answer.json()["error"].startswith(said), answer.text
    assert answer.json()["fix"]


@pytest.mark.parametrize("body", [b"", b"[]", b'{"score": NaN, "uncertainty": 1}', b'{"score": 1e999}'])
def test_bodies_that_are_no_question_are_refused(asking: Client, body: bytes) -> None:
    answer = post(asking, "/v1/decide", body)
    assert answer.status_code in (400, 422) and answer.json()["error"]


def test_a_batch_has_limits(asking: Client) -> None:
    def of(scores: int, unsure: int) -> int:
        return post(
            asking, "/v1/decide/batch", {"score": [0.5] * scores, "uncertainty": [0.5] * unsure}
        ).status_code

    assert of(1000, 1000) == 200
    assert [of(0, 0), of(1001, 1001), of(2, 3)] == [422, 422, 422]


def test_columns_of_exposures_are_converted_and_decided(of_exposures: Policy, model: ConversionModel) -> None:
    client = Client(create_app(Models(model, of_exposures)))
    described = client.json("/v1/decide")
    assert described["takes_columns"] and described["fitted_to"] == model.version
    columns: dict[str, list[Any]] = {"item": ["mug", "cup", "new"], "price": [1.0, None, 2.0]}
    told = post(client, "/v1/decide/batch", {"columns": columns}).json()
    features = model.schema.features(columns)
    chance = model.predict_proba(features)[:, 1]
    assert of_exposures.sure is not None
    made = of_exposures.decide(chance, of_exposures.sure.uncertainty(features, model))
    assert [each["action"] for each in told["decisions"]] == made.named() == ["act", "hold", made.named()[2]]
    np.testing.assert_allclose([each["score"] for each in told["decisions"]], chance, atol=1e-9)
    assert told["decisions"][2]["uncertainty"] > told["decisions"][0]["uncertainty"]
    converted = post(client, "/v1/convert/batch", {"columns": columns}).json()
    assert told["converted"] == converted
    one = post(client, "/v1/decide", {"columns": {"item": "mug", "price": 1.0}}).json()
    assert one["converted"] == post(client, "/v1/convert", {"columns": {"item": "mug", "price": 1.0}}).json()
    for body, said in (
        ({"columns": {"item": "mug"}}, "columns ['price'] are missing"),
        ({"columns": {"item": 3, "price": 1}}, "column 'item' holds int64"),
        ({"columns": {"item": "mug", "price": 1}, "uncertainty": 1}, "an uncertainty is given beside columns"),
    ):
        answer = post(client, "/v1/decide", body)
        assert answer.status_code == 422 and answer.json()["error"].startswith(said), answer.text


def test_laplace_of_the_model_is_asked_and_another_version_is_not_published(shown: Exposures) -> None:
    learn = LearnConfig(100, 0.02, passes=2)
    net, kinds = NetConfig(hidden=(8,)), {"item": "text"}
    model = ConversionModel("wait", net=net, learn=learn, kinds=kinds).fit(shown, at=900 * HOUR)
    found = matured_sample(model, shown, 1900 * HOUR, kind="laplace")
    told, boundary = {"model": {"version": model.version}}, DecisionBoundary("recall", precision=0.6)
    policy = fit_policy(found.sample, boundary, told=told, sure=found.sure).policy
    client = Client(create_app(Models(model, policy)))
    columns: dict[str, list[Any]] = {"item": ["mug", "cup", "new"], "price": [1.0, None, 2.0]}
    answers = post(client, "/v1/decide/batch", {"columns": columns}).json()["decisions"]
    features = model.schema.features(columns)
    assert policy.sure is not None
    unsure = policy.sure.uncertainty(features, model)
    assert [each["uncertainty"] for each in answers] == unsure.tolist() and (unsure > 0).all()
    made = policy.decide(model.predict_proba(features)[:, 1], unsure)
    assert [each["action"] for each in answers] == made.named()
    other = ConversionModel("wait", net=net, learn=learn, kinds=kinds).fit(shown, at=901 * HOUR)
    with pytest.raises(ArtifactError, match="Laplace is of version"):
        create_app(Models(other, policy))
    assert post(
        Client(create_app(Models(policy=policy))), "/v1/decide", {"score": 0.5, "uncertainty": 1}
    ).json()


def test_columns_need_a_model_and_a_policy_that_was_fitted_to_one(
    asking: Client, policy: Policy, model: ConversionModel
) -> None:
    body = {"columns": {"item": "mug", "price": 1.0}}
    answer = post(asking, "/v1/decide", body)
    assert answer.status_code == 404 and answer.json()["error"] == "no conversion model is served"
    both = Client(create_app(Models(model, policy)))
    assert not both.json("/v1/decide")["takes_columns"]
    answer = post(both, "/v1/decide", body)
    assert answer.status_code == 422 and "not fitted to a conversion model" in answer.json()["error"]


def test_models_are_served_without_a_run(asking: Client, policy: Policy) -> None:
    assert asking.json("/health/ready") == {"status": "ready", "model_version": policy.version}
    for path in ("/v1/model", "/v1/related/phone", "/v1/items/search", "/report"):
        answer = asking.get(path)
        assert answer.status_code == 404 and answer.json()["error"] == "no items are served", path
    assert "API" in asking.get("/").text and asking.get("/docs").status_code == 200
    assert asking.get("/v1/convert").json()["error"] == "no conversion model is served"
    with pytest.raises(ArtifactError, match="nothing to serve"):
        create_app(Models())


def test_without_a_policy_it_says_so(client: Client) -> None:
    for answer in (client.get("/v1/decide"), post(client, "/v1/decide", {"score": 1.0})):
        assert answer.status_code == 404 and answer.json()["error"] == "no policy is served"
        assert "--policy" in answer.json()["fix"]
    assert post(Client(create_app(Store())), "/v1/decide", {"score": 1.0}).status_code == 503


def test_a_policy_is_replaced_while_it_answers_and_nonsense_is_not_published(
    policy: Policy, single: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store()
    store.publish(Models(policy=policy))
    client = Client(create_app(store))
    before = client.json("/v1/decide")["policy_version"]
    store.publish(replace(bundle(), policy=single))
    assert client.json("/v1/decide")["policy_version"] == single.version != before
    assert client.get("/v1/related/phone").status_code == 200
    wrong = Decisions(np.zeros(3, np.uint8), *np.full((5, 3), np.nan))
    monkeypatch.setattr(Policy, "decide", lambda *_: wrong)
    with pytest.raises(ArtifactError, match="no rates"):
        store.publish(Models(policy=policy))
    assert store.models().policy is single


def test_a_policy_of_another_model_is_not_published(of_exposures: Policy, shown: Exposures) -> None:
    bare = shown.with_features(describe({"shop": ["a", "b"] * 1000}, {}, 50))
    learn = LearnConfig(100, 0.1, passes=1)
    other = ConversionModel("wait", net=NetConfig("logistic"), learn=learn).fit(bare, at=900 * HOUR)
    with pytest.raises(ArtifactError, match=r"do not belong together: no columns of categories \['item'\]"):
        create_app(Models(other, of_exposures))


def test_a_bundle_keeps_the_policy_and_notices_a_changed_byte(tmp_path: Path, of_exposures: Policy) -> None:
    replace(bundle(), policy=of_exposures).save(tmp_path / "b")
    again = Bundle.load(tmp_path / "b")
    assert again.policy is not None and again.policy.version == of_exposures.version
    client = Client(create_app(again))
    assert post(client, "/v1/decide", {"score": 0.9, "uncertainty": 0.0}).status_code == 200
    for name in ("rule", "rates", "evidence"):
        path = tmp_path / "b" / "policy" / f"{name}.safetensors"
        kept = path.read_bytes()
        path.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
        with pytest.raises(ArtifactError):
            Bundle.load(tmp_path / "b")
        path.write_bytes(kept)


def test_the_verb_serves_a_policy_with_a_run_and_without(
    tmp_path: Path, policy: Policy, model: ConversionModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    from thence.cli.serve import serve

    policy.save(tmp_path / "policy")
    model.save(tmp_path / "model")
    bundle().save(tmp_path / "bundle")
    served: list[Any] = []
    monkeypatch.setattr("thence.serve.run", lambda origin, **_: served.append(origin.load()))
    serve(tmp_path / "bundle", policy=tmp_path / "policy")
    serve(None, policy=tmp_path / "policy")
    serve(None, conversion=tmp_path / "model")
    assert [type(each) for each in served] == [Bundle, Models, Models]
    assert served[0].policy.version == served[1].policy.version == policy.version
    assert served[2].policy is None and served[2].conversion.version == model.version
    with pytest.raises(ConfigError, match="nothing to serve"):
        serve(None)
    with pytest.raises(ArtifactError):
        serve(None, policy=tmp_path / "model")


def test_the_description_is_typed(asking: Client) -> None:
    description = asking.json("/openapi.json")
    for path in ("/v1/decide", "/v1/decide/batch"):
        assert set(description["paths"][path]["post"]["responses"]) >= {"200", "404", "413", "422", "503"}
    assert "HTTPValidationError" not in json.dumps(description)
    shapes = description["components"]["schemas"]
    assert shapes["OneCase"]["additionalProperties"] is False
    assert shapes["Decision"]["properties"]["action"]["enum"] == ["act", "ask", "hold"]
