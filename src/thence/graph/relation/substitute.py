"""Substitute: i — j counts the customers who bought two of one category, in different baskets. Undirected.

Products of one category that a customer has alternated between stand for each other; products of one category
that she buys together (two flavours, say) do not. A pair is kept when more customers bought the two apart than
together.
"""

from __future__ import annotations

import ibis
import numpy as np
import pyarrow as pa

from thence.graph.purchases import Purchases
from thence.graph.relation.evidence import Evidence


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
    rows = purchases.table.inner_join(groups, "node").select("user", "basket", "node", "group", "time").cache()
    bought = rows.group_by("user", "group", "node").agg(time=rows.time.max()).cache()
    one, other = bought.view(), bought.view()
    both = one.join(other, ["user", "group"]).filter(one.node != other.node)
    shared = both.select(
        user=one.user, source=one.node, target=other.node, time=ibis.greatest(one.time, other.time)
    )
    left, right = rows.view(), rows.view()
    same = left.join(right, ["user", "basket", "group"]).filter(left.node != right.node)
    together = same.select(user=left.user, source=left.node, target=right.node).distinct()
    either = shared.group_by("source", "target").agg(users=shared.count(), last_time=shared.time.max())
    jointly = together.group_by("source", "target").agg(joint=together.count())
    pairs = either.left_join(jointly, ["source", "target"]).select(
        "source", "target", "last_time", "users", joint=lambda t: ibis.coalesce(t.joint, 0)
    )
    apart = pairs.mutate(support=pairs.users - pairs.joint)
    kept = apart.filter((apart.support >= min_support) & (apart.support > apart.joint))
    customers = purchases.per_node(purchases.table.select("user", "node").distinct())
    return Evidence(
        pairs=kept.select("source", "target", "support", "last_time").to_pyarrow(),
        tries=customers,
        hits=customers,
        trials=purchases.num_users,
        directed=False,
    )
