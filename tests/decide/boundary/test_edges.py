"""Every solver where there is little to choose from."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.decide.boundary.literal import BOUNDS, keeps, tiny

from thence.base.errors import ConfigError, DataError
from thence.decide.boundary.ew_dpmt import EwDpmt
from thence.decide.boundary.exact import Exact
from thence.decide.boundary.gmt import Gmt
from thence.decide.boundary.mist import Mist
from thence.decide.boundary.monotone import Monotone
from thence.decide.boundary.rectangle import BestRectangle
from thence.decide.boundary.single import Single
from thence.decide.boundary.stack import Choices, tables
from thence.decide.boundary.vw_dpmt import VwDpmt
from thence.decide.goal import Goal
from thence.decide.levels import curves
from thence.decide.rule import outcome
from thence.decide.sample import Sample

OWN = {
    "single": Single,
    "ew_dpmt": EwDpmt,
    "vw_dpmt": VwDpmt,
    "gmt": Gmt,
    "mist": Mist,
    "exact": Exact,
    "rectangle": BestRectangle,
    "monotone": Monotone,
}
SOUND = [name for name in OWN if name != "ew_dpmt"]  # whose bins of equal weight ties take away
each = pytest.mark.parametrize("name", OWN)
keeps_bounds = pytest.mark.parametrize("name", SOUND)
GOALS = [Goal.recall(precision=0.9), Goal.precision(recall=0.5), Goal.cost(0.5), Goal.budget(0.3)]


def fitted(name: str, sample: Sample, goal: Goal):
    return outcome(OWN[name]().fit(sample, goal), sample)


@keeps_bounds
def test_a_constant_score_is_all_or_nothing(name: str) -> None:
    sample = Sample.make([0.5] * 8, None, [1, 1, 1, 1, 1, 1, 0, 0])
    assert fitted(name, sample, Goal.recall(precision=0.75)).taken == 8
    assert fitted(name, sample, Goal.recall(precision=0.76)).taken == 0
    assert fitted(name, sample, Goal.precision(recall=0.1)).taken == 8
    assert fitted(name, sample, Goal.cost(2.9)).taken == 8
    assert fitted(name, sample, Goal.cost(3.1)).taken == 0
    assert fitted(name, sample, Goal.budget(0.9)).taken == 0


@each
def test_equal_uncertainties_leave_one_threshold(name: str) -> None:
    rng = np.random.default_rng(0)
    score = np.arange(40) / 40
    sample = Sample.make(score, np.full(40, 3.0), rng.random(40) < score)
    for goal in GOALS:
        did, one = fitted(name, sample, goal), fitted("single", sample, goal)
        if name in ("mist", "gmt"):  # whole blocks alone, and one path alone
            assert did.hits <= one.hits or goal.kind != "recall"
        else:
            assert did == one


@each
def test_a_precision_that_cannot_be_had_takes_nothing(name: str) -> None:
    sample = Sample.make([4, 3, 2, 1], [1, 1, 2, 2], [0, 1, 0, 1])
    assert fitted(name, sample, Goal.recall(precision=1.0)).taken == 0
    none = Sample.make([4, 3, 2, 1], [1, 1, 2, 2], [0, 0, 0, 0])
    assert fitted(name, none, Goal.recall(precision=0.5)).taken == 0


@each
def test_one_class_or_one_case(name: str) -> None:
    whole = Sample.make([4, 3, 2, 1], [1, 1, 2, 2], [1, 1, 1, 1])
    assert fitted(name, whole, Goal.recall(precision=0.9)).taken == 4
    assert fitted(name, whole, Goal.budget(0.5)).taken <= 2
    one = Sample.make([0.5], [1.0], [1])
    assert fitted(name, one, Goal.recall(precision=0.9)).taken == 1
    none = Sample.make([0.5, 0.4], [1.0, 2.0], [0, 0])
    for goal in GOALS:
        assert fitted(name, none, goal).taken == 0


@pytest.mark.parametrize("solver", [VwDpmt, Gmt, Mist, Exact, Monotone])
def test_a_level_without_cases(solver) -> None:
    unsure = np.array([0, 0.1, 0.2, 10, 10.1, 10.2])  # four spans, the two in the middle empty
    sample = Sample.make([3, 2, 1, 3, 2, 1], unsure, [1, 1, 0, 1, 0, 0])
    rule = solver(levels=4, spacing="span").fit(sample, Goal.recall(precision=1.0))
    assert len(rule.threshold) == 4 and outcome(rule, sample).hits == 3
    if solver is not Monotone:
        assert rule.threshold.tolist() == [2, np.inf, np.inf, 3]


@settings(max_examples=80, deadline=None)
@given(
    st.integers(0, 100_000), st.sampled_from(sorted(SOUND)), st.sampled_from(sorted(BOUNDS)), st.integers(0, 3)
)
def test_every_bound_is_kept(seed: int, name: str, kind, which: int) -> None:
    sample, bound = tiny(seed, 30), BOUNDS[kind][which]
    goal = Goal(kind, float(bound))
    did = fitted(name, sample, goal)
    assert keeps((did.taken, did.hits), goal, bound, sample)


def test_wrong_settings() -> None:
    sample = tiny(1)
    for solver in (Exact(levels=0), Mist(levels=-1), BestRectangle(limits=0)):
        with pytest.raises(ConfigError):
            solver.fit(sample, GOALS[0])


def test_more_than_can_be_counted() -> None:
    huge = Choices(np.array([0, 1]), np.array([0, 1 << 29]), np.arange(2))
    with pytest.raises(DataError, match="500 million"):
        tables([huge])


def test_all_are_registered() -> None:
    from thence.decide.boundary import SOLVERS

    assert {name: SOLVERS[name] for name in OWN} == OWN


def test_nothing_heavy_is_loaded() -> None:
    heavy = "('torch', 'sklearn', 'pandas')"
    code = f"import sys, thence.decide.boundary; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\n"


def test_a_curve_of_nothing() -> None:
    empty = curves(tiny(2), np.array([100.0]))[1]
    assert empty.taken.tolist() == [0] and empty.threshold(0) == np.inf
