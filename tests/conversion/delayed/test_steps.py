"""Engage, then convert: exact for every head, and blind to what comes later."""

from functools import cache

import numpy as np
import pytest
import torch
from tests.conversion.population import ExpectedRows, best, probability
from tests.conversion.streams import config, differing, made_of, other_future, run, shown

from thence.base.errors import ConfigError
from thence.base.rng import generator
from thence.conversion.delayed import Protocol, make
from thence.conversion.delayed.steps import Stepwise, telling
from thence.conversion.engagement import Engagement
from thence.conversion.exposures import NEVER, Exposures
from thence.conversion.features import Features
from thence.conversion.lab import Lab
from thence.conversion.learn import LearnConfig
from thence.conversion.net import NetConfig
from thence.conversion.stream import Stream
from thence.events.clock import DAY, HOUR

WINDOW = 10 * DAY
LAB = Lab(NetConfig("logistic"), LearnConfig(batch_size=128, learning_rate=0.02, passes=2))


@pytest.mark.parametrize("ahead", [0.0, 0.6])
def test_every_head_is_least_at_its_own_probability_and_the_mixture_at_p(ahead: float) -> None:
    """Expected rows of six x, their steps, early and late conversions; weights as the formula says."""
    rng = generator(5, "tests", "steps")
    mass, engage = rng.dirichlet(np.full(6, 5.0)), rng.uniform(0.05, 0.9, 6)
    given, soon = rng.uniform(0.05, 0.9, (2, 6)), rng.uniform(0.0, 0.7, (2, 6))
    found: list[tuple[int, float, float, float, float, float, float]] = []
    for x in range(6):
        for step, share in ((1, engage[x]), (0, 1 - engage[x])):
            p, early = given[step, x], given[step, x] * soon[step, x]
            q, unit = (p - early) / (1 - early), mass[x] * share
            found += [
                (x, 1.0, unit * early, 1.0, 0.0, step, 1.0),
                (x, 0.0, unit * (1 - early), ahead * q, 1 - q, step, 1.0),
                (x, 1.0, unit * (p - early), 1 - ahead, 0.0, step, 0.0),
            ]
    x, label, weight, positive, negative, step, fresh = (
        np.array(column) for column in zip(*found, strict=True)
    )
    none = np.zeros(len(x), int)
    rows = ExpectedRows(x.astype(int), label, weight, none, none, none - 1)
    model = Stepwise()
    columns = {"positive": positive, "negative": negative, "step": step, "fresh": fresh}
    logits = best(rows, model.loss, columns, heads=3)
    np.testing.assert_allclose(
        torch.sigmoid(logits).numpy(), np.stack([engage, given[1], given[0]], 1), atol=1e-4
    )
    np.testing.assert_allclose(
        probability(model, logits), engage * given[1] + (1 - engage) * given[0], atol=1e-4
    )
    for which, share in ((1, engage), (0, 1 - engage)):
        mine = step == which
        head = np.bincount(rows.x[mine], (weight * (positive + negative))[mine])
        np.testing.assert_allclose(head, mass * share, rtol=1e-12)


@cache
def clicks(count: int = 6_000) -> Exposures:
    """A cart within five hours for most that convert, and a look at the help page that tells nothing."""
    rng = generator(0, "tests", "steps")
    item = rng.integers(0, 4, count)
    y = rng.random(count) < np.array([0.1, 0.3, 0.5, 0.7])[item]
    time = np.sort(rng.integers(0, 40 * DAY, count))
    delay = np.minimum(rng.exponential(3 * DAY, count).astype(int) + DAY, WINDOW)
    cart = np.flatnonzero(rng.random(count) < np.where(y, 0.8, 0.1))
    help_ = np.flatnonzero(rng.random(count) < 0.4)
    owner, kind = np.concatenate([help_, cart]), np.repeat([0, 1], [len(help_), len(cart)])
    when = time[owner] + rng.integers(1, 5 * HOUR, len(owner))
    return Exposures.make(
        time,
        np.where(y, time + delay, NEVER),
        window=WINDOW,
        features=Features(item[:, None], np.zeros((count, 0)), (4,)),
        engagement=Engagement.make(["help", "cart"], owner, kind, when),
    )


def test_rows_carry_the_weights_and_the_step_of_the_horizon() -> None:
    known = clicks().before(30 * DAY)
    model, wait = Stepwise(settle=0.5), round(WINDOW / 30)
    model.settled_rows(known)
    model.begin(known, LAB)
    rates = np.array([0.1, 0.3, 0.5, 0.7])
    truth = np.log(rates / (1 - rates))[known.features.codes[:, 0]]  # the same with and without the step: p
    model.refresh(known, LAB, lambda index: np.repeat(truth[index, None], 3, axis=1).astype("f"))
    assert model.kind == 1 == telling(known, 1 / 30)
    since = 29 * DAY
    rows = model.rows(known, since)
    fresh = rows.columns["fresh"] > 0
    times = known.time[rows.index]
    assert (times[fresh] >= since - wait).all() and (times[fresh] < known.until - wait).all()
    cart = known.engagement.so_far(times + wait, rows.index)[0][:, 1] > 0
    np.testing.assert_array_equal(rows.columns["step"], cart)
    open_ = fresh & (rows.label == 0)
    q = 1 - rows.columns["negative"][open_]
    assert q[cart[open_]].mean() > q[~cart[open_]].mean() + 0.3
    y = clicks().converted[rows.index[open_]]
    assert q.mean() == pytest.approx(y.mean(), abs=0.08)
    final = ~fresh & known.mature[rows.index] & (rows.columns["positive"] + rows.columns["negative"] == 0.5)
    assert final.sum() == len(np.flatnonzero((known.time >= since - WINDOW) & known.mature))


def test_without_engagement_nothing_took_the_step() -> None:
    bare = Exposures.make([0, 10], [4, 30], window=50, until=100)
    model = Stepwise()
    rows = model.settled_rows(bare)
    assert model.kind == -1 and rows.columns["step"].tolist() == [0.0, 0.0]


def test_nothing_later_than_the_clock_reaches_it_and_a_second_run_is_the_same() -> None:
    first = run(shown(), Stepwise(1 / 8), 2)
    index, found = first.predict()
    assert len(index) > 50 and (found > 0).all() and (found < 1).all() and 0.02 < found.mean() < 0.7
    changed = other_future(shown(), config().start + 2 * config().step)
    assert differing(made_of(first), made_of(run(changed, Stepwise(1 / 8), 2))) == []


def test_it_learns_the_rates() -> None:
    learn = LearnConfig(batch_size=16, learning_rate=0.05, visits=2.0, passes=1)
    settings = config().__class__(20 * DAY, DAY, net=NetConfig("logistic"), learn=learn)
    stream = Stream(clicks().before(40 * DAY), Stepwise(), settings)
    stream.begin()
    for _ in range(9):
        stream.refresh()
    index, found = stream.predict()
    rates = np.array([0.1, 0.3, 0.5, 0.7])[clicks().features.codes[index, 0]]
    assert abs(found.mean() - rates.mean()) < 0.08 and np.corrcoef(found, rates)[0, 1] > 0.9


def test_it_is_an_option_of_ours() -> None:
    assert isinstance(make("ours", Protocol(0, 1000), {"steps": True, "horizon": 0.25}), Stepwise)
    with pytest.raises(ConfigError, match="horizon is 1"):
        Stepwise(1.0)
    with pytest.raises(ConfigError, match="does not have these settings"):
        make("ours", Protocol(0, 1000), {"steps": True, "revisit": 1.0})
