"""A campaign: some items are discounted for some days, and their neighbours feel it.

Units (items, types, categories or departments) are treated at random; with ``confounding`` c the chance is
σ(logit(share) + c · z), z the standardised log-popularity of the unit, which is known and returned. A treated
item has one of the ``depths`` at random. Write d_i for an item's depth (0 when untreated). During the campaign
the probability that a view by browsing converts is p · m_i with

    m_i = max(0, 1 + direct_i + spillover_i),     direct_i = lift · d_i,
    spillover_i = complement · lift · Σ_k ρ_ki d_k  -  substitute · lift · mean over substitutes k of d_k,

where ρ_ki = p_ki / Σ_k p_ki weighs the arcs that lead to i: a discount on the phone sells cases, a discount on
a case sells no phones. Customers whom the campaign does not reach feel nothing. Views do not react, so that the
world with and without the campaign has the same views by browsing, one by one. What more purchases of i lead to
along the arcs comes on top, through ownership; follow-up purchases themselves do not react to a discount.
"""

from __future__ import annotations

from dataclasses import dataclass

from thence.base.errors import ConfigError

UNITS = ("item", "type", "category", "department")
RANGES: dict[str, tuple[float, float]] = {
    "share": (0, 1),
    "start_day": (0, 3650),
    "days": (0.01, 3650),
    "lift": (0, 20),
    "complement": (0, 5),
    "substitute": (0, 5),
    "customer_share": (0, 1),
    "confounding": (-5, 5),
}


@dataclass(frozen=True)
class Campaign:
    """The settings of a campaign.

    Args:
        unit: what is treated together: ``item``, ``type``, ``category`` or ``department``.
        share: share of units treated.
        depths: discounts, as shares of the price; each treated item has one of them.
        start_day: first day, counted from the start of the log.
        days: how long it lasts.
        lift: relative change in the purchase probability per unit of depth.
        complement: spillover along arcs, relative to the lift.
        substitute: loss to discounted substitutes, relative to the lift.
        customer_share: share of customers whom the campaign reaches.
        confounding: how much popular units are treated more often.

    Raises:
        ConfigError: a setting is out of range.
    """

    unit: str = "item"
    share: float = 0.3
    depths: tuple[float, ...] = (0.2,)
    start_day: float = 60.0
    days: float = 28.0
    lift: float = 2.0
    complement: float = 0.5
    substitute: float = 0.25
    customer_share: float = 1.0
    confounding: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "depths", tuple(float(depth) for depth in self.depths))
        if self.unit not in UNITS:
            raise ConfigError(f"a campaign's unit is {self.unit!r}", fix=f"Choose one of {', '.join(UNITS)}.")
        if not self.depths or not all(0 < depth < 1 for depth in self.depths):
            raise ConfigError(f"a campaign's depths are {self.depths}", fix="Give shares between 0 and 1.")
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise ConfigError(
                    f"a campaign's {name} is {value!r}", fix=f"Choose a number from {low:g} to {high:g}."
                )
