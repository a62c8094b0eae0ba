"""The purchases of some customers, put in order once and looked at as of before and as of after a batch.

What was known before is part of what is known after: lines are added, and products begin to count. So one order
serves both, and what differs is seen by comparing columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thence.graph.append.counted import Columns, join
from thence.graph.append.groups import fold, run_of, starts_of

NEVER = int(np.iinfo(np.int64).max)
"""The time of what did not happen."""


@dataclass(frozen=True, eq=False)
class Order:
    """Lines sorted by customer, order and product. Lines of one product in one order make one *row*.

    Args:
        at: ``[num_lines]`` the place in the input of each line.
        line: where the lines of each row begin.
        time: ``[num_lines]`` of each line.
        item: ``[num_rows]`` code of the product.
        basket: ``[num_rows]`` which basket, counted from 0.
        begins: the row at which each basket begins.
        owned: ``[num_rows]`` which pair of customer and product, counted from 0.
        by: rows in the order of ``owned``.
        owns: where the rows of each such pair begin in ``by``.
        user: ``[num_owned]`` the customer, ascending.
        thing: ``[num_owned]`` code of the product, ascending inside a customer.
    """

    at: np.ndarray
    line: np.ndarray
    time: np.ndarray
    item: np.ndarray
    basket: np.ndarray
    begins: np.ndarray
    owned: np.ndarray
    by: np.ndarray
    owns: np.ndarray
    user: np.ndarray
    thing: np.ndarray


@dataclass(frozen=True, eq=False)
class Known:
    """What of an :class:`Order` is known at one time.

    Args:
        there: ``[num_rows]`` bool: the row is known and its product counts.
        time: ``[num_rows]`` of its basket, ``NEVER`` for what is not there.
        size: ``[num_rows]`` of its basket.
        is_first: ``[num_rows]`` bool: the customer had not bought the product before.
        first: ``[num_owned]`` when the customer first bought the product, or ``NEVER``.
        last: ``[num_owned]`` when the customer last bought it, or ``-NEVER``.
    """

    there: np.ndarray
    time: np.ndarray
    size: np.ndarray
    is_first: np.ndarray
    first: np.ndarray
    last: np.ndarray


@dataclass(frozen=True, eq=False)
class Focus:
    """What is looked at: what lies outside is the same before and after.

    Args:
        rows: ``[num_rows]`` bool: the row's basket.
        owned: ``[num_owned]`` bool: when the customer first bought the product.
        alike: ``[num_owned]`` bool: what the customer bought in the product's category.
    """

    rows: np.ndarray
    owned: np.ndarray
    alike: np.ndarray


def put_in_order(lines: Columns) -> Order:
    """Sort lines of purchases: ``key`` (customer), ``order``, ``item`` and ``time``, in any order."""
    at = np.lexsort((lines["item"], lines["order"], lines["key"]))
    user, order, item, time = (lines[name][at] for name in ("key", "order", "item", "time"))
    line, baskets = starts_of(user, order, item), starts_of(user, order)
    user, item, basket = user[line], item[line], run_of(baskets, len(at))[line]
    key = join(user, item)
    by = np.argsort(key)
    owns = starts_of(key[by])
    owned = np.empty(len(by), np.int64)
    owned[by] = run_of(owns, len(by))
    return Order(
        at, line, time, item, basket, starts_of(basket), owned, by, owns, user[by][owns], item[by][owns]
    )


def known_of(order: Order, lines: np.ndarray) -> Known:
    """What is known when some lines are.

    Args:
        order: all lines.
        lines: ``[num_lines]`` bool, in the order of the input: known, and of a product that counts.
    """
    row_time = fold(np.minimum, np.where(lines[order.at], order.time, NEVER), order.line)
    there = row_time != NEVER
    time = np.where(there, fold(np.minimum, row_time, order.begins)[order.basket], NEVER)
    size = fold(np.add, there.astype(np.int64), order.begins)[order.basket]
    first = fold(np.minimum, time[order.by], order.owns)
    last = fold(np.maximum, np.where(there, time, -NEVER)[order.by], order.owns)
    return Known(there, time, size, there & (time == first[order.owned]), first, last)


def everything(order: Order) -> Focus:
    """Look at all."""
    rows, owned = np.ones(len(order.item), bool), np.ones(len(order.user), bool)
    return Focus(rows, owned, owned)


def around(order: Order, about: np.ndarray, category: np.ndarray) -> Focus:
    """Look at the pairs that have one of some products.

    Args:
        order: the purchases.
        about: ``[num_items]`` bool: the products.
        category: ``[num_items]`` of each product.
    """
    baskets = fold(np.logical_or, about[order.item], order.begins)[order.basket]
    owned = about[order.thing]
    return Focus(baskets, owned, _alike(order, owned, category))


def difference(order: Order, before: Known, after: Known, category: np.ndarray, *, moved: bool) -> Focus:
    """Where before and after differ.

    Args:
        order: the purchases.
        before: what was known.
        after: what is known.
        category: ``[num_items]`` of each product, -1 where unknown.
        moved: whether products changed their category; then all categories are looked at.
    """
    row = (before.time != after.time) | (before.size != after.size) | (before.is_first != after.is_first)
    baskets = fold(np.logical_or, row, order.begins)[order.basket]
    shifted = fold(np.logical_or, (before.time != after.time)[order.by], order.owns)
    alike = np.ones(len(shifted), bool) if moved else _alike(order, shifted, category)
    return Focus(baskets, before.first != after.first, alike)


def _alike(order: Order, owned: np.ndarray, category: np.ndarray) -> np.ndarray:
    """``[num_owned]`` bool: of one customer and category with one at which ``owned`` holds."""
    kind = category[order.thing]
    by = np.lexsort((kind, order.user))
    groups = starts_of(order.user[by], kind[by])
    alike = np.empty(len(by), bool)
    alike[by] = fold(np.logical_or, owned[by], groups)[run_of(groups, len(by))]
    return alike
