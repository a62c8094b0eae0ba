"""Coupon campaigns of The Complete Journey: will the household redeem one of the campaign's coupons?

An exposure is a campaign sent to a household, made at the campaign's first day; it converts with the first
redemption. Only offers that are fully observed are kept: their campaign begins and ends within 2017. 5,657
offers, 13.19 % redeem, delay p10/50/90 3/13/35 d, 70 % of the redemptions after day 7.

The package has dates of redemptions. The time is that of the household's first basket of that day with a
coupon, or else of its first basket of that day, or else the end of the day. A campaign lasts 32 to 65 days, so
the window is 66 days, and an offer whose campaign has ended cannot be redeemed any more: its label is final
when the log ends, and the clock of the exposures is set to February 2018, when their windows have passed.
Engagement: ``eligible``, a line of a basket with a product that a coupon of the campaign is for, and ``visit``,
a basket; both until the campaign's end. A household has two or three offers, so its number is no feature; what
it bought and redeemed before is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thence.conversion.engagement import Engagement
from thence.conversion.exposures import NEVER, Exposures
from thence.conversion.features import Features
from thence.conversion.sources import journey
from thence.conversion.sources.hashing import signed_log
from thence.conversion.sources.timeline import Timeline
from thence.events.clock import DAY, micros
from thence.events.datasets.journey import journey_table

KINDS = ("eligible", "visit")
WINDOW = 66 * DAY
CLOCK = micros("2018-02-01")
YEAR = (micros("2017-01-01"), micros("2018-01-01"))
NUMBERS = (
    "campaign days",
    "products",
    "coupons",
    "offers before",
    "redeemed before",
    "baskets 28 d",
    "baskets 90 d",
    "spend 28 d",
    "eligible 28 d",
    "eligible 90 d",
    "coupons used 90 d",
)


@dataclass(frozen=True, eq=False)
class _Offers:
    """All offers, also those that are not fully observed; arrays ``[n]``, and ``[campaigns]`` by campaign."""

    campaign: np.ndarray
    household: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    redeemed: np.ndarray
    kind: np.ndarray
    kinds: int


def coupon_offers() -> Exposures:
    """Exposures (campaign, household), converting with the first redemption.

    Raises:
        DataError: the package is not installed, or its files are other ones.
    """
    shop, offers = journey.baskets(), _offers()
    start, stop = offers.start[offers.campaign], offers.stop[offers.campaign]
    kept = np.flatnonzero((start >= YEAR[0]) & (stop <= YEAR[1]))
    kept = kept[np.argsort(start[kept], kind="stable")]
    lines = Timeline(shop.household[shop.basket], shop.time[shop.basket])
    owner, at, counts = _eligible(shop, lines, offers, kept)
    visits, visit = shop.line.pairs(offers.household[kept], start[kept], stop[kept] - 1)
    kind = np.repeat(np.arange(2, dtype=np.uint8), [len(owner), len(visits)])
    times = np.concatenate([at, shop.time[visit]])
    return Exposures.make(
        start[kept],
        offers.redeemed[kept],
        window=WINDOW,
        until=CLOCK,
        features=_features(shop, lines, offers, kept, counts),
        engagement=Engagement.make(KINDS, np.concatenate([owner, visits]), kind, times),
    )


def _offers() -> _Offers:
    shop, sent, told = (
        journey.baskets(),
        journey_table("campaigns"),
        journey_table("campaign_descriptions").sort_by("campaign_id"),
    )
    number = journey.ints(told["campaign_id"])
    kind, kinds = journey.words(told["campaign_type"])
    campaign = np.searchsorted(number, journey.ints(sent["campaign_id"]))
    household = np.searchsorted(shop.ids, journey.ints(sent["household_id"]))
    start = journey.moments(told["start_date"])
    redeemed = np.full(len(campaign), NEVER)
    paid = journey_table("coupon_redemptions")
    key = campaign * len(shop.ids) + household
    order = np.argsort(key)
    asked = np.searchsorted(number, journey.ints(paid["campaign_id"])) * len(shop.ids)
    asked += np.searchsorted(shop.ids, journey.ints(paid["household_id"]))
    row = order[np.searchsorted(key[order], asked)]
    time = _moment_of_day(shop, household[row], journey.moments(paid["redemption_date"]))
    np.minimum.at(redeemed, row, time)
    stop = journey.moments(told["end_date"]) + DAY
    return _Offers(campaign, household, start, stop, redeemed, kind, kinds)


def _moment_of_day(shop: journey.Baskets, household: np.ndarray, day: np.ndarray) -> np.ndarray:
    """When on that day the household used a coupon."""
    moment = day + DAY - 1
    used = np.bincount(shop.basket, shop.coupon, len(shop.time)) > 0
    for rows in (np.arange(len(used)), np.flatnonzero(used)):
        line = Timeline(shop.household[rows], shop.time[rows])
        first, stop = line.between(household, day, day + DAY - 1)
        found = np.flatnonzero(stop > first)
        moment[found] = shop.time[rows[line.order[first[found]]]]
    return moment


def _eligible(
    shop: journey.Baskets, lines: Timeline, offers: _Offers, kept: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lines with eligible products after each offer: offer, time; and counts ``[n, 4]`` of what was known."""
    coupons = journey_table("coupons")
    campaigns = np.unique(journey.ints(coupons["campaign_id"]))
    of, product = (
        np.searchsorted(campaigns, journey.ints(coupons["campaign_id"])),
        journey.ints(coupons["product_id"]),
    )
    upc = journey.ints(coupons["coupon_upc"])
    owners, times = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    counts = np.zeros((len(kept), 4))
    when = shop.time[shop.basket]
    for campaign in np.unique(offers.campaign[kept]):
        rows = np.flatnonzero(offers.campaign[kept] == campaign)
        mine = of == campaign
        fits = np.isin(shop.product, product[mine])
        who, start = offers.household[kept[rows]], np.full(len(rows), offers.start[campaign])
        for k, days in enumerate((28, 90)):
            asked, line = lines.pairs(who, start - days * DAY - 1, start - 1)
            counts[rows, 2 + k] = np.bincount(asked, fits[line], len(rows))
        asked, line = lines.pairs(who, start, np.full(len(rows), offers.stop[campaign] - 1))
        owners.append(rows[asked[fits[line]]])
        times.append(when[line[fits[line]]])
        counts[rows, :2] = len(np.unique(product[mine])), len(np.unique(upc[mine]))
    return np.concatenate(owners), np.concatenate(times), counts


