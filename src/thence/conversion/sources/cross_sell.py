"""Cross-sell and repurchase in The Complete Journey: will this household buy from this category again soon?

An exposure is a basket of a household that holds a product category; it converts with the household's next
basket that holds the category, within the horizon. ``trials`` keeps the first such basket of the household in
the year: the household has tried the category, and the question is whether it stays. Exposures whose horizon
passes the last purchase of the log are left out, so that all labels are final. Engagement before that next
basket: ``visit``, any other basket of the household, and ``department``, one with something of the category's
department. Two baskets of a household at the same second count as a microsecond apart.

With 28 days: 993,227 exposures, rate .529, delay p10/50/90 2.2/9.9/22.3 d; trials 216,647, rate .256,
3.0/12.8/24.2 d. The log begins with the year, so trials of its first weeks are mostly none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thence.base.errors import ConfigError
from thence.conversion.engagement import Engagement
from thence.conversion.exposures import NEVER, Exposures
from thence.conversion.features import Features
from thence.conversion.sources import journey
from thence.conversion.sources.hashing import hashed, signed_log
from thence.conversion.sources.timeline import Timeline
from thence.events.clock import DAY, HOUR
from thence.events.datasets.journey import journey_table

KINDS = ("visit", "department")
STORES = 512
MONTH = 28 * DAY
NUMBERS = ("quantity", "value", "spend", "lines", "discount", "times before", "days since", "baskets before")


@dataclass(frozen=True, eq=False)
class _Units:
    """One row for every category in every basket; arrays ``[n]``."""

    basket: np.ndarray
    category: np.ndarray
    group: np.ndarray
    quantity: np.ndarray
    value: np.ndarray
    discount: np.ndarray


def cross_sell(horizon: int = MONTH, *, trials: bool = False) -> Exposures:
    """Exposures (household, category, basket), converting with the next basket that holds the category.

    Args:
        horizon: attribution window in microseconds.
        trials: only the first basket of each household with each category.

    Raises:
        ConfigError: the horizon is longer than the log.
        DataError: the package is not installed, or its files are other ones.
    """
    shop = journey.baskets()
    last = int(shop.time.max())
    if not 0 < horizon < last - int(shop.time.min()):
        raise ConfigError(f"a horizon of {horizon / DAY:g} d", fix="Give one shorter than the year of the log.")
    products = journey_table("products")
    category, categories = journey.words(products["product_category"])
    department, departments = journey.words(products["department"])
    row = _rows_of(shop.product, journey.ints(products["product_id"]))
    category, department = (np.append(codes, np.int32(0))[row] for codes in (category, department))
    units = _units(shop, category, categories)
    line = Timeline(units.group, shop.time[units.basket])
    later, earlier = line.following()
    time = shop.time[units.basket]
    end = np.where(later >= 0, np.maximum(time[later], time + 1), NEVER)
    before = _times_before(line, units.group, len(time))
    kept = np.flatnonzero((time <= last - horizon) & ((earlier < 0) | (not trials)))
    kept = kept[np.argsort(time[kept], kind="stable")]
    home = _departments(category, department, (categories, departments))
    since = np.where(earlier >= 0, (time - time[earlier]) / DAY, np.nan)
    return Exposures.make(
        time[kept],
        end[kept],
        window=horizon,
        until=last + 1,
        features=_features(shop, units, kept, (home, before, since), (categories, departments)),
        engagement=_engagement(shop, department, (units, kept, home), end[kept], horizon),
    ).before(last + 1)


def _rows_of(product: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The row of the catalogue of each line; -1 for the 4,836 lines whose product it lacks."""
    order = np.argsort(known)
    row = order[np.minimum(np.searchsorted(known, product, sorter=order), len(known) - 1)]
    return np.where(known[row] == product, row, -1)


def _units(shop: journey.Baskets, category: np.ndarray, categories: int) -> _Units:
    named = np.flatnonzero(category > 0)
    key = shop.basket[named] * categories + category[named]
    unique, place = np.unique(key, return_inverse=True)
    basket, kind = np.divmod(unique, categories)
    total = lambda column: np.bincount(place, column[named], len(unique))  # noqa: E731
    return _Units(
        basket,
        kind,
        shop.household[basket] * categories + kind,
        total(shop.quantity),
        total(shop.value),
        total(shop.discount),
    )


def _times_before(line: Timeline, group: np.ndarray, count: int) -> np.ndarray:
    """How often the household had bought from the category before."""
    sorted_group = group[line.order]
    first = np.searchsorted(sorted_group, sorted_group)
    before = np.empty(count, np.int64)
    before[line.order] = np.arange(count) - first
    return before


def _departments(category: np.ndarray, department: np.ndarray, sizes: tuple[int, int]) -> np.ndarray:
    """``[categories]`` the department that each category is sold in most."""
    both = np.bincount(category * sizes[1] + department, minlength=sizes[0] * sizes[1])
    return both.reshape(sizes).argmax(axis=1).astype(np.int32)


def _features(
    shop: journey.Baskets,
    units: _Units,
    kept: np.ndarray,
    told: tuple[np.ndarray, np.ndarray, np.ndarray],
    sizes: tuple[int, int],
) -> Features:
    home, before, since = told
    basket, category = units.basket[kept], units.category[kept]
    household, time = shop.household[basket], shop.time[basket]
    known, buckets = journey.about()
    hour = time // HOUR
    stores = hashed(shop.store, STORES, "store")
    codes = [category, home[category], household, stores[basket], hour % 24, (hour // 24 + 3) % 7]
    numbers = [
        signed_log(units.quantity[kept]),
        signed_log(units.value[kept]),
        signed_log(shop.spend[basket]),
        signed_log(shop.lines[basket]),
        signed_log(units.discount[kept]),
        signed_log(before[kept]),
        signed_log(since[kept]),
        signed_log(shop.line.count(household, time - MONTH - 1, time - 1)),
    ]
    names = ("category", "department", "household", "store", "hour", "weekday")
    return Features(
        np.hstack([np.stack(codes, 1, dtype=np.int32, casting="unsafe"), known[household]]),
        np.stack(numbers, 1),
        (*sizes, len(shop.ids), STORES, 24, 7, *buckets),
        (*names, *journey.ABOUT, *NUMBERS),
    )


def _engagement(
    shop: journey.Baskets,
    department: np.ndarray,
    asked: tuple[_Units, np.ndarray, np.ndarray],
    end: np.ndarray,
    horizon: int,
) -> Engagement:
    """Baskets after the exposure, within the horizon and before the conversion."""
    units, kept, home = asked
    basket = units.basket[kept]
    time, household = shop.time[basket], shop.household[basket]
    until = np.minimum(end - 1, time + horizon)
    departments = int(department.max()) + 1
    visits, visit = shop.line.pairs(household, time, until)
    where = np.unique(shop.basket * departments + department)
    bought, sold = np.divmod(where, departments)
    near = Timeline(shop.household[bought] * departments + sold, shop.time[bought])
    group = household * departments + home[units.category[kept]]
    sames, same = near.pairs(group, time, until)
    kind = np.repeat(np.arange(2, dtype=np.uint8), [len(visits), len(sames)])
    at = np.concatenate([shop.time[visit], shop.time[bought[same]]])
    return Engagement.make(KINDS, np.concatenate([visits, sames]), kind, at)
