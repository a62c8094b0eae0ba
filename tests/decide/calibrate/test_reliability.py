"""The table of what came true, against literal sums."""

from __future__ import annotations

import numpy as np
import pytest

from thence.base.errors import ConfigError, DataError
from thence.base.rng import generator
from thence.decide.calibrate import reliability
from thence.decide.levels import level_cuts, level_of
from thence.evaluate.conversion.metrics import ece
from thence.evaluate.wilson import wilson


def test_rows_are_sums_over_their_cases() -> None:
    rng = generator(0, "tests", "reliability")
    rate, unsure = rng.random(900), rng.random(900)
    label = rng.random(900) < rate * (1 - 0.5 * unsure)
    table = reliability(rate, unsure, label, bins=5, levels=3)
    assert table.count.tolist() == [60] * 15 and table.level.tolist() == [0] * 5 + [1] * 5 + [2] * 5
    level = level_of(unsure, level_cuts(unsure, 3))
    first = np.sort(rate[level == 0])[:60]
    inside = (level == 0) & (rate <= first[-1])
    assert table.rate[0] == pytest.approx(first.mean())
    assert table.seen[0] == pytest.approx(label[inside].mean())
    assert table.level_ece.tolist() == [ece(label[level == at], rate[level == at], 5) for at in range(3)]
    assert table.ece == ece(label, rate, 5)
    assert table.level_ece[2] > table.level_ece[0]
    assert ((table.low <= table.seen) & (table.seen <= table.high)).all()


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    rng = generator(1, "tests", "reliability")
    for truth in (0.05, 0.5):
        low, high = wilson(rng.binomial(200, truth, 4000), np.full(4000, 200))
        assert ((low <= truth) & (truth <= high)).mean() == pytest.approx(0.95, abs=0.02)
    low, high = wilson([0, 5], [5, 5])
    assert low[0] == 0 and high[1] == 1 and high[0] == pytest.approx(0.4345, abs=1e-4)


def test_one_level_equal_rates_and_one_class() -> None:
    table = reliability([0.5, 0.5, 0.5], None, [1, 1, 1])
    assert table.level.tolist() == [0] and table.count.tolist() == [3] and table.ece == 0.5
    with pytest.raises(DataError, match="not a number from 0 to 1"):
        reliability([1.5], None, [1])
    with pytest.raises(ConfigError):
        reliability([0.5], None, [1], bins=0)
