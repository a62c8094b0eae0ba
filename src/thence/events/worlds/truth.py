"""What is known of a world and hidden from its log: arcs, final labels, probabilities, effects."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from thence.base.ids import IdMap
from thence.events.worlds.affinity import KINDS
from thence.events.worlds.effects import Effects

if TYPE_CHECKING:
    from thence.events.worlds.ceiling import Ceiling


@dataclass(frozen=True, eq=False, repr=False)
class Exposures:
    """Every view that could end in a purchase, sorted by time; arrays ``[n]``.

    Args:
        customer: customer int; the log calls customer 7 of a thousand ``u007``.
        item: item int.
        time: microseconds UTC, always inside the log.
        probability: true probability of a purchase within the attribution window.
        baseline: the same without the campaign.
        conversion_time: when the purchase comes, also after the end of the log; -1 for never.
        origin: place in ``ORIGINS``: 0 browsed, 1 compared, 2 followed from a purchase.
        parent: exposure whose purchase set this one off, -1 for none.
        arc: arc that led here, -1 for none.
    """

    customer: np.ndarray
    item: np.ndarray
    time: np.ndarray
    probability: np.ndarray
    baseline: np.ndarray
    conversion_time: np.ndarray
    origin: np.ndarray
    parent: np.ndarray
    arc: np.ndarray

    def __len__(self) -> int:
        """How many exposures."""
        return len(self.item)

    @property
    def label(self) -> np.ndarray:
        """``[n]`` bool: the final label."""
        return self.conversion_time >= 0

    def observed(self, at: int) -> np.ndarray:
        """``[n]`` bool: the label as far as it is known at ``at``: the purchase has come before it."""
        return self.label & (self.conversion_time < at)


@dataclass(frozen=True, eq=False, repr=False)
class Truth:
    """The known truth of a world. Items are ints in the order of ``ids`` and of ``world.items``.

    Args:
        ids: external ids of the items.
        arcs: ``[2, num_arcs]`` what follows what; row 0 source, row 1 target; sorted.
        probability: ``[num_arcs]`` chance that a first purchase of the source leads to one of the target.
        kind: ``[num_arcs]`` place in ``KINDS``: accessory, consumable, upgrade, complement.
        substitutes: ``[2, num_pairs]`` both directions.
        type: ``[num_items]`` type of each item.
        category: ``[num_items]``.
        role: ``[num_items]`` 0 device, 1 accessory, 2 consumable.
        rank: ``[num_items]`` rank in the Zipf law.
        popularity: ``[num_items]`` share of views by browsing, without drift and launches.
        demand: ``[num_items]`` share of purchases by browsing, likewise.
        launch_time: ``[num_items]`` microseconds; the start of the log for items that were there.
        cold: ``[num_items]`` bool: launched late in the log or after its end.
        pace: ``[num_customers]`` multiplies the delay.
        offered: ``[num_customers]`` bool: reached by the campaign.
        exposures: every view that could end in a purchase.
        event_exposure: ``[num_events]`` exposure behind each row of ``world.events``.
        event_role: ``[num_events]`` 0 exposure, 1 cart, 2 return view, 3 purchase.
        effects: the campaign's assignment and effects.
        compare_chance: ``[num_pairs]`` chance that a buyer of an item later buys that substitute after a
            comparison in one visit.
        browsed: entry n is how many customers make n purchases by browsing inside the log.
        taste_reuse: share of these that taste and visit keep in the category of the one before.
        span: first microsecond of the log, and the first after it.
    """

    ids: IdMap
    arcs: np.ndarray
    probability: np.ndarray
    kind: np.ndarray
    substitutes: np.ndarray
    type: np.ndarray
    category: np.ndarray
    role: np.ndarray
    rank: np.ndarray
    popularity: np.ndarray
    demand: np.ndarray
    launch_time: np.ndarray
    cold: np.ndarray
    pace: np.ndarray
    offered: np.ndarray
    exposures: Exposures
    event_exposure: np.ndarray
    event_role: np.ndarray
    effects: Effects
    compare_chance: np.ndarray
    browsed: np.ndarray
    taste_reuse: float
    span: tuple[int, int]

    def __repr__(self) -> str:
        """One line with the counts."""
        kinds = np.bincount(self.kind, minlength=len(KINDS))
        counts = ", ".join(f"{count:,} {kind}" for kind, count in zip(KINDS, kinds, strict=True))
        return f"Truth({self.arcs.shape[1]:,} arcs: {counts}; {len(self.exposures):,} exposures)"

    def scorer(self, since: int | None = None) -> Ceiling:
        """The ideal ranking: probability that a buyer of the source goes on to buy the target.

        Args:
            since: judge what happens from this microsecond to the end of the log, with the items that are there
                then; the whole log when None.
        """
        from thence.events.worlds.ceiling import Ceiling

        start, end = self.span
        start = start if since is None else since
        there = np.clip((end - self.launch_time) / max(end - start, 1), 0.0, 1.0)
        return Ceiling(self, there)

    def expected_sales(self) -> tuple[np.ndarray, np.ndarray]:
        """Expected purchases by browsing per item that the campaign adds, and what they lead to.

        Returns:
            ``[num_items]`` Σ (probability - baseline) over the item's exposures, and ``[num_items]`` the same
            passed on once along the arcs, Σ_i added_i p_ij (to first order: each added purchase a first one,
            and all that follows inside the log).
        """
        gain = self.exposures.probability.astype(np.float64) - self.exposures.baseline
        added = np.bincount(self.exposures.item, gain, minlength=len(self.ids))
        passed = np.bincount(self.arcs[1], added[self.arcs[0]] * self.probability, minlength=len(self.ids))
        return added, passed


def arrays_of(part: Exposures | Effects | Truth) -> dict[str, np.ndarray]:
    """The arrays among a dataclass's fields, by name."""
    values = {entry.name: getattr(part, entry.name) for entry in fields(part)}
    return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
