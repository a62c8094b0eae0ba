"""The nodes of a graph: which products have one, and what is known of them."""

from __future__ import annotations

from typing import Any

import ibis
import numpy as np
import pyarrow as pa

from thence.base.arrow import pc
from thence.base.errors import DataError
from thence.base.ids import IdMap
from thence.events import EventLog

COUNTED = ("count", "first_time", "last_time")


def node_table(log: EventLog, *, min_count: int, include_cold: bool = False) -> pa.Table:
    """One row a node, ordered by item id: how often it was bought, beside the catalogue's columns.

    Args:
        log: the event log; its clock holds. The catalogue is static.
        min_count: products bought fewer times are no nodes,
        include_cold: unless this is set: then every product of the catalogue and every one that was bought is.

    Returns:
        ``item_id``, ``count`` (rows of purchases), ``first_time`` and ``last_time`` (µs UTC, null for what was
        never bought), and the columns of the catalogue. A catalogue's column of one of these names is called
        ``catalogue_count`` and so on.

    Raises:
        DataError: no product was bought ``min_count`` times, or the catalogue lists one twice.
    """
    events: Any = log.events
    bought = events.filter(events.event == "purchase")
    counts: Any = bought.group_by("item_id").agg(
        count=bought.count(), first_time=bought.timestamp.min(), last_time=bought.timestamp.max()
    )
    if not include_cold:
        table = counts.filter(counts["count"] >= min_count)
    elif log.items is None:
        table = counts
    else:
        ids = log.items.select("item_id").union(counts.select("item_id"), distinct=True)
        table = _beside(ids, counts)
        table = table.mutate(count=ibis.coalesce(table["count"], 0))
    if log.items is not None:
        clash = {f"catalogue_{name}": name for name in COUNTED if name in log.items.columns}
        table = _beside(table, log.items.rename(clash))
    nodes = table.order_by("item_id").to_pyarrow()
    if not nodes.num_rows or pc.max(nodes["count"]).as_py() < min_count:
        times = "once" if min_count == 1 else f"{min_count} times"
        raise DataError(
            f"no product was bought {times}", where=repr(log), fix="Lower min_count or add purchases."
        )
    if pc.count_distinct(nodes["item_id"]).as_py() < nodes.num_rows:
        raise DataError("a product stands in the catalogue more than once", fix="Keep one row a product.")
    return nodes


def node_codes(ids: IdMap, keep: np.ndarray) -> pa.Table:
    """``item_id`` and ``node`` (int32) of the nodes at which ``keep`` (``[num_nodes]`` bool) holds.

    Example:
        >>> node_codes(IdMap(["case", "phone"]), np.array([False, True])).to_pylist()
        [{'item_id': 'phone', 'node': 1}]
    """
    nodes = np.flatnonzero(keep)
    return pa.table({"item_id": ids.array.take(pa.array(nodes)), "node": nodes.astype(np.int32)})


def categories(nodes: pa.Table) -> np.ndarray:
    """``[num_nodes]`` int64: a code of each node's full category path, -1 where it has none or a blank one.

    Example:
        >>> categories(pa.table({"category": ["Food > Dips", None, "Food > Chips", "Food > Dips"]}))
        array([ 0, -1,  1,  0])
    """
    if "category" not in nodes.column_names:
        return np.full(nodes.num_rows, -1)
    paths = pc.utf8_trim_whitespace(nodes["category"].combine_chunks().cast(pa.string()))
    codes = pc.if_else(pc.equal(paths, ""), pa.scalar(None, pa.string()), paths).dictionary_encode().indices
    return codes.cast(pa.int64()).fill_null(-1).to_numpy()


def _beside(left: Any, right: Any) -> Any:
    """A left join on ``item_id`` that keeps it once."""
    return left.left_join(right, "item_id", rname="{name}__").drop("item_id__")
