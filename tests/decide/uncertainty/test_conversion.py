"""How sure the models of conversions are."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from thence.base.errors import ConfigError, DataError, FitError
from thence.conversion.exposures import NEVER, Exposures
from thence.conversion.features import Features
from thence.conversion.learn import LearnConfig
from thence.conversion.model import ConversionModel
from thence.conversion.net import NetConfig
from thence.decide.uncertainty.conversion import ensemble_of, evidence_of, laplace_of
from thence.decide.uncertainty.evidence import effective
from thence.decide.uncertainty.log_counts import event_counts
from thence.events import EventLog
from thence.events.clock import DAY, HOUR

NET, LEARN = NetConfig(hidden=(16,)), LearnConfig(64, 0.01, passes=4)
FEW = 39


def shown(count: int = 1500) -> Exposures:
    """Shops with rates by number; the last one is rare."""
    rng = np.random.default_rng(0)
    shop = np.minimum(rng.zipf(1.5, count), FEW + 1) - 1
    shop[shop == FEW] = rng.integers(0, 5, (shop == FEW).sum())
    shop[:3] = FEW
    time = np.arange(count) * HOUR
    ends = np.where(rng.random(count) < 0.2 + 0.4 * (shop % 2), time + HOUR, NEVER)
    features = Features(shop[:, None], rng.normal(0, 1, (count, 1)), (FEW + 1,), ("shop", "price"))
    return Exposures.make(time, ends, window=DAY, features=features)


def test_evidence_counts_mature_exposures_alone() -> None:
    data = shown()
    sure = evidence_of(data.before(500 * HOUR), ["shop"])
    often = np.bincount(data.features.codes[:476, 0], minlength=FEW + 1)  # windows that end before the clock
    asked = Features(np.arange(FEW + 1)[:, None], np.zeros((FEW + 1, 1)), (FEW + 1,), ("shop", "price"))
    told = sure.estimate(asked)
    assert np.allclose(np.diff(np.exp(-told.uncertainty)), np.diff(often))


def test_a_model_is_less_sure_of_what_it_saw_seldom() -> None:
    data = shown()
    model = ConversionModel("wait", net=NET, learn=LEARN).fit(data, at=1400 * HOUR)
    told = laplace_of(model, data).estimate(data.features)
    assert np.allclose(told.logit, model.predict_logit(data.features), atol=1e-4)
    assert told.uncertainty.min() > 0 and laplace_of(model, data).cost.passes == 1


def test_ensembles_are_models_of_other_seeds() -> None:
    data = shown(600)
    model = ConversionModel("wait", net=NET, learn=LEARN)
    sure = ensemble_of(model, data, at=500 * HOUR, members=2, seed=3)
    again = ensemble_of(model, data, at=500 * HOUR, members=2, seed=3)
    told = sure.estimate(data.features)
    assert np.array_equal(told.mean, again.estimate(data.features).mean)
    assert told.uncertainty.min() > 0 and sure.cost.passes == 2


def test_what_they_cannot_do_is_said() -> None:
    data = shown(300)
    with pytest.raises(FitError, match="not fitted"):
        laplace_of(ConversionModel("wait"), data)
    with pytest.raises(ConfigError, match="colour"):
        evidence_of(data, ["colour"])
    with pytest.raises(DataError, match="mature"):
        evidence_of(data.before(2 * HOUR))
    with pytest.raises(ConfigError, match="two members"):
        ensemble_of(ConversionModel("wait"), data, members=1)
    logistic = ConversionModel("wait", net=NetConfig("logistic"), learn=LEARN).fit(data, at=250 * HOUR)
    with pytest.raises(ConfigError, match="not what its last layer gives"):
        laplace_of(logistic, data)
    two = ConversionModel("dfm", net=NET, learn=LEARN).fit(data, at=250 * HOUR)
    with pytest.raises(ConfigError, match="ensemble_of"):
        laplace_of(two, data)


def test_counts_of_a_log_make_evidence() -> None:
    rows = {
        "timestamp": [1, 2, 3, 4],
        "user_id": ["u", "u", "v", "u"],
        "item_id": ["a", "b", "a", "a"],
        "event": ["view", "view", "purchase", "view"],
    }
    log = EventLog.from_tables(pa.table(rows))
    users, items = event_counts(log, ["u", "v"], "user_id"), event_counts(log, ["a", "c"], event="view")
    assert users.tolist() == [3, 1] and items.tolist() == [2, 0]
    assert np.allclose(effective(np.stack([users, items], 1)), [1 / (1 / 4 + 1 / 3), 1 / (1 / 2 + 1)])
    with pytest.raises(DataError, match="column 'timestamp'"):
        event_counts(log, [1], "timestamp")  # type: ignore[list-item]
