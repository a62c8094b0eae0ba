"""/v1/convert: probabilities of exposures given as columns by name, and clear words for what does not fit."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from tests.serve.shop import Client, bundle

from thence.base.errors import ArtifactError
from thence.conversion.exposures import NEVER, Exposures
from thence.conversion.learn import LearnConfig
from thence.conversion.model import ConversionModel
from thence.conversion.net import NetConfig
from thence.conversion.sources.hashing import describe
from thence.events.clock import DAY, HOUR
from thence.serve import Bundle, Store, create_app
from thence.serve.security import MAX_BODY


@pytest.fixture(scope="module")
def model() -> ConversionModel:
    """Mugs convert, cups do not; the price says nothing."""
    count = 1000
    item = ["mug" if k % 2 else "cup" for k in range(count)]
    price = [None if k % 7 == 0 else float(k % 5) for k in range(count)]
    time = np.arange(count) * HOUR
    ends = np.where(np.arange(count) % 2, time + HOUR, NEVER)
    shown = Exposures.make(time, ends, window=DAY, features=describe({"item": item}, {"price": price}, 50))
    learn = LearnConfig(100, 0.1, passes=5)
    made = ConversionModel("wait", net=NetConfig("logistic"), learn=learn, kinds={"item": "text"})
    return made.fit(shown, at=900 * HOUR)


@pytest.fixture(scope="module")
def asking(model: ConversionModel) -> Client:
    return Client(create_app(replace(bundle(), conversion=model)))


def post(client: Client, path: str, body: Any, **options: Any) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(client.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{client.host}") as http:
            named = (
                {"content": body} if isinstance(body, bytes) or hasattr(body, "__aiter__") else {"json": body}
            )
            headers = {"content-type": "application/json", **options.get("headers", {})}
            return await http.post(path, headers=headers, **named)

    return asyncio.run(ask())


def test_an_answer_carries_the_probability_and_what_there_is_to_know(asking: Client, model: ConversionModel):
    answer = post(asking, "/v1/convert", {"columns": {"item": "mug", "price": 2.0}})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body.pop("probability") > 0.9
    assert body == {
        "model_version": model.version,
        "estimator": "wait",
        "label_horizon": 86_400,
        "label_age": 25 * 3600,
        "known_until": "1970-02-07T12:00:00Z",
        "elapsed": None,
        "come": None,
        "later": None,
    }
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_batch_is_answered_as_each_alone_and_as_the_model_does(asking: Client, model: ConversionModel):
    columns: dict[str, list[Any]] = {"item": ["mug", "cup", None, "new"], "price": [1, None, 2.5, 0]}
    many = post(asking, "/v1/convert/batch", {"columns": columns}).json()
    alone = [
        post(asking, "/v1/convert", {"columns": {name: column[k] for name, column in columns.items()}}).json()
        for k in range(4)
    ]
    assert many["probability"] == pytest.approx([one["probability"] for one in alone], abs=1e-6)
    expected = model.predict_proba(model.schema.features(columns))[:, 1]
    np.testing.assert_allclose(many["probability"], expected, atol=1e-8)
    assert many["model_version"] == alone[0]["model_version"] == model.version


def test_it_says_which_columns_it_asks_for(asking: Client, model: ConversionModel):
    told = asking.json("/v1/convert")
    assert told["columns"] == [
        {"name": "item", "kind": "text", "buckets": 50},
        {"name": "price", "kind": "number", "buckets": None},
    ]
    assert told["network"] == "logistic" and told["model_version"] == model.version


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"item": "mug", "prize": 2.0}, "the model knows no column 'prize'"),
        ({"item": "mug"}, "columns ['price'] are missing"),
        ({}, "columns ['item', 'price'] are missing"),
        ({"item": 7, "price": 2.0}, "column 'item' holds int64, strings are wanted"),
        ({"item": "mug", "price": "2"}, "column 'price' holds string, numbers are wanted"),
        ({"item": "mug", "price": True}, "column 'price' holds bool, numbers are wanted"),
        ({"item": "mug", "price": 1e300}, "column 'price' holds an infinite number"),
        ({"item": ["mug"], "price": 2.0}, "columns.item: Value error, a string, a number"),
        ({"item": {"a": 1}, "price": 2.0}, "columns.item: Value error, a string, a number"),
        ({"item": "m" * 1025, "price": 2.0}, "columns.item: Value error, a string of at most 1024"),
    ],
)
def test_what_does_not_fit_is_a_422_in_words(asking: Client, columns: dict[str, Any], said: str):
    answer = post(asking, "/v1/convert", {"columns": columns})
    assert answer.status_code == 422 and answer.json()["error"].startswith(said), answer.text
    assert answer.json()["fix"]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'{"columns": []}', b'{"columns": {"item": "mug", "price": 1}, "more": 1}',
     b'{"columns": {"item": "mug", "price": Infinity}}', b"\xff\xfe", b"[" * 5000],
)  # fmt: skip
def test_bodies_that_are_no_question_are_refused(asking: Client, body: bytes):
    answer = post(asking, "/v1/convert", body)
    assert answer.status_code in (400, 422) and answer.json()["error"]


def test_a_batch_has_limits(asking: Client):
    def of(count: int) -> httpx.Response:
        columns = {"item": ["mug"] * count, "price": [1.0] * count}
        return post(asking, "/v1/convert/batch", {"columns": columns})

    assert len(of(1000).json()["probability"]) == 1000
    for count in (0, 1001):
        assert of(count).status_code == 422
    uneven = post(asking, "/v1/convert/batch", {"columns": {"item": ["mug"], "price": [1.0, 2.0]}})
    assert uneven.status_code == 422 and "differ in length" in uneven.json()["error"]
    many_faults = post(asking, "/v1/convert/batch", {"columns": {"item": [[]] * 1000, "price": [1.0] * 1000}})
    assert "and 995 more" in many_faults.json()["error"] and len(many_faults.text) < 1000


def test_a_large_body_is_not_read_to_its_end(asking: Client):
    body = json.dumps({"columns": {"item": "m" * MAX_BODY, "price": 1}}).encode()
    answer = post(asking, "/v1/convert", body)
    assert answer.status_code == 413 and "1 MiB" in answer.json()["error"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    told = []

    async def endless() -> Any:
        for k in range(1000):
            told.append(k)
            yield b" " * (MAX_BODY // 8)

    assert post(asking, "/v1/convert", endless()).status_code == 413
    assert post(asking, "/v1/related/phone", b" " * (MAX_BODY + 1)).status_code == 413
    spaces = b" " * (MAX_BODY - 100) + b'{"columns": {"item": "mug", "price": 1}}'
    assert post(asking, "/v1/convert", spaces).status_code == 200


def test_a_bundle_without_a_conversion_model_says_so(client: Client):
    answer = post(client, "/v1/convert", {"columns": {"item": "mug"}})
    assert answer.status_code == 404 and answer.json()["error"] == "no conversion model is served"
    assert "--conversion" in answer.json()["fix"]
    assert client.get("/v1/convert").status_code == 404
    empty = Client(create_app(Store()))
    for path in ("/v1/convert", "/v1/convert/batch"):
        body = {"columns": {"item": "mug" if path == "/v1/convert" else ["mug"]}}
        assert post(empty, path, body).status_code == 503


def test_foreign_hosts_are_refused_here_too(asking: Client):
    answer = post(asking, "/v1/convert", {"columns": {}}, headers={"host": "evil.example"})
    assert answer.status_code == 400 and answer.json()["error"] == "this host is not served"


def test_a_bundle_keeps_the_model_and_notices_a_changed_byte(tmp_path: Path, model: ConversionModel):
    replace(bundle(), conversion=model).save(tmp_path / "b")
    again = Bundle.load(tmp_path / "b")
    assert again.conversion is not None and again.conversion.version == model.version
    client = Client(create_app(again))
    asked = {"columns": {"item": "mug", "price": None}}
    assert post(client, "/v1/convert", asked).json()["probability"] > 0.9
    assert client.json("/v1/related/phone")["model_version"] != model.version
    path = tmp_path / "b" / "conversion" / "learner.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\x7f")
    with pytest.raises(ArtifactError):
        Bundle.load(tmp_path / "b")


def test_a_model_that_answers_nonsense_is_not_published(
    model: ConversionModel, monkeypatch: pytest.MonkeyPatch
):
    store = Store()
    store.publish(bundle())
    before = store.live()
    monkeypatch.setattr(ConversionModel, "predict_proba", lambda *_: np.full((2, 2), np.nan))
    with pytest.raises(ArtifactError, match="no probabilities"):
        store.publish(replace(bundle(), conversion=model))
    assert store.live() is before
    with pytest.raises(ArtifactError, match="not fitted"):
        monkeypatch.undo()
        store.publish(replace(bundle(), conversion=ConversionModel("wait")))


def refusals(description: dict[str, Any]) -> Iterator[set[str]]:
    for path in ("/v1/convert", "/v1/convert/batch"):
        yield set(description["paths"][path]["post"]["responses"])


def test_the_description_is_typed(asking: Client):
    description = asking.json("/openapi.json")
    for responses in refusals(description):
        assert responses >= {"200", "404", "413", "422", "503"}
    assert "HTTPValidationError" not in json.dumps(description)
    shapes = description["components"]["schemas"]
    assert shapes["OneExposure"]["additionalProperties"] is False
    value = shapes["ManyExposures"]["properties"]["columns"]["additionalProperties"]
    assert (value["minItems"], value["maxItems"]) == (1, 1000)
    assert {part["type"] for part in value["items"]["anyOf"]} == {"string", "number", "boolean", "null"}
    assert set(shapes["Converted"]["required"]) == {
        "probability", "model_version", "estimator", "label_horizon", "label_age", "known_until",
    }  # fmt: skip
