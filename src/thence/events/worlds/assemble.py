"""From exposures to the event log: one row for every view, cart, return view and purchase inside the log."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from thence.base.arrow import pc
from thence.events.worlds.catalogue import CONSUMABLE, Catalogue
from thence.events.worlds.effects import Effects
from thence.events.worlds.truth import Exposures

EVENT_NAMES = ("view", "cart", "view", "purchase")
EXPOSURE, CART, RETURN, PURCHASE = range(4)
CHUNK = 1 << 20
SCHEMA = pa.schema(
    [
        ("timestamp", pa.int64()),
        ("user_id", pa.string()),
        ("item_id", pa.string()),
        ("event", pa.string()),
        ("order_id", pa.string()),
        ("price", pa.float64()),
        ("quantity", pa.float64()),
        ("discount", pa.float64()),
    ]
)


def labels_of(prefix: str, numbers: np.ndarray, largest: int) -> pa.Array:
    """``prefix`` and each number, padded to the width of the largest: ``u0042``."""
    text: Any = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), len(str(largest)), "0")
    return pc.binary_join_element_wise(prefix, text, "")


def event_table(
    events: tuple[np.ndarray, np.ndarray, np.ndarray],
    exposures: Exposures,
    order: np.ndarray,
    reached: np.ndarray,
    catalogue: Catalogue,
    effects: Effects,
) -> pa.Table:
    """The log in the canonical columns, in chunks of a million rows.

    Args:
        events: ``(time, exposure, role)`` sorted by time; ``[num_events]`` each.
        exposures: what the rows belong to.
        order: ``[num_exposures]`` exposure that opened the order of each exposure's purchase.
        reached: ``[num_customers]`` bool: customers who see the campaign's prices.
        catalogue: prices and ids.
        effects: discounts.
    """
    time, exposure, role = events
    customers = max(len(reached) - 1, 1)
    batches = []
    for at in range(0, len(time), CHUNK):
        part = slice(at, at + CHUNK)
        rows, roles = exposure[part], role[part]
        items, buyers = exposures.item[rows], exposures.customer[rows]
        bought = roles == PURCHASE
        discounted = effects.active(time[part]) & reached[buyers]
        discount = np.where(discounted, effects.depth[items], 0.0)
        extra = (catalogue.role[items] == CONSUMABLE) & (rows % 3 == 0)
        columns = [
            pa.array(time[part]),
            labels_of("u", buyers, customers),
            catalogue.ids.array.take(pa.array(items)),
            pa.array(EVENT_NAMES).take(pa.array(roles)),
            pc.if_else(pa.array(bought), labels_of("o", order[rows], len(order)), None),
            pa.array(np.round(catalogue.price[items] * (1 - discount), 2)),
            pa.array(1.0 + extra, mask=~bought),
            pa.array(discount),
        ]
        batches.append(pa.record_batch(columns, schema=SCHEMA))
    return pa.Table.from_batches(batches, schema=SCHEMA)
