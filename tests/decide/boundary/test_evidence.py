"""The boundary of evidence counts: nearly that of the world's own posterior, fitted to few cases."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from thence.base.errors import DataError
from thence.decide.boundary.evidence import Evidence
from thence.decide.boundary.nested import best_threshold, steps
from thence.decide.clicks import ClicksConfig, simulate_clicks
from thence.decide.goal import Goal
from thence.decide.sample import Sample

TAUS = (1.0, 20.0)
GOAL = Goal.recall(precision=0.4)


def told_and_test(tau: float) -> tuple[Sample, Sample, np.ndarray]:
    made = simulate_clicks(ClicksConfig(held=60_000, sampling=tau), 4)
    samples = []
    for part, sample in (("fit", made.fit), ("test", made.test)):
        k, n = made.hits[part], made.seen[part]
        samples.append(Sample(k / np.maximum(n, 1), 1 / (1 + n), sample.label))
    return samples[0][:30_000], samples[1], made.bayes("test")


def recall_at(value: np.ndarray, label: np.ndarray) -> float:
    _, taken, positives = steps(value, label)
    return float(positives[positives >= 0.4 * taken].max() / label.sum())


@pytest.mark.parametrize("tau", TAUS)
def test_it_gains_what_bayes_gains(tau: float) -> None:
    told, test, bayes = told_and_test(tau)
    rule = Evidence(tau).fit(told, GOAL)
    margin = rule.margin(test.score, test.uncertainty)
    assert recall_at(margin, test.label) > 0.97 * recall_at(bayes, test.label)
    assert recall_at(margin, test.label) > 1.1 * recall_at(test.score, test.label)
    rate = rule.surface.rate(told.score, told.uncertainty)
    assert rule.threshold == best_threshold(rate, told, GOAL)


def test_another_sampling_rate_than_the_true_one_is_worse() -> None:
    """A mutant that forgets τ: its rates are too high, though a threshold can make up for much of that."""
    told, test, _ = told_and_test(20.0)
    right, wrong = (Evidence(tau).fit(told, GOAL).surface for tau in (20.0, 1.0))
    losses = []
    for surface in (right, wrong):
        rate = surface.rate(test.score, test.uncertainty)
        losses.append(-np.where(test.label, np.log(rate), np.log1p(-rate)).mean())
    assert losses[0] < losses[1]


def test_values_that_are_no_evidence_are_refused() -> None:
    good = Sample.make([1, 1, 0, 0], [0.5, 0.1, 0.1, 0.5], [1, 0, 1, 0])
    for wrong in (replace(good, score=good.score + 1), replace(good, uncertainty=good.uncertainty - 0.1)):
        with pytest.raises(DataError):
            Evidence().fit(wrong, GOAL)
    with pytest.raises(DataError, match="labels"):
        Evidence().fit(good[:1], GOAL)
