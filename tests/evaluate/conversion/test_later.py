"""A model judged by what came after its clock: answers known by hand, and a world whose law is known."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from thence.base.errors import DataError
from thence.conversion.delays import DelayCurve, ages_of, still
from thence.conversion.exposures import NEVER, Exposures
from thence.conversion.features import Features
from thence.evaluate.conversion.later import judge_later, neat
from thence.events.clock import DAY, HOUR, SECOND

WINDOW = 10 * DAY


class Known(SimpleNamespace):
    """A model that tells what it was given: a probability and a delay for each code of its one column."""

    own_delays = False

    def predict_proba(self, features: Features) -> np.ndarray:
        chance = np.array(self.chance)[features.codes[:, 0]]
        return np.stack([1 - chance, chance], axis=1)

    def delay_by(self, features: Features, elapsed: float) -> np.ndarray:
        if not self.own_delays:
            return np.full(len(features), float(self.delays.by(elapsed)))
        return come(np.array(self.mean)[features.codes[:, 0]], elapsed)


def come(mean: Any, age: Any) -> np.ndarray:
    return -np.expm1(-np.asarray(age) / mean) / -np.expm1(-WINDOW / np.asarray(mean))


def model(chance: list[float], **more: Any) -> Any:
    ages = ages_of(WINDOW)
    usual = {"delays": DelayCurve(ages, come(2 * DAY, ages), 300, 1000)}
    return Known(chance=chance, clock=20 * DAY, window=WINDOW, **(usual | more))


def world(mean: list[float], chance: list[float], count: int = 60_000) -> Exposures:
    rng = np.random.default_rng(1)
    time, kind = np.sort(rng.integers(0, 60 * DAY, count)), rng.integers(0, len(mean), count)
    scale = np.array(mean)[kind]
    delay = (-np.log1p(-rng.random(count) * -np.expm1(-WINDOW / scale)) * scale).astype(np.int64) + 1
    ends = np.where(rng.random(count) < np.array(chance)[kind], time + np.minimum(delay, WINDOW), NEVER)
    features = Features(kind[:, None], np.zeros((count, 0)), (len(mean),), ("kind",))
    return Exposures.make(time, ends, window=WINDOW, features=features).before(60 * DAY)


def test_by_hand() -> None:
    """Six exposures: two from before the clock and one that is still open do not count."""
    days = np.array([1, 19, 20, 21, 22, 49]) * DAY
    ends = np.array([2 * DAY, NEVER, 20 * DAY + HOUR, 30 * DAY, NEVER, NEVER])
    features = Features(np.array([0, 0, 0, 0, 1, 1])[:, None], np.zeros((6, 0)), (2,), ("kind",))
    shown = Exposures.make(days, ends, window=WINDOW, features=features)
    found = judge_later(model([0.5, 0.25]), shown, at=50 * DAY)
    assert found["first"].startswith("1970-01-21") and found["last"].startswith("1970-01-23")
    assert found["known_until"].startswith("1970-02-20")
    assert (found["exposures"], found["conversions"]) == (3, 2)
    assert found["rate"] == pytest.approx(2 / 3) and found["told"] == pytest.approx(1.25 / 3)
    assert found["calibration"] == pytest.approx(1.25 / 2) and found["auc"] == 1.0
    assert found["nll"] == pytest.approx(-np.log([0.5, 0.5, 0.75]).mean())
    assert found["plain_rate"] == 1.0  # the one of the first day converted, and was final at the clock
    later = judge_later(model([0.5, 0.25]), shown.before(50 * DAY), at=50 * DAY)
    assert later == found
    fewer = Exposures.make(days[2:], ends[2:], window=WINDOW, features=features[2:])
    alone = judge_later(model([0.5, 0.25]), fewer, at=50 * DAY)  # without older ones: what the model knew
    assert alone["plain_rate"] == 0.3 and alone["plain_nll"] == pytest.approx(-np.log([0.3, 0.3, 0.7]).mean())
    assert {name: alone[name] for name in alone if "plain" not in name} == {
        name: found[name] for name in found if "plain" not in name
    }
    low, high = found["rates"]
    assert (low["count"], low["conversions"], low["told"], low["seen"]) == (1, 0, 0.25, 0.0)
    assert (high["count"], high["conversions"], high["told"], high["seen"]) == (2, 2, 0.5, 1.0)
    assert high["low"] == pytest.approx(0.3424, abs=1e-4) and high["high"] == 1.0  # Wilson, two of two
    ages = found["ages"]
    assert ages[0] == {"age": 0.0} | {
        "count": 3, "conversions": 2, "told": pytest.approx(1.25 / 3), "seen": pytest.approx(2 / 3),
        "low": pytest.approx(0.2077, abs=1e-4), "high": pytest.approx(0.9385, abs=1e-4),
    }  # fmt: skip
    later = ages[-1]  # of the two that are silent by then, one converts on its ninth day
    age = later["age"] * SECOND
    assert (later["count"], later["conversions"], later["seen"]) == (2, 1, 0.5) and HOUR < age < 9 * DAY
    gone = come(2 * DAY, age)
    assert later["told"] == pytest.approx(still([0.5, 0.25], [gone, gone]).mean(), abs=0.01)
    assert found["delays"][0] == 0 and found["delays"][-1] == 1 and set(found["delays"]) == {0, 0.5, 1}
    assert found["groups"] == [] and json.loads(json.dumps(found, allow_nan=False)) == found


def test_a_model_that_is_right_is_seen_to_be_right_at_every_age() -> None:
    truth = [0.1, 0.6]
    found = judge_later(model(truth), world([2 * DAY, 2 * DAY], truth))
    for row in [*found["rates"], *found["ages"]]:
        assert row["low"] - 0.01 < row["told"] < row["high"] + 0.01, row
    assert len(found["rates"]) == 2 and len(found["ages"]) == 6
    assert found["calibration"] == pytest.approx(1, abs=0.03) and found["nll"] < found["plain_nll"]
    curve = model(truth).delays
    np.testing.assert_allclose(found["delays"], curve.share, atol=0.02)


def test_a_model_that_is_wrong_is_seen_to_be_wrong() -> None:
    """Twice the rate; and a delay of two days where it is five: silence is taken for a no too soon."""
    shown = world([5 * DAY], [0.3])
    assert judge_later(model([0.6]), shown)["calibration"] == pytest.approx(2, abs=0.06)
    late = judge_later(model([0.3]), shown)["ages"]
    assert late[0]["low"] < 0.3 < late[0]["high"]
    assert all(row["told"] < row["low"] for row in late[3:])


def test_groups_are_told_where_the_model_knows_each_delay() -> None:
    mean = [HOUR, DAY, 5 * DAY]
    ages = ages_of(WINDOW)
    knows = model(
        [0.4, 0.4, 0.4], mean=mean, own_delays=True, delays=DelayCurve(ages, come(DAY, ages), 300, 1000)
    )
    found = judge_later(knows, world([float(one) for one in mean], [0.4] * 3, 90_000))["groups"]
    assert [one["name"] for one in found] == ["quick", "median", "slow"]
    day = int(np.searchsorted(ages, DAY))
    told, seen = ([one[name][day] for one in found] for name in ("told", "seen"))
    assert told[0] > 0.95 and 0.5 < told[1] < 0.8 and told[2] < 0.4
    np.testing.assert_allclose(told, seen, atol=0.05)


def test_what_cannot_be_said_is_left_out() -> None:
    days = np.array([21, 22]) * DAY
    shown = Exposures.make(
        days, [NEVER, NEVER], window=WINDOW, features=Features(np.zeros((2, 1), int), np.zeros((2, 0)), (1,))
    )
    found = judge_later(model([0.2]), shown)
    assert found["calibration"] is None and found["auc"] is None and found["delays"] == []
    old = judge_later(model([0.2], delays=None), shown)
    assert old["plain_nll"] is None and old["ages"] == [] and old["groups"] == []
    with pytest.raises(DataError, match="has a final label yet"):
        judge_later(model([0.2]), shown, at=25 * DAY)


def test_ages_are_round() -> None:
    assert (
        neat(1) == 60 * SECOND
        and neat(47 * HOUR + 20 * 60 * SECOND) == 47 * HOUR
        and neat(75 * HOUR) == 3 * DAY
    )
