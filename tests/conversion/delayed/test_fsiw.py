"""FSIW and nnDF: weights, what is seen at a counterfactual deadline, and a risk that stays above 0."""

import numpy as np
import pytest
import torch

from thence.base.errors import ConfigError
from thence.conversion.delayed.age import aged
from thence.conversion.delayed.fsiw import Fsiw, weights
from thence.conversion.delayed.nndf import NnDf, nndf_loss
from thence.conversion.exposures import NEVER, Exposures
from thence.conversion.features import Features
from thence.conversion.lab import Classifier, Lab
from thence.conversion.learn import LearnConfig
from thence.conversion.net import NetConfig

WINDOW = 1000


def steady(count: int = 6000, delay: int = 400) -> Exposures:
    """One exposure a tick; every other converts, after ``delay``."""
    time = np.arange(count)
    return Exposures.make(time, np.where(time % 2 == 0, time + delay, NEVER), window=WINDOW)


class Asked(Lab):
    """A lab that keeps what its classifiers were fitted on."""

    def further(
        self, old: Classifier, features: Features, label: np.ndarray, *, name: str, turn: int
    ) -> Classifier:
        FITTED[name] = (features, np.asarray(label))
        return old


FITTED: dict[str, tuple[Features, np.ndarray]] = {}


def test_the_weights_are_the_published_ones() -> None:
    rng = np.random.default_rng(0)
    label, seen, never = rng.integers(0, 2, 50).astype(float), rng.random(50), rng.random(50)
    found = weights(label, seen, never, cap=5.0)
    for row in range(50):
        literal = (min(1 / seen[row], 5.0), 0.0) if label[row] else (0.0, never[row])
        assert (found["positive"][row], found["negative"][row]) == pytest.approx(literal)


@pytest.mark.parametrize("tau", [0.25, 1.0])
def test_classifiers_see_what_was_seen_at_the_deadline_and_what_became_of_it(tau: float) -> None:
    clock = 4000
    Fsiw(tau).begin(steady().before(clock), Asked())
    deadline = clock - int(tau * WINDOW)
    time = np.arange(deadline - WINDOW, deadline)
    comes = np.where(time % 2 == 0, time + 400, NEVER)
    converted = comes < clock
    features, label = FITTED["seen"]
    np.testing.assert_array_equal(label, comes[converted] < deadline)
    np.testing.assert_allclose(features.numbers[:, 0], (deadline - time[converted]) / WINDOW, rtol=1e-5)
    features, label = FITTED["never"]
    still = comes >= deadline
    np.testing.assert_array_equal(label, ~converted[still])
    np.testing.assert_allclose(features.numbers[:, 0], (deadline - time[still]) / WINDOW, rtol=1e-5)
    if (
        tau == 1.0
    ):  # all labels are final: every even exposure that is younger than 400 at the deadline converts
        assert (~label).sum() == 200


def test_classifiers_learn_how_long_a_conversion_takes() -> None:
    lab = Lab(NetConfig(hidden=(16,)), LearnConfig(batch_size=100, learning_rate=0.03, passes=15))
    model = Fsiw()
    model.begin(steady(3000).before(3000), lab)
    rows = model.rows(steady(3000).before(3000), 2000)
    age = 3000 - rows.index
    young, old = (age > 20) & (age < 350), (age > 450) & (age < 950)
    negative, label = rows.columns["negative"], rows.label
    assert negative[young & (label == 0)].mean() == pytest.approx(0.5, abs=0.05)  # half of these convert yet
    assert negative[old & (label == 0)].mean() > 0.93  # none of these does
    assert label[old].mean() == pytest.approx(0.5, abs=0.01) and not label[young].any()
    assert rows.columns["positive"][old & (label == 1)].mean() == pytest.approx(1.0, abs=0.1)


def test_without_anything_at_the_deadline_labels_are_trusted() -> None:
    shown = steady(800).before(800)
    model = Fsiw()
    model.begin(shown, Lab())
    rows = model.rows(shown, 0)
    np.testing.assert_array_equal(rows.columns["positive"], rows.label)
    np.testing.assert_array_equal(rows.columns["negative"], 1 - rows.label)


def test_classifiers_are_trained_further_when_it_is_time() -> None:
    model = Fsiw(every=2)
    model.begin(steady().before(3000), Asked())
    for turn in range(1, 5):
        FITTED.clear()
        model.refresh(steady().before(3000 + turn), Asked(), lambda _: np.empty((0, 1)))
        assert bool(FITTED) == (turn % 2 == 0)


