"""ULC: corrected labels have the minimiser p(x), and the corrector sees the past alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.conversion.population import Population, minimiser, probability, training_mass

from thence.base.errors import ConfigError, DataError
from thence.conversion.delayed import ulc as module
from thence.conversion.delayed.age import aged
from thence.conversion.delayed.ulc import Ulc, weights
from thence.conversion.exposures import NEVER, Exposures
from thence.conversion.features import Features
from thence.conversion.lab import Lab
from thence.conversion.learn import LearnConfig, Learner
from thence.conversion.net import NetConfig, make_net
from thence.conversion.rows import Rows

LAB = Lab(NetConfig("logistic"), LearnConfig(batch_size=100, learning_rate=0.05, passes=20))
QUICK = replace(LAB, learn=replace(LAB.learn, passes=1))
PEOPLE = Population.random(7)


def nothing(index: np.ndarray) -> np.ndarray:
    return np.zeros((len(index), 1))


def features_at(age: np.ndarray) -> Features:
    return aged(Features.none(len(age)), age)


def clicks(count: int = 3000, window: int = 1000) -> Exposures:
    """One of 4 converts after 5, one after 600, two never."""
    time, turn = np.arange(count), np.arange(count) % 4
    ends = np.select([turn == 0, turn == 1], [time + 5, time + 600], NEVER)
    return Exposures.make(time, ends, window=window, features=Features.none(count))


def test_the_minimiser_is_p_and_the_mass_of_x_stays() -> None:
    rows = PEOPLE.cut()
    later = 1 - PEOPLE.never(np.arange(PEOPLE.cells + 1))[rows.x, rows.age]
    columns, model = weights(rows.label, later), Ulc()
    logits = minimiser(rows, model.loss, columns)
    np.testing.assert_allclose(probability(model, logits), PEOPLE.p, rtol=0, atol=1e-4)
    np.testing.assert_allclose(training_mass(rows, model.loss, logits, columns), PEOPLE.mass, rtol=1e-3)


def test_the_loss_is_the_published_one() -> None:
    rng = np.random.default_rng(0)
    w, f = rng.random((2, 40))
    v = rng.integers(0, 2, 40).astype(float)
    batch = {name: torch.tensor(column) for name, column in {"label": v, **weights(v, w)}.items()}
    found = Ulc().loss(torch.tensor(np.log(f / (1 - f)))[:, None], batch).numpy()
    literal = -v * np.log(f) - (1 - v) * (w * np.log(f) + (1 - w) * np.log(1 - f))
    np.testing.assert_allclose(found, literal, rtol=1e-9)


def test_the_corrector_finds_what_becomes_of_open_exposures() -> None:
    shown = clicks()
    model = Ulc(1.0, drawn=0)
    model.begin(shown.before(2500), LAB)
    rows = model.rows(shown.before(2600), 2500)
    still = np.flatnonzero(rows.label == 0)
    age = 2600 - rows.index[still]
    later = rows.columns["positive"][still]
    young, old = later[(age > 50) & (age < 400)], later[(age > 750) & (age < 950)]
    assert young.mean() == pytest.approx(1 / 3, abs=0.08)
    assert old.mean() < 0.1


def test_nothing_after_the_clock_moves_the_corrector_and_no_view_holds_it() -> None:
    shown = clicks()
    early, model = shown.before(1800), Ulc(0.5)
    model.begin(early, QUICK)
    same = Ulc(0.5)
    same.begin(clicks(4000).before(1800), QUICK)
    features = features_at(np.full(3, 0.4))
    np.testing.assert_array_equal(model.corrector.predict(features), same.corrector.predict(features))
    with pytest.raises(DataError, match="later than the clock"):  # a view with final labels cannot be made
        Exposures(early.features, early.time, shown.conversion_time[:1800], shown.window, 1800)


def test_a_turn_comes_every_so_often() -> None:
    shown, model = clicks(), Ulc(0.5, every=2)
    model.begin(shown.before(1500), QUICK)
    first = model.corrector
    model.refresh(shown.before(1600), QUICK, nothing)
    assert model.corrector is first
    age = features_at(np.linspace(0.1, 0.9, 5))
    before = model.corrector.predict(age)
    model.refresh(shown.before(1700), QUICK, nothing)
    assert not np.array_equal(model.corrector.predict(age), before)
    assert model.corrector is first  # it goes on from where it stands
    afresh, same = Ulc(0.5, every=1, afresh=True), Ulc(0.5)
    afresh.begin(shown.before(1500), QUICK)
    afresh.refresh(shown.before(1700), QUICK, nothing)
    same.begin(shown.before(1700), QUICK)
    np.testing.assert_array_equal(afresh.corrector.predict(age), same.corrector.predict(age))


def test_a_further_turn_learns_a_tenth_of_what_came(monkeypatch: pytest.MonkeyPatch) -> None:
    shown, learned = clicks(), []
    monkeypatch.setattr(module, "FEWEST", 3)
    further = Lab.further
    monkeypatch.setattr(Lab, "further", lambda lab, *given, **named: learned.append(given) or further(
        lab, *given, **named))  # fmt: skip
    model = Ulc(1.0, every=1)
    model.begin(shown.before(2000), QUICK)
    for clock in (2400, 2410):
        model.refresh(shown.before(clock), QUICK, nothing)
    assert [len(label) for _, _, label in learned] == [40, 3]
    rising = [features.numbers[:, -2] for _, features, _ in learned]  # their ages at the deadline
    assert all((age < 1).all() and len(np.unique(age)) == len(age) for age in rising)


def test_the_corrector_begins_with_the_conversion_models_embeddings() -> None:
    features = Features(np.arange(2000)[:, None] % 5, np.zeros((2000, 0)), (5,))
    time = np.arange(2000)
    shown = Exposures.make(time, np.where(time % 3, NEVER, time + 200), window=400, features=features)
    config = NetConfig("mlp", dim=3, hidden=(4,))
    still = LearnConfig(batch_size=5000, passes=0)
    main = Learner(make_net(features, config, seed=9), still)
    main.learn(features, Rows(time, np.ones(2000, "f")), lambda logits, batch: logits[:, 0])
    model = Ulc(0.5)
    model.begin(shown.before(1900), Lab(config, still, 0, main))
    assert model.corrector.learner is not None
    torch.testing.assert_close(model.corrector.learner.net.table, main.net.table)


def test_as_many_rows_are_drawn_as_exposures_came() -> None:
    shown = clicks().before(2600)
    rows = Ulc().rows(shown, 2500)
    assert len(rows) == 100
    assert len(np.unique(rows.index)) == 100
    assert rows.index.min() < 1900  # of the whole window
    assert rows.index.min() >= 1600
    assert (Ulc(span=0.0).rows(shown, 2500).index >= 2500).all()
    assert len(Ulc(drawn=0).rows(shown, 2500)) == 1000
    np.testing.assert_array_equal(rows.index, Ulc().rows(shown, 2500).index)


def test_nothing_is_drawn_where_nothing_came() -> None:
    shown, model = clicks(1000).before(1500), Ulc()  # all came before 1000
    model.begin(shown, QUICK)
    assert len(model.rows(shown, 1200)) == 0
    assert len(Ulc(drawn=0.1).rows(shown, 998)) == 0  # a fifth of a row
    assert len(Ulc(drawn=0.0).rows(shown, 1200)) == 500  # all of the window is asked for


def test_final_labels_are_not_corrected() -> None:
    shown = clicks().before(2600)
    model = Ulc(span=1.0, drawn=0)
    model.begin(shown, QUICK)
    rows = model.rows(shown, 1000)  # a longer step than the window
    mature = shown.mature[rows.index]
    assert mature.any()
    np.testing.assert_array_equal(rows.columns["positive"][mature], shown.converted[rows.index[mature]])


@pytest.mark.parametrize("own", [{"tau": 0.0}, {"tau": 1.5}, {"span": 2.0}, {"every": -1}, {"drawn": -1.0}])
def test_settings_out_of_range(own: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=r"tau in \(0, 1\]"):
        Ulc(**own)  # type: ignore[arg-type]
