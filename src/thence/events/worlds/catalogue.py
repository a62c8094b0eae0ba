"""The catalogue: departments > categories > types, devices and what belongs to them, brands, prices, titles.

A *family* is one type of device with two to four types of accessories and up to two types of consumables, each
of which belongs to an accessory type. Devices come in series of up to four generations; an accessory fits one
series, or all of them (universal). Titles are made from these very facts ("Karan Fenuvex 2 Phone Black", "Lovex
Phone Case for Karan Fenuvex"), so text carries the signal that it carries in a shop. Prices are log-normal:

    log price = level of the role + N(0, .6) of the type + N(0, .35) of the item.

Items are numbered type by type inside (a category is one range of ints); their ids are shuffled, so that
nothing can be read from an id.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from thence.base.arrow import pc
from thence.base.ids import IdMap
from thence.base.rng import generator
from thence.events.worlds import words

DEVICE, ACCESSORY, CONSUMABLE = 0, 1, 2
ROLES = ("device", "accessory", "consumable")
ITEMS_PER_FAMILY = 60
GENERATIONS = 4
LOG_PRICE = np.array([5.0, 3.0, 2.0])
UNIVERSAL_SHARE = 0.25


@dataclass(frozen=True, eq=False, repr=False)
class Types:
    """What each type is; arrays ``[num_types]``, types of a family in a row, the device first."""

    role: np.ndarray
    parent: np.ndarray
    family: np.ndarray
    category: np.ndarray
    names: np.ndarray

    def __len__(self) -> int:
        """How many types."""
        return len(self.role)


@dataclass(frozen=True, eq=False, repr=False)
class Catalogue:
    """The items; arrays ``[num_items]``.

    Args:
        ids: external ids in the order of the ints inside.
        types: the types.
        type: type of each item, ascending.
        series: the device's series; of an accessory the series that it fits, -1 for a universal one.
        generation: place of a device in its series from 1; 0 for the others.
        brand: brand of each item.
        price: list price.
        table: ``item_id, title, category, brand, price, role`` as the catalogue of an event log.
    """

    ids: IdMap
    types: Types
    type: np.ndarray
    series: np.ndarray
    generation: np.ndarray
    brand: np.ndarray
    price: np.ndarray
    table: pa.Table

    def __len__(self) -> int:
        """How many items."""
        return len(self.type)

    @property
    def role(self) -> np.ndarray:
        """``[num_items]`` 0 device, 1 accessory, 2 consumable."""
        return self.types.role[self.type]

    @property
    def category(self) -> np.ndarray:
        """``[num_items]`` ascending."""
        return self.types.category[self.type]

    @property
    def department(self) -> np.ndarray:
        """``[num_items]``."""
        return self.category % len(words.DEPARTMENTS)


def make_catalogue(items: int, seed: int) -> Catalogue:
    """A catalogue of ``items`` items.

    Example:
        >>> catalogue = make_catalogue(200, seed=0)
        >>> len(catalogue), sorted(set(catalogue.role.tolist()))
        (200, [0, 1, 2])
    """
    rng = generator(seed, "world", "catalogue")
    types = _make_types(max(2, items // ITEMS_PER_FAMILY), rng)
    type_ = np.repeat(np.arange(len(types)), _sizes(types, items, rng)).astype(np.int32)
    series, generation, num_series = _make_series(types, type_, rng)
    num_brands = max(6, int(items**0.5))
    series_brand = rng.integers(num_brands, size=num_series)
    brand = rng.integers(num_brands, size=items)
    device = generation > 0
    brand[device] = series_brand[series[device]]
    level = LOG_PRICE[types.role] + rng.normal(0.0, 0.6, len(types))
    price = np.round(np.exp(level[type_] + rng.normal(0.0, 0.35, items)), 2).clip(0.5)
    parts = _Names(words.invented(num_brands, 0), words.invented(num_series, 1), series_brand)
    ids = _ids(rng.permutation(items))
    attribute = rng.integers(len(words.ATTRIBUTES), size=items)
    table = _table(ids, types, (type_, series, generation, brand, price, attribute), parts)
    return Catalogue(IdMap(ids), types, type_, series, generation, brand.astype(np.int32), price, table)


@dataclass(frozen=True, eq=False)
class _Names:
    brand: np.ndarray
    series: np.ndarray
    series_brand: np.ndarray


def _make_types(families: int, rng: np.random.Generator) -> Types:
    num_departments, num_devices = len(words.DEPARTMENTS), len(words.DEVICES[0])
    categories = min(num_departments * num_devices, families)
    rows: list[tuple[int, int, int, int]] = []
    names: list[str] = []
    first: dict[int, int] = {}
    for family in range(families):
        category = family * categories // families
        place = family - first.setdefault(category, family)
        noun = words.DEVICES[category % num_departments][category // num_departments]
        device = f"{_variant(place)}{noun}"
        top = len(rows)
        rows.append((DEVICE, -1, family, category))
        names.append(device)
        chosen = rng.choice(len(words.ACCESSORIES), size=rng.integers(2, 5), replace=False)
        for k in chosen:
            rows.append((ACCESSORY, top, family, category))
            names.append(f"{device} {words.ACCESSORIES[k]}")
        for k in range(rng.integers(0, 3)):
            rows.append((CONSUMABLE, top + 1 + k, family, category))
            names.append(f"{names[top + 1 + k]} {words.CONSUMABLES[rng.integers(len(words.CONSUMABLES))]}")
    role, parent, family, category = np.array(rows, dtype=np.int32).T
    return Types(role, parent, family, category, np.array(names, dtype=object))


def _variant(place: int) -> str:
    """The word before a device's noun: none for the first of a category, then kinds, then numbered kinds."""
    if place == 0:
        return ""
    turn, kind = divmod(place - 1, len(words.KINDS_OF_DEVICE))
    mark = f"{words.invented(turn, 2)[-1]} " if turn else ""
    return f"{mark}{words.KINDS_OF_DEVICE[kind]} "


