"""Training by minibatches, models beside the main one, and what an estimator does by default."""

import numpy as np
import pytest
import torch

from thence.base.errors import ConfigError, DataError, FitError
from thence.conversion.estimator import Estimator
from thence.conversion.exposures import Exposures
from thence.conversion.features import Features
from thence.conversion.lab import Classifier, Classifiers, Lab, weighted
from thence.conversion.learn import Batch, LearnConfig, Learner
from thence.conversion.net import NetConfig, make_net
from thence.conversion.rows import Rows, once

RATES = np.array([0.1, 0.5, 0.8])
KIND = np.tile([0, 1, 2], 400)
FEATURES = Features(KIND[:, None], np.zeros((1200, 0)), (3,))
LABEL = (np.arange(1200) // 3 % 10 < RATES[KIND] * 10).astype(np.float32)  # the rates to the row
QUICK = LearnConfig(batch_size=100, learning_rate=0.05, passes=12)


class Plain(Estimator):
    """The least that an estimator is."""

    def rows(self, known: Exposures, since: int) -> Rows:
        return once(known, since, 0)


def learner(seed: int = 0, config: LearnConfig = QUICK) -> Learner:
    return Learner(make_net(FEATURES, NetConfig("logistic")), config, seed)


def cross_entropy(logits: torch.Tensor, batch: Batch) -> torch.Tensor:
    return Plain().loss(logits, batch)


def weights_of(some: Learner) -> bytes:
    return b"".join(value.numpy(force=True).tobytes() for value in some.net.state_dict().values())


def test_a_learner_finds_the_rates_and_its_bytes_depend_on_the_seed_alone() -> None:
    rows, made = Rows(np.arange(1200), LABEL), [learner(0), learner(0), learner(1)]
    for some in made:
        losses = [some.learn(FEATURES, rows, cross_entropy, turn) for turn in range(12)]
        assert losses[-1] < losses[0]
    found = 1 / (1 + np.exp(-made[0].logits(FEATURES, np.arange(3))[:, 0]))
    np.testing.assert_allclose(found, RATES, atol=0.06)
    assert weights_of(made[0]) == weights_of(made[1]) != weights_of(made[2])


@pytest.mark.parametrize("count", [None, 40, 300, 7])
def test_as_many_rows_are_learned_from_as_asked_for(count: int | None) -> None:
    seen: list[np.ndarray] = []

    def noted(logits: torch.Tensor, batch: Batch) -> torch.Tensor:
        seen.append(batch["place"].numpy(force=True))
        return logits[:, 0] * 0

    rows = Rows(np.arange(120), LABEL[:120], {"place": np.arange(120)})
    learner(config=LearnConfig(batch_size=50)).learn(FEATURES, rows, noted, "noted", count=count)
    places, total = np.concatenate(seen).astype(int), count or 120
    assert len(places) == total and max(map(len, seen)) <= 50
    often = np.bincount(places, minlength=120)
    assert often.max() - often.min() <= 1  # each as often as any other
    assert not (np.diff(places) > 0).all()


def test_rows_are_visited_as_often_for_every_estimator_but_not_without_end() -> None:
    config = LearnConfig(visits=1.5, passes=2)
    assert [config.count(rows, 1000) for rows in (0, 1, 500, 750, 4000)] == [None, 2, 1000, 1500, 1500]
    assert LearnConfig(visits=0.0).count(50, 1000) is None  # each once
    assert LearnConfig(visits=1.0, passes=0).count(50, 1000) == 50


def test_nothing_is_learned_from_no_rows_and_a_loss_that_is_no_number_stops() -> None:
    some = learner()
    before = weights_of(some)
    assert some.learn(FEATURES, Rows(np.arange(0), np.empty(0, np.float32)), cross_entropy, 0) == 0.0
    assert weights_of(some) == before and some.logits(FEATURES, np.arange(0)).shape == (0, 1)
    with pytest.raises(FitError, match="the loss is nan"):
        some.learn(FEATURES, Rows(np.arange(9), LABEL[:9]), lambda logits, _: logits[:, 0] * torch.nan, 0)


def test_training_settings_out_of_range_say_so() -> None:
    for wrong in (
        lambda: LearnConfig(batch_size=0),
        lambda: LearnConfig(learning_rate=0.0),
        lambda: LearnConfig(passes=-1),
        lambda: LearnConfig(visits=-1.0),
        lambda: LearnConfig(weight_decay=1.0),
    ):
        with pytest.raises(ConfigError):
            wrong()


def test_a_classifier_finds_rates_and_weighted_rates() -> None:
    lab = Lab(NetConfig("logistic"), QUICK)
    found = lab.classifier(FEATURES, LABEL, name="rates").predict(FEATURES[:3])
    np.testing.assert_allclose(found, RATES, atol=0.06)
    twice = lab.classifier(FEATURES, LABEL, 1 + LABEL, name="twice").predict(FEATURES[:3])
    np.testing.assert_allclose(twice, 2 * RATES / (1 + RATES), atol=0.06)
    soft = lab.classifier(FEATURES, RATES[KIND], name="soft").predict(FEATURES[:3])
    np.testing.assert_allclose(soft, RATES, atol=0.06)


def test_a_classifier_of_one_class_or_of_nothing_is_a_constant() -> None:
    lab = Lab()
    assert lab.classifier(FEATURES, np.ones(1200), name="all").predict(FEATURES[:2]).tolist() == [1.0, 1.0]
    assert lab.classifier(FEATURES, np.zeros(1200), name="none").constant == 0.0
    assert lab.classifier(FEATURES[:0], np.zeros(0), name="nothing").constant == 0.0
    with pytest.raises(DataError, match="1,200 rows, 3 labels"):
        lab.classifier(FEATURES, np.ones(3), name="short")


def test_a_classifier_is_trained_further_on_what_came_since() -> None:
    lab = Lab(NetConfig("logistic"), QUICK)
    model = lab.further(Classifier(None, 1.0), FEATURES, LABEL, name="model", turn=0)
    assert model.learner is not None
    old = model.predict(FEATURES[:1])[0]
    for turn in range(1, 12):
        model = lab.further(model, FEATURES, np.ones(1200), name="model", turn=turn)
    assert model.predict(FEATURES[:1])[0] > old + 0.2
    assert lab.further(model, FEATURES[:0], np.ones(0), name="model", turn=99) is model


def test_weighted_cross_entropy_is_the_literal_one() -> None:
    rng = np.random.default_rng(0)
    f, positive, negative = rng.random((3, 30))
    found = weighted(torch.tensor(np.log(f / (1 - f))), torch.tensor(positive), torch.tensor(negative)).numpy()
    np.testing.assert_allclose(found, -positive * np.log(f) - negative * np.log(1 - f), rtol=1e-9)


def test_an_estimator_by_default_is_plain_cross_entropy() -> None:
    model, logits = Plain(), torch.linspace(-4, 4, 6, dtype=torch.float64)[:, None]
    label = torch.tensor([0.0, 1.0] * 3, dtype=torch.float64)
    f = 1 / (1 + np.exp(-logits[:, 0].numpy()))
    literal = [-np.log(q) if v else -np.log(1 - q) for q, v in zip(f, label, strict=True)]
    np.testing.assert_allclose(model.loss(logits, {"label": label}), literal, rtol=1e-9)
    np.testing.assert_allclose(model.settled_loss(logits, {"label": label}), literal, rtol=1e-6)
    np.testing.assert_allclose(model.probability(logits), f, rtol=1e-12)
    only = {"label": label, "positive": label * 3}
    np.testing.assert_allclose(
        model.loss(logits, only), np.array(literal) * np.where(label > 0, 3, 1), rtol=1e-9
    )
    assert model.heads == 1


def test_labels_that_share_a_network_find_the_rates_of_their_own() -> None:
    other = (np.arange(1200) // 3 % 10 < 10 - RATES[KIND] * 10).astype(np.float32)
    label, weight = (
        np.stack([LABEL, other], 1),
        np.stack([np.ones(1200), LABEL], 1),
    )  # the second where the first is
    lab, blank = Lab(NetConfig("logistic"), QUICK), Classifiers(None, np.array([0.0, 1.0]))
    found = lab.together(blank, FEATURES, label, weight, name="both", turn=0)
    given = [other[(kind == KIND) & (LABEL > 0)].mean() for kind in range(3)]
    np.testing.assert_allclose(found.predict(FEATURES[:3]), np.stack([RATES, given], 1), atol=0.07)
    alone = lab.together(
        Classifiers(None, np.zeros(1)), FEATURES, label[:, :1], weight[:, :1], name="one", turn=0
    )
    same = lab.classifier(FEATURES, LABEL, name="one")
    np.testing.assert_array_equal(alone.predict(FEATURES[:3])[:, 0], same.predict(FEATURES[:3]))
    assert lab.together(found, FEATURES[:0], label[:0], weight[:0], name="both", turn=1) is found


def test_a_label_of_one_value_is_a_constant_until_another_comes() -> None:
    lab, ones = Lab(NetConfig("logistic"), QUICK), np.ones((1200, 2))
    never = np.stack([LABEL, np.zeros(1200)], 1)
    one = lab.together(Classifiers(None, np.zeros(2)), FEATURES, never, ones, name="two", turn=0)
    assert (one.predict(FEATURES[:3])[:, 1] == 0).all() and one.predict(FEATURES[:3])[0, 0] > 0
    one = lab.together(one, FEATURES, never, ones, name="two", turn=1)
    assert (one.predict(FEATURES[:3])[:, 1] == 0).all()
    learned = lab.together(one, FEATURES, np.stack([LABEL, LABEL], 1), ones, name="two", turn=2)
    assert (learned.predict(FEATURES[:3])[:, 1] > 0).all()
    blank = Classifiers(None, np.array([0.0, 1.0]))
    none = lab.together(blank, FEATURES, never * 0, np.stack([ones[:, 0], 0 * LABEL], 1), name="two", turn=0)
    assert none.learner is None and none.constant.tolist() == [0.0, 1.0]  # nothing was asked of the second
