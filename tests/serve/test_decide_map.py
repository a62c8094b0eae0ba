"""/v1/decide/map: a policy over four cells whose answers are known by hand, and policies without a picture."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
from tests.serve.shop import Client, bundle
from tests.serve.test_convert import post

from thence.base.errors import ArtifactError
from thence.decide.estimator import DecisionBoundary
from thence.decide.fitting import fit_policy
from thence.decide.policy import Policy
from thence.decide.sample import Sample
from thence.serve import Models, create_app
from thence.serve.store import Store

CELLS = {(1.0, 0.0): 2, (2.0, 0.0): 9, (1.0, 5.0): 0, (2.0, 5.0): 5}
"""Positive ones of ten cases each, by score and uncertainty."""


def four(precision: float = 0.9, *, frontier: bool = True) -> Policy:
    rows = [(score, unsure, place < hits) for (score, unsure), hits in CELLS.items() for place in range(10)]
    boundary = DecisionBoundary("recall", precision=precision, method="exact")
    return fit_policy(
        Sample.make(*zip(*rows, strict=True)), boundary, holdout=0, miss=0.2, frontier=frontier
    ).policy


@pytest.fixture(scope="module")
def policy() -> Policy:
    return four()


@pytest.fixture(scope="module")
def asking(policy: Policy) -> Client:
    return Client(create_app(Models(policy=policy)))


def test_four_cells_with_their_rates_and_shares(asking: Client, policy: Policy) -> None:
    told = asking.json("/v1/decide/map")
    assert (told["policy_version"], told["method"], told["unsure"]) == (policy.version, "exact", "given")
    seen = told["picture"]
    assert (seen["cases"], seen["positives"], seen["held_out"]) == (40, 16, False)
    assert [[(cell["count"], cell["positive"]) for cell in row] for row in seen["cells"]] == [
        [(10, 2), (10, 9)],
        [(10, 0), (10, 5)],
    ]
    own = seen["own"]
    assert (own["taken"], own["hits"], own["share"], own["precision"]) == (10, 9, 0.25, 0.9)
    assert own["precision_low"] == pytest.approx(0.5958, abs=1e-4)  # Wilson, nine of ten
    assert own["precision_high"] == pytest.approx(0.9821, abs=1e-4)
    assert own["recall"] == 9 / 16 and own["recall_low"] < 9 / 16 < own["recall_high"]
    last = seen["steps"][-1]
    assert last["precision"] == 0.9 and last["single"] is None and last["boundary"]["hits"] == 9
    assert [step["precision"] for step in seen["steps"]] == sorted(step["precision"] for step in seen["steps"])


def test_a_cell_is_explained_by_the_policy_itself(asking: Client) -> None:
    """What the page does on a click: the middle case of a cell is sent as any other."""
    seen = asking.json("/v1/decide/map")["picture"]
    actions = []
    for row in seen["cells"]:
        for cell in row:
            answer = post(asking, "/v1/decide", {name: cell[name] for name in ("score", "uncertainty")}).json()
            assert answer["rate"] == pytest.approx(cell["rate"], abs=1e-6)
            assert answer["why"].startswith(answer["action"])
            actions.append(answer["action"])
    assert actions[1] == "act" and actions.count("act") == 1
    asked = sum(
        cell["count"]
        for cell, action in zip([cell for row in seen["cells"] for cell in row], actions, strict=True)
        if action == "ask"
    )
    assert asked == seen["own"]["asked"] > 0


def test_a_policy_without_a_picture_says_so_and_decides_all_the_same() -> None:
    old = four(frontier=False)
    client = Client(create_app(Models(policy=old)))
    assert client.json("/v1/decide/map")["picture"] is None
    assert post(client, "/v1/decide", {"score": 2.0, "uncertainty": 0.0}).json()["action"] == "act"


def test_without_a_policy_it_is_a_404_and_with_items_it_is_the_same(policy: Policy) -> None:
    assert Client(create_app(bundle())).get("/v1/decide/map").status_code == 404
    both = Client(create_app(replace(bundle(), policy=policy)))
    assert both.json("/v1/decide/map")["picture"]["cases"] == 40


@pytest.mark.parametrize("wrong", ["positives", "own", "steps", "cells", "score_edges"])
def test_a_picture_that_is_none_is_not_published(policy: Policy, wrong: str) -> None:
    torn = four(0.7)
    torn.picture = copy.deepcopy(policy.picture)
    assert torn.picture is not None
    torn.picture[wrong] = 0
    with pytest.raises(ArtifactError, match="picture is malformed"):
        Store().publish(Models(policy=torn))
    torn.picture = {}
    with pytest.raises(ArtifactError, match="picture is malformed"):
        Store().publish(Models(policy=torn))
