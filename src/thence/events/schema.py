"""The columns of an event log, the vocabulary of events, and the types that columns may have.

Core columns have one type each. Further columns are kept in one of seven types, so that logs read from
different formats fit together: ``bool``, ``int64``, ``float64``, ``string``, ``date32``, ``timestamp[us]``
(UTC)
and, while nothing but nulls was seen, ``null``. Where two sources disagree the wider type wins::

    null < bool < string        null < int64 < float64 < string        null < date32 < timestamp[us] < string
"""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

EVENTS = ("view", "cart", "purchase", "impression", "click", "redeem")
"""The events that thence knows; an ingest may add its own."""

REQUIRED: dict[str, pa.DataType] = {
    "timestamp": pa.int64(),
    "user_id": pa.string(),
    "item_id": pa.string(),
    "event": pa.string(),
}
"""Columns that no event may lack; ``timestamp`` is microseconds since 1970 in UTC."""

OPTIONAL: dict[str, pa.DataType] = {
    "order_id": pa.string(),
    "price": pa.float64(),
    "quantity": pa.float64(),
    "discount": pa.float64(),
}
"""Columns that every log has, null where unknown. ``price`` is per unit; ``discount`` is for the whole row."""

CORE = REQUIRED | OPTIONAL

ITEM_CORE: dict[str, pa.DataType] = {
    "item_id": pa.string(),
    "title": pa.string(),
    "category": pa.string(),
    "brand": pa.string(),
    "price": pa.float64(),
}
"""Columns of a catalogue; ``category`` is a path such as ``Grocery > Snacks > Potato chips``."""

MAX_ID = 256
"""The longest id, in characters."""

_CHAINS = (
    (pa.null(), pa.bool_(), pa.string()),
    (pa.null(), pa.int64(), pa.float64(), pa.string()),
    (pa.null(), pa.date32(), pa.timestamp("us"), pa.string()),
)


def wider(a: pa.DataType, b: pa.DataType) -> pa.DataType:
    """The narrowest kept type that holds the values of both.

    Example:
        >>> wider(pa.int64(), pa.float64()), wider(pa.int64(), pa.bool_())
        (DataType(double), DataType(string))
    """
    for chain in _CHAINS:
        if a in chain and b in chain:
            return chain[max(chain.index(a), chain.index(b))]
    return pa.string()


def unify(schemas: Iterable[pa.Schema], core: dict[str, pa.DataType], *, settle: bool = True) -> pa.Schema:
    """One schema for tables that may differ in their further columns: core first, the others by name.

    Args:
        schemas: schemas whose core columns already have their types.
        core: the core columns and their types.
        settle: make a column of nothing but nulls a string column; else it stays ``null``.
    """
    further: dict[str, pa.DataType] = {}
    for schema in schemas:
        for name, type_ in zip(schema.names, schema.types, strict=True):
            if name not in core:
                further[name] = wider(further.get(name, pa.null()), type_)
    if settle:
        further = {name: pa.string() if type_ == pa.null() else type_ for name, type_ in further.items()}
    return pa.schema(core | dict(sorted(further.items())))
