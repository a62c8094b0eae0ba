"""Substitute: i — j counts the customers who bought two of one category, in different baskets. Undirected.

    both_ij     = |{u : u bought i and j}|,   together_ij = |{u : u bought i and j in one basket}|
    support_ij  = both_ij - together_ij,      tries_i = hits_i = |{u : u bought i}|,   trials = |{u}|

for i, j of one category. Products of one category that a customer has alternated between stand for each other;
products of one category that she buys together (two flavours, say) do not. A pair is kept when more customers
bought the two apart than together: support_ij > together_ij.
"""

from __future__ import annotations

from typing import Any

import ibis
import numpy as np
import pyarrow as pa

from thence.graph.purchases import Purchases
from thence.graph.relation.evidence import Evidence
from thence.graph.relation.pairs import fetch_pairs, pair_of


def substitute(purchases: Purchases, category: np.ndarray, *, min_support: int = 2) -> Evidence:
    """Evidence of the relation from purchases and the catalogue's categories.

    Args:
        purchases: coded purchases.
        category: ``[num_nodes]`` int, the finest category of each node; -1 where unknown (such nodes have no
            substitutes).
        min_support: pairs that fewer customers bought apart are left out.

    Returns:
        pairs in both orders, with ``tries`` = ``hits`` = customers who bought the product, ``trials`` =
        customers.
    """
    known = np.flatnonzero(category >= 0)
    groups = ibis.memtable(
        pa.table({"node": known.astype(np.int32), "group": category[known].astype(np.int64)})
    )
    joined = purchases.table.inner_join(groups, "node")
    with joined.select("user", "basket", "node", "group", "time").cache() as rows:
        both, together = _bought_by_one(rows), _bought_in_one(rows)
        counted = both.left_join(together, "pair").select(
            "pair", "last_time", "users", joint=lambda t: ibis.coalesce(t.joint, 0)
        )
        apart = counted.mutate(support=counted.users - counted.joint)
        kept = apart.filter((apart.support >= min_support) & (apart.support > apart.joint))
        pairs = fetch_pairs(kept).mirrored()
    customers = purchases.per_node(purchases.table.select("user", "node").distinct())
    return Evidence(pairs, tries=customers, hits=customers, trials=purchases.num_users, directed=False)


def _bought_by_one(rows: Any) -> Any:
    """``pair``, ``users`` and ``last_time`` of the pairs, smaller node first, that one customer bought."""
    bought = rows.group_by("user", "group", "node").agg(time=rows.time.max())
    one, other = bought.view(), bought.view()
    joined = one.join(other, ["user", "group"]).filter(one.node < other.node)
    shared = joined.select(pair=pair_of(one.node, other.node), time=ibis.greatest(one.time, other.time))
    return shared.group_by("pair").agg(users=shared.count(), last_time=shared.time.max())


def _bought_in_one(rows: Any) -> Any:
    """``pair`` and ``joint``: how many customers bought both in one basket."""
    one, other = rows.view(), rows.view()
    joined = one.join(other, ["basket", "group"]).filter(one.node < other.node)
    together = joined.select(user=one.user, pair=pair_of(one.node, other.node)).distinct()
    return together.group_by("pair").agg(joint=together.count())
