"""The model that users hold: the same as a stream, the same after saving, and clear about what is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from thence.base.errors import ArtifactError, ConfigError, DataError, FitError
from thence.base.rng import generator
from thence.conversion.delayed import ESTIMATORS, Protocol, make
from thence.conversion.exposures import NEVER, Exposures
from thence.conversion.features import Features
from thence.conversion.learn import LearnConfig
from thence.conversion.model import ConversionModel
from thence.conversion.net import NetConfig
from thence.conversion.stream import StreamConfig, run_stream
from thence.events.clock import DAY, HOUR

NET, LEARN = NetConfig("logistic"), LearnConfig(128, 0.05, passes=3)
RATE = np.array([0.1, 0.3, 0.7])


def clicks(count: int = 4000, days: int = 24, window: int = 5, seed: int = 0) -> Exposures:
    """Three groups that convert at their own rate, one to three days later; a number that says nothing."""
    rng = generator(seed, "clicks")
    group = rng.integers(0, 3, count)
    time = np.sort(rng.integers(0, days * DAY, count))
    late = time + (DAY * rng.uniform(0.1, 3, count)).astype(np.int64)
    numbers = np.where(rng.random((count, 1)) < 0.2, np.nan, rng.normal(size=(count, 1)))
    features = Features(group[:, None], numbers, (3,), ("group", "noise"))
    ends = np.where(rng.random(count) < RATE[group], late, NEVER)
    return Exposures.make(time, ends, window=window * DAY, features=features).before(days * DAY)


def asked() -> Features:
    return Features(np.arange(3)[:, None], np.full((3, 1), np.nan), (3,), ("group", "noise"))


def fitted(name: str = "wait", **options: object) -> ConversionModel:
    return ConversionModel(name, wait=HOUR, net=NET, learn=LEARN, **options)  # type: ignore[arg-type]


def test_it_finds_the_rates_and_its_answers_agree() -> None:
    model = fitted().fit(clicks(20_000))
    found = model.predict_proba(asked())
    assert found.shape == (3, 2) and found.dtype == np.float64
    np.testing.assert_allclose(found.sum(axis=1), 1)
    np.testing.assert_allclose(found[:, 1], RATE, atol=0.04)
    np.testing.assert_allclose(1 / (1 + np.exp(-model.predict_logit(asked()))), found[:, 1], rtol=1e-9)
    assert model.classes_.tolist() == [0, 1]


def test_open_labels_count_where_the_estimator_says_so() -> None:
    """All that is mature converted at .5, all that is open at .9: only the estimators of open labels see it."""
    rng, count = generator(1, "turn"), 8000
    time = np.sort(rng.integers(0, 20 * DAY, count))
    rate = np.where(time < 15 * DAY, 0.5, 0.9)
    ends = np.where(rng.random(count) < rate, time + HOUR // 2, NEVER)
    features = Features(np.zeros((count, 1)), np.zeros((count, 0)), (1,), ("group",))
    shown = Exposures.make(time, ends, window=5 * DAY, features=features)
    at = Features(np.zeros((1, 1)), np.zeros((1, 0)), (1,), ("group",))
    waiting, quick = (
        fitted(name).fit(shown, at=20 * DAY).predict_proba(at)[0, 1] for name in ("wait", "naive")
    )
    assert waiting < 0.6 < 0.75 < quick


def test_refreshes_are_a_stream_to_the_byte() -> None:
    shown = clicks()
    learn = LearnConfig(128, 0.02, passes=2, visits=1.0)
    streamed = run_stream(
        shown, make("es_dfm_exact", Protocol(HOUR, shown.window)),
        StreamConfig(start=10 * DAY, net=NET, learn=learn),
    )  # fmt: skip
    model = ConversionModel("es_dfm_exact", wait=HOUR, net=NET, learn=learn)
    for block, day in enumerate(range(10, 19)):
        model.partial_fit(shown, at=day * DAY)
        index = streamed.index[streamed.block == block]
        found = model.predict_proba(shown.features.take(index))[:, 1]
        np.testing.assert_allclose(found, streamed.probability[streamed.block == block], rtol=1e-6)


@pytest.mark.parametrize("name", sorted(ESTIMATORS))
def test_a_saved_model_answers_and_goes_on_as_the_one_in_memory(name: str, tmp_path: Path) -> None:
    shown = clicks(1500)
    model = fitted(name).fit(shown, at=18 * DAY)
    model.partial_fit(shown, at=19 * DAY)
    model.save(tmp_path / "m")
    again = ConversionModel.load(tmp_path / "m")
    assert repr(again) == repr(model) and again.version == model.version and again.schema == model.schema
    assert (again.clock, again.window, again.label_age) == (19 * DAY, 5 * DAY, model.label_age)
    np.testing.assert_array_equal(again.predict_proba(asked()), model.predict_proba(asked()))
    for one in (model, again):
        one.partial_fit(shown, at=20 * DAY)
    np.testing.assert_array_equal(again.predict_proba(asked()), model.predict_proba(asked()))
    assert again.version == model.version


def test_an_opened_model_can_be_saved_again_before_it_is_refreshed(tmp_path: Path) -> None:
    shown = clicks(1500)
    fitted("es_dfm").fit(shown, at=18 * DAY).save(tmp_path / "a")
    ConversionModel.load(tmp_path / "a").save(tmp_path / "b")
    one, two = (ConversionModel.load(tmp_path / name).partial_fit(shown, at=19 * DAY) for name in "ab")
    np.testing.assert_array_equal(one.predict_proba(asked()), two.predict_proba(asked()))


def test_nothing_later_than_the_clock_moves_it() -> None:
    shown = clicks()
    spoilt = Exposures(
        shown.features, shown.time, np.where(shown.conversion_time >= 15 * DAY, NEVER, shown.conversion_time),
        shown.window, shown.until,
    )  # fmt: skip
    one, two = (fitted("es_dfm").fit(exposures, at=15 * DAY) for exposures in (shown, spoilt))
    np.testing.assert_array_equal(one.predict_proba(asked()), two.predict_proba(asked()))
    assert one.version == two.version


def test_the_version_tells_models_apart_and_does_not_depend_on_when_it_is_asked(tmp_path: Path) -> None:
    shown = clicks(1500)
    one, two, other = (fitted(seed=seed).fit(shown) for seed in (0, 0, 1))
    assert one.version == two.version != other.version and len(one.version) == 12
    one.save(tmp_path / "m")
    assert ConversionModel.load(tmp_path / "m").version == two.version
    first = two.version
    assert two.fit(shown, at=15 * DAY).version != first


def test_label_age_is_that_of_the_newest_final_label() -> None:
    shown = clicks()
    model = fitted().fit(shown, at=20 * DAY)
    newest = shown.time[shown.time < 15 * DAY].max()
    assert model.label_age == 20 * DAY - newest >= model.window


def test_everything_known_has_a_clock_too() -> None:
    shown = clicks()
    endless = Exposures(shown.features, shown.time, shown.conversion_time, shown.window)
    model = fitted().fit(endless)
    assert model.clock == shown.time[-1] + shown.window + 1 and model.label_age == shown.window + 1


def test_numbers_may_be_unknown_and_nothing_else() -> None:
    model = fitted().fit(clicks(1500))
    assert np.isfinite(model.predict_proba(asked())).all()
    with pytest.raises(DataError, match="infinite"):
        model.predict_proba(Features(np.zeros((1, 1)), np.full((1, 1), np.inf), (3,), ("group", "noise")))
    with pytest.raises(DataError, match=r"'group' has codes outside 0 … 2"):
        model.predict_proba(Features(np.full((1, 1), 3), np.zeros((1, 1)), (3,), ("group", "noise")))
    with pytest.raises(DataError, match=r"missing \['noise'\], unknown \['price'\]"):
        model.predict_proba(Features(np.zeros((1, 1)), np.zeros((1, 1)), (3,), ("group", "price")))
    with pytest.raises(DataError, match="other buckets"):
        model.predict_proba(Features(np.zeros((1, 1)), np.zeros((1, 1)), (4,), ("group", "noise")))
    assert model.predict_proba(asked()[:0]).shape == (0, 2)


def test_what_cannot_be_fitted_is_said_with_what_to_do() -> None:
    shown, none = clicks(500), Exposures.make([], [], window=DAY)
    with pytest.raises(FitError, match="not fitted"):
        fitted().predict_proba(asked())
    with pytest.raises(FitError, match="not fitted"):
        _ = fitted().version
    with pytest.raises(DataError, match=r"no exposure is mature .* final after 5 days.*later clock"):
        fitted().fit(shown, at=4 * DAY)
    with pytest.raises(DataError, match="there are none"):
        fitted().fit(none)
    with pytest.raises(DataError, match=r"none converted.*longer log"):
        fitted().fit(Exposures.make(shown.time, [NEVER] * 500, window=DAY, features=shown.features))
    with pytest.raises(DataError, match="every one converted"):
        fitted().fit(Exposures.make(shown.time, shown.time + 1, window=DAY, features=shown.features))
    with pytest.raises(DataError, match="no category 'grup'"):
        fitted(kinds={"grup": "text"}).fit(shown)
    with pytest.raises(ConfigError, match="Did you mean 'es_dfm'"):
        ConversionModel("es_dfn")
    assert "not fitted" in repr(fitted())


def test_a_refresh_moves_on_or_is_refused() -> None:
    shown = clicks(500)
    model = fitted().fit(shown, at=15 * DAY)
    for at in (15 * DAY, 14 * DAY):
        with pytest.raises(ConfigError, match="not later"):
            model.partial_fit(shown, at=at)
    other = Exposures(shown.features, shown.time, shown.conversion_time, DAY, shown.until)
    with pytest.raises(ConfigError, match="window"):
        model.partial_fit(other, at=16 * DAY)
    with pytest.raises(DataError, match="not the columns"):
        renamed = Features(shown.features.codes, shown.features.numbers, (3,), ("group", "sound"))
        model.partial_fit(shown.with_features(renamed), at=16 * DAY)
    assert model.clock == 15 * DAY


def test_a_model_goes_on_only_with_what_it_began_with(tmp_path: Path) -> None:
    shown = clicks(1500)
    fitted("es_dfm").fit(shown, at=15 * DAY).save(tmp_path / "m")
    young = shown.since(12 * DAY)
    part = Exposures(
        shown.features.take(np.arange(young, len(shown))), shown.time[young:], shown.conversion_time[young:],
        shown.window, shown.until,
    )  # fmt: skip
    with pytest.raises(DataError, match="whole log"):
        ConversionModel.load(tmp_path / "m").partial_fit(part, at=16 * DAY)


def test_what_was_tampered_with_is_refused(tmp_path: Path) -> None:
    fitted().fit(clicks(500)).save(tmp_path / "m")
    path = tmp_path / "m" / "model.json"
    told = json.loads(path.read_text())
    path.write_text(json.dumps({**told, "clock": 0}))
    with pytest.raises(ArtifactError):
        ConversionModel.load(tmp_path / "m")
    with pytest.raises(ArtifactError, match="no artifact"):
        ConversionModel.load(tmp_path / "none")


def test_scikit_learn_can_clone_it() -> None:
    from sklearn.base import clone

    model = fitted("es_dfm", settings={"every": 1}, kinds={"group": "code"})
    assert clone(model).get_params() == model.get_params()
