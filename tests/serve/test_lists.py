"""Filters, items that play the same part, batches and histories: by known answers and by a second formula."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import numpy as np
import pytest
from tests.serve.shop import IDS, Client, bundle, embeddings
from tests.serve.test_second import table

from thence.serve import create_app

PHONE, CASE, CHARGER, CABLE, GLASS, TV = range(6)


def post(client: Client, path: str, body: Any) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(client.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as one:
            return await one.post(path, json=body)

    return asyncio.run(ask())


def ids_of(answer: Any) -> list[str]:
    return [row["item_id"] for row in answer["results"]]


def test_brands_and_prices_keep_their_items_in_the_order_of_the_scores(client: Client) -> None:
    everything = ids_of(client.json("/v1/related/charger", k=1000))
    acme = ids_of(client.json("/v1/related/charger", k=1000, brand="ACME"))
    assert acme == [id_ for id_ in everything if id_ in {"phone", "case", "tv"}]
    both = client.get("/v1/related/charger?k=9&brand=Acme&brand=Wire %26 Co").json()
    assert ids_of(both) == [id_ for id_ in everything if id_ in {"phone", "case", "tv", "cable"}]
    cheap = ids_of(client.json("/v1/related/charger", k=9, price_min=2, price_max=9))
    assert cheap == [id_ for id_ in everything if id_ in {"cable", "glass", "lone"}]  # tv's price is unknown
    assert ids_of(client.json("/v1/related/charger", k=9, price_min=19.5, brand="Acme", owned="case")) == [
        "phone"
    ]
    without = ids_of(client.json("/v1/related/charger", k=9, owned="case", exclude="tv,phone"))
    assert without == [id_ for id_ in everything if id_ not in {"case", "tv", "phone"}]


def test_what_no_item_passes_is_an_empty_list_that_says_so(client: Client) -> None:
    answer = client.json("/v1/related/phone", price_min=1e6)
    assert answer["results"] == [] and answer["note"] == "No item passes the filters."


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"brand": "Acne"}, "Did you mean 'Acme'?"),
        ({"price_min": 3, "price_max": 2}, "price_min 3.0 is above price_max 2.0"),
        ({"price_min": "nan"}, "price_min"),
    ],
)
def test_wrong_filters_are_refused_with_a_reason(client: Client, query: dict[str, Any], said: str) -> None:
    refused = client.get("/v1/related/phone", **query)
    assert refused.status_code == 422 and said in refused.text


def test_a_filter_that_the_table_can_meet_leaves_it_the_answer() -> None:
    two = Client(create_app(replace(bundle(), reranked=table())))
    answer = two.json("/v1/related/phone", k=2, brand=["Wire & Co", "Acme"])
    assert answer["route"] == "table" and ids_of(answer) == ["case", "cable"]
    assert two.json("/v1/related/phone", k=3, brand="Acme")["route"] == "model"  # tv is Acme's, too


@pytest.mark.parametrize("role", ["source", "target"])
@pytest.mark.parametrize("query", range(len(IDS)))
def test_similar_items_are_ordered_by_cosine(client: Client, role: str, query: int) -> None:
    rows = getattr(embeddings(), role)
    cosine = [
        rows[j] @ rows[query] / np.linalg.norm(rows[j]) / np.linalg.norm(rows[query]) for j in range(len(IDS))
    ]
    answer = client.json(f"/v1/similar/{IDS[query]}", k=1000, role=role)
    assert answer["route"] == "model" and IDS[query] not in ids_of(answer) and len(answer["results"]) == 7
    np.testing.assert_allclose(
        [row["score"] for row in answer["results"]],
        [cosine[IDS.index(id_)] for id_ in ids_of(answer)],
        atol=1e-6,
    )
    assert [row["score"] for row in answer["results"]] == sorted(
        [row["score"] for row in answer["results"]], reverse=True
    )


def test_similar_items_say_what_they_share(client: Client) -> None:
    rows = {row["item_id"]: row for row in client.json("/v1/similar/charger", k=9)["results"]}
    assert (rows["case"]["shared"], rows["case"]["why"]) == (1, "both follow Red Phone")
    assert rows["cable"]["shared"] == 0 and rows["cable"]["why"].startswith("no product that both follow")
    lead = {row["item_id"]: row for row in client.json("/v1/similar/phone", k=9, role="source")["results"]}
    assert (lead["case"]["shared"], lead["case"]["why"]) == (1, "both lead to Screen glass")
    assert ids_of(client.json("/v1/similar/phone", k=9, brand="Wire & Co")) == ["cable"]


def test_an_item_without_a_vector_has_nothing_similar() -> None:
    model = embeddings()
    target = model.target.copy()
    target[CASE] = 0
    client = Client(create_app(replace(bundle(), embeddings=replace(model, target=target))))
    answer = client.json("/v1/similar/case")
    assert (answer["route"], answer["results"]) == ("none", []) and "Phone case" in answer["note"]
    assert "case" not in ids_of(client.json("/v1/similar/glass", k=9))


def test_a_batch_answers_each_item_as_if_alone_and_names_the_unknown(client: Client) -> None:
    asked = {"items": ["phone", "fone", "tv", "phone"], "k": 3, "direction": "before", "owned": ["charger"]}
    answer = post(client, "/v1/related/batch", asked).json()
    alone = [
        client.json(f"/v1/related/{id_}", k=3, direction="before", owned="charger") for id_ in ("phone", "tv")
    ]
    assert [answer["answers"][at] for at in (0, 2, 3)] == [*alone, alone[0]]
    assert answer["answers"][1]["item_id"] == "fone" and "no item 'fone'" in answer["answers"][1]["error"]
    assert answer["model_version"] == alone[0]["model_version"]


@pytest.mark.parametrize(
    "body",
    [
        {"items": []},
        {"items": ["phone"] * 201},
        {"items": ["phone"], "brands": ["Acme"]},
        {"items": [""]},
        {"items": ["phone"], "category": "Tec"},
        {"items": ["phone"], "k": 0},
        ["phone"],
    ],
)
@pytest.mark.parametrize("path", ["batch", "history"])
def test_wrong_bodies_are_refused(client: Client, path: str, body: Any) -> None:
    refused = post(client, f"/v1/related/{path}", body)
    assert refused.status_code == 422 and refused.json()["error"]


def test_a_batch_of_too_many_answers_is_refused(client: Client) -> None:
    refused = post(client, "/v1/related/batch", {"items": ["phone"] * 11, "k": 1000})
    assert refused.status_code == 422 and "11 items of 1000 answers are 11,000" in refused.json()["error"]


@pytest.mark.parametrize("direction", ["next", "before"])
@pytest.mark.parametrize("decay", [0.5, 2.0, 100.0])
def test_a_history_asks_with_the_decayed_mean_of_its_scores(
    client: Client, direction: str, decay: float
) -> None:
    history = [TV, PHONE, CHARGER]
    model = embeddings()
    scores = model.scores(history) if direction == "next" else model.scores_into(history)
    weight = [np.exp(-back / decay) for back in (2, 1, 0)]
    expected = sum(w * row for w, row in zip(weight, scores, strict=True)) / sum(weight)
    order = sorted((j for j in range(len(IDS)) if j not in history), key=lambda j: -expected[j])
    asked = {"items": [*(IDS[j] for j in history), "unheard"], "k": 8, "direction": direction, "decay": decay}
    answer = post(client, "/v1/related/history", asked).json()
    assert ids_of(answer) == [IDS[j] for j in order]
    np.testing.assert_allclose([row["score"] for row in answer["results"]], expected[order], rtol=1e-5)
    assert answer["unknown"] == ["unheard"] and [item["item_id"] for item in answer["items"]] == [
        "tv",
        "phone",
        "charger",
    ]
    assert [row["rank"] for row in answer["results"]] == [1, 2, 3, 4, 5]


def test_a_history_names_what_speaks_for_each_and_leaves_out_what_is_owned(client: Client) -> None:
    answer = post(client, "/v1/related/history", {"items": ["case", "charger"], "k": 2, "decay": 50}).json()
    assert ids_of(answer)[:2] == ["phone", "cable"]
    assert [row["because"]["item_id"] for row in answer["results"]] == ["case", "charger"]
    assert answer["results"][1]["why"].startswith("bought after: 8 customers")
    again = post(client, "/v1/related/history", {"items": ["phone", "case"], "k": 1, "again": True}).json()
    assert ids_of(again) == ["case"] or ids_of(again) == ["phone"]
    owned = post(client, "/v1/related/history", {"items": ["charger"], "k": 1, "owned": ["cable"]}).json()
    assert ids_of(owned) != ["cable"]


def test_one_item_is_its_own_history(client: Client) -> None:
    one = client.json("/v1/related/phone", k=7)
    same = post(client, "/v1/related/history", {"items": ["phone"], "k": 7}).json()
    assert [(r["item_id"], r["score"], r["why"]) for r in one["results"]] == [
        (r["item_id"], pytest.approx(r["score"], rel=1e-6), r["why"]) for r in same["results"]
    ]


def test_a_history_of_unknown_items_is_no_popular_list(client: Client) -> None:
    refused = post(client, "/v1/related/history", {"items": ["nothing", "pho"]})
    assert refused.status_code == 404 and "phone" in str(refused.json()["nearest"])
    model = embeddings()
    source = model.source.copy()
    source[[TV, GLASS]] = 0
    silent = Client(create_app(replace(bundle(), embeddings=replace(model, source=source))))
    answer = post(silent, "/v1/related/history", {"items": ["tv", "glass"]}).json()
    assert (answer["route"], answer["results"]) == ("none", []) and "popular" in answer["note"]
    told = post(silent, "/v1/related/history", {"items": ["tv", "charger"], "k": 1}).json()
    assert ids_of(told) == ["cable"]
