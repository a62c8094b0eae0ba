"""Campaigns: assignment, effects and spillovers agree with what is returned as truth."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from thence.events.worlds import Campaign, World, WorldConfig, simulate

CONFIG = WorldConfig(items=300, customers=12_000, views_per_customer=20.0, stray=1.0, cold_share=0.0)
CAMPAIGN = Campaign(share=0.4, start_day=20.0, days=80.0, depths=(0.2, 0.4), substitute=0.5)


@cache
def world(campaign: Campaign | None = CAMPAIGN) -> World:
    """A world under a long campaign."""
    return simulate(replace(CONFIG, campaign=campaign), seed=11)


def test_views_by_browsing_are_the_same_with_and_without_the_campaign() -> None:
    """And so is every outcome outside of it: the two worlds are each other's counterfactual."""
    with_it, without = world().truth.exposures, world(None).truth.exposures
    one, two = with_it.origin < 2, without.origin < 2
    assert np.array_equal(with_it.item[one], without.item[two])
    assert np.array_equal(with_it.time[one], without.time[two])
    assert np.allclose(with_it.baseline[one], without.probability[two])
    active = world().truth.effects.active(with_it.time[one])
    assert np.array_equal(with_it.label[one][~active], without.label[two][~active])
    more = with_it.probability[one] >= without.probability[two]
    assert (with_it.label[one][more] >= without.label[two][more]).all()


def test_effects_by_a_literal_loop() -> None:
    truth, campaign = world().truth, CAMPAIGN
    effects = truth.effects
    for i in range(0, len(truth.ids), 7):
        arcs = np.flatnonzero(truth.arcs[1] == i)
        weights = truth.probability[arcs]
        exposure = (weights * effects.depth[truth.arcs[0, arcs]]).sum() / weights.sum() if len(arcs) else 0.0
        rivals = truth.substitutes[1, truth.substitutes[0] == i]
        loss = effects.depth[rivals].mean()
        spillover = campaign.lift * (campaign.complement * exposure - campaign.substitute * loss)
        assert effects.spillover[i] == pytest.approx(spillover)
        assert effects.direct[i] == pytest.approx(campaign.lift * effects.depth[i])
        assert effects.multiplier[i] == pytest.approx(max(0.0, 1 + effects.direct[i] + spillover))


def _ratio(rows: np.ndarray, of: World) -> tuple[float, float]:
    """Purchases over the purchases expected without the campaign, and the standard error of that."""
    exposures = of.truth.exposures
    expected = exposures.baseline[rows].sum()
    p = exposures.probability[rows].astype(np.float64)
    return float(exposures.label[rows].sum() / expected), float(np.sqrt((p * (1 - p)).sum()) / expected)


def test_direct_effect_and_spillovers_are_recovered_by_means() -> None:
    """Treated without, and untreated with, treated neighbours: the mean lift is the one in the truth."""
    truth = world().truth
    effects, exposures = truth.effects, truth.exposures
    active = effects.active(exposures.time) & (exposures.origin < 2)
    alone = (effects.complement_exposure == 0) & (effects.substitute_exposure == 0)
    groups = {
        "direct": effects.treated & alone,
        "complement": ~effects.treated & (effects.complement_exposure > 0) & (effects.substitute_exposure == 0),
        "substitute": ~effects.treated & (effects.complement_exposure == 0) & (effects.substitute_exposure > 0),
        "nothing": ~effects.treated & alone,
    }
    found = {}
    for name, items in groups.items():
        rows = active & items[exposures.item]
        assert rows.sum() > 1_000, name
        ratio, error = _ratio(rows, world())
        weight = exposures.baseline[rows]
        true = (weight * effects.multiplier[exposures.item[rows]]).sum() / weight.sum()
        assert abs(ratio - true) < 4 * error + 0.01, name  # the cap at .99 takes the rest
        found[name] = ratio
    assert found["direct"] > 1.2 and found["complement"] > 1.05 and found["substitute"] < 0.95
    assert found["nothing"] == pytest.approx(1.0, abs=0.05)


def test_nobody_feels_it_outside_the_campaign_or_its_reach() -> None:
    half = world(replace(CAMPAIGN, customer_share=0.5))
    truth = half.truth
    exposures = truth.exposures
    active = truth.effects.active(exposures.time)
    felt = exposures.probability != exposures.baseline
    assert not (felt & ~active).any() and not (felt & ~truth.offered[exposures.customer]).any()
    assert truth.offered.mean() == pytest.approx(0.5, abs=0.02)
    discount = half.events["discount"].to_numpy()
    row = truth.event_exposure
    shown = (discount > 0) & ~(
        truth.effects.treated[exposures.item[row]] & truth.offered[exposures.customer[row]]
    )
    assert not shown.any() and (discount > 0).any()
    price, listed = half.events["price"].to_numpy(), half.items["price"].to_numpy()[exposures.item[row]]
    assert np.allclose(price, np.round(listed * (1 - discount), 2), atol=0.011)


@pytest.mark.parametrize(("unit", "column"), [("type", "type"), ("category", "category")])
def test_clusters_are_treated_whole(unit: str, column: str) -> None:
    campaign = Campaign(unit=unit, share=0.5, start_day=10.0, days=10.0)
    truth = simulate(WorldConfig(items=2_000, customers=10, campaign=campaign), seed=2).truth
    cluster = getattr(truth, column)
    share = np.bincount(cluster, truth.effects.treated) / np.bincount(cluster)
    assert set(share.tolist()) == {0.0, 1.0}


def test_confounded_assignment_prefers_popular_items_with_the_propensity_that_is_returned() -> None:
    campaign = Campaign(confounding=1.5, start_day=10.0, days=10.0)
    truth = simulate(WorldConfig(items=5_000, customers=10, campaign=campaign), seed=0).truth
    effects = truth.effects
    popular = truth.popularity > np.median(truth.popularity)
    assert effects.treated[popular].mean() > effects.treated[~popular].mean() + 0.2
    for rows in np.array_split(np.argsort(effects.propensity), 5):
        p = effects.propensity[rows]
        assert abs(effects.treated[rows].mean() - p.mean()) < 4 * np.sqrt((p * (1 - p)).sum()) / len(rows)


def test_expected_sales_match_the_counterfactual_world() -> None:
    """Added purchases by browsing, with minus without, are those expected; what they lead to comes on top."""
    with_it, without = world().truth, world(None).truth
    added, passed = with_it.expected_sales()

    def sold(truth: object, followed: bool) -> int:
        exposures = truth.exposures  # type: ignore[attr-defined]
        return int((exposures.label & ((exposures.origin == 2) == followed)).sum())

    gained = sold(with_it, followed=False) - sold(without, followed=False)
    assert gained == pytest.approx(added.sum(), rel=0.1)
    more = sold(with_it, followed=True) - sold(without, followed=True)
    assert 0 < more < 1.6 * passed.sum()
    assert not without.expected_sales()[0].any()
