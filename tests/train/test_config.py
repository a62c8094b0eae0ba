"""Settings of training: what is out of range, and the schedule of the learning rate."""

from __future__ import annotations

import math

import pytest

from thence.base.errors import ConfigError
from thence.train import TrainConfig

COUNTS = ("steps", "batch_size", "validate_every", "patience")
RATES = ("learning_rate", "weight_decay", "source_power", "weight_power", "reverse_weight")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[(name, value) for name in COUNTS for value in (0, -1)],
        *[(name, -1) for name in ("candidates", "checkpoint_every")],
        *[(name, value) for name in RATES for value in (-0.1, math.nan, math.inf)],
        ("learning_rate", 0.0),
    ],
)
def test_settings_out_of_range_are_refused(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=f"out of range.*{name}={value}"):
        TrainConfig(**{name: value})


def test_the_rate_rises_over_a_tenth_and_falls_along_a_cosine() -> None:
    config = TrainConfig(steps=50, learning_rate=2.0)
    expected = [2.0 * (k + 1) / 5 for k in range(5)]
    expected += [1.0 + math.cos(math.pi * (k - 5) / 45) for k in range(5, 50)]
    assert [config.rate(k) for k in range(50)] == pytest.approx(expected)
    assert max(expected) == config.rate(4) == 2.0 and 0 < config.rate(49) < 0.01


def test_a_run_of_one_step_has_a_rate() -> None:
    assert TrainConfig(steps=1, learning_rate=0.5).rate(0) == 0.5
