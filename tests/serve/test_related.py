"""/v1/related: the right answers, the right way round, with the evidence behind each."""

from __future__ import annotations

import numpy as np
import pytest
from tests.serve.shop import AFTER, IDS, TITLES, Client, bundle, embeddings

from thence.serve import create_app


def ranked(direction: str, query: int) -> list[tuple[str, float]]:
    """The answers by the formula, query left out, best first."""
    model = embeddings()
    scores = model.scores([query])[0] if direction == "next" else model.scores_into([query])[0]
    order = sorted((n for n in range(len(IDS)) if n != query), key=lambda n: (-scores[n], n))
    return [(IDS[n], float(scores[n])) for n in order]


@pytest.mark.parametrize("direction", ["next", "before"])
@pytest.mark.parametrize("query", range(len(IDS)))
def test_answers_are_those_of_the_embeddings_and_never_the_query(client: Client, direction, query):
    answer = client.json(f"/v1/related/{IDS[query]}", k=1000, direction=direction)
    found = [(row["item_id"], row["score"]) for row in answer["results"]]
    expected = ranked(direction, query)
    assert [id_ for id_, _ in found] == [id_ for id_, _ in expected]
    np.testing.assert_allclose([s for _, s in found], [s for _, s in expected], rtol=1e-5)
    assert [row["rank"] for row in answer["results"]] == list(range(1, len(IDS)))
    assert answer["item"]["item_id"] == IDS[query] and answer["direction"] == direction
    assert answer["route"] == "model" and len(answer["model_version"]) == 12


def test_direction_before_turns_the_question_round(client: Client):
    after = client.json("/v1/related/phone", k=1)["results"][0]
    before = client.json("/v1/related/tv", k=1, direction="next")["results"][0]
    leads = client.json("/v1/related/phone", k=2, direction="before")["results"]
    assert after["item_id"] == "case" and before["item_id"] == "phone"
    assert [row["item_id"] for row in leads] == ["case", "tv"]
    default = client.json("/v1/related/phone")
    assert default["direction"] == "next" and len(default["results"]) == 7


def test_evidence_names_the_arc_its_support_and_its_direction(client: Client):
    case, charger = client.json("/v1/related/phone", k=2)["results"]
    assert (case["support"], case["direction_strength"]) == (30, 0.75)
    assert case["lift"] == pytest.approx(4.0)
    assert case["why"] == (
        "bought after: 30 customers, lift 4.0, last on 17 Aug 2016; "
        "same basket: 50 baskets, lift 6.0, last on 6 Sep 2016"
    )
    assert [(arc["relation"], arc["source"], arc["target"]) for arc in case["arcs"]] == [
        ("bought_after", "phone", "case"),
        ("same_basket", "phone", "case"),
    ]
    assert case["arcs"][0]["last_time"] == "2016-08-17T00:00:00Z" and case["via"] is None
    assert charger["direction_strength"] == 1.0
    back = client.json("/v1/related/phone", k=1, direction="before")["results"][0]
    assert (back["item_id"], back["support"], back["direction_strength"]) == ("case", 10, 0.25)
    assert (back["arcs"][0]["source"], back["arcs"][0]["target"]) == ("case", "phone")


def test_what_no_arc_joins_says_through_what_the_model_came(client: Client):
    rows = {row["item_id"]: row for row in client.json("/v1/related/phone", k=7)["results"]}
    cable, lone = rows["cable"], rows["lone"]
    assert cable["arcs"] == [] and cable["support"] is None and cable["direction_strength"] is None
    assert cable["via"]["kind"] == "path" and cable["via"]["item"]["item_id"] == "charger"
    assert cable["why"] == "no arc; from the model's embeddings via Fast charger (arcs lead through it)"
    assert lone["via"]["kind"] == "alike" and lone["via"]["item"]["item_id"] in {"case", "charger", "glass"}
    alone = client.json("/v1/related/lone", k=1)["results"][0]
    assert alone["via"] == {"kind": "features", "item": None}
    assert alone["why"] == "no arc; from the model's embeddings alone: the item has no arcs"
    into = {row["item_id"]: row for row in client.json("/v1/related/phone", k=7, direction="before")["results"]}
    assert into["a/b,c"]["via"]["item"]["item_id"] == "tv"  # a/b,c → tv → phone


def test_the_path_goes_through_the_item_whose_weaker_arc_is_strongest(client: Client):
    # phone → case (30) → glass (6) and no other way: but phone → glass has an arc; ask from tv → phone → ?
    rows = {row["item_id"]: row for row in client.json("/v1/related/tv", k=7)["results"]}
    assert {rows[id_]["via"]["item"]["item_id"] for id_ in ("case", "charger", "glass")} == {"phone"}


