"""Ours: exact for any share paid ahead and any engagement; sees no more than age and engagement tell."""

from copy import copy
from dataclasses import replace
from functools import cache, partial
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.conversion.population import Population

from thence.base.errors import ConfigError
from thence.base.rng import generator
from thence.conversion.delayed import engaged
from thence.conversion.delayed.engaged import Engaged
from thence.conversion.delayed.ratio import Ratio, Seen, seen, teach, widths
from thence.conversion.delayed.recalibrate import platt
from thence.conversion.engagement import Engagement
from thence.conversion.exposures import NEVER, Exposures
from thence.conversion.features import Features
from thence.conversion.lab import Lab
from thence.conversion.learn import LearnConfig
from thence.conversion.net import NetConfig
from thence.conversion.stream import Stream, StreamConfig
from thence.events.clock import DAY, HOUR

WINDOW = 10 * DAY
LAB = Lab(NetConfig("logistic"), LearnConfig(batch_size=128, learning_rate=0.02, passes=2))


@cache
def clicks(
    count: int = 6_000, told: float = 0.8, idle: float = 0.1, days: int = 40, seed: int = 0
) -> Exposures:
    """Exposures of four items; a cart, within a day, for most that convert and for some of the others."""
    rng = generator(seed, "tests", "engaged")
    item = rng.integers(0, 4, count)
    y = rng.random(count) < np.array([0.1, 0.3, 0.5, 0.7])[item]
    time = np.sort(rng.integers(0, days * DAY, count))
    delay = np.minimum(rng.exponential(3 * DAY, count).astype(int) + DAY, WINDOW)
    carted = rng.random(count) < np.where(y, told, idle)
    when = time + rng.integers(1, DAY, count)
    owner = np.flatnonzero(carted)
    return Exposures.make(
        time,
        np.where(y, time + delay, NEVER),
        window=WINDOW,
        features=Features(item[:, None], np.zeros((count, 0)), (4,)),
        engagement=Engagement.make(["cart"], owner, np.zeros(len(owner), int), when[owner]),
    )


@cache
def begun(shown: Exposures, at: int, ahead: float = 1.0, **own: Any) -> Engaged:
    model, known = Engaged(ahead, **own), shown.before(at)
    model.begin(known, LAB)
    rates = np.array([0.1, 0.3, 0.5, 0.7])
    truth = np.log(rates / (1 - rates))
    model.refresh(known, LAB, lambda index: truth[known.features.codes[index, 0]][:, None].astype("f"))
    return model


@pytest.mark.parametrize("ahead", [0.0, 0.4, 1.0])
def test_the_weights_are_exact_whatever_is_paid_ahead(ahead: float) -> None:
    """Expected rows of a population with engagement; weights written as the formula says, summed by hand."""
    people, wait = Population.random(3), 2
    for x, p in enumerate(people.p):
        soon = people.by(wait)[x]
        late = p - soon
        told, idle = 0.8, 0.3  # P(engaged | late), P(engaged | never)
        ones = soon
        zeros = 0.0
        for if_late, if_never in ((told, idle), (1 - told, 1 - idle)):
            seen_late, seen_never = late * if_late, (1 - p) * if_never
            q = seen_late / (seen_late + seen_never)
            paid = ahead * max(0.0, 1 - if_never / if_late)  # any function of what was seen will do
            ones += (seen_late + seen_never) * paid * q + seen_late * (1 - paid)
            zeros += (seen_late + seen_never) * (1 - q)
        assert ones == pytest.approx(p, abs=1e-12)
        assert zeros == pytest.approx(1 - p, abs=1e-12)


