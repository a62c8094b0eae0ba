"""Probabilities, delays and signals of the funnel."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thence.base.errors import ConfigError
from thence.events.worlds import Delay, World, WorldConfig, simulate
from thence.events.worlds.assemble import CART, RETURN
from thence.events.worlds.config import DAY

CRITEO = replace(WorldConfig.criteo(150_000), items=500)


@cache
def criteo(signal: float) -> World:
    """Exposures alone, at the Criteo log's statistics."""
    return simulate(replace(CRITEO, signal=signal), seed=1)


def delays_in_days(world: World) -> np.ndarray:
    """Of all purchases, those after the end of the log included."""
    exposures = world.truth.exposures
    return (exposures.conversion_time - exposures.time)[exposures.label] / DAY


def test_published_statistics_of_the_criteo_log() -> None:
    """Rate .227; of purchases .35 within an hour, half in a day, .18 after a week, .13 after a fortnight."""
    world = criteo(0.5)
    label, delay = world.truth.exposures.label, delays_in_days(world)
    assert 140_000 < len(label) < 160_000
    assert label.mean() == pytest.approx(0.227, abs=0.006)
    within = {hours: (delay < hours / 24).mean() for hours in (1, 24, 7 * 24, 14 * 24)}
    assert within[1] == pytest.approx(0.35, abs=0.015)
    assert within[24] == pytest.approx(0.50, abs=0.015)
    assert within[7 * 24] == pytest.approx(0.82, abs=0.02)
    assert within[14 * 24] == pytest.approx(0.87, abs=0.02)
    assert delay.max() <= 30


@pytest.mark.parametrize("delay", [Delay(), Delay((1.0,), (2.0,)), Delay((0.3, 0.7), (0.1, 9.0))])
def test_delays_follow_their_survival_function(delay: Delay) -> None:
    """Kolmogorov's distance of the drawn delays to 1 - S, at the .1 % level."""
    world = simulate(replace(CRITEO, delay=delay, customers=6_000), seed=2)
    drawn = np.sort(delays_in_days(world))
    known = 1 - delay.survival(drawn, window=30.0)
    n = len(drawn)
    distance = max((np.arange(1, n + 1) / n - known).max(), (known - np.arange(n) / n).max())
    assert distance < 1.95 / np.sqrt(n)


@given(
    st.floats(0, 40),
    st.floats(0.5, 60),
    st.floats(0.1, 10),
    st.lists(st.floats(0.01, 100), min_size=1, max_size=3),
)
def test_survival_against_its_literal_formula(
    age: float, window: float, pace: float, scales: list[float]
) -> None:
    share = 1 / len(scales)
    delay = Delay(tuple(share for _ in scales), tuple(scales))
    h = min(age, window)
    literal = sum(
        share * (np.exp(-h / (pace * s)) - np.exp(-window / (pace * s))) / (1 - np.exp(-window / (pace * s)))
        for s in scales
    )
    assert float(delay.survival(age, window, pace)) == pytest.approx(literal, abs=1e-9)
    assert float(delay.survival(0.0, window, pace)) == pytest.approx(1.0)


def test_true_probabilities_are_calibrated() -> None:
    """In each tenth of p the share of purchases is p, within four standard errors."""
    exposures = criteo(0.5).truth.exposures
    p, label = exposures.probability.astype(np.float64), exposures.label
    for rows in np.array_split(np.argsort(p), 10):
        error = np.sqrt((p[rows] * (1 - p[rows])).sum()) / len(rows)
        assert abs(label[rows].mean() - p[rows].mean()) < 4 * error
    assert np.quantile(p, 0.95) > 5 * np.quantile(p, 0.05)


def test_follow_up_probability_is_exact_too() -> None:
    exposures = simulate(WorldConfig(items=200, customers=5_000), seed=1).truth.exposures
    followed = exposures.origin == 2
    n = followed.sum()
    assert np.allclose(exposures.probability[followed], 0.6)
    assert abs(exposures.label[followed].mean() - 0.6) < 4 * np.sqrt(0.24 / n)


def _has(world: World, role: int) -> np.ndarray:
    has = np.zeros(len(world.truth.exposures), bool)
    has[world.truth.event_exposure[world.truth.event_role == role]] = True
    return has


@pytest.mark.parametrize("role", [CART, RETURN])
def test_placebo_without_signal_tells_nothing(role: int) -> None:
    """At strength 0 the share with a signal is the same with and without a purchase."""
    world = criteo(0.0)
    exposures = world.truth.exposures
    settled = exposures.time < world.config.end - 20 * DAY
    has = _has(world, role)[settled]
    label, rate = exposures.label[settled], has.mean()
    error = np.sqrt(rate * (1 - rate) * (1 / label.sum() + 1 / (~label).sum()))
    assert rate > 0.15
    assert abs(has[label].mean() - has[~label].mean()) < 4 * error


