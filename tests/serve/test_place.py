"""Products that the model does not know are placed by what is written of them, the right way round."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from tests.serve.shop import Client
from tests.serve.shop import bundle as whole_shop

from thence.base.errors import ArtifactError, DataError
from thence.base.ids import IdMap
from thence.cli.recommend import newcomer_table, table
from thence.compress import DistillConfig, Student, fit_student, heuristic_teacher
from thence.encode import Embeddings
from thence.graph import Arcs, DiGraph
from thence.index import build_index
from thence.index.exact import ExactIndex
from thence.serve import Bundle, Store, create_app
from thence.serve.answers import related
from thence.serve.place import Described, Newcomers, placed
from thence.serve.problems import RefusedError
from thence.serve.question import Filters, Question
from thence.serve.store import Live

TITLES = ["red phone", "blue phone", "red case", "blue case", "green phone", "wool sock"]
IDS = ["p1", "p2", "c1", "c2", "new", "sock"]
PATHS = ["Tech > Phones"] * 2 + ["Tech > Covers"] * 2 + ["Tech > Phones", "Clothes"]
PHONES, CASES = {"p1", "p2"}, {"c1", "c2"}


@pytest.fixture(scope="module")
def shop() -> Bundle:
    """Every phone leads to every case; nobody has bought the green phone or the sock."""
    arcs = Arcs.from_pairs([0, 0, 1, 1], [2, 3, 2, 3], num_nodes=6)
    nodes = pa.table({"item_id": IDS, "title": TITLES, "category": PATHS})
    graph = DiGraph(IdMap(IDS), {"bought_after": arcs}, nodes)
    teacher = heuristic_teacher(graph, "arcs", dim=2)
    student = fit_student(graph, teacher, DistillConfig(words=4, shared=2, steps=0))
    return Bundle(teacher, graph, student=student)


@pytest.fixture(scope="module")
def live(shop: Bundle) -> Live:
    return Store().publish(shop)


def first(answer, num: int = 2) -> set[str]:
    return {row.item_id for row in answer.results[:num]}


def test_what_follows_a_new_phone_is_a_case_and_what_leads_to_a_new_case_a_phone(live: Live) -> None:
    after = placed(live, Described("yellow phone", k=5))
    assert (after.route, after.read, after.direction) == ("student", ["phone"], "next")
    assert first(after) == CASES and {item.item_id for item in after.alike[:2]} <= {*PHONES, "new"}
    before = placed(live, Described("yellow case", k=5, direction="before"))
    assert first(before) == PHONES
    assert after.results[0].score > after.results[2].score  # a phone never follows a phone as a case does
    assert [row.rank for row in after.results] == [1, 2, 3, 4, 5]


def test_the_roles_are_not_interchangeable(live: Live, monkeypatch) -> None:
    swapped = Student.place

    def turned(self, product):
        made = swapped(self, product)
        return replace(made, source=made.target, target=made.source)

    monkeypatch.setattr(Student, "place", turned)
    assert first(placed(live, Described("yellow phone", k=5))) != CASES


def test_scores_are_inner_products_of_the_placed_vectors(live: Live, shop: Bundle) -> None:
    assert shop.student is not None and live.newcomers is not None
    made, model = shop.student.place({"title": "yellow phone"}), live.newcomers.index.embeddings
    scores = model.target @ made.source + model.bias
    answer = placed(live, Described("yellow phone", k=6))
    assert [IDS.index(row.item_id) for row in answer.results] == np.argsort(-scores, kind="stable").tolist()
    assert np.allclose([row.score for row in answer.results], -np.sort(-scores))
    into = model.source @ made.target + made.bias
    answer = placed(live, Described("yellow phone", k=6, direction="before"))
    assert np.allclose([row.score for row in answer.results], -np.sort(-into), atol=1e-6)


def test_an_item_without_a_vector_is_answered_by_its_words(live: Live, shop: Bundle) -> None:
    answer = related(live, Question("new", 2))
    assert answer.route == "student" and first(answer) == CASES
    assert "student" in (answer.note or "") and (answer.note or "?") in table(answer)
    assert first(related(live, Question("new", 1, filters=Filters(owned=["c1"]))), 1) == {"c2"}
    assert related(live, Question("new", 5, filters=Filters("Tech > Phones"))).results[0].item_id in PHONES
    assert "new" not in {row.item_id for row in related(live, Question("new", 6)).results}
    without = Store().publish(replace(shop, student=None))
    assert related(without, Question("new", 2)).route == "fallback"


def test_what_nothing_is_known_of_is_refused(live: Live, shop: Bundle) -> None:
    with pytest.raises(RefusedError) as refused:
        placed(live, Described("qwertz"))
    assert refused.value.status == 422 and "title" in refused.value.problem.fix
    with pytest.raises(RefusedError) as refused:
        placed(Store().publish(replace(shop, student=None)), Described("yellow phone"))
    assert refused.value.status == 404 and "distill" in refused.value.problem.fix


def test_over_http(shop: Bundle) -> None:
    client = Client(create_app(shop))
    assert client.json("/v1/model")["student"] is True
    assert client.json("/v1/place", title="thing", category=" tech > PHONES")["read"] == [
        "Tech",
        "Tech > Phones",
    ]
    answer = client.json("/v1/place", title="yellow phone", category="Tech > Phones", k=2)
    assert {row["item_id"] for row in answer["results"]} == CASES
    assert answer["read"] == ["phone", "Tech", "Tech > Phones"]
    assert answer["newcomer"] == {"title": "yellow phone", "category": "Tech > Phones", "price": None}
    for wrong in ({}, {"title": ""}, {"title": "a", "price": "nan"}, {"title": "a", "k": 0}):
        assert client.get("/v1/place", **wrong).status_code == 422
    assert client.get("/v1/place", title="x" * 2000).status_code == 422
    plain = Client(create_app(whole_shop()))
    assert plain.json("/v1/model")["student"] is False and plain.get("/v1/place", title="a").status_code == 404


def test_in_words(live: Live) -> None:
    text = newcomer_table(placed(live, Described("yellow phone", k=2)))
    assert text.startswith("what would follow yellow phone, by what is written of it (phone)\nlike ")
    assert "red case" in text and "Tech > Covers" in text


def test_a_bundle_keeps_its_student_and_its_index(shop: Bundle, live: Live, tmp_path) -> None:
    replace(shop, index=build_index(shop.embeddings, "exact")).save(tmp_path / "bundle")
    again = Bundle.load(tmp_path / "bundle")
    assert again.version == shop.version and isinstance(again.index, ExactIndex)
    asked = Described("yellow phone", k=5)
    kept, made = placed(Store().publish(again), asked), placed(live, asked)
    assert [row.item_id for row in kept.results] == [row.item_id for row in made.results]
    assert np.allclose([row.score for row in kept.results], [row.score for row in made.results], atol=1e-6)


def test_parts_of_another_model_are_refused(shop: Bundle, tmp_path) -> None:
    ids, eye = IdMap(IDS), np.eye(6, 5)
    other = Embeddings(ids, eye, eye)
    with pytest.raises(DataError, match="taught by vectors of 2"):
        Bundle(other, shop.graph, student=shop.student)
    with pytest.raises(DataError, match="index's items"):
        eye = np.eye(2)
        replace(shop, index=build_index(Embeddings(IdMap("ab"), eye, eye), "exact"))
    bare = replace(shop, graph=DiGraph(shop.graph.ids, shop.graph.relations))
    with pytest.raises(ArtifactError, match="catalogue"):
        Newcomers.prepare(bare)
    turned = Embeddings(ids, shop.embeddings.target, shop.embeddings.source)
    replace(shop, index=build_index(shop.embeddings, "exact")).save(tmp_path / "bundle")
    with pytest.raises(ArtifactError, match="other embeddings"):
        from thence.index.keep import load_index

        load_index(tmp_path / "bundle" / "index", turned)
