"""A policy is judged by cases that its rule never saw, beside one threshold; and keeps what it is told."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from thence.base.errors import ConfigError, DataError, FitError
from thence.decide.calibrate import VennAbersLevels
from thence.decide.estimator import DecisionBoundary
from thence.decide.fitting import fit_policy, rules_of
from thence.decide.policy import Policy
from thence.decide.rule import Thresholds
from thence.decide.sample import Sample


def cases(count: int = 4000, seed: int = 0, *, blind: bool = False) -> Sample:
    """Positivity falls with uncertainty, or knows nothing of it."""
    rng = np.random.default_rng(seed)
    score, unsure = rng.random((2, count))
    return Sample.make(score, unsure, rng.random(count) < score * (1 if blind else 1 - unsure))


def test_the_rule_is_that_of_the_fitted_part_and_the_figures_those_of_the_other() -> None:
    sample = cases()
    made = fit_policy(sample, DecisionBoundary("recall", precision=0.7), holdout=0.25, later=True)
    fitted, held = sample[:3000], sample[3000:]
    alone = DecisionBoundary("recall", precision=0.7).fit(fitted.score, fitted.uncertainty, fitted.label)
    act = alone.predict(held.score, held.uncertainty) == 1
    one = made.outcomes["ours"]
    assert (one.taken, one.hits, one.cases) == (act.sum(), held.label[act].sum(), 1000)
    assert made.fitted == made.policy.told["fitted"] == 3000 and made.held_out
    rates = VennAbersLevels.fit(held.score, held.uncertainty, held.label)
    told = made.policy.decide(sample.score, sample.uncertainty)
    np.testing.assert_array_equal(told.rate, rates.rate(sample.score, sample.uncertainty))
    single = made.rules["single"]
    assert isinstance(single, Thresholds) and len(single.threshold) == 1


def test_labels_held_out_have_no_say_in_the_rule() -> None:
    sample = cases()
    other = Sample(sample.score, sample.uncertainty, sample.label.copy())
    other.label[3000:] = ~other.label[3000:]
    boundary = DecisionBoundary("recall", precision=0.6)
    made = [fit_policy(each, boundary, holdout=0.25, later=True) for each in (sample, other)]
    at = np.random.default_rng(1).random((2, 500))
    margins = [each.policy.rule.margin(*at) for each in made]
    np.testing.assert_array_equal(margins[0], margins[1])
    assert made[0].outcomes["ours"].hits != made[1].outcomes["ours"].hits


def test_by_lot_both_classes_are_held_out_in_their_shares() -> None:
    sample = cases(1000)
    made = fit_policy(sample, DecisionBoundary("recall", precision=0.5), holdout=0.3)
    one = made.outcomes["ours"]
    negatives = len(sample) - sample.positives
    assert one.positives == round(0.3 * sample.positives)
    assert one.cases - one.positives == round(0.3 * negatives) and made.fitted + one.cases == 1000
    every = fit_policy(sample, DecisionBoundary("recall", precision=0.5), holdout=0)
    assert every.fitted == every.outcomes["ours"].cases == 1000 and not every.held_out
    assert every.policy.told["held_out"] is None


def test_gain_is_there_where_uncertainty_tells_and_none_where_it_does_not() -> None:
    tells = fit_policy(cases(8000), DecisionBoundary("recall", precision=0.45))
    assert tells.gain.low > 1.2 and tells.policy.told["why_not"] is None
    blind = fit_policy(cases(8000, blind=True), DecisionBoundary("recall", precision=0.7))
    assert not blind.policy.told["uses_uncertainty"] and "beyond noise" in blind.policy.told["why_not"]
    assert blind.gain.value == pytest.approx(1.0, abs=0.01)


def test_why_uncertainty_is_not_used_is_told() -> None:
    sample = cases()
    none = fit_policy(Sample.make(sample.score, None, sample.label), DecisionBoundary("recall", precision=0.4))
    assert "none" in none.policy.told["why_not"] and not none.policy.asks_uncertainty
    assert len(none.policy.decide([0.1, 0.9])) == 2
    single = fit_policy(sample, DecisionBoundary("recall", precision=0.4, method="single"))
    assert single.policy.told["why_not"] == "the method is one threshold"
    assert list(single.rules) == ["policy", "single"]


def test_a_bound_that_one_threshold_cannot_keep_leaves_it_at_nothing() -> None:
    fine = cases(8000)
    sample = Sample.make(fine.score.round(1), fine.uncertainty, fine.label)
    made = fit_policy(sample, DecisionBoundary("recall", precision=0.8))
    assert made.outcomes["single"].taken == 0 and made.outcomes["ours"].taken > 0
    assert made.policy.told["single"] is None
    assert not rules_of(made.policy)["single"].act([1.0], [0.0]).any()


def test_saved_and_opened_it_tells_and_decides_the_same(tmp_path: Path) -> None:
    sample = cases()
    boundary = DecisionBoundary("recall", precision=0.5, confidence=0.9)
    made = fit_policy(sample, boundary, miss=0.1, told={"columns": {"score": "s"}})
    made.policy.save(tmp_path / "p")
    again = Policy.load(tmp_path / "p")
    assert again.told == json.loads(json.dumps(made.policy.told)) and again.told["columns"] == {"score": "s"}
    assert again.version == made.policy.version and len(again.version) == 12
    for name, rule in rules_of(again).items():
        margins = [each.margin(sample.score, sample.uncertainty) for each in (rule, made.rules[name])]
        np.testing.assert_array_equal(margins[0], margins[1])
    assert not hasattr(boundary, "rule_")  # what was given stays as it was


def test_what_cannot_be_held_out_is_refused() -> None:
    few = Sample.make([0.1, 0.9, 0.2], None, [0, 1, 0])
    with pytest.raises(DataError, match="cases fitted, 0 are positive"):
        fit_policy(few, DecisionBoundary("recall", precision=0.5))
    with pytest.raises(DataError, match="all 2 labels are 0"):
        fit_policy(Sample.make([0, 1], None, [0, 0]), DecisionBoundary("recall", precision=0.5))
    for share in (1.0, -0.1, float("nan")):
        with pytest.raises(ConfigError, match="held out"):
            fit_policy(few, DecisionBoundary("recall", precision=0.5), holdout=share)
    constant = Sample.make(np.ones(100), None, np.arange(100) % 2)
    with pytest.raises(FitError, match=r"reaches 0\.500"):
        fit_policy(constant, DecisionBoundary("recall", precision=0.9))