def test_filters_keep_k_answers_while_k_exist(client: Client):
    tech = client.json("/v1/related/tv", k=3, category="Tech > Accessories")
    assert {row["category"] for row in tech["results"]} <= {"Tech > Accessories", "Tech > Accessories > Glass"}
    assert len(tech["results"]) == 3
    every = [row["item_id"] for row in client.json("/v1/related/tv", category="Tech > Accessories")["results"]]
    assert sorted(every) == ["cable", "case", "charger", "glass"]
    left = client.json("/v1/related/tv", k=3, category="Tech > Accessories", owned=",".join(every[:2]))
    assert [row["item_id"] for row in left["results"]] == every[2:]


def test_owned_takes_commas_repetition_and_ids_with_commas(client: Client):
    everything = [row["item_id"] for row in client.json("/v1/related/tv", k=1000)["results"]]
    both = client.get("/v1/related/tv?k=1000&owned=phone,case&owned=a/b,c&owned=unheard-of").json()
    assert [row["item_id"] for row in both["results"]] == [
        id_ for id_ in everything if id_ not in {"phone", "case", "a/b,c"}
    ]


def test_an_unknown_category_names_the_nearest(client: Client):
    answer = client.get("/v1/related/tv", category="Tech > Accesories")
    assert answer.status_code == 422
    assert answer.json()["fix"] == "Did you mean 'Tech > Accessories'?"


def test_the_baseline_answers_the_same_question(client: Client):
    table = bundle().baseline
    assert table is not None
    for direction in ("next", "before"):
        answer = client.json("/v1/compare/charger", direction=direction, k=3)
        nodes, scores = table.row(2, direction)
        assert answer["baseline"] == "upside down" and answer["route"] == "table"
        assert [row["item_id"] for row in answer["results"]] == [IDS[node] for node in nodes[:3]]
        assert [row["score"] for row in answer["results"]] == pytest.approx(scores[:3].tolist())


def test_without_a_baseline_or_a_report_it_says_so():
    bare = Client(create_app(bundle(baseline=False, report=False)))
    assert bare.get("/v1/compare/phone").status_code == 404
    assert bare.get("/report").status_code == 404 and bare.get("/report.json").status_code == 404
    model = bare.json("/v1/model")
    assert model["baseline"] is None and model["report"] is False


def test_the_neighbourhood_has_every_answer_and_only_true_arcs(client: Client):
    drawn = client.json("/v1/neighborhood/phone", k=3)
    by_id = {node["item_id"]: node for node in drawn["nodes"]}
    assert by_id["phone"]["role"] == "query" and drawn["nodes"][0]["item_id"] == "phone"
    follows = {row["item_id"] for row in client.json("/v1/related/phone", k=3)["results"]}
    leads = {row["item_id"] for row in client.json("/v1/related/phone", k=3, direction="before")["results"]}
    assert {id_ for id_, node in by_id.items() if node["role"] in ("next", "both")} == follows
    assert {id_ for id_, node in by_id.items() if node["role"] in ("before", "both")} == leads
    known = {(IDS[s], IDS[t]) for s, t, _ in AFTER} | {
        ("phone", "case"),
        ("case", "phone"),
        ("cable", "charger"),
    }
    for arc in drawn["arcs"]:
        assert ((arc["source"], arc["target"]) in known) == (arc["kind"] == "arc"), arc
        if arc["kind"] == "model":
            assert "phone" in (arc["source"], arc["target"]) and arc["why"].startswith("no arc")
    assert {("phone", id_) for id_ in follows} <= {(arc["source"], arc["target"]) for arc in drawn["arcs"]}
    assert {(id_, "phone") for id_ in leads} <= {(arc["source"], arc["target"]) for arc in drawn["arcs"]}


def test_the_neighbourhood_stays_small(client: Client):
    assert len(client.json("/v1/neighborhood/phone", k=19)["nodes"]) == len(IDS)
    assert client.get("/v1/neighborhood/phone", k=20).status_code == 422


def test_item_and_model_tell_what_is_known(client: Client):
    one = client.json("/v1/items/phone")
    assert one["item"] == {
        "item_id": "phone",
        "title": "Red Phone",
        "category": "Tech > Phones",
        "brand": "Acme",
        "price": 399.0,
        "count": 500,
    }
    assert (one["arcs_out"], one["arcs_in"]) == (4, 3)
    unknown = client.json("/v1/items/tv")["item"]
    assert unknown["price"] is None  # NaN is no JSON
    assert client.json("/v1/items/lone")["item"]["title"] == "lone"
    model = client.json("/v1/model")
    assert model["items"] == 8 and model["arcs"] == {"bought_after": 8, "same_basket": 3}
    assert {example["source"]["title"] for example in model["examples"]} <= set(TITLES)
    assert all(example["direction_strength"] >= 0.6 for example in model["examples"]) and model["examples"]
