"""How late conversions come: against a delay whose law is known, by counting, and in models saved and old."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from thence.base.artifact import open_artifact, version, write_artifact
from thence.base.errors import DataError
from thence.conversion.delays import DelayCurve, ages_of, still
from thence.conversion.exposures import NEVER, Exposures
from thence.conversion.learn import LearnConfig
from thence.conversion.model import ConversionModel
from thence.conversion.net import NetConfig
from thence.conversion.sources.hashing import describe
from thence.events.clock import DAY, HOUR

WINDOW = 7 * DAY


def exposures(count: int = 40_000) -> Exposures:
    """Half of all convert; mugs exponentially after a day, books after three hours."""
    rng = np.random.default_rng(0)
    time = np.sort(rng.integers(0, 60 * DAY, count))
    book = rng.random(count) < 0.5
    mean = np.where(book, 3 * HOUR, DAY)
    delay = (-np.log1p(-rng.random(count) * -np.expm1(-WINDOW / mean)) * mean).astype(np.int64) + 1  # cut at W
    ends = np.where(rng.random(count) < 0.5, time + np.minimum(delay, WINDOW), NEVER)
    item = describe({"item": np.where(book, "book", "mug")}, {}, buckets=50)
    return Exposures.make(time, ends, window=WINDOW, features=item)


def law(mean: float, age: np.ndarray) -> np.ndarray:
    return -np.expm1(-age / mean) / -np.expm1(-WINDOW / mean)


@pytest.fixture(scope="module")
def shown() -> Exposures:
    return exposures()


def fitted(shown: Exposures, estimator: str) -> ConversionModel:
    learn = LearnConfig(256, 0.05, passes=3)
    model = ConversionModel(estimator, net=NetConfig("logistic"), learn=learn, kinds={"item": "text"})
    return model.fit(shown, at=40 * DAY)


@pytest.fixture(scope="module")
def model(shown: Exposures) -> ConversionModel:
    return fitted(shown, "wait")


def test_the_curve_is_the_law_and_what_counting_gives(shown: Exposures) -> None:
    known = shown.before(40 * DAY)
    curve = DelayCurve.of(known)
    ages = np.array([HOUR, 6 * HOUR, DAY, 3 * DAY, WINDOW, 9 * DAY])
    expected = (law(DAY, ages) + law(3 * HOUR, ages)) / 2
    np.testing.assert_allclose(curve.by(ages[:-1]), expected[:-1], atol=0.012)
    assert curve.by(ages)[-2:].tolist() == [1.0, 1.0]
    chosen = known.mature & known.converted
    delay = (known.conversion_time - known.time)[chosen]
    for age, share in zip(curve.ages, curve.share, strict=True):
        assert share == (delay <= age).mean()
    assert (curve.conversions, curve.exposures) == (int(chosen.sum()), int(known.mature.sum()))
    assert curve.by(curve.age(0.43)) >= 0.43 > curve.by(curve.age(0.43) - 2 * HOUR)


def test_nothing_later_than_the_clock_reaches_the_curve(shown: Exposures) -> None:
    late = shown.time >= 33 * DAY - 1
    other = Exposures.make(
        shown.time,
        np.where(late, shown.time + 1, shown.conversion_time),
        window=WINDOW,
        features=shown.features,
    )
    curve, same = (DelayCurve.of(one.before(40 * DAY)) for one in (shown, other))
    assert curve.told() == same.told()


def test_what_silence_leaves_is_what_is_seen(shown: Exposures) -> None:
    """By counting: of those that had not converted by an age, the share that did later."""
    curve = DelayCurve.of(shown)
    delay = np.where(shown.converted, shown.conversion_time - shown.time, WINDOW + 1)
    for age in (HOUR, DAY, 5 * DAY):
        silent = delay > age
        assert still(0.5, curve.by(age)) == pytest.approx(shown.converted[silent].mean(), abs=0.01)
    assert still([0.0, 1.0, 1.0], [0.3, 0.3, 1.0]).tolist() == [0.0, 1.0, 0.0]


def test_a_model_of_one_delay_tells_it_and_one_with_a_law_tells_each(shown: Exposures, model: ConversionModel):
    asked = model.schema.features({"item": ["mug", "book"]})
    assert model.delays is not None and not model.own_delays
    np.testing.assert_allclose(model.delay_by(asked, DAY), model.delays.by(DAY))
    chance = model.predict_proba(asked)[:, 1]
    np.testing.assert_allclose(model.predict_later(asked, 0), chance)
    assert (model.predict_later(asked, [WINDOW, 9 * DAY]) == 0).all()
    for name in ("dfm", "dfm_hazard"):
        own = fitted(shown, name)
        assert own.own_delays
        mug, book = own.delay_by(asked, 6 * HOUR)
        truth = [law(mean, np.array(6 * HOUR)) for mean in (DAY, 3 * HOUR)]
        np.testing.assert_allclose([mug, book], truth, atol=0.1 if name == "dfm" else 0.15)
        assert own.delay_by(asked, WINDOW).tolist() == [1.0, 1.0]
        assert own.delay_by(asked, 0).max() < 0.01


def test_it_is_kept_and_a_judgement_changes_no_version(model: ConversionModel, tmp_path: Path) -> None:
    model.save(tmp_path / "plain")
    plain = ConversionModel.load(tmp_path / "plain")
    assert plain.delays is not None and model.delays is not None
    assert plain.delays.told() == model.delays.told() and plain.figures is None
    plain.figures = {"exposures": 3}
    plain.save(tmp_path / "judged")
    judged = ConversionModel.load(tmp_path / "judged")
    assert judged.figures == {"exposures": 3} and judged.version == model.version == version(
        tmp_path / "judged"
    )


def test_a_refresh_forgets_the_judgement(shown: Exposures) -> None:
    model = fitted(shown, "wait")
    model.figures, before = {"exposures": 3}, model.delays
    model.partial_fit(shown, at=45 * DAY)
    assert model.figures is None and model.delays is not None and before is not None
    assert model.delays.exposures > before.exposures


def test_a_model_of_an_earlier_release_answers_and_says_what_it_lacks(model: ConversionModel, tmp_path: Path):
    model.save(tmp_path / "new")
    art = open_artifact(tmp_path / "new", "conversion-model")
    told = json.loads(art.path("model.json").read_text())
    del told["delays"]
    with write_artifact(tmp_path / "old", "conversion-model") as draft:
        for name in ("learner", "estimator"):
            draft.tensors(name, art.tensors(name))
        draft.path("model.json").write_text(json.dumps(told))
    old = ConversionModel.load(tmp_path / "old")
    asked = old.schema.features({"item": ["mug"]})
    assert old.delays is None and old.predict_proba(asked).tolist() == model.predict_proba(asked).tolist()
    with pytest.raises(DataError, match="how late its conversions come"):
        old.predict_later(asked, DAY)
    old.save(tmp_path / "again")
    assert "delays" not in json.loads((tmp_path / "again" / "model.json").read_text())


@pytest.mark.parametrize("elapsed", [-1.0, float("nan")])
def test_an_age_below_nought_is_refused(model: ConversionModel, elapsed: float) -> None:
    with pytest.raises(DataError, match="below 0"):
        model.delay_by(model.schema.features({"item": ["mug"]}), elapsed)


@pytest.mark.parametrize(
    ("ages", "share", "counts"),
    [
        ([0, 5], [0.0, 0.9], (1, 1)),
        ([0, 5, 5], [0.0, 0.5, 1.0], (1, 1)),
        ([0, 5, 9], [0.6, 0.5, 1.0], (1, 1)),
        ([1, 5], [0.0, 1.0], (1, 1)),
        ([0, 5], [0.0, 1.0, 1.0], (1, 1)),
        ([0, 5], [0.0, 1.0], (3, 2)),
    ],
)
def test_a_curve_that_is_none_is_refused(ages: list[int], share: list[float], counts: tuple[int, int]) -> None:
    with pytest.raises(DataError):
        DelayCurve(np.array(ages), np.array(share), *counts)


def test_without_a_conversion_there_is_no_curve() -> None:
    with pytest.raises(DataError, match="none of 2"):
        DelayCurve.of(Exposures.make([0, 1], [NEVER, NEVER], window=5))
    ages = ages_of(66 * DAY)
    assert ages[0] == 0 and ages[-1] == 66 * DAY and (np.diff(ages) > 0).all()
