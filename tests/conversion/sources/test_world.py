"""Worlds block by block are those that `simulate` makes; a placebo tells nothing; delays are as published."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import logit

from thence.base.errors import ConfigError
from thence.conversion.exposures import NEVER
from thence.conversion.sources.simulated import criteo_world, drift_world, placebo_world, signal_world
from thence.conversion.sources.studies import study
from thence.conversion.sources.world import world_exposures
from thence.events.clock import DAY, HOUR
from thence.events.worlds import WorldConfig, simulate
from thence.events.worlds.assemble import CART, RETURN

CONFIG = WorldConfig(items=200, customers=1_500, days=60, cold_share=0.2)


def test_blocks_make_the_same_exposures_as_the_whole(monkeypatch) -> None:
    monkeypatch.setattr("thence.events.worlds.world.VIEWS_PER_BLOCK", 5_000)
    world = simulate(CONFIG, 3)
    made = world_exposures(world)
    shown, truth = made.exposures, world.truth.exposures
    np.testing.assert_array_equal(shown.time, truth.time)
    np.testing.assert_array_equal(made.probability, truth.probability)
    np.testing.assert_array_equal(shown.features.codes[:, 0], truth.item)
    seen = (truth.conversion_time >= 0) & (truth.conversion_time < CONFIG.end)
    np.testing.assert_array_equal(shown.conversion_time, np.where(seen, truth.conversion_time, NEVER))
    role = world.truth.event_role
    time = world.events["timestamp"].to_numpy()
    for place, kind in enumerate((CART, RETURN)):
        mine = shown.engagement.kind == place
        expected = sorted(zip(world.truth.event_exposure[role == kind], time[role == kind], strict=True))
        found = sorted(zip(shown.engagement.owner[mine], shown.engagement.time[mine], strict=True))
        assert found == expected
    shown.features.check()


def test_what_a_shop_sees_of_customers_is_ease_through_noise() -> None:
    made = world_exposures(replace(CONFIG, taste=0.5), 1)
    names, codes = made.exposures.features.names, made.exposures.features.codes
    segment = codes[:, names.index("segment")]
    customers = np.unique(codes[:, names.index("customer")], return_index=True)[1]
    assert 0.5 < np.corrcoef(segment, logit(made.probability))[0, 1] < 0.95
    assert abs(segment[customers].mean() - 3.5) < 0.2 and set(segment.tolist()) == set(range(9))
    fits = made.exposures.features.numbers[:, 1]
    assert made.probability[fits == 1].mean() > made.probability[fits == 0].mean()


def test_a_placebo_moves_events_with_their_age_and_tells_nothing() -> None:
    config = replace(CONFIG, signal=0.8, customers=4_000)
    true, placebo = (world_exposures(config, 2, placebo=flag) for flag in (False, True))
    np.testing.assert_array_equal(true.exposures.time, placebo.exposures.time)
    ages = [
        np.sort(one.exposures.engagement.time - one.exposures.time[one.exposures.engagement.owner])
        for one in (true, placebo)
    ]
    np.testing.assert_array_equal(*ages)
    told = []
    for made in (true, placebo):
        shown = made.exposures
        early = shown.time < config.end - shown.window  # the log's end cuts the events of later ones
        count, _ = shown.engagement.so_far(shown.time + shown.window)
        cart, label = count[early, 0] > 0, shown.converted[early]
        told.append(label[cart].mean() - label[~cart].mean())
    assert told[0] > 0.5 and abs(told[1]) < 0.02
    with pytest.raises(ConfigError, match="placebo"):
        world_exposures(config, engagement=False, placebo=True)


@pytest.mark.parametrize("make", [criteo_world, drift_world, signal_world, placebo_world])
def test_the_worlds_have_the_published_rate_and_delays(make) -> None:
    made = make(0, 60_000)
    shown = made.exposures
    assert made.blocks == 25 and 50_000 < len(shown) < 75_000
    assert shown.before(made.start).mature.sum() > 3_000 and shown.mature.all()
    assert abs(shown.converted.mean() - 0.227) < 0.025
    delay = (shown.conversion_time - shown.time)[shown.converted]
    assert abs((delay < HOUR).mean() - 0.35) < 0.02
    assert abs((delay < DAY).mean() - 0.50) < 0.02
    assert abs((delay > 7 * DAY).mean() - 0.18) < 0.02
    assert bool(shown.engagement.kinds) == (make in (signal_world, placebo_world))
    error = (shown.converted - made.probability).mean()
    assert abs(error) < 4 * (made.probability * (1 - made.probability)).mean() ** 0.5 / len(shown) ** 0.5


def test_the_worlds_move(monkeypatch) -> None:
    """True probabilities of the same items change from month to month, twice as much where drift is strong."""
    moved = []
    for make in (criteo_world, drift_world):
        made = make(0, 200_000)
        category = made.exposures.features.codes[:, 3]
        late = made.exposures.time > made.exposures.time[0] + 30 * DAY
        mean = [
            np.bincount(category[part], logit(made.probability[part])) / np.bincount(category[part])
            for part in (~late, late)
        ]
        moved.append(np.std(mean[1] - mean[0]))
    assert moved[0] > 0.3 and 1.5 < moved[1] / moved[0] < 2.5


def test_same_seed_same_bytes_and_other_seeds_other_worlds() -> None:
    one, same, other = (study("signal_world", seed, size=10_000) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.exposures.features.codes, same.exposures.features.codes)
    np.testing.assert_array_equal(one.exposures.engagement.time, same.exposures.engagement.time)
    assert len(one.exposures) != len(other.exposures)
