"""Policies: three zones, the share that is missed, the score that is needed, and what is saved."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from thence.base.artifact import open_artifact, write_artifact
from thence.base.errors import ArtifactError, ConfigError, DataError
from thence.base.rng import generator
from thence.decide.calibrate import VennAbersLevels
from thence.decide.estimator import DecisionBoundary
from thence.decide.policy import ACTIONS, DESCRIPTION, KIND, Decisions, Policy
from thence.decide.rule import Above, Rectangle, Thresholds
from thence.decide.sample import Sample
from thence.decide.surface.posterior import EvidencePosterior


def world(seed: int, count: int = 3000) -> Sample:
    rng = generator(seed, "tests", "policy")
    score, unsure = rng.random((2, count)) * 0.99 + 0.005
    return Sample.make(score, unsure, rng.random(count) < score * (1 - unsure))


TOLD, HELD, TEST = (world(seed) for seed in range(3))
BOUNDARY = DecisionBoundary(precision=0.7).fit(TOLD.score, TOLD.uncertainty, TOLD.label)
assert isinstance(BOUNDARY.rule_, Above)
SURFACE = BOUNDARY.rule_.surface
POLICY = Policy.fit(BOUNDARY, HELD, miss=0.3)
RATES = POLICY.rates
INF = np.inf
RULES: dict[str, Any] = {
    "ours": BOUNDARY.rule_,
    "single": Thresholds(np.empty(0), np.array([0.6])),
    "levels": Thresholds(np.array([0.3, 0.6]), np.array([0.55, INF, -INF])),
    "below": Rectangle(0.6, 0.5),
    "above": Rectangle(0.6, 0.5, below=False),
    "evidence": Above(EvidencePosterior(1, 3, 5), 0.1),
    "never": Above(SURFACE, INF),
    "always": Above(SURFACE, 0.0),
}


def three_zones() -> None:
    for name, rule in RULES.items():
        for ask in (0.0, -0.1, -INF):
            made = Policy(rule, RATES, ask=ask).decide(TEST.score, TEST.uncertainty)
            margin = rule.margin(TEST.score, TEST.uncertainty)
            for code, one in zip(made.action, margin, strict=True):
                assert ACTIONS[code] == ("act" if one >= 0 else "ask" if one >= ask else "hold"), name
            assert (made.action == 1).any() <= (ask < 0)
            assert made.named() == [ACTIONS[code] for code in made.action]
            assert np.array_equal(made.margin, margin)


def no_more_than_the_share_is_missed() -> None:
    """And with one case fewer asked about there would be more."""
    for miss in (0.02, 0.1, 0.3, 0.5, 0.9):
        for rule in (RULES["ours"], RULES["single"], RULES["levels"], RULES["below"]):
            held = Policy.fit(with_rule(BOUNDARY, rule), HELD, miss=miss)
            made = held.decide(HELD.score, HELD.uncertainty)
            missed = HELD.label[made.action == 0].sum() / HELD.positives
            assert missed <= miss
            if -INF < held.ask < 0:
                tighter = made.margin >= np.nextafter(held.ask, 0)
                assert HELD.label[~tighter].sum() / HELD.positives > miss


def with_rule(boundary: DecisionBoundary, rule: Any) -> DecisionBoundary:
    other = DecisionBoundary(**boundary.get_params())
    for name, value in vars(boundary).items():
        setattr(other, name, value)
    other.rule_ = rule
    return other


def needed_is_the_least_score() -> None:
    grid = np.linspace(0, 1, 2001)
    unsure = np.linspace(0.01, 0.99, 23)
    for name, rule in RULES.items():
        found = Policy(rule, RATES).needed(unsure)
        for at, u in zip(found, unsure, strict=True):
            acted = grid[rule.act(grid, np.full(len(grid), u))]
            if len(acted):
                assert acted[0] - 1 / 2000 - 1e-12 < at <= acted[0] + 1e-12, name
                assert rule.act([at], [u])[0]
            else:
                assert at == INF, name


FACTS = [three_zones, no_more_than_the_share_is_missed, needed_is_the_least_score]


@pytest.mark.parametrize("fact", FACTS)
def test_facts_hold(fact: Callable[[], None]) -> None:
    fact()


def strict_zones(self: Policy, score, uncertainty=None) -> Decisions:
    made = REAL_DECIDE(self, score, uncertainty)
    return swapped(made, np.where(made.margin > 0.01, 2, np.where(made.margin >= self.ask, 1, 0)))


def asks_below(self: Policy, score, uncertainty=None) -> Decisions:
    made = REAL_DECIDE(self, score, uncertainty)
    return swapped(made, np.where(made.margin >= 0, 2, np.where(made.margin <= self.ask, 1, 0)))


def strict_ask(self: Policy, score, uncertainty=None) -> Decisions:
    made = REAL_DECIDE(self, score, uncertainty)
    return swapped(made, np.where(made.margin >= 0, 2, np.where(made.margin > self.ask, 1, 0)))


def swapped(made: Decisions, action: np.ndarray) -> Decisions:
    return Decisions(action.astype(np.uint8), made.rate, made.low, made.high, made.margin, made.needed)


def most(self: Policy, unsure, low, high) -> np.ndarray:
    for _ in range(50):
        middle = (low + high) / 2
        inside = self.rule.act(middle, unsure)
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return high


def without_ends(self: Policy, unsure, low, high) -> np.ndarray:
    for _ in range(50):
        middle = (low + high) / 2
        inside = self.rule.act(middle, unsure)
        low, high = np.where(inside, low, middle), np.where(inside, middle, high)
    return high


REAL_DECIDE = Policy.decide


@pytest.mark.parametrize(
    ("name", "mutant", "fact"),
    [
        ("decide", strict_zones, three_zones),
        ("decide", asks_below, three_zones),
        ("decide", asks_below, no_more_than_the_share_is_missed),
        ("decide", strict_ask, no_more_than_the_share_is_missed),
        ("_least", most, needed_is_the_least_score),
        ("_least", without_ends, needed_is_the_least_score),
    ],
)
def test_mutants_fail(name: str, mutant, fact: Callable[[], None], monkeypatch) -> None:
    monkeypatch.setattr(Policy, name, mutant)
    with pytest.raises(AssertionError):
        fact()


def test_rates_lie_in_their_intervals_and_are_true() -> None:
    policy = Policy.fit(BOUNDARY, world(5, 20_000), miss=0.3)  # enough for every level to stand by itself
    made = policy.decide(TEST.score, TEST.uncertainty)
    assert all(policy.rates.own)
    assert ((made.low <= made.rate) & (made.rate <= made.high)).all()
    assert ((made.low >= 0) & (made.high <= 1)).all()
    true = TEST.score * (1 - TEST.uncertainty)
    assert abs(made.rate.mean() - true.mean()) < 0.02
    act = made.action == 2
    assert made.rate[act].mean() > 0.5 > made.rate[~act].mean()
    assert repr(made).startswith("Decisions(hold ") and len(made) == len(TEST)
    assert not Policy.fit(BOUNDARY, HELD).decide(TEST.score, TEST.uncertainty).action.tolist().count(1)


def test_a_case_outside_the_span_is_told_what_it_needs() -> None:
    policy = Policy(Thresholds(np.empty(0), np.array([2.0])), RATES, span=(0.0, 1.0))
    made = policy.decide([3.0, 1.0, -5.0], [0.5, 0.5, 0.5])
    assert made.named() == ["act", "hold", "hold"]
    assert made.needed[0] == pytest.approx(2.0) and made.needed[1:].tolist() == [INF, INF]
    assert "no score is enough" in policy.why(made, 1) and "a score of 2 is needed" in policy.why(made, 0)
    low = Policy(Thresholds(np.empty(0), np.array([-1.0])), RATES).decide([-0.5], [0.5])
    assert low.named() == ["act"] and low.needed[0] <= -0.5


def test_what_is_told_is_of_the_fit() -> None:
    told = POLICY.told
    assert (told["target"], told["bound"], told["miss"]) == ("recall", 0.7, 0.3)
    assert told["precision"] == BOUNDARY.outcome_.precision and told["cases"] == 3000
    assert repr(POLICY) == "Policy(recall at 0.7, asks)"
    json.dumps(told, allow_nan=False)
    shown = DecisionBoundary("precision", recall=0.9, confidence=0.99, method="single")
    shown.fit(TOLD.score[:20], None, np.arange(20) % 2)
    assert shown.guarantee_ is not None and not shown.guarantee_.shown
    json.dumps(Policy.fit(shown, HELD).told, allow_nan=False)
    costly = DecisionBoundary("cost", cost=1e6, method="single").fit(TOLD.score, None, TOLD.label)
    json.dumps(Policy.fit(costly, HELD).told, allow_nan=False)


def test_wrong_settings_and_cases_are_told() -> None:
    for miss in (0, 1, -0.5, float("nan")):
        with pytest.raises(ConfigError, match="missed"):
            Policy.fit(BOUNDARY, HELD, miss=miss)
    for ask in (0.1, float("nan")):
        with pytest.raises(ConfigError, match="asking"):
            Policy(RULES["single"], RATES, ask=ask)
    with pytest.raises(DataError, match="labels"):
        Policy.fit(BOUNDARY, HELD[~HELD.label], miss=0.1)
    for score, unsure in (([np.nan], [0.5]), ([0.5], [np.inf]), ([0.5, 0.5], [0.5]), ([0.5], None)):
        with pytest.raises(DataError):
            POLICY.decide(score, unsure)
    assert len(POLICY.decide([], [])) == 0


# ---- saving


@pytest.mark.parametrize("name", RULES)
def test_what_is_saved_answers_to_the_byte(name: str, tmp_path: Path) -> None:
    policy = Policy(
        RULES[name], RATES, ask=-INF if name == "below" else -0.1, span=(0.01, 0.99), told={"a": [1, None]}
    )
    policy.save(tmp_path / "one")
    back = Policy.load(tmp_path / "one")
    assert (back.ask, back.span, back.told) == (policy.ask, policy.span, policy.told)
    before, after = (each.decide(TEST.score, TEST.uncertainty) for each in (policy, back))
    for column in ("action", "rate", "low", "high", "margin", "needed"):
        assert getattr(before, column).tobytes() == getattr(after, column).tobytes(), column
    back.save(tmp_path / "two")
    files = [open_artifact(tmp_path / place, KIND).files for place in ("one", "two")]
    assert files[0] == files[1] and policy.version == back.version


def test_what_was_tampered_with_is_refused(tmp_path: Path) -> None:
    POLICY.save(tmp_path / "sound")
    names = sorted(path.name for path in (tmp_path / "sound").iterdir())
    assert len(names) == 4
    for name in names:
        for harm in ("flipped", "cut", "gone"):
            folder = tmp_path / f"{name}.{harm}"
            shutil.copytree(tmp_path / "sound", folder)
            told = (folder / name).read_bytes()
            middle = len(told) // 2
            if harm == "gone":
                (folder / name).unlink()
            else:
                rest = bytes([told[middle] ^ 1]) + told[middle + 1 :] if harm == "flipped" else b""
                (folder / name).write_bytes(told[:middle] + rest)
            with pytest.raises(ArtifactError):
                Policy.load(folder)
    with pytest.raises(ArtifactError):
        Policy.load(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "change",
    [
        {"rule": "threshold"},
        {"rule": None},
        {"rule": "rectangle"},
        {"ask": 0.5},
        {"ask": "never"},
        {"span": [0.0]},
        {"span": None},
        {"span": ["a", "b"]},
        {"told": 3},
        {"evidence": ["shop"]},
    ],
)
def test_parts_that_do_not_fit_together_are_refused(change: dict, tmp_path: Path) -> None:
    """The digests are right, for the writer was wrong."""
    rewritten(tmp_path, lambda text: json.dumps(json.loads(text) | change))
    with pytest.raises(ArtifactError):
        Policy.load(tmp_path / "p")


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "{}", "\xff"])
def test_descriptions_that_are_none_are_refused(text: str, tmp_path: Path) -> None:
    rewritten(tmp_path, lambda _: text)
    with pytest.raises(ArtifactError):
        Policy.load(tmp_path / "p")


def rewritten(tmp_path: Path, change: Callable[[str], str]) -> None:
    Policy(RULES["levels"], RATES).save(tmp_path / "p")
    art = open_artifact(tmp_path / "p", KIND)
    text = change(art.path(DESCRIPTION).read_text("utf-8"))
    rule, rates = art.tensors("rule"), art.tensors("rates")
    with write_artifact(tmp_path / "p", KIND) as draft:
        draft.tensors("rule", rule)
        draft.tensors("rates", rates)
        draft.path(DESCRIPTION).write_bytes(text.encode("latin-1"))


def test_rates_of_another_kind_are_refused(tmp_path: Path) -> None:
    POLICY.save(tmp_path / "p")
    art = open_artifact(tmp_path / "p", KIND)
    text, rule, rates = art.path(DESCRIPTION).read_bytes(), art.tensors("rule"), art.tensors("rates")
    for name in rates:
        with write_artifact(tmp_path / "p", KIND) as draft:
            draft.tensors("rule", rule)
            draft.tensors("rates", {other: value for other, value in rates.items() if other != name})
            draft.path(DESCRIPTION).write_bytes(text)
        with pytest.raises(ArtifactError):
            Policy.load(tmp_path / "p")
    assert isinstance(RATES, VennAbersLevels)
