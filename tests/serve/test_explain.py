"""/v1/explain: arcs, paths, and what each arc does, by scores that are worked out a second time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.serve.shop import IDS, Client, bundle
from tests.serve.test_second import table

from thence.encode.dual import DualConfig, DualEncoder
from thence.encode.effects import ArcEffects
from thence.encode.embeddings import Embeddings
from thence.graph import DiGraph
from thence.serve import Bundle, create_app


def directed(shop: Bundle) -> Bundle:
    """The shop's bundle with an encoder as its model, and what tells of its arcs."""
    encoder = DualEncoder(shop.graph, DualConfig(dim=6), seed=3)
    return replace(shop, embeddings=model_of(encoder, shop.graph), effects=ArcEffects.of(encoder))


def model_of(encoder: DualEncoder, graph: DiGraph) -> Embeddings:
    with torch.no_grad():
        source, target, bias = (part.numpy() for part in encoder())
    return Embeddings(graph.ids, source, target, bias)


@pytest.fixture(scope="module")
def shop() -> Bundle:
    return directed(bundle())


def test_what_an_arc_does_is_the_score_of_a_graph_without_it(shop: Bundle) -> None:
    answer = Client(create_app(shop)).json("/v1/explain/phone/glass")
    whole = model_of(DualEncoder(shop.graph, DualConfig(dim=6), seed=3), shop.graph).scores([0])[0]
    assert answer["score"] == pytest.approx(whole[4], abs=1e-5)
    order = [j for j in np.argsort(-whole, kind="stable") if j != 0]
    assert answer["rank"] == order.index(4) + 1
    assert answer["without"] and answer["note"] is None
    for one in answer["without"]:
        arc = (one["arc"]["source"], one["arc"]["target"])
        arcs = shop.graph[one["arc"]["relation"]]
        keep = np.array([(IDS[i], IDS[j]) != arc for i, j in zip(*arcs.pairs.tolist(), strict=True)])
        lacking = shop.graph.with_relation(one["arc"]["relation"], arcs.select(keep))
        encoder = DualEncoder(lacking, DualConfig(dim=6), seed=3)
        encoder.load_state_dict(DualEncoder(shop.graph, DualConfig(dim=6), seed=3).state_dict())
        scores = model_of(encoder, lacking).scores([0])[0]
        assert one["score"] == pytest.approx(scores[4], abs=1e-5)
        assert one["change"] == pytest.approx(scores[4] - whole[4], abs=1e-5)
    changes = [abs(one["change"]) for one in answer["without"]]
    assert changes == sorted(changes, reverse=True) and changes[0] > 0
    assert "bought after: Red Phone → Screen glass (the pair itself)" in [
        one["what"] for one in answer["without"]
    ]


def test_arcs_stand_both_ways_and_paths_the_way_that_was_asked(shop: Bundle) -> None:
    client = Client(create_app(shop))
    answer = client.json("/v1/explain/phone/case")
    assert {(arc["relation"], arc["source"], arc["target"]) for arc in answer["arcs"]} == {
        ("bought_after", "phone", "case"),
        ("bought_after", "case", "phone"),
        ("same_basket", "phone", "case"),
        ("same_basket", "case", "phone"),
    }
    assert answer["direction_strength"] == 0.75
    assert client.json("/v1/explain/case/phone")["direction_strength"] == 0.25
    (path,) = client.json("/v1/explain/phone/glass")["paths"]
    assert path["through"]["item_id"] == "case" and path["strength"] == 6
    assert [(arc["source"], arc["target"]) for arc in path["arcs"]] == [("phone", "case"), ("case", "glass")]
    assert client.json("/v1/explain/glass/phone")["paths"] == []


def test_where_an_arc_is_all_that_is_known_it_is_not_taken_away(shop: Bundle) -> None:
    answer = Client(create_app(shop)).json("/v1/explain", source="a/b,c", target="tv")  # a/b,c has one arc
    assert all("a/b,c" not in (one["arc"]["source"], one["arc"]["target"]) for one in answer["without"])


def test_a_bundle_without_an_encoder_says_so_and_one_of_another_model_too(shop: Bundle) -> None:
    answer = Client(create_app(bundle())).json("/v1/explain/phone/case")
    assert answer["without"] == [] and "keeps no encoder" in answer["note"] and len(answer["arcs"]) == 4
    other = ArcEffects.of(DualEncoder(shop.graph, DualConfig(dim=6), seed=4))
    answer = Client(create_app(replace(shop, effects=other))).json("/v1/explain/phone/case")
    assert answer["without"] == [] and "does not give the score" in answer["note"]


def test_the_second_stage_is_named_with_the_place_in_its_list(shop: Bundle) -> None:
    answer = Client(create_app(replace(shop, reranked=table()))).json("/v1/explain/phone/case")
    assert (answer["route"], answer["listed_at"]) == ("table", 3) and "second stage" in answer["note"]
    assert answer["without"]


def test_a_saved_bundle_explains_as_before(shop: Bundle, tmp_path) -> None:
    shop.save(tmp_path / "b")
    again = Client(create_app(Bundle.load(tmp_path / "b"))).json("/v1/explain/phone/case")
    assert again == Client(create_app(shop)).json("/v1/explain/phone/case")


@pytest.mark.parametrize(
    ("path", "status"), [("phone/phone", 422), ("phone/nothing", 404), ("nothing/phone", 404)]
)
def test_wrong_pairs_are_refused(client: Client, path: str, status: int) -> None:
    assert client.get(f"/v1/explain/{path}").status_code == status
