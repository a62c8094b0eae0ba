"""GDFM: actions at query times, the mixture's minimiser, and q(action | x, y) from mature exposures."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.conversion.population import ExpectedRows, Population, best, probability

from thence.base.errors import ConfigError
from thence.conversion.delayed.actions import Actions, passed
from thence.conversion.delayed.gdfm import Gdfm, divergence, frequencies, gains, mixture, possible
from thence.conversion.engagement import Engagement
from thence.conversion.exposures import NEVER, Exposures
from thence.conversion.features import Features
from thence.conversion.lab import Lab
from thence.conversion.learn import LearnConfig, Learner
from thence.conversion.net import NetConfig, make_net

PEOPLE = Population.random(11)
LAB = Lab(NetConfig("logistic"), LearnConfig(batch_size=200, learning_rate=0.05, passes=15))
QUICK = replace(LAB, learn=replace(LAB.learn, passes=1))


def told(q: np.ndarray, x: np.ndarray, action: np.ndarray) -> np.ndarray:
    """Logarithms of q(a | x, y) of ``q [x, y, a]``, ``[r, 2]``."""
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(q[x, :, action]), -1e4)


@pytest.mark.parametrize("cells", [2, 6])
def test_a_conversion_or_none_at_one_query_time_is_enough(cells: int) -> None:
    by = np.cumsum(PEOPLE.delay, axis=1)[:, cells - 1]
    q = np.stack([np.stack([0 * by, by], 1), np.stack([1 + 0 * by, 1 - by], 1)], 2)  # x, y, (converted, not)
    rows = PEOPLE.once(cells)
    seen = told(q, rows.x, 1 - rows.label.astype(int))
    model = Gdfm(keep=0.0)
    logits = best(rows, model.loss, {"seen": seen, "weight": np.full((len(seen), 1), 0.7)})
    np.testing.assert_allclose(probability(model, logits), PEOPLE.p, rtol=0, atol=1e-4)


@pytest.mark.parametrize("weight", [(1.0, 1.0), (0.2, 1.8)])
def test_engagement_that_tells_of_the_label_is_enough(weight: tuple[float, float]) -> None:
    rng = np.random.default_rng(0)
    q = rng.dirichlet(np.ones(4), (8, 2))  # actions at an early time, where nobody has converted
    final = np.tile([[0.0, 1.0], [1.0, 0.0]], (8, 1, 1))
    x, action, y = (part.ravel() for part in np.meshgrid(np.arange(8), np.arange(4), [0, 1], indexing="ij"))
    mass = PEOPLE.mass[x] * np.where(y, PEOPLE.p[x], 1 - PEOPLE.p[x]) * q[x, y, action]
    rows = ExpectedRows(x, y.astype(float), mass, 0 * x, 0 * x, 0 * x - 1)
    seen = np.hstack([told(q, x, action), told(final, x, 1 - y)])
    model = Gdfm(keep=0.0)
    for known in ((1.0, 0.0), (1.0, 1.0)):
        columns = {"seen": seen, "weight": np.tile(np.array(weight) * known, (len(x), 1))}
        logits = best(rows, model.loss, columns)
        np.testing.assert_allclose(probability(model, logits), PEOPLE.p, rtol=0, atol=1e-4)


def test_actions_that_tell_nothing_leave_the_model_alone() -> None:
    logit = torch.linspace(-2, 2, 5, dtype=torch.float64).requires_grad_(True)
    mixture(logit, torch.full((5, 2), -1.3, dtype=torch.float64), torch.ones(5, 1)).sum().backward()
    assert logit.grad is not None
    np.testing.assert_allclose(logit.grad.numpy(), 0, atol=1e-12)


def test_the_loss_is_the_published_one() -> None:
    rng = np.random.default_rng(1)
    q, c = rng.random((30, 3, 2)), rng.random((30, 3)) * rng.integers(0, 2, (30, 3))
    f, f0 = rng.random((2, 30))
    columns = {"seen": np.log(q).reshape(30, 6), "weight": c, "start": np.log(f0 / (1 - f0)), "label": f}
    batch = {name: torch.tensor(column) for name, column in columns.items()}
    found = Gdfm(keep=0.01).loss(torch.tensor(np.log(f / (1 - f)))[:, None], batch).numpy()
    for k in range(30):
        fit = -sum(c[k, j] * np.log(q[k, j, 0] * (1 - f[k]) + q[k, j, 1] * f[k]) for j in range(3))
        kl = f0[k] * np.log(f0[k] / f[k]) + (1 - f0[k]) * np.log((1 - f0[k]) / (1 - f[k]))
        assert found[k] == pytest.approx(fit + 0.01 * kl, rel=1e-9)


def test_the_divergence_is_least_where_nothing_moved() -> None:
    start = torch.tensor([-1.0, 2.0], dtype=torch.float64)
    assert divergence(start, start).tolist() == [0, 0]
    assert (divergence(start, start + 0.5) > 0).all()


def test_gains_are_the_published_ones() -> None:
    rng = np.random.default_rng(2)
    y = rng.integers(0, 2, 400)
    action = np.stack([rng.integers(0, 3, 400), np.where(rng.random(400) < 0.8, y, 2), y], 1)
    times, entropy = np.array([1, 5, 20]), []
    for j in range(3):
        total = 0.0
        for a in range(3):
            for label in (0, 1):
                both = np.mean((action[:, j] == a) & (y == label))
                if both:
                    total -= both * np.log(both / np.mean(action[:, j] == a))
        entropy.append(total)
    literal = np.exp(-2 * np.array(entropy) / max(entropy)) * np.exp(-1 * times / 20)
    np.testing.assert_allclose(gains(action, y, times, 3), literal / literal.mean(), rtol=1e-12)


def test_frequencies_of_actions_that_were_never_seen_tell_nothing() -> None:
    y = np.repeat([0, 1], [90, 10])
    found = frequencies(np.zeros((100, 1), np.int64), y, 2)
    np.testing.assert_allclose(found.sum(2), 1)
    assert found[0, 0, 1] == pytest.approx(found[0, 1, 1], rel=1e-9)


def basket() -> Exposures:
    engagement = Engagement.make(["cart", "return"], [0, 1, 1, 2], [0, 0, 1, 1], [3, 14, 18, 29])
    return Exposures.make([0, 10, 20], [8, NEVER, 60], window=50, until=99, engagement=engagement)


def test_actions_are_what_was_seen_by_the_query_time() -> None:
    shown = basket()
    actions = Actions((5, 9, 50)).learned(shown, np.arange(3))
    assert actions.sets.tolist() == [0, 1, 2, 3]
    conversion, none, cart, back, both = range(5)
    expected = [[cart, conversion, conversion], [cart, both, both], [none, none, conversion]]
    assert actions.seen(shown, np.arange(3)).tolist() == expected  # an event at the query time itself is later
    asked = np.array([[True, False, False], [False, True, False]])
    assert actions.seen(shown, np.array([1, 0]), asked).tolist() == [[cart, -1, -1], [-1, conversion, -1]]
    assert Actions((10,)).learned(shown, np.arange(3)).seen(shown, np.array([2])).tolist() == [[back]]


def test_sets_that_were_never_seen_share_a_code() -> None:
    actions = Actions((5, 9, 50)).learned(basket(), np.arange(1))
    assert actions.size == 4
    assert actions.seen(basket(), np.array([1])).tolist() == [[2, 3, 3]]


def test_every_query_time_is_passed_once() -> None:
    shown, times = basket(), np.array([5, 9, 50])
    count = np.zeros((3, 3), int)
    for clock in range(7, 99, 7):
        known = shown.before(clock)
        index, new = passed(known, clock - 7, times)
        np.add.at(count, index, new)
        assert (known.time[index, None] + times < clock)[new].all()
        assert new.any(axis=1).all()
    assert (count == 1).all()


def clicks(count: int = 4000) -> Exposures:
    """Half convert: after 5 or after 600. Of those, all had a cart after 2; of the others, one of 4."""
    rng = np.random.default_rng(3)
    time, y = np.arange(count), rng.random(count) < 0.5
    cart = y | (rng.random(count) < 0.25)
    ends = np.where(y, time + np.where(rng.random(count) < 0.5, 5, 600), NEVER)
    owner = np.flatnonzero(cart)
    events = Engagement.make(["cart"], owner, 0 * owner, time[owner] + 2)
    return Exposures.make(time, ends, window=1000, features=Features.none(count), engagement=events)


def test_q_is_what_mature_exposures_did_given_their_label() -> None:
    shown = clicks().before(4000)
    model = Gdfm((10, 100))
    model.begin(shown, LAB)
    assert model.actions.times == (10, 100, 1000)
    assert model.q is not None
    logits = torch.from_numpy(model.q.logits(shown.features, np.array([0]))).view(1, 3, 2, -1)
    q = possible(logits).exp().numpy()[0]
    # actions: converted, no cart, cart, another set
    np.testing.assert_allclose(q[0, 0, :3], [0, 0.75, 0.25], atol=0.05)
    np.testing.assert_allclose(q[0, 1, :3], [0.5, 0, 0.5], atol=0.05)
    np.testing.assert_allclose(q[2, 1], [1, 0, 0, 0], atol=1e-6)
    rows = model.rows(shown, 3980)
    first = np.flatnonzero(rows.columns["weight"][:, 0])
    assert rows.index[first].tolist() == list(range(3970, 3990))
    seen = rows.columns["seen"].reshape(-1, 3, 2)
    action = model.actions.seen(shown, rows.index)
    for row in first[:10]:
        np.testing.assert_allclose(np.exp(seen[row, 0]), q[0, :, action[row, 0]], atol=1e-5)


def test_open_exposures_do_not_move_q() -> None:
    shown = clicks().before(3000)
    moved = shown.conversion_time.copy()
    moved[~shown.mature] = NEVER
    other = Exposures(shown.features, shown.time, moved, shown.window, shown.until, shown.engagement)
    found = []
    for some in (shown, other):
        model = Gdfm((10, 100))
        model.begin(some, QUICK)
        assert model.q is not None
        found.append(np.r_[model.q.logits(shown.features, np.array([0]))[0], model.c])
    np.testing.assert_array_equal(*found)


def test_the_model_as_it_was_is_remembered() -> None:
    shown = clicks()
    main = Learner(make_net(shown.features, LAB.net), LAB.learn)
    model = Gdfm((10,))
    model.begin(shown.before(2000), Lab(LAB.net, LAB.learn, 0, main))
    before = main.logits(shown.features, np.array([0]))
    with torch.no_grad():
        main.net.out.bias.add_(1.0)
    rows = model.rows(shown.before(2100), 2000)
    np.testing.assert_allclose(rows.columns["start"], before[0, 0], rtol=1e-6)


def test_without_a_query_time_but_the_window_it_waits() -> None:
    shown = clicks()
    model = Gdfm(())
    model.begin(shown.before(2000), QUICK)
    rows = model.rows(shown.before(2500), 2000)
    assert rows.index.tolist() == list(range(1000, 1500))
    np.testing.assert_array_equal(rows.label, shown.converted[rows.index])
    f = torch.linspace(-2, 2, len(rows), dtype=torch.float64)[:, None].requires_grad_(True)
    batch = {name: torch.tensor(column) for name, column in {"label": rows.label, **rows.columns}.items()}
    (slope,) = torch.autograd.grad(model.loss(f, batch).sum(), f)  # that of cross-entropy: σ(f) - y
    literal = torch.sigmoid(f.detach())[:, 0].numpy() - rows.label
    np.testing.assert_allclose(slope[:, 0].numpy(), literal, atol=1e-5)


@pytest.mark.parametrize("own", [{"times": (0,)}, {"alpha": -1.0}, {"keep": -1.0}, {"every": -1}])
def test_settings_out_of_range(own: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="times above 0"):
        Gdfm(**own)  # type: ignore[arg-type]


def test_drawn_rows_are_some_of_all_rows() -> None:
    shown = clicks()
    whole, part = Gdfm((10, 100)), Gdfm((10, 100), drawn=1.0)
    for model in (whole, part):
        model.begin(shown.before(2000), QUICK)
    everything, some = (model.rows(shown.before(2500), 2000) for model in (whole, part))
    assert len(everything) > len(some) == 500
    place = np.searchsorted(everything.index, some.index)
    np.testing.assert_array_equal(everything.index[place], some.index)
    np.testing.assert_array_equal(everything.columns["weight"][place], some.columns["weight"])
    np.testing.assert_allclose(everything.columns["seen"][place], some.columns["seen"], rtol=1e-5)


def test_nothing_is_drawn_where_nothing_came() -> None:
    shown = clicks(3000).before(3500)
    whole, part = Gdfm((10, 1000)), Gdfm((10, 1000), drawn=1.0)
    for model in (whole, part):
        model.begin(shown.before(2000), QUICK)
    assert len(whole.rows(shown, 3200)) == 300  # they passed their last query time
    assert len(part.rows(shown, 3200)) == 0