def test_rows_carry_those_weights() -> None:
    shown = clicks()
    model, known = copy(begun(shown, 30 * DAY, settle=0.0)), shown.before(30 * DAY)
    model.paid = model.paid.copy()
    since = 29 * DAY
    rows = model.rows(known, since)
    new = rows.index >= known.since(since)
    q = model.later(known, rows.index[new])
    told = model.aware.log_ratio(seen(known, rows.index[new], np.full(new.sum(), known.until)))
    open_ = rows.label[new] == 0
    ahead = np.where(told > 0, 1 - 1 / np.exp(told), 0.0)
    assert (ahead > 0.5).any()
    np.testing.assert_allclose(rows.columns["negative"][new][open_], 1 - q[open_], rtol=1e-4)
    np.testing.assert_allclose(rows.columns["positive"][new][open_], (ahead * q)[open_], rtol=1e-4)
    assert (rows.columns["negative"][~new] == 0).all() and (rows.label[~new] == 1).all()
    later = shown.before(33 * DAY)
    model.refresh(later, LAB, lambda index: np.zeros((len(index), 1), "f"))
    copies = model.rows(later, 30 * DAY)
    old = copies.index < later.since(30 * DAY)
    again = np.isin(copies.index, rows.index[new][open_]) & old
    assert again.any()
    paid = dict(zip(rows.index[new][open_].tolist(), ahead[open_].tolist(), strict=True))
    around = copies.index[again]
    then = [
        np.sum((shown.time >= at - 3 * DAY // 2) & (shown.time < at + 3 * DAY // 2))
        for at in shown.time[around]
    ]
    now = len(later) - later.since(30 * DAY)
    expected = [(1 - paid[index]) * now / count for index, count in zip(around.tolist(), then, strict=True)]
    np.testing.assert_allclose(copies.columns["positive"][again], expected, rtol=1e-4)


def test_what_is_told_of_the_open_is_what_becomes_of_them() -> None:
    """Belief by cart and no cart against the share that converts; an estimator against simulated truth."""
    shown = clicks(20_000)
    at = 30 * DAY
    model, known = begun(shown, at), shown.before(at)
    assert model.looks and model.gain > 0.01
    index = np.flatnonzero(~known.converted & (known.time >= at - DAY))
    q, y = model.later(known, index), shown.converted[index]
    cart = known.engagement.so_far(np.full(len(index), at), index)[0][:, 0] > 0
    for group in (cart, ~cart):
        assert q[group].mean() == pytest.approx(y[group].mean(), abs=0.05)
    assert q[cart].mean() > q[~cart].mean() + 0.3


def test_engagement_that_tells_nothing_is_not_looked_at() -> None:
    silent = clicks(told=0.3, idle=0.3)
    model = begun(silent, 30 * DAY)
    assert not model.looks
    assert not begun(clicks(), 30 * DAY, engagement=False).looks
    known = silent.before(30 * DAY)
    none = replace(known, engagement=Engagement())
    blind = begun(replace(silent, engagement=Engagement()), 30 * DAY)
    index = np.flatnonzero(~known.converted)[-50:]
    np.testing.assert_allclose(model.later(known, index), blind.later(none, index), atol=0.02)


@given(st.integers(0, 9 * 24), st.integers(1, 24), st.booleans())
def test_belief_falls_with_age(hours: int, more: int, cart: bool) -> None:
    ratio = Ratio(*widths(1), seed=hours)
    events = Engagement.make(["cart"], [0], [0], [HOUR]) if cart else Engagement(("cart",))
    shown = Exposures.make([0], [NEVER], window=WINDOW, engagement=events)
    young, old = (
        ratio.log_ratio(seen(shown, np.array([0]), np.array([at * HOUR])))
        for at in (2 + hours, 2 + hours + more)
    )
    assert young >= old


def test_the_ratio_is_that_of_bayes() -> None:
    """With offset logit p the odds of 3 in 4 among the engaged must come out as Λ = 3 (1 - p) / p."""
    still = np.zeros((4_000, widths(1)[0]), "f")
    still[:, 0], still[::2, 1] = 1, 1
    label = np.where(still[:, 1] > 0, np.arange(4_000) % 8 < 6, np.arange(4_000) % 20 < 2)
    ratio, p = Ratio(*widths(1)), 0.2
    of = Seen(still, np.zeros((4_000, widths(1)[1]), "f"))
    teach(ratio, of, np.full(4_000, np.log(p / (1 - p))), label)
    odds = np.array([label[::2].mean(), label[1::2].mean()])
    expected = np.log(odds / (1 - odds)) - np.log(p / (1 - p))
    np.testing.assert_allclose(ratio.log_ratio(of)[:2], expected, atol=0.05)


def test_mature_exposures_are_negatives_for_good() -> None:
    shown = clicks()
    model, known = begun(shown, 30 * DAY), shown.before(30 * DAY)
    old = np.flatnonzero(known.mature & ~known.converted)[:20]
    np.testing.assert_array_equal(model.later(known, old), 0.0)


def test_its_own_prior_does_not_run_away() -> None:
    """Begun near f = 1 the stream comes back to the rate, as it does from near 0."""
    shown = clicks(6_000, told=0.5, idle=0.5, days=45).before(45 * DAY)
    learn = LearnConfig(batch_size=16, learning_rate=0.05, visits=2.0, passes=1)
    for start in (4.0, -4.0):
        stream = Stream(shown, Engaged(), StreamConfig(20 * DAY, DAY, net=NetConfig("logistic"), learn=learn))
        stream.begin()
        stream.learner.net.out.bias.data.fill_(start)
        stream.learner.net.table.data.zero_()
        for _ in range(15):
            stream.refresh()
        index, found = stream.predict()
        rates = np.array([0.1, 0.3, 0.5, 0.7])[shown.features.codes[index, 0]]
        assert abs(found.mean() - rates.mean()) < 0.1
        assert np.corrcoef(found, rates)[0, 1] > 0.9


def test_too_little_is_known_to_correct_anything() -> None:
    shown = clicks(100, days=40)
    model = Engaged()
    known = shown.before(15 * DAY)
    model.begin(known, LAB)
    model.refresh(known, LAB, partial(_flat, 0.0))
    assert not model.taught
    rows = model.rows(known, 14 * DAY)
    np.testing.assert_array_equal(rows.columns["negative"], 1 - rows.label)


def _flat(value: float, index: np.ndarray) -> np.ndarray:
    return np.full((len(index), 1), value, "f")


def test_in_bursts_older_exposures_are_looked_at_again() -> None:
    """Campaigns of a day every four days: copies alone would teach that everything converts."""
    even = clicks(6_000, days=45)
    burst = np.sort(even.time // (4 * DAY) * (4 * DAY) + even.time % DAY)
    ends = np.where(even.conversion_time == NEVER, NEVER, burst + even.conversion_time - even.time)
    shown = Exposures.make(burst, ends, window=WINDOW, features=even.features).before(45 * DAY)
    known = shown.before(32 * DAY)
    model = begun(known, 32 * DAY, settle=0.0)
    assert model.again == 1.0 and begun(even, 32 * DAY).again == 0.0
    rows = model.rows(known, 28 * DAY)
    weight = rows.columns["positive"] + rows.columns["negative"]
    np.testing.assert_allclose(weight, 1.0, rtol=1e-6)
    old, new = rows.index < known.since(28 * DAY), known.since(28 * DAY)
    assert 0 < old.sum() <= len(known) - new and (~old).sum() == len(known) - new
    assert (known.time[rows.index] >= known.until - WINDOW).all()
    claimed, final = rows.columns["positive"], shown.converted[rows.index]
    assert claimed.mean() == pytest.approx(final.mean(), abs=0.06)
    learn = LearnConfig(batch_size=16, learning_rate=0.05, visits=2.0, passes=1)
    for again, final_too, near in ((None, 0.0, True), (0.0, 0.0, False), (0.0, 0.5, True)):
        stream = Stream(
            shown,
            Engaged(revisit=again, settle=final_too),
            StreamConfig(17 * DAY, DAY, net=NetConfig("logistic"), learn=learn),
        )
        stream.begin()
        for _ in range(15):
            stream.refresh()  # the last three bring no exposures, only conversions
        index, found = np.arange(shown.since(32 * DAY), len(shown)), None
        found = stream.probabilities(int(index[0]), int(index[-1]) + 1)[1]
        rates = np.array([0.1, 0.3, 0.5, 0.7])[shown.features.codes[index, 0]]
        assert (abs(found.mean() - rates.mean()) < 0.1) == near


def test_settings_out_of_range_are_refused() -> None:
    for wrong in (partial(Engaged, -0.1), partial(Engaged, 1.1), partial(Engaged, every=-1)):
        with pytest.raises(ConfigError):
            wrong()


def test_figures_are_told() -> None:
    model = begun(clicks(), 30 * DAY)
    model.rows(clicks().before(30 * DAY), 29 * DAY)
    told = model.told()
    assert 0 < told["effective_share"] <= 1 and told["engagement_used"] == 1.0
    assert told["engagement_gain"] == model.gain > 0


def test_ages_cover_the_window() -> None:
    age = engaged._ages(generator(0, "ages"), 2, 10_000, WINDOW)
    assert age.min() >= 0 and age.max() <= WINDOW and (age > WINDOW / 2).mean() > 0.05
    assert (age < WINDOW / 30).mean() > 0.4


def test_final_labels_are_learned_once_more_with_their_weight() -> None:
    """Of 29 days, on the 30th: exactly what matured in between, beside the rows that come without them."""
    shown = clicks()
    known, since = shown.before(30 * DAY), 29 * DAY
    plain, more = (copy(begun(shown, 30 * DAY, settle=weight)) for weight in (0.0, 0.25))
    first, both = plain.rows(known, since), more.rows(known, since)
    added = both.take(np.arange(len(first), len(both)))
    np.testing.assert_array_equal(both.index[: len(first)], first.index)
    due = np.flatnonzero((shown.time > since - WINDOW) & (shown.time <= 30 * DAY - WINDOW))
    assert abs(len(added) - len(due)) <= 1 and len(np.intersect1d(added.index, due)) >= len(due) - 1
    y = shown.converted[added.index]
    np.testing.assert_allclose(added.columns["positive"], 0.25 * y)
    np.testing.assert_allclose(added.columns["negative"], 0.25 * ~y)
    assert known.mature[added.index].all()


def test_final_labels_are_used_where_rows_are_repeated() -> None:
    known = clicks().before(30 * DAY)
    for visits, weight in ((1.0, 0.0), (4.0, 0.5)):
        model = Engaged()
        model.begin(known, Lab(LAB.net, replace(LAB.learn, visits=visits), LAB.seed))
        assert model.told()["weight_of_final"] == weight


def test_what_a_self_fed_prior_leaves_final_labels_take_away() -> None:
    """Of an error of f the part p S stays with rows weighed by f itself; less with final labels beside them."""
    for p in (0.2, 0.7):
        for weight, left in ((0.0, p), (0.5, p / (1 + 0.5))):
            f = p + 1e-4
            ones, zeros = p + weight * p, (1 - f) + weight * (1 - p)  # all late, nothing paid ahead: q = f
            assert (ones / (ones + zeros) - p) / 1e-4 == pytest.approx(left, rel=1e-3)


def test_belief_goes_to_nothing_where_the_window_ends() -> None:
    """Delays even over the window: at age a of those that convert 1 - a are still to come."""
    rng = generator(0, "tests", "even")
    count = 20_000
    y, delay = rng.random(count) < 0.3, rng.integers(1, WINDOW, count)
    time = np.sort(rng.integers(0, 40 * DAY, count))
    shown = Exposures.make(time, np.where(y, time + delay, NEVER), window=WINDOW)
    model, known = Engaged(), shown.before(35 * DAY)
    model.begin(known, LAB)
    flat = np.log(0.3 / 0.7)
    model.refresh(known, LAB, lambda index: np.full((len(index), 1), flat, "f"))
    for low, high in ((0.0, 0.2), (0.4, 0.6), (0.8, 0.9), (0.95, 1.0)):
        age = (known.until - known.time) / WINDOW
        index = np.flatnonzero(~known.converted & (age >= low) & (age < high))
        yet = 1 - age[index]
        truth = 0.3 * yet / (0.3 * yet + 0.7)
        assert abs(model.later(known, index).mean() - truth.mean()) < 0.02


def test_recalibration_takes_away_a_shift_and_leaves_noise_alone() -> None:
    """Predictions of the stream that are .3 too high are lowered, whatever it was handed to begin with."""
    shown = clicks(24_000)
    rates = np.array([0.1, 0.3, 0.5, 0.7])
    truth = np.log(rates / (1 - rates))[shown.features.codes[:, 0]]
    for recalibrate, off, low, high in ((True, 0.3, -0.3, -0.1), (True, 0.0, -0.06, 0.06), (False, 0.3, 0, 0)):
        model = Engaged(every=1, engagement=False, recalibrate=recalibrate)
        model.begin(shown.before(24 * DAY), LAB)
        for day, wrong in ((24, 2.0), (32, off), (39, off)):  # the first predictions are of what was open then
            told = partial(np.add, wrong)
            model.refresh(shown.before(day * DAY), LAB, lambda index, told=told: told(truth[index])[:, None])
        assert low <= model.told()["shift"] <= high
        logits = torch.zeros(1, 1)
        assert model.probability(logits).item() == pytest.approx(1 / (1 + np.exp(-model.shift)))
    assert begun(shown, 30 * DAY).shift == 0.0


def test_a_prior_that_tells_nothing_leaves_the_level_of_the_ratio_alone() -> None:
    """A line through labels that fall with the prior must not shift what Λ is learned beside."""
    prior = np.tile([-1.0, -0.9], 500)
    label = np.where(np.arange(1_000) % 2 == 0, np.arange(1_000) % 20 < 8, np.arange(1_000) % 20 < 4)
    assert label[::2].mean() > label[1::2].mean()
    np.testing.assert_allclose(platt(prior, label), np.log(label.mean() / (1 - label.mean())))
    rising = platt(prior, ~label)
    assert rising[1] > rising[0]


def test_the_ratio_is_fitted_again_where_it_has_moved_or_much_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    """Purchases that need no longer wait make the ratio of before wrong; without a change it is left alone."""
    shown, fitted = clicks(12_000, told=0.3, idle=0.3, days=60), []

    def teach(*arguments: object, **own: bool) -> None:
        fitted.append(arguments)

    before = begun(shown, 30 * DAY)
    monkeypatch.setattr(engaged, "teach", teach)
    at_once = replace(shown, conversion_time=np.where(shown.converted, shown.time + HOUR, NEVER))
    for log, again in ((shown, 0), (at_once, 1)):
        model = copy(before)
        model.learned = 10**6  # nothing is new by number
        known = log.before(45 * DAY)
        model.make_room(len(known))
        rates = np.array([0.1, 0.3, 0.5, 0.7])[known.features.codes[:, 0]]
        model.prior = np.log(rates / (1 - rates)).astype("f")
        fitted.clear()
        model._learn(known)
        assert bool(fitted) == bool(again)
        model.learned = 10
        fitted.clear()
        model._learn(known)
        assert fitted
