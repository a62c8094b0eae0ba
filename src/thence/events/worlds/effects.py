"""Who is treated by a campaign and what that does to each item: the equations of :mod:`campaigns`, computed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thence.base.rng import generator
from thence.events.worlds.affinity import Affinity
from thence.events.worlds.catalogue import Catalogue
from thence.events.worlds.config import DAY, WorldConfig


@dataclass(frozen=True, eq=False, repr=False)
class Effects:
    """Assignment and relative effects; arrays ``[num_items]``, all zero without a campaign.

    Args:
        depth: discount d_i, 0 for untreated items.
        propensity: probability with which the item was treated.
        unit: the unit that the item was treated in.
        direct: lift · d_i.
        complement_exposure: Σ_k ρ_ki d_k, what the arcs into i bring.
        substitute_exposure: mean discount of i's substitutes.
        spillover: relative change through neighbours.
        begin: first microsecond of the campaign.
        end: first microsecond after it.
    """

    depth: np.ndarray
    propensity: np.ndarray
    unit: np.ndarray
    direct: np.ndarray
    complement_exposure: np.ndarray
    substitute_exposure: np.ndarray
    spillover: np.ndarray
    begin: int
    end: int

    @property
    def treated(self) -> np.ndarray:
        """``[num_items]`` bool."""
        return self.depth > 0

    @property
    def multiplier(self) -> np.ndarray:
        """``[num_items]`` m_i, the factor on the purchase probability during the campaign."""
        return np.maximum(0.0, 1.0 + self.direct + self.spillover)

    def active(self, time: np.ndarray) -> np.ndarray:
        """``[n]`` bool: which times fall into the campaign."""
        return (time >= self.begin) & (time < self.end)


def make_effects(
    config: WorldConfig, catalogue: Catalogue, affinity: Affinity, weight: np.ndarray, seed: int
) -> Effects:
    """Treat units and follow the discounts along arcs and substitutes.

    Args:
        config: its ``campaign`` is used.
        catalogue: the items and what they belong to.
        affinity: arcs and substitutes.
        weight: ``[num_items]`` popularity, used where the assignment is confounded.
        seed: seed of the world.
    """
    count, campaign = len(catalogue), config.campaign
    nothing = np.zeros(count)
    if campaign is None:
        start, unit = config.start, np.zeros(count, np.int64)
        return Effects(nothing, nothing, unit, nothing, nothing, nothing, nothing, begin=start, end=start)
    rng = generator(seed, "world", "campaign")
    unit = {
        "item": np.arange(count),
        "type": catalogue.type,
        "category": catalogue.category,
        "department": catalogue.department,
    }[campaign.unit].astype(np.int64)
    propensity = _propensity(unit, weight, campaign.share, campaign.confounding)
    treated = (rng.random(int(unit.max()) + 1) < propensity)[unit]
    depth = np.where(treated, np.asarray(campaign.depths)[rng.integers(len(campaign.depths), size=count)], 0.0)
    source, target = affinity.arcs
    complement = _weighted_mean(source, target, affinity.probability, depth)
    ones = np.ones(affinity.substitutes.shape[1])
    substitute = _weighted_mean(affinity.substitutes[0], affinity.substitutes[1], ones, depth)
    begin = config.start + int(campaign.start_day * DAY)
    return Effects(
        depth=depth,
        propensity=propensity[unit],
        unit=unit,
        direct=campaign.lift * depth,
        complement_exposure=complement,
        substitute_exposure=substitute,
        spillover=campaign.lift * (campaign.complement * complement - campaign.substitute * substitute),
        begin=begin,
        end=begin + int(campaign.days * DAY),
    )


def _propensity(unit: np.ndarray, weight: np.ndarray, share: float, confounding: float) -> np.ndarray:
    """``[num_units]`` σ(logit(share) + c z); exactly ``share`` when c is 0."""
    units = int(unit.max()) + 1
    if not confounding or share in (0, 1):
        return np.full(units, float(share))
    size = np.log(np.bincount(unit, weight, minlength=units) + 1e-12)
    z = (size - size.mean()) / max(size.std(), 1e-12)
    return 1 / (1 + (1 - share) / share * np.exp(-confounding * z))


def _weighted_mean(source: np.ndarray, target: np.ndarray, weight: np.ndarray, value: np.ndarray) -> np.ndarray:
    """For each target the mean of its sources' values; 0 for a target without sources."""
    total = np.bincount(target, weight, minlength=len(value))
    summed = np.bincount(target, weight * value[source], minlength=len(value))
    return np.divide(summed, total, out=np.zeros(len(value)), where=total > 0)