def _features(
    shop: journey.Baskets, lines: Timeline, offers: _Offers, kept: np.ndarray, counts: np.ndarray
) -> Features:
    campaign, who = offers.campaign[kept], offers.household[kept]
    start = offers.start[campaign]
    sent = Timeline(offers.household, offers.start[offers.campaign])
    done = np.flatnonzero(offers.redeemed != NEVER)
    redeemed = Timeline(offers.household[done], offers.redeemed[done])
    ever = np.full(len(kept), np.iinfo(np.int64).min + 1)
    recent = {days: shop.line.pairs(who, start - days * DAY - 1, start - 1) for days in (28, 90)}
    asked, line = lines.pairs(who, start - 90 * DAY - 1, start - 1)
    numbers = [
        (offers.stop - offers.start)[campaign] / DAY,
        counts[:, 0],
        counts[:, 1],
        sent.count(who, ever, start - 1),
        redeemed.count(who, ever, start - 1),
        np.bincount(recent[28][0], minlength=len(kept)),
        np.bincount(recent[90][0], minlength=len(kept)),
        np.bincount(recent[28][0], shop.spend[recent[28][1]], len(kept)),
        counts[:, 2],
        counts[:, 3],
        np.bincount(asked, shop.coupon[line], len(kept)),
    ]
    known, buckets = journey.about()
    codes = np.hstack([offers.kind[campaign][:, None], known[who]])
    return Features(
        codes.astype(np.int32),
        np.stack([signed_log(column) for column in numbers], 1),
        (offers.kinds, *buckets),
        ("campaign type", *journey.ABOUT, *NUMBERS),
    )
