"""The picture of a policy: four cells whose answers are known by hand, and what is kept of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from thence.decide.boundary import SOLVERS
from thence.decide.estimator import DecisionBoundary
from thence.decide.fitting import fit_policy
from thence.decide.frontier import HEIGHTS, across, frontier, ladder, least
from thence.decide.policy import Policy
from thence.decide.rule import Rectangle, Thresholds
from thence.decide.sample import Sample

CELLS = {(1.0, 0.0): 2, (2.0, 0.0): 9, (1.0, 5.0): 0, (2.0, 5.0): 5}
"""Positive ones of ten cases each, by score and uncertainty."""


def four() -> Sample:
    rows = [(score, unsure, place < hits) for (score, unsure), hits in CELLS.items() for place in range(10)]
    return Sample.make(*zip(*rows, strict=True))


def picture(precision: float, miss: float | None = None) -> tuple[Policy, dict[str, Any]]:
    boundary = DecisionBoundary("recall", precision=precision, method="exact")
    made = fit_policy(four(), boundary, holdout=0, miss=miss, frontier=True).policy
    assert made.picture is not None
    return made, made.picture


def test_four_cells_by_hand() -> None:
    policy, found = picture(0.7)
    assert (found["cases"], found["positives"], found["held_out"]) == (40, 16, False)
    assert found["score_edges"] == [1, 2, 2] and found["uncertainty_edges"] == [0, 5, 5]
    for level, unsure in enumerate((0.0, 5.0)):
        for place, score in enumerate((1.0, 2.0)):
            cell = found["cells"][level][place]
            assert (cell["count"], cell["positive"]) == (10, CELLS[score, unsure])
            assert (cell["score"], cell["uncertainty"]) == (score, unsure)
            assert cell["rate"] == pytest.approx(policy.decide([score], [unsure]).rate[0], abs=1e-6)
    steps = {step["precision"]: step for step in found["steps"]}
    assert min(steps) == 0.4 and 0.7 in steps  # from the base rate to the best of one threshold
    told = {
        precision: [
            None if one is None else (one["taken"], one["hits"]) for one in (step["boundary"], step["single"])
        ]
        for precision, step in steps.items()
    }
    assert told[0.4] == [(30, 16), (40, 16)]  # all positives without the last ten
    assert told[0.5] == [(30, 16), (20, 14)]  # the sure ones of low score too: 16 of 30
    assert told[0.7] == [(20, 14), (20, 14)]
    both, surer = [1.0] * 2 * HEIGHTS, [0.0] * HEIGHTS + [1.0] * HEIGHTS
    assert steps[0.7]["boundary"]["across"] == both and steps[0.5]["boundary"]["across"] == surer
    assert steps[0.5]["single"]["across"] == both and found["own"]["across"] == both
    assert found["own"]["taken"] == 20 and found["own"]["asked"] == 0 and found["own"]["asks"] is None


def test_what_one_threshold_cannot_reach_is_none() -> None:
    _, found = picture(0.9)
    last = found["steps"][-1]
    assert last["precision"] == 0.9 and last["single"] is None
    assert (last["boundary"]["taken"], last["boundary"]["hits"]) == (10, 9)
    assert last["boundary"]["across"] == [1.0] * HEIGHTS + [None] * HEIGHTS  # of the unsure ones nobody


def test_who_is_asked_is_told_beside() -> None:
    policy, found = picture(0.9, miss=0.2)
    made = policy.decide(four().score, four().uncertainty).action
    assert found["own"]["asked"] == int((made == 1).sum()) > 0
    assert found["own"]["asks"] is not None
    for place, height in ((0, 0), (1, HEIGHTS)):
        cell = found["cells"][place][1]
        acts = policy.decide([cell["score"]], [cell["uncertainty"]]).named()[0]
        line, asks = found["own"]["across"][height], found["own"]["asks"][height]
        assert (acts == "act") == (line is not None and line <= 1)
        assert (acts != "hold") == (asks is not None and asks <= 1)


def test_judges_choose_nothing() -> None:
    """Other labels among those that judge: the same boundaries, other counts."""
    rng = np.random.default_rng(0)
    score, unsure = rng.random((2, 3000))
    label = rng.random(3000) < score * (1 - unsure)
    other = np.where(np.arange(3000) >= 2400, ~label, label)
    found = []
    for labels in (label, other):
        sample = Sample.make(score, unsure, labels)
        boundary = DecisionBoundary("recall", precision=0.5)
        policy = fit_policy(sample, boundary, holdout=0.2, later=True).policy
        makes, judges = sample[:2400], Sample.make(score[2400:], unsure[2400:], label[2400:])
        found.append(frontier(policy, boundary, makes, judges) | {"cells": None})
    assert found[0] == found[1] and found[0]["held_out"]
    assert found[0]["cases"] == 600


@pytest.mark.parametrize("method", sorted(SOLVERS))
def test_every_method_has_a_picture(method: str) -> None:
    rng = np.random.default_rng(1)
    score, unsure = rng.random((2, 900))
    unsure = 1 / (1 + np.floor(unsure * 30))
    sample = Sample.make(score, unsure, rng.random(900) < score * (1 - unsure))
    boundary = DecisionBoundary("recall", precision=0.7, method=method)
    found = fit_policy(sample, boundary, frontier=True).policy.picture
    assert found is not None and json.loads(json.dumps(found, allow_nan=False)) == found
    bins = len(found["score_edges"]) - 1
    for step in found["steps"]:
        for one in (step["boundary"], step["single"]):
            if one is not None:
                assert 0 <= one["hits"] <= one["taken"] <= found["cases"] == 270
                assert all(place is None or 0 <= place <= bins for place in one["across"])


@pytest.mark.parametrize(
    "boundary",
    [
        DecisionBoundary("precision", recall=0.5),
        DecisionBoundary("cost", cost=0.5),
        DecisionBoundary("budget", share=0.2),
        DecisionBoundary("recall", precision=0.55, confidence=0.9),
    ],
    ids=lambda boundary: boundary.target,
)
def test_every_goal_has_one(boundary: DecisionBoundary) -> None:
    rng = np.random.default_rng(2)
    score, unsure = rng.random((2, 4000))
    sample = Sample.make(score, unsure, rng.random(4000) < score * (1 - unsure))
    policy = fit_policy(sample, boundary, frontier=True).policy
    assert policy.picture is not None
    steps, made = policy.picture["steps"], policy.told["held_out"]
    assert (policy.picture["own"]["taken"], policy.picture["own"]["hits"]) == (made["taken"], made["hits"])
    assert len(steps) > 4 and steps[0]["boundary"]["taken"] > steps[3]["boundary"]["taken"]
    if boundary.confidence is not None:  # shown on half of the cases: stricter than without
        bare = DecisionBoundary("recall", precision=0.55)
        loose = fit_policy(sample, bare, frontier=True).policy.picture
        assert loose is not None
        at = next(place for place, step in enumerate(steps) if step["precision"] == 0.4)
        assert steps[at]["boundary"]["taken"] < loose["steps"][at]["boundary"]["taken"]


def test_it_is_kept_and_changes_no_version(tmp_path: Path) -> None:
    policy, found = picture(0.7)
    policy.save(tmp_path / "with")
    opened = Policy.load(tmp_path / "with")
    assert opened.picture == found
    version, opened.picture = opened.version, None
    opened.save(tmp_path / "without")
    bare = Policy.load(tmp_path / "without")
    assert bare.picture is None and bare.version == version == policy.version


def test_lines_lie_where_a_case_changes_sides() -> None:
    edges, rng = np.array([0.0, 0.1, 0.5, 2.0]), np.random.default_rng(3)
    score = rng.uniform(0, 2, 200)
    place = across(edges, score)
    assert (np.floor(place) == np.searchsorted(edges[1:-1], score, "right")).all()
    assert (np.argsort(place) == np.argsort(score)).all()
    rule = Thresholds(np.array([1.0]), np.array([0.25, np.inf]))
    assert least(rule, np.array([0.0, 2.0]), 0.0, 2.0).tolist() == [pytest.approx(0.25), np.inf]
    assert least(Rectangle(-1.0, 1.0), np.array([0.0, 2.0]), 0.0, 2.0).tolist() == [0.0, np.inf]


def test_the_ladder_is_round_and_begins_at_the_base_rate() -> None:
    label = np.arange(1000) >= 950
    steps = ladder(Sample.make(np.arange(1000.0), None, label), DecisionBoundary("budget", share=0.1))
    assert steps[0] == 0.1 and steps[-1] == 1.0 and len(steps) == 10
    worse = np.random.default_rng(0).permutation(label)
    few = ladder(Sample.make(np.arange(1000.0), None, worse), DecisionBoundary("recall", precision=0.3))
    assert few[0] == 0.06 or few[0] == 0.05
    assert few[-1] == 0.3
