"""Customers by number, and the customers of a product."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from thence.events.columns import plain
from thence.graph.append.counted import Columns, join, part
from thence.graph.append.groups import distinct, starts_of
from thence.graph.append.store import Store
from thence.graph.relation.pairs import TARGET

USER, ORDER, MOMENT = 0x75736572, 0x6F72646572, 0x74696D65
"""Seeds that keep hashes of different things apart."""


def hashes(strings: pa.Array | pa.ChunkedArray, seed: int) -> np.ndarray:
    """``[2, n]`` uint64: a hash of 128 bits of each string."""
    from thence.events.kernels import hash_strings

    lanes = np.zeros((2, len(strings)), np.uint64)
    hash_strings(plain(strings), seed, lanes)
    return lanes


def order_codes(orders: pa.ChunkedArray, times: np.ndarray) -> np.ndarray:
    """``[n]`` int64 by which the baskets of one customer are told apart.

    What has no order id is in one basket with all else of that instant.
    """
    from thence.events.kernels import hash_words

    named = plain(orders)
    lanes = hashes(named, ORDER)
    hash_words(np.ascontiguousarray(times, np.int64), np.asarray(named.is_null()), MOMENT, lanes)
    return lanes[0].view(np.int64)


def number_users(lanes: np.ndarray, store: Store, first: int) -> tuple[np.ndarray, Columns]:
    """The number of each customer, and the rows of those who are new.

    Args:
        lanes: ``[2, n]`` hashes of customers, in any order, with repeats.
        store: the customers known so far.
        first: the number of the first new one.

    Returns:
        ``[n]`` int32 numbers, and sorted rows for the store.
    """
    at = np.lexsort((lanes[1], lanes[0]))
    a, b = lanes[0][at], lanes[1][at]
    starts = starts_of(a, b)
    whose = np.zeros(len(at), np.int64)
    whose[starts[1:]] = 1
    a, b, whose = a[starts], b[starts], np.cumsum(whose)
    number = np.full(len(a), -1, np.int32)
    for segment in store.segments:
        low, high = (np.searchsorted(segment["key"], a, side=side) for side in ("left", "right"))
        while (open_ := np.flatnonzero((low < high) & (number < 0))).size:
            same = open_[segment["other"][low[open_]] == b[open_]]
            number[same] = segment["number"][low[same]]
            low[open_] += 1
    fresh = np.flatnonzero(number < 0)
    number[fresh] = np.arange(first, first + len(fresh))
    numbers = np.empty(len(at), np.int32)
    numbers[at] = number[whose]
    return numbers, {"key": a[fresh], "other": b[fresh], "number": number[fresh]}


def users_of(items: np.ndarray, holders: Store) -> np.ndarray:
    """Numbers of the customers who hold any of some products, ascending."""
    items = items.astype(np.int64)
    found, _ = holders.between(join(items, np.zeros(1, np.int64)), join(items + 1, np.zeros(1, np.int64)))
    return distinct(found["key"] & TARGET)


def users_of_both(pairs: np.ndarray, holders: Store) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the customers who hold both products of any of some pairs, and the rarer product of each pair.

    Of each pair the product with fewer customers is looked up, and its customers are looked up in the other.
    """
    source, target = part(pairs)
    rarer, other = source.copy(), target.copy()
    swap = _size(target, holders) < _size(source, holders)
    rarer[swap], other[swap] = target[swap], source[swap]
    none = np.zeros(1, np.int64)
    found, whose = holders.between(join(rarer, none), join(rarer + 1, none))
    user = found["key"] & TARGET
    wanted = distinct(join(other[whose], user))
    _, known = holders.latest(wanted)
    return distinct(wanted[known] & TARGET), rarer


def holder_keys(rows: Columns) -> np.ndarray:
    """(item, user) of rows, each once, ascending."""
    return distinct(join(rows["item"], rows["key"]))


def _size(items: np.ndarray, holders: Store) -> np.ndarray:
    total = np.zeros(len(items), np.int64)
    for segment in holders.segments:
        key = segment["key"]
        total += np.searchsorted(key, (items + 1) << 32) - np.searchsorted(key, items << 32)
    return total
