"""Services that get the direction wrong must not pass for right."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.serve.shop import IDS, Client, bundle, embeddings

from thence.index import ExactIndex
from thence.serve import answers, create_app, rows
from thence.serve.store import Live

OTHER = {"next": "before", "before": "next"}


def answers_follow_the_direction(client: Client) -> None:
    """The fact that a right service shows: each direction's best answer is the embeddings' best."""
    model = embeddings()
    for query in range(len(IDS)):
        for direction, scores in (("next", model.scores), ("before", model.scores_into)):
            expected = scores([query])[0].copy()
            expected[query] = -1e9
            best = client.json(f"/v1/related/{IDS[query]}", k=1, direction=direction)["results"][0]
            assert best["item_id"] == IDS[int(expected.argmax())], (query, direction)


def arcs_follow_the_direction(client: Client) -> None:
    """What follows is explained by arcs that lead away from the item, what leads here by arcs into it."""
    for row in client.json("/v1/related/phone", direction="next")["results"]:
        assert all((arc["source"], arc["target"]) == ("phone", row["item_id"]) for arc in row["arcs"])
    for row in client.json("/v1/related/phone", direction="before")["results"]:
        assert all((arc["source"], arc["target"]) == (row["item_id"], "phone") for arc in row["arcs"])


def test_the_service_is_right():
    client = Client(create_app(bundle()))
    answers_follow_the_direction(client)
    arcs_follow_the_direction(client)


def test_a_service_that_swaps_next_and_before_is_caught(monkeypatch):
    right = answers.related_fields
    monkeypatch.setattr(
        "thence.serve.routes.related_fields",
        lambda live, asked: right(live, replace(asked, direction=OTHER[asked.direction])),
    )
    with pytest.raises(AssertionError):
        answers_follow_the_direction(Client(create_app(bundle())))


def test_a_service_that_ignores_the_direction_is_caught(monkeypatch):
    right = ExactIndex.search
    monkeypatch.setattr(
        ExactIndex,
        "search",
        lambda self, nodes, k, direction="next", **more: right(self, nodes, k, "next", **more),
    )
    with pytest.raises(AssertionError):
        answers_follow_the_direction(Client(create_app(bundle())))


def test_a_service_that_explains_backwards_is_caught(monkeypatch):
    right = rows.explain

    def backwards(live: Live, node, found, direction, reasons=None):
        return right(live, node, found, OTHER[direction], reasons)

    monkeypatch.setattr("thence.serve.rows.explain", backwards)
    with pytest.raises(AssertionError):
        arcs_follow_the_direction(Client(create_app(bundle())))