def test_age_is_told_plain_and_as_a_logarithm() -> None:
    found = aged(Features.none(3), np.array([0.0, 0.5, 3.0]))
    np.testing.assert_allclose(found.numbers[:, 0], [1e-5, 0.5, 1.0], rtol=1e-6)
    np.testing.assert_allclose(found.numbers[:, 1], np.log([1e-5, 0.5, 1.0]), rtol=1e-6)


@pytest.mark.parametrize("clip", [False, True])
@pytest.mark.parametrize("late", [0.2, 0.8])
def test_the_risk_is_the_published_one(late: float, clip: bool) -> None:
    rng = np.random.default_rng(3)
    f, v, s = rng.uniform(0.1, 0.9, 40), rng.integers(0, 2, 40), (rng.random(20) < late).astype(float)
    g = rng.uniform(0.1, 0.9, 20)  # predictions of 20 old exposures
    both = np.concatenate([f, g])
    loss = nndf_loss(
        torch.tensor(np.log(both / (1 - both))),
        torch.tensor(np.concatenate([v, s]).astype(float)),
        torch.tensor(np.repeat([0.0, 1.0], [40, 20])),
        torch.tensor(np.repeat([1.0, 40 / 20], [40, 20])),
        clip=clip,
    )
    positive = np.mean(-np.log(f) * v) + np.mean(-np.log(g) * s)
    negative = np.mean(-np.log(1 - f) * (1 - v)) - np.mean(-np.log(1 - g) * s)
    assert (negative < 0) == (late > 0.5)
    literal = positive + (max(negative, 0.0) if clip else negative)
    assert float(loss.sum()) / 40 == pytest.approx(literal, rel=1e-9)


def test_a_negative_part_below_zero_is_left_out_with_its_slope() -> None:
    logit = torch.tensor([-3.0, 2.0], dtype=torch.float64, requires_grad=True)
    label = old = torch.tensor([0.0, 1.0], dtype=torch.float64)  # a young negative, a late conversion
    weight = torch.ones(2, dtype=torch.float64)
    loss = nndf_loss(logit, label, old, weight)
    (slope,) = torch.autograd.grad(loss.sum(), logit)
    assert loss.tolist() == pytest.approx([0.0, np.log1p(np.exp(-2.0))])
    assert slope.tolist() == pytest.approx([0.0, -1 / (1 + np.exp(2.0))])
    free = nndf_loss(logit, label, old, weight, clip=False)
    assert free.sum().item() == pytest.approx(np.log1p(np.exp(-3.0)) - 2.0)
    kept = nndf_loss(torch.tensor([2.0, -3.0]), label.float(), old.float(), weight.float())
    assert float(kept.sum()) == pytest.approx(
        np.log1p(np.exp(2.0)) + 3.0, rel=1e-6
    )  # l0 + l1 - l0: nothing is cut


@pytest.mark.parametrize("tau", [0.5, 1.0])
def test_older_exposures_stand_where_the_new_ones_do(tau: float) -> None:
    shown, clock, since = steady(), 5000, 4900
    rows = NnDf(tau).rows(shown.before(clock), since)
    new = rows.columns["old"] == 0
    assert rows.index[new].tolist() == list(range(4900, 5000)) and not rows.label[new].any()
    back = int(tau * WINDOW)
    expected = [t for t in range(since - back, clock - back) if t % 2 == 0 and clock - back <= t + 400 < clock]
    assert rows.index[~new].tolist() == expected and rows.label[~new].all()
    np.testing.assert_array_equal(rows.columns["weight"], 1.0)  # as many old as new
    # the labels so far and what is added give the final rate
    total = rows.label[new].sum() + rows.columns["weight"][~new].sum()
    assert total / 100 == pytest.approx(0.5)


def test_without_older_exposures_labels_so_far_remain() -> None:
    rows = NnDf().rows(steady(500).before(500), 0)
    assert not rows.columns["old"].any() and len(rows) == 500


def test_settings_out_of_range_say_so() -> None:
    with pytest.raises(ConfigError, match="tau 0"):
        Fsiw(0.0)
    with pytest.raises(ConfigError, match="tau is 2"):
        NnDf(2.0)
