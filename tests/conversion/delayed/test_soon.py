"""Early conversions stand for late ones where x does not foretell how soon: exact, and not used elsewhere."""

from dataclasses import replace

import numpy as np
import pytest

from thence.base.rng import generator
from thence.conversion.delayed import soon
from thence.conversion.delayed.engaged import Engaged
from thence.conversion.delayed.soon import delays, foretold, share_by
from thence.conversion.exposures import NEVER, Exposures
from thence.conversion.features import Features
from thence.conversion.lab import Lab
from thence.conversion.learn import LearnConfig
from thence.conversion.net import NetConfig
from thence.conversion.rows import late
from thence.events.clock import DAY

WINDOW = 10 * DAY
LAB = Lab(NetConfig("logistic"), LearnConfig(batch_size=128, learning_rate=0.02, passes=2))


def clicks(slower: float, count: int = 12_000) -> Exposures:
    """Two items; purchases of the second take so many times as long."""
    rng = generator(1, "tests", "soon")
    item = rng.integers(0, 2, count)
    y = rng.random(count) < np.array([0.3, 0.5])[item]
    time = np.sort(rng.integers(0, 40 * DAY, count))
    delay = rng.exponential(1.5 * DAY, count) * np.where(item == 1, slower, 1.0)
    end = np.where(y, time + np.minimum(delay.astype(int) + 1, WINDOW), NEVER)
    return Exposures.make(
        time, end, window=WINDOW, features=Features(item[:, None], np.zeros((count, 0)), (2,))
    )


def flat(index: np.ndarray) -> np.ndarray:
    return np.zeros((len(index), 1), np.float32)


@pytest.mark.parametrize("fresh", [0.0, 0.3, 1.0])
def test_the_weights_add_up_to_p_for_any_share(fresh: float) -> None:
    """By hand: a first row at any age, and a copy of what converts after it, of exposures with p = .4."""
    model, p = Engaged(fresh=fresh), 0.4
    model.stand_in, model.taught = fresh > 0, True
    model.delays = np.sort(generator(0, "tests", "delays").integers(0, 900, 50))
    ages = np.array([0, 20, 100, 450, 899, 2_000])
    eta, stood = model._stood_for(ages)
    share = np.array([np.mean(model.delays <= age) for age in ages])
    np.testing.assert_allclose(p * share * stood + p * (1 - share) * (1 - eta), p, atol=1e-12)
    assert stood.max() <= 3.0 + 1e-9 and (eta <= fresh).all() and (eta[share == 0] == 0).all()


def test_a_dependence_of_delay_on_x_is_found_and_its_absence_too() -> None:
    for slower, found in ((1.0, False), (3.0, True)):
        known = clicks(slower).before(30 * DAY)
        come = np.flatnonzero(known.mature & known.converted)
        assert foretold(known, come, LAB) is found
        model = Engaged()
        model.begin(known, LAB)
        assert model.stand_in is not found
        assert model.told()["fresh"] == (0.0 if found else 0.5)


def test_few_conversions_or_none_between_tell_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    known = clicks(1.0).before(30 * DAY)
    come = np.flatnonzero(known.mature & known.converted)
    assert foretold(known, come[:999], LAB)
    at_once = replace(known, conversion_time=np.where(known.converted, known.time + 5, NEVER))
    assert foretold(at_once, come, LAB)
    monkeypatch.setattr(soon, "FEWEST", 1e9)
    model = Engaged()
    model.begin(known, LAB)
    assert not model.stand_in


def test_rows_carry_the_weights() -> None:
    shown = clicks(1.0)
    model, at = Engaged(settle=0.0), 30 * DAY
    known = shown.before(at)
    model.begin(known, LAB)
    model.refresh(known, LAB, flat)
    rows = model.rows(known, at - 2 * DAY)
    mature = np.flatnonzero(known.mature & known.converted)
    gone = delays(known, mature)
    new = rows.index >= known.since(at - 2 * DAY)
    came = new & (rows.label > 0)
    share = share_by(at - known.time[rows.index[came]], gone)
    eta = np.minimum(0.5, 2 * share / np.maximum(1 - share, 1e-9))
    np.testing.assert_allclose(rows.columns["positive"][came], 1 + eta * (1 - share) / share, rtol=1e-5)
    later = shown.before(at + 2 * DAY)
    model.refresh(later, LAB, flat)
    copies = model.rows(later, at)
    again = late(later, at, 0).index
    again = again[(again < later.since(at)) & (again >= known.since(at - 2 * DAY))]
    share = share_by(at - known.time[again], gone)
    left = 1 - np.minimum(0.5, 2 * share / np.maximum(1 - share, 1e-9))
    found = copies.columns["positive"][np.isin(copies.index, again) & (copies.index < later.since(at))]
    assert len(again) > 50
    volume = found / left
    assert np.ptp(volume) < 0.6 and abs(volume.mean() - 1) < 0.2