def mantel_haenszel(world: World, role: int) -> float:
    """The z of a signal so far with a purchase later, among exposures open on day 30, stratified by age.

    Reference: N. Mantel and W. Haenszel, J. Natl. Cancer Inst. 22 (1959).
    """
    exposures, at = world.truth.exposures, world.config.start + 30 * DAY
    early = (world.truth.event_role == role) & (world.events["timestamp"].to_numpy() < at)
    signal = np.zeros(len(exposures), bool)
    signal[world.truth.event_exposure[early]] = True
    is_open = (exposures.time < at) & ~exposures.observed(at)
    age = (at - exposures.time[is_open]) // (DAY // 4)
    signal, label = signal[is_open], exposures.label[is_open]
    n, a = np.bincount(age), np.bincount(age, signal & label)
    with_signal, later = np.bincount(age, signal), np.bincount(age, label)
    many = n > 1
    n, a, with_signal, later = n[many], a[many], with_signal[many], later[many]
    variance = with_signal * (n - with_signal) * later * (n - later) / (n**2 * (n - 1.0))
    return float((a - with_signal * later / n).sum() / np.sqrt(variance.sum()))


def test_signals_of_open_exposures_tell_nothing_at_strength_0_and_much_at_one_half() -> None:
    assert abs(mantel_haenszel(criteo(0.0), CART)) < 3.5 and abs(mantel_haenszel(criteo(0.0), RETURN)) < 3.5
    assert mantel_haenszel(criteo(0.5), CART) > 30 and mantel_haenszel(criteo(0.5), RETURN) > 5


def test_idle_carts_are_independent_of_the_delay() -> None:
    world = criteo(0.0)
    exposures = world.truth.exposures
    rows = exposures.label & (exposures.time < world.config.end - 2 * DAY)
    has, delay = _has(world, CART)[rows], (exposures.conversion_time - exposures.time)[rows]
    quick = delay < np.median(delay)
    error = np.sqrt(has.mean() * (1 - has.mean()) * 4 / len(has))
    assert abs(has[quick].mean() - has[~quick].mean()) < 4 * error


def test_full_signal_tells_all_and_a_telling_cart_precedes_the_purchase() -> None:
    world = criteo(1.0)
    exposures = world.truth.exposures
    has = _has(world, CART)
    assert not (has & ~exposures.label).any()
    done = exposures.observed(world.config.end)
    assert has[done].all()
    carts = world.truth.event_role == CART
    exposure = world.truth.event_exposure[carts]
    assert (world.events["timestamp"].to_numpy()[carts] < exposures.conversion_time[exposure]).all()


@pytest.mark.parametrize("signal", [0.25, 0.75])
def test_share_of_carts_given_the_label(signal: float) -> None:
    """P(cart | bought) = s + (1-s)² r and P(cart | not) = (1-s) r."""
    world = criteo(signal)
    exposures = world.truth.exposures
    rows = exposures.time < world.config.end - 30 * DAY
    has, rate = _has(world, CART), world.config.cart_rate
    for label, expected in ((True, signal + (1 - signal) ** 2 * rate), (False, (1 - signal) * rate)):
        chosen = has[rows & (exposures.label == label)]
        assert abs(chosen.mean() - expected) < 4 * np.sqrt(expected * (1 - expected) / len(chosen))


def test_drift_of_conversion_moves_the_weekly_rate() -> None:
    def spread(drift: float) -> float:
        world = simulate(replace(CRITEO, conversion_drift=drift), seed=3)
        exposures = world.truth.exposures
        week = (exposures.time - world.config.start) // (7 * DAY)
        rate = np.bincount(week, exposures.probability) / np.bincount(week)
        return float(rate.std())

    assert spread(0.0) < 0.003 < 0.01 < spread(0.3)


def test_pace_slows_a_customers_purchases() -> None:
    world = simulate(replace(CRITEO, delay=Delay.criteo(spread=1.0)), seed=0)
    exposures = world.truth.exposures
    pace = world.truth.pace[exposures.customer[exposures.label]]
    delay = delays_in_days(world)
    assert np.median(delay[pace > 2]) > 3 * np.median(delay[pace < 0.5])


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"signal": 2}, "signal"),
        ({"items": 10}, "items"),
        ({"customers": 10.5}, "customers"),
        ({"conversion_rate": float("nan")}, "conversion_rate"),
        ({"days": True}, "days"),
        ({"start": -1}, "start"),
        ({"campaign": {"start_day": 110.0}}, "campaign ends after"),
        ({"campaign": {"unit": "shop"}}, "unit"),
        ({"campaign": {"depths": (1.5,)}}, "depths"),
        ({"campaign": {"lift": -1}}, "lift"),
        ({"campaign": {"colour": 1}}, "malformed"),
        ({"delay": {"shares": (0.5,), "scales": (1.0,)}}, "add up"),
        ({"delay": {"shares": (1.0,), "scales": (1.0, 2.0)}}, "scales"),
        ({"delay": {"shares": (1.0,), "scales": (0.0,)}}, "scale"),
        ({"sygnal": 1}, "'signal'"),
    ],
)
def test_settings_out_of_range_are_refused_by_name(settings: dict[str, object], word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        WorldConfig.from_dict(settings)


def test_settings_survive_a_round_trip() -> None:
    config = WorldConfig.from_dict({"items": 80, "campaign": {"unit": "type"}, "delay": {"spread": 0.2}})
    assert WorldConfig.from_dict(config.to_dict()) == config
