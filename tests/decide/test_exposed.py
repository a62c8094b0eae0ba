"""Exposures that a model never saw: matured ones alone are fitted to, and the counts are those of training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from thence.base.errors import ArtifactError, ConfigError, DataError
from thence.conversion.exposures import NEVER, Exposures
from thence.conversion.features import Features
from thence.conversion.learn import LearnConfig
from thence.conversion.model import ConversionModel
from thence.conversion.net import NetConfig
from thence.decide.estimator import DecisionBoundary
from thence.decide.exposed import ExposureEvidence, ExposureLaplace, matured_sample
from thence.decide.fitting import fit_policy
from thence.decide.policy import Policy
from thence.decide.uncertainty.conversion import tensors
from thence.decide.uncertainty.laplace import LastLayerLaplace
from thence.events.clock import DAY

CLOCK, UNTIL = 15 * DAY, 26 * DAY


@pytest.fixture(scope="module")
def log() -> Exposures:
    """30 days; shops of Zipf's law, each with a rate of its own; a colour that says nothing."""
    rng = np.random.default_rng(0)
    count = 6000
    time = np.sort(rng.integers(0, 30 * DAY, count))
    shop = np.minimum(rng.zipf(1.4, count), 300) - 1
    buys = rng.random(count) < rng.beta(0.8, 2.0, 300)[shop]
    ends = np.where(buys, time + rng.integers(1, 2 * DAY, count), NEVER)
    codes = np.stack([shop, rng.integers(0, 3, count)], 1)
    features = Features(codes, np.zeros((count, 0)), (400, 3), ("shop", "colour"))
    return Exposures.make(time, ends, window=2 * DAY, features=features)


@pytest.fixture(scope="module")
def model(log: Exposures) -> ConversionModel:
    learn = LearnConfig(100, 0.05, passes=3)
    return ConversionModel("wait", net=NetConfig("logistic"), learn=learn).fit(log, at=CLOCK)


def test_cases_are_those_after_the_clock_whose_window_is_over(log: Exposures, model: ConversionModel) -> None:
    found = matured_sample(model, log, UNTIL)
    rows = np.flatnonzero((log.time >= CLOCK) & (log.time < UNTIL - 2 * DAY))
    np.testing.assert_array_equal(found.rows, rows)
    np.testing.assert_array_equal(found.sample.label, log.conversion_time[rows] != NEVER)
    np.testing.assert_array_equal(found.sample.score, model.predict_proba(log.features.take(rows))[:, 1])
    assert found.until == log.time[rows[-1]] + 1
    later = matured_sample(model, log, UNTIL, after=20 * DAY, sure=found.sure)
    np.testing.assert_array_equal(later.rows, rows[log.time[rows] >= 20 * DAY])
    np.testing.assert_array_equal(later.sample.uncertainty, found.sample.uncertainty[-len(later.sample) :])


def test_nothing_after_the_clock_has_a_say(log: Exposures, model: ConversionModel) -> None:
    late = np.where(log.conversion_time >= UNTIL, NEVER, log.conversion_time)
    for other in (replace(log, conversion_time=late), log.before(UNTIL)):
        found, told = matured_sample(model, other, UNTIL), matured_sample(model, log, UNTIL)
        np.testing.assert_array_equal(found.sample.label, told.sample.label)
        np.testing.assert_array_equal(found.sample.uncertainty, told.sample.uncertainty)


def test_evidence_is_counted_of_what_was_mature_when_the_model_was_fitted(
    log: Exposures, model: ConversionModel
) -> None:
    found = matured_sample(model, log, UNTIL, columns=["shop"])
    assert isinstance(found.sure, ExposureEvidence) and found.sure.columns == ("shop",)
    known = log.time < CLOCK - 2 * DAY
    (strength,) = found.sure.counts.strength
    shops = log.features.codes[:, 0]
    expected = [-np.log((known & (shops == shops[row])).sum() + strength) for row in found.rows[:200]]
    np.testing.assert_allclose(found.sample.uncertainty[:200], expected, rtol=1e-12)


def test_no_final_label_since_the_clock_is_told(log: Exposures, model: ConversionModel) -> None:
    with pytest.raises(
        DataError, match="1970-01-16T00:00:00Z, of which nothing was learned, has a final label"
    ):
        matured_sample(model, log, CLOCK + DAY)
    with pytest.raises(DataError, match="not the columns"):
        bare = log.with_features(Features(log.features.codes[:, :1], log.features.numbers, (400,), ("shop",)))
        matured_sample(model, bare, UNTIL)


