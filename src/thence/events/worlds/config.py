"""The settings of a simulated marketplace, each with its range, in one frozen dataclass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from thence.base.errors import ConfigError, check_settings
from thence.events.worlds.campaigns import Campaign
from thence.events.worlds.delays import Delay

DAY = 86_400_000_000
START_2024 = 1_704_067_200_000_000

RANGES: dict[str, tuple[float, float]] = {
    "items": (50, 50_000_000),
    "customers": (1, 1_000_000_000),
    "days": (7, 3650),
    "views_per_customer": (0.1, 10_000),
    "popularity_exponent": (0, 3),
    "popularity_drift": (0, 10),
    "cold_share": (0, 0.9),
    "affinity": (0, 3),
    "complement": (0, 0.5),
    "basket_share": (0, 1),
    "follow_days": (0.01, 1000),
    "stray": (0, 1),
    "taste": (0, 1),
    "compare": (0, 1),
    "conversion_rate": (0.0001, 0.9),
    "conversion_drift": (0, 5),
    "attribution_days": (0.1, 365),
    "signal": (0, 1),
    "cart_rate": (0, 1),
    "return_rate": (0, 5),
}


@dataclass(frozen=True)
class WorldConfig:
    """What a world is like. The mechanisms and their equations are documented file by file.

    Args:
        items: products in the catalogue, cold ones included.
        customers: customers, those who never come included.
        days: length of the log in days.
        views_per_customer: mean number of views by browsing; follow-ups and comparisons come on top.
        popularity_exponent: a of the Zipf law, weight ∝ rank^-a.
        popularity_drift: standard deviation of the change in log-popularity from first to last week.
        cold_share: share of items launched late in the log or after its end.
        affinity: mean number of accessories that the first purchase of a device leads to.
        complement: probability of buying each symmetric complement after an item, in the mean.
        basket_share: share of follow-up purchases made in the same order.
        follow_days: mean days until the others (six times that for upgrades).
        stray: popularity of accessories by browsing, relative to devices; 0 lets no accessory be bought
            before its device.
        taste: share of visits that go to a category of the customer's taste.
        compare: probability that a view is followed by the view of a substitute.
        conversion_rate: share of views by browsing that end in a purchase within the window.
        conversion_drift: standard deviation a week of each category's random walk in the purchase logit.
        delay: distribution of the time from view to purchase.
        attribution_days: the window; every purchase comes within it.
        signal: how much carts and return views tell of the purchase: 0 nothing, 1 carts tell all.
        cart_rate: carts per view that come without reason.
        return_rate: return views per view that come without reason.
        campaign: a discount on some items for some time, or None.
        start: first microsecond of the log, UTC.

    Raises:
        ConfigError: a setting is out of range.

    Example:
        >>> WorldConfig(items=200, customers=2_000).conversion_rate
        0.227
        >>> WorldConfig(signal=2.0)
        Traceback (most recent call last):
        thence.base.errors.ConfigError: signal is 2.0. Choose a number from 0 to 1.
    """

    items: int = 2_000
    customers: int = 20_000
    days: int = 120
    views_per_customer: float = 12.0
    popularity_exponent: float = 1.0
    popularity_drift: float = 0.0
    cold_share: float = 0.05
    affinity: float = 0.8
    complement: float = 0.03
    basket_share: float = 0.5
    follow_days: float = 10.0
    stray: float = 0.1
    taste: float = 0.7
    compare: float = 0.3
    conversion_rate: float = 0.227
    conversion_drift: float = 0.0
    delay: Delay = field(default_factory=Delay.criteo)
    attribution_days: float = 30.0
    signal: float = 0.5
    cart_rate: float = 0.2
    return_rate: float = 0.2
    campaign: Campaign | None = None
    start: int = START_2024

    def __post_init__(self) -> None:
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise ConfigError(f"{name} is {value!r}", fix=f"Choose a number from {low:g} to {high:g}.")
            if name in ("items", "customers", "days") and value != int(value):
                raise ConfigError(f"{name} is {value!r}", fix="Choose a whole number.")
        if not isinstance(self.start, int) or not 0 <= self.start < 4_102_444_800_000_000:
            raise ConfigError(f"start is {self.start!r}", fix="Give microseconds UTC before the year 2100.")
        if self.campaign and self.campaign.start_day + self.campaign.days > self.days:
            raise ConfigError("the campaign ends after the log", fix="Give it an earlier start or fewer days.")

    @property
    def end(self) -> int:
        """The first microsecond after the log."""
        return self.start + int(self.days) * DAY

    @classmethod
    def of_size(cls, events: int) -> WorldConfig:
        """A world whose log has about that many events; change the rest with :func:`dataclasses.replace`.

        Example:
            >>> config = WorldConfig.of_size(1_000_000)
            >>> config.items, config.customers
            (20000, 31250)
        """
        return cls(items=max(200, events // 50), customers=max(1, events // 32))

    @classmethod
    def criteo(cls, exposures: int = 16_000_000) -> WorldConfig:
        """Exposures alone, at the published size and statistics of the Criteo conversion log.

        Sixty days, 5,443 products, purchase rate .227 within 30 days; nothing follows from a purchase. Signals
        (``signal``) and drift (``popularity_drift``, ``conversion_drift``) are added with
        :func:`dataclasses.replace`.
        """
        return cls(
            items=5_443,
            customers=max(1, exposures // 8),
            days=60,
            views_per_customer=8.0,
            cold_share=0.0,
            affinity=0.0,
            complement=0.0,
            stray=1.0,
            compare=0.0,
        )

    def to_dict(self) -> dict[str, Any]:
        """The settings as JSON-able values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> WorldConfig:
        """The settings from :meth:`to_dict` or a file.

        Raises:
            ConfigError: a key is unknown or a value out of range.
        """
        check_settings("a world", settings, (entry.name for entry in fields(cls)))
        values = dict(settings)
        try:
            if isinstance(values.get("delay"), Mapping):
                values["delay"] = Delay(**values["delay"])
            if isinstance(values.get("campaign"), Mapping):
                values["campaign"] = Campaign(**values["campaign"])
        except TypeError as error:
            raise ConfigError(f"a world's delay or campaign is malformed: {error}") from error
        return cls(**values)
