"""Ownership: a customer's first purchase of an item sets off the arcs that leave it.

Each customer's purchases are gone through in time. When an item is bought for the first time, every arc
e = (i, j) leads, with probability p_e / .6, to a view of j (in the same order some seconds later, or Exp(gap)
days later), which converts with probability .6: so a first purchase of i leads to one of j with probability
p_e, and the true probability of such a view is .6. That purchase is one more in the customer's line and sets
off arcs in turn.
Nothing happens when j is not launched yet, or after the end of the log. Nothing ever sets off an arc but the
purchase of its source, so no accessory is bought by follow-up before its device.

The numbers behind a customer's arc come from a hash of (seed, customer, arc, purpose): they depend on nothing
else, not on the order of work nor on what other customers do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from thence.base.rng import derive_seed
from thence.events.worlds.affinity import Affinity
from thence.events.worlds.config import DAY, WorldConfig

FOLLOWED_RATE = 0.6
SECOND = 1_000_000
MINUTE = 60 * SECOND
MINIMUM_GAP = 60 * MINUTE


@dataclass(frozen=True, eq=False, repr=False)
class Followed:
    """Views that follow from purchases; arrays ``[n]``.

    Args:
        customer: int within the block.
        item: item int.
        time: microseconds UTC.
        conversion_time: -1 for never.
        arc: the arc that led there.
        parent: exposure of the block whose purchase set it off (browsed ones first, then these).
    """

    customer: np.ndarray
    item: np.ndarray
    time: np.ndarray
    conversion_time: np.ndarray
    arc: np.ndarray
    parent: np.ndarray


@dataclass(frozen=True, eq=False, repr=False)
class Rules:
    """The arcs in the form that the kernel reads: rows by source, the chance of a view, share and gap."""

    indptr: np.ndarray
    target: np.ndarray
    chance: np.ndarray
    basket: np.ndarray
    gap: np.ndarray
    launch_time: np.ndarray


def make_rules(affinity: Affinity, launch_time: np.ndarray) -> Rules:
    """Arrange the arcs by source."""
    return Rules(
        indptr=np.searchsorted(affinity.arcs[0], np.arange(len(launch_time) + 1)).astype(np.int64),
        target=affinity.arcs[1].astype(np.int32),
        chance=affinity.probability / FOLLOWED_RATE,
        basket=affinity.basket,
        gap=affinity.gap_days * DAY,
        launch_time=launch_time,
    )


@dataclass(frozen=True, eq=False, repr=False)
class Purchases:
    """A block's purchases by browsing that fall into the log, by customer and then by time.

    Args:
        indptr: ``[customers + 1]`` where each customer's purchases begin.
        exposure: ``[n]`` exposure of the block behind each purchase.
        item: ``[n]`` item int.
        time: ``[n]`` microseconds UTC.
    """

    indptr: np.ndarray
    exposure: np.ndarray
    item: np.ndarray
    time: np.ndarray


def follow(
    config: WorldConfig, rules: Rules, purchases: Purchases, first_customer: int, exposures: int, seed: int
) -> Followed:
    """Views and purchases that follow from a block's purchases by browsing.

    Args:
        config: its ``end`` is used.
        rules: the arcs.
        purchases: what is bought by browsing.
        first_customer: the block's first customer in the whole world.
        exposures: how many exposures by browsing the block has; the new ones are numbered from there.
        seed: seed of the world.
    """
    key = np.uint64(derive_seed(seed, "world", "follow"))
    room = 1024 + 3 * len(purchases.item)
    while True:
        columns = (
            np.empty(room, np.int32),
            np.empty(room, np.int32),
            np.empty(room, np.int64),
            np.empty(room, np.int64),
            np.empty(room, np.int32),
            np.empty(room, np.int64),
        )
        count = _follow_all(
            (purchases.indptr, purchases.exposure, purchases.item, purchases.time),
            (rules.indptr, rules.target, rules.chance, rules.basket, rules.gap, rules.launch_time),
            (key, config.end, first_customer, exposures),
            columns,
        )
        if count <= room:
            return Followed(*(column[:count] for column in columns))
        room = int(count)


@numba.njit(cache=True, inline="never")
def _uniform(key, customer, arc, purpose):
    """A number in [0, 1) from splitmix64 over (key, customer, arc, purpose)."""
    z = key
    for part in (customer, arc, purpose):
        z = z + np.uint64(part + 1) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return float(z >> np.uint64(11)) * 2.0**-53


@numba.njit(cache=True)
def _view(rules, arc, key, customer, bought_at):
    """When the arc leads to a view (-1: not), and when that view converts (-1: not)."""
    _, _, chance, basket, gap, _ = rules
    if _uniform(key, customer, arc, 0) >= chance[arc]:
        return -1, -1
    same_order = _uniform(key, customer, arc, 1) < basket[arc]
    spread = _uniform(key, customer, arc, 2)
    if same_order:
        view = bought_at + SECOND + int(20 * SECOND * spread)
    else:
        view = bought_at + MINIMUM_GAP - int(gap[arc] * np.log(1.0 - spread))
    if _uniform(key, customer, arc, 3) >= FOLLOWED_RATE:
        return view, -1
    wait = _uniform(key, customer, arc, 4)
    if same_order:
        return view, view + SECOND + int(20 * SECOND * wait)
    return view, view + MINUTE - int(10 * MINUTE * np.log(1.0 - wait))


@numba.njit(cache=True)
def _follow_all(purchases, rules, scalars, columns):
    """Go through all customers; returns how many views there are, also beyond the room in ``columns``."""
    indptr, _, _, _ = purchases
    count = 0
    for customer in range(len(indptr) - 1):
        if indptr[customer + 1] > indptr[customer]:
            count = _follow_one(customer, purchases, rules, scalars, columns, count)
    return count


@numba.njit(cache=True)
def _follow_one(customer, purchases, rules, scalars, columns, count):
    """One customer's purchases in time order, those that follow among them."""
    indptr, exposure, item, time = purchases
    key, end, first_customer, base = scalars
    out_customer, out_item, out_time, out_conversion, out_arc, out_parent = columns
    at, stop, room = indptr[customer], indptr[customer + 1], len(out_item)
    owned = [np.int64(-1)]
    line = [(np.int64(end), np.int64(-1), np.int64(-1))]  # (time, item, exposure)
    while True:
        best = 0
        for k in range(1, len(line)):
            if line[k][0] < line[best][0]:
                best = k
        if at < stop and time[at] <= line[best][0]:
            now, what, by = time[at], np.int64(item[at]), exposure[at]
            at += 1
        elif best > 0:
            now, what, by = line[best]
            line[best] = line[-1]
            line.pop()
        else:
            return count
        known = False
        for one in owned:
            known = known or one == what
        if known:
            continue
        owned.append(what)
        for arc in range(rules[0][what], rules[0][what + 1]):
            view, conversion = _view(rules, arc, key, first_customer + customer, now)
            target = rules[1][arc]
            if view < 0 or view >= end or view < rules[5][target]:
                continue
            if count < room:
                out_customer[count], out_item[count] = customer, target
                out_time[count], out_conversion[count] = view, conversion
                out_arc[count], out_parent[count] = arc, by
            if 0 <= conversion < end:
                line.append((np.int64(conversion), np.int64(target), np.int64(base + count)))
            count += 1
