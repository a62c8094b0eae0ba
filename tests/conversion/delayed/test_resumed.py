"""What a checkpoint keeps of a method with models beside the main one: it goes on as if it had not stopped."""

from collections.abc import Callable

import numpy as np
import pytest

from thence.conversion.delayed.bi_defuse import BiDefuse
from thence.conversion.delayed.defer import Defer
from thence.conversion.delayed.defuse import Defuse
from thence.conversion.delayed.es_dfm import EsDfm
from thence.conversion.delayed.gdfm import Gdfm
from thence.conversion.delayed.ulc import Ulc
from thence.conversion.engagement import Engagement
from thence.conversion.estimator import Estimator
from thence.conversion.exposures import NEVER, Exposures
from thence.conversion.features import Features
from thence.conversion.keep import kept, lay_over
from thence.conversion.lab import Lab
from thence.conversion.learn import LearnConfig, Learner
from thence.conversion.net import NetConfig, make_net

MODELS: dict[str, Callable[[], Estimator]] = {
    "es_dfm": lambda: EsDfm(50, every=1),
    "defer": lambda: Defer(50, every=1),
    "defuse": lambda: Defuse(50, every=1),
    "bi_defuse": lambda: BiDefuse(50, every=1),
    "ulc": lambda: Ulc(0.5, every=1),
    "gdfm": lambda: Gdfm((20, 90), every=1),
}


def clicks(count: int = 1500) -> Exposures:
    rng = np.random.default_rng(0)
    time = np.arange(count)
    ends = np.where(rng.random(count) < 0.4, time + rng.integers(1, 400, count), NEVER)
    owner = np.flatnonzero(rng.random(count) < 0.5)
    features = Features((time % 7)[:, None], rng.normal(size=(count, 1)), (7,))
    events = Engagement.make(["cart"], owner, 0 * owner, time[owner] + 10)
    return Exposures.make(time, ends, window=300, features=features, engagement=events)


@pytest.mark.parametrize("name", MODELS)
def test_rows_after_a_restart_are_the_same(name: str) -> None:
    shown = clicks()
    config, learn = NetConfig("mlp", dim=2, hidden=(4,)), LearnConfig(batch_size=200, passes=1)
    lab = Lab(config, learn, 0, Learner(make_net(shown.features, config), learn))

    def predict(index: np.ndarray) -> np.ndarray:
        return np.zeros((len(index), 1))

    model, again = MODELS[name](), MODELS[name]()
    model.begin(shown.before(800), lab)
    model.refresh(shown.before(900), lab, predict)
    again.begin(shown.before(800), lab)
    lay_over(again, kept(model))
    for clock in (1000, 1100):
        parts = []
        for one in (model, again):
            one.refresh(shown.before(clock), lab, predict)
            parts.append(one.rows(shown.before(clock), clock - 100))
        assert len(parts[0]) > 0
        np.testing.assert_array_equal(parts[0].index, parts[1].index)
        assert parts[0].columns.keys() == parts[1].columns.keys()
        for column in parts[0].columns:
            np.testing.assert_array_equal(parts[0].columns[column], parts[1].columns[column])
