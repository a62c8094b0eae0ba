"""The second stage's table: kept in the bundle, asked for what follows, left where the embeddings answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.serve.shop import CATEGORIES, IDS, Client, bundle

from thence.base.errors import ArtifactError, DataError
from thence.base.ids import IdMap
from thence.index import NeighborTable
from thence.index.neighbors import Neighbors
from thence.rerank.table import RerankedTable
from thence.serve import Bundle, Store, create_app

GROUPS = ("arc", "category", "popularity")
ROWS = {0: [4, 2, 1, 3], 5: [1, 0], 6: [5]}
"""Of the phone, the set and the item of an odd name: nodes, best first. Others have no second stage."""


def table(rows: dict[int, list[int]] = ROWS, ids: IdMap | None = None) -> RerankedTable:
    num, k = len(IDS), 4
    nodes, scores = np.full((num, k), -1), np.full((num, k), -np.inf)
    why = np.full((num, k, len(GROUPS)), np.nan)
    for node, row in rows.items():
        nodes[node, : len(row)], scores[node, : len(row)] = row, -np.arange(len(row))
        why[node, : len(row)] = [0.5, 2.0, -1.0]
    ids, none = ids or IdMap(IDS), np.empty((num, 0))
    after = Neighbors(ids, np.arange(num), nodes, scores, "next")
    before = Neighbors(ids, np.arange(num), none, none, "before")
    return RerankedTable(NeighborTable("ours", after, before), why, np.empty((num, 0, 3)), GROUPS)


@pytest.fixture(scope="module")
def two() -> Client:
    return Client(create_app(replace(bundle(), reranked=table())))


def answered(client: Client, path: str, **query: object) -> tuple[str, list[str]]:
    told = client.json(path, **query)
    return told["route"], [row["item_id"] for row in told["results"]]


def test_what_follows_is_the_tables_with_its_scores_and_reasons(two: Client) -> None:
    assert answered(two, "/v1/related/phone", k=3) == ("table", ["glass", "charger", "case"])
    first, *_, cable = two.json("/v1/related/phone", k=4)["results"]
    assert first["score"] == 0.0 and first["rank"] == 1
    words = ["products of these categories follow each other", "it has followed before"]
    assert [
        reason["words"] for reason in first["reasons"]
    ] == words  # the largest first, none that speaks against
    assert first["why"].startswith("bought after: 2 customers") and first["via"] is None
    assert cable["item_id"] == "cable" and cable["why"] == f"no arc; {words[0]}; {words[1]}"
    assert two.json("/v1/model")["reranked"] is True


def test_owned_items_leave_the_table_and_the_rest_moves_up(two: Client) -> None:
    assert answered(two, "/v1/related/phone", k=2, owned="glass,case") == ("table", ["charger", "cable"])


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/v1/related/phone", {"k": 3, "direction": "before"}),
        ("/v1/related/phone", {"k": 3, "category": CATEGORIES[6]}),
        ("/v1/related/phone", {"k": 3, "price_max": 8}),
        ("/v1/related/phone", {"k": 5}),
        ("/v1/related/phone", {"k": 3, "owned": "glass,case"}),
        ("/v1/related/case", {"k": 3}),
    ],
)
def test_all_other_questions_are_answered_by_the_embeddings(
    two: Client, client: Client, path: str, query: dict[str, object]
) -> None:
    """What leads here, filters that leave too little, more than there is or is left, a node without a row."""
    told = answered(two, path, **query)
    assert told[0] == "model" and told == answered(client, path, **query)
    assert all(not row["reasons"] for row in two.json(path, **query)["results"])


def test_the_drawing_shows_what_the_list_shows(two: Client) -> None:
    drawn = two.json("/v1/neighborhood/phone", k=4)
    follow = {node["item_id"] for node in drawn["nodes"] if node["role"] in ("next", "both")}
    assert follow == {"glass", "charger", "case", "cable"}
    (cable,) = [arc for arc in drawn["arcs"] if (arc["source"], arc["target"]) == ("phone", "cable")]
    assert cable["kind"] == "model" and cable["why"].startswith("no arc; products of these categories")


def test_a_bundle_keeps_the_table_and_opens_without_it(tmp_path) -> None:
    whole = replace(bundle(), reranked=table())
    whole.save(tmp_path / "b")
    again = Bundle.load(tmp_path / "b")
    assert again.reranked is not None and again.reranked.groups == GROUPS
    np.testing.assert_array_equal(again.reranked.next, table().next)
    for direction in ("next", "before"):
        for node in range(len(IDS)):
            for mine, theirs in zip(
                again.reranked.neighbors.row(node, direction),
                table().neighbors.row(node, direction),
                strict=True,
            ):
                np.testing.assert_array_equal(mine, theirs)
    assert answered(Client(create_app(again)), "/v1/related/phone", k=1) == ("table", ["glass"])
    bundle().save(tmp_path / "old")
    assert not (tmp_path / "old" / "reranked").exists()
    assert Bundle.load(tmp_path / "old").reranked is None


def test_a_wrong_table_is_refused(tmp_path) -> None:
    with pytest.raises(DataError, match="re-ranked items"):
        replace(bundle(), reranked=table(ids=IdMap(IDS[::-1])))
    with pytest.raises(ArtifactError, match="an item with itself"):
        Store().publish(replace(bundle(), reranked=table({3: [3]})))
