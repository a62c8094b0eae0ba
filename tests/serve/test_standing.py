"""An item of which the model knows nothing: its category answers or nothing does, and the answer says so."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from thence.base.ids import IdMap
from thence.cli.recommend import table
from thence.encode import Embeddings
from thence.graph import Arcs, DiGraph
from thence.serve import Bundle, Store
from thence.serve.answers import related
from thence.serve.question import Filters, Question
from thence.serve.store import Live

IDS = ["phone", "case", "film", "new phone", "thing", "sock"]
CATEGORY = ["Phones", "Covers", "Covers", "Phones", None, "Socks"]


@pytest.fixture
def live() -> Live:
    """Phone → case (twice as heavy as) → film; the last three products have no arcs and no vectors."""
    arcs = Arcs.from_pairs([0, 0], [1, 2], num_nodes=6, weight=[2.0, 1.0])
    nodes = pa.table({"item_id": IDS, "title": IDS, "category": CATEGORY})
    source, target = np.zeros((6, 2)), np.zeros((6, 2))
    source[0], target[1], target[2] = [1, 0], [1, 0], [0.5, 0]
    popular = np.array([0.0, 2.0, 1.0, 0.0, 0.0, 0.0])
    ids = IdMap(IDS)
    return Store().publish(
        Bundle(Embeddings(ids, source, target, popular), DiGraph(ids, {"bought_after": arcs}, nodes))
    )


def test_what_is_known_is_answered_by_the_model(live: Live) -> None:
    answer = related(live, Question("phone", 2))
    assert (answer.route, answer.note) == ("model", None)
    assert [result.item_id for result in answer.results] == ["case", "film"]


def test_a_new_product_is_answered_by_its_category_and_the_answer_says_so(live: Live) -> None:
    answer = related(live, Question("new phone", 5))
    assert answer.route == "fallback" and "Phones" in (answer.note or "")
    assert [(result.item_id, result.score) for result in answer.results] == [("case", 2.0), ("film", 1.0)]
    assert all("category" in result.why for result in answer.results)
    assert (answer.note or "?") in table(answer)
    assert not related(live, Question("new phone", 5, filters=Filters(owned=["case", "film"]))).results
    assert [
        r.item_id for r in related(live, Question("new phone", 5, filters=Filters(owned=["case"]))).results
    ] == ["film"]


@pytest.mark.parametrize("item", ["thing", "sock"])
def test_of_what_nothing_is_known_nothing_is_answered(live: Live, item: str) -> None:
    for direction in ("next", "before"):
        answer = related(live, Question(item, 5, direction))
        assert answer.route == "none" and not answer.results
        assert "nothing is known" in (answer.note or "") and (answer.note or "?") in table(answer)


def test_the_other_direction_stands_for_itself(live: Live) -> None:
    assert related(live, Question("case", 5, "before")).route == "model"
    answer = related(live, Question("phone", 5, "before"))  # nothing leads to phones
    assert answer.route == "none" and not answer.results