def test_a_policy_keeps_its_evidence(log: Exposures, model: ConversionModel, tmp_path: Path) -> None:
    found = matured_sample(model, log, UNTIL)
    boundary = DecisionBoundary("recall", precision=0.4)
    made = fit_policy(found.sample, boundary, later=True, sure=found.sure)
    made.policy.save(tmp_path / "p")
    again = Policy.load(tmp_path / "p")
    assert isinstance(again.sure, ExposureEvidence) and again.sure.columns == ("shop", "colour")
    asked = log.features.take(found.rows)
    np.testing.assert_array_equal(again.sure.uncertainty(asked), found.sample.uncertainty)
    unseen = Features(np.array([[399, 0]]), np.zeros((1, 0)), (400, 3), ("shop", "colour"))
    assert again.sure.uncertainty(unseen)[0] > np.median(found.sample.uncertainty)
    with pytest.raises(DataError, match="of another model"):
        again.sure.uncertainty(Features(np.zeros((1, 1)), np.zeros((1, 0)), (3,), ("colour",)))


def test_evidence_that_does_not_fit_together_is_refused(log: Exposures) -> None:
    evidence = ExposureEvidence.fit(log.before(CLOCK), ["colour"])
    kept = evidence.arrays()
    wrong = {
        "seen.0": kept["seen.0"][:2], "positive.0": kept["seen.0"] + 1, "rate": np.ones(2),
        "strength": np.zeros(1),
    }  # fmt: skip
    for name, array in wrong.items():
        with pytest.raises(ArtifactError, match="does not fit together"):
            ExposureEvidence.of(["colour"], kept | {name: array})
        with pytest.raises(ArtifactError, match=f"without '{name}'"):
            ExposureEvidence.of(["colour"], {key: value for key, value in kept.items() if key != name})


@pytest.fixture(scope="module")
def deep(log: Exposures) -> ConversionModel:
    learn = LearnConfig(100, 0.02, passes=2)
    return ConversionModel("wait", net=NetConfig(hidden=(8,)), learn=learn).fit(log, at=CLOCK)


def test_laplace_is_of_what_the_model_was_trained_on(log: Exposures, deep: ConversionModel) -> None:
    found = matured_sample(deep, log, UNTIL, kind="laplace")
    assert isinstance(found.sure, ExposureLaplace) and found.sure.version == deep.version
    rows = found.rows
    own = LastLayerLaplace.fit(deep.learner.net, tensors(log.before(CLOCK).features))
    told = own.estimate(tensors(log.features.take(rows)))
    np.testing.assert_array_equal(found.sample.uncertainty, told.uncertainty)
    np.testing.assert_array_equal(found.sample.score, deep.predict_proba(log.features.take(rows))[:, 1])
    cut = matured_sample(deep, log.before(UNTIL), UNTIL, kind="laplace")
    np.testing.assert_array_equal(cut.sample.uncertainty, found.sample.uncertainty)


def test_a_policy_keeps_laplace_and_answers_to_the_bit(
    log: Exposures, deep: ConversionModel, tmp_path: Path
) -> None:
    found = matured_sample(deep, log, UNTIL, kind="laplace")
    boundary = DecisionBoundary("recall", precision=0.4)
    fit_policy(found.sample, boundary, later=True, sure=found.sure).policy.save(tmp_path / "p")
    deep.save(tmp_path / "m")
    again, model = Policy.load(tmp_path / "p"), ConversionModel.load(tmp_path / "m")
    asked = log.features.take(found.rows)
    assert again.sure is not None and found.sure is not None
    for _ in range(2):
        np.testing.assert_array_equal(again.sure.uncertainty(asked, model), found.sample.uncertainty)
    later = matured_sample(model, log, UNTIL, sure=again.sure)
    np.testing.assert_array_equal(later.sample.uncertainty, found.sample.uncertainty)
    path = tmp_path / "p" / "laplace.safetensors"
    kept = path.read_bytes()
    for torn in (kept[:-1], kept[:-1] + bytes([kept[-1] ^ 1])):
        path.write_bytes(torn)
        with pytest.raises(ArtifactError):
            Policy.load(tmp_path / "p")
    model.partial_fit(log, at=CLOCK + DAY)
    with pytest.raises(DataError, match=f"version {deep.version} of the model"):
        again.sure.uncertainty(asked, model)


def test_laplace_that_cannot_be_is_told(log: Exposures, model: ConversionModel, deep: ConversionModel) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"kind": "laplace", "columns": ["shop"]}, "evidence alone"),
        ({"kind": "laplase"}, "no uncertainty 'laplase'"),
    ]
    for words, said in wrong:
        with pytest.raises(ConfigError, match=said):
            matured_sample(deep, log, UNTIL, **words)
    with pytest.raises(ConfigError, match="last layer"):  # a logistic model has none of its own
        matured_sample(model, log, UNTIL, kind="laplace")
    sure = ExposureLaplace.fit(deep, log.before(CLOCK))
    with pytest.raises(ConfigError, match="inputs"):
        replace(sure, projections=sure.projections[:, 1:]).uncertainty(log.features[:3], deep)
    for told, arrays in (
        ({}, sure.arrays()),
        (sure.told(), {}),
        (sure.told() | {"prior": "much"}, sure.arrays()),
        (sure.told(), {"projections": sure.projections[0]}),
        (sure.told(), {"projections": sure.projections * np.nan}),
        (sure.told(), {"projections": sure.projections.astype(float)}),
    ):
        with pytest.raises(ArtifactError):
            ExposureLaplace.of(told, arrays)