def _sizes(types: Types, items: int, rng: np.random.Generator) -> np.ndarray:
    """Items of each type: two at least, the rest by role and by the size of the family."""
    family = np.exp(rng.normal(0.0, 0.6, int(types.family[-1]) + 1))
    share = np.array([3.0, 1.2, 0.8])[types.role] * family[types.family]
    edges = np.rint(np.cumsum(share) / share.sum() * (items - 2 * len(types))).astype(np.int64)
    return 2 + np.diff(edges, prepend=0)


def _make_series(
    types: Types, type_: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, int]:
    count = np.bincount(type_, minlength=len(types))
    num_series = np.where(types.role == DEVICE, -(-count // GENERATIONS), 0)
    offset = np.cumsum(num_series) - num_series
    place = np.arange(len(type_)) - (np.cumsum(count) - count)[type_]
    role = types.role[type_]
    generation = np.where(role == DEVICE, place % GENERATIONS + 1, 0).astype(np.int16)
    parent = np.maximum(types.parent[type_], 0)
    fitting = offset[parent] + (rng.random(len(type_)) * num_series[parent]).astype(np.int64)
    universal = rng.random(len(type_)) < UNIVERSAL_SHARE
    series = np.where((role == ACCESSORY) & ~universal, fitting, -1)
    series = np.where(role == DEVICE, offset[type_] + place // GENERATIONS, series)
    return series.astype(np.int32), generation, int(num_series.sum())


def _ids(order: np.ndarray) -> pa.Array:
    digits = len(str(len(order)))
    return pc.binary_join_element_wise("i", pc.utf8_lpad(pa.array(order).cast(pa.string()), digits, "0"), "")


def _table(ids: pa.Array, types: Types, columns: tuple[np.ndarray, ...], names: _Names) -> pa.Table:
    type_, series, generation, brand, price, attribute = columns
    words_of = lambda values, at: pa.array(values, pa.string()).take(pa.array(at))  # noqa: E731
    brands, type_names = words_of(names.brand, brand), words_of(types.names, type_)
    known = np.maximum(series, 0)
    series_names = words_of(names.series, known)
    fits = pc.binary_join_element_wise(
        "for", words_of(names.brand, names.series_brand[known]), series_names, " "
    )
    versions = pc.binary_join_element_wise(series_names, pa.array(generation).cast(pa.string()), " ")
    role = types.role[type_]
    join: Any = pc.binary_join_element_wise
    device = join(brands, versions, type_names, words_of(words.ATTRIBUTES, attribute), " ")
    fitting = join(brands, type_names, fits, " ")
    universal = join(brands, "Universal", type_names, words_of(words.ATTRIBUTES, attribute), " ")
    category = types.category
    place, noun = category % len(words.DEPARTMENTS), category // len(words.DEPARTMENTS)
    paths = [
        f"{words.DEPARTMENTS[d]} > {words.DEVICES[d][n]}s > {name}"
        for d, n, name in zip(place, noun, types.names, strict=True)
    ]
    title = pc.if_else(pa.array(role == DEVICE), device, pc.if_else(pa.array(series >= 0), fitting, universal))
    data = {
        "item_id": ids,
        "title": title,
        "category": words_of(paths, type_),
        "brand": brands,
        "price": pa.array(price),
        "role": words_of(list(ROLES), role),
    }
    return pa.table(data)
