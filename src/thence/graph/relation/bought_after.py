"""Bought after: i → j counts the customers who first bought j within a window after they first bought i.

Strictly after: what was first bought in one basket has no order and does not count here (it does in
``same_basket``).
"""

from __future__ import annotations

from thence.graph.purchases import Purchases
from thence.graph.relation.evidence import Evidence

DAY = 86_400_000_000


def bought_after(purchases: Purchases, *, window_days: float = 28.0, min_support: int = 1) -> Evidence:
    """Evidence of the relation from the purchases of a log.

    Args:
        purchases: coded purchases.
        window_days: longest time between the two first purchases, in days.
        min_support: pairs that fewer customers show are left out.

    Returns:
        pairs with ``tries`` = ``hits`` = customers who bought the product, ``trials`` = customers.
    """
    table = purchases.table
    firsts = table.filter(table.is_first).group_by("user", "node").agg(time=table.time.min()).cache()
    first, later = firsts.view(), firsts.view()
    window = int(window_days * DAY)
    joined = first.join(later, "user").select(
        source=first.node, target=later.node, time=later.time, gap=later.time - first.time
    )
    within = joined.filter((joined.gap > 0) & (joined.gap <= window))
    pairs = within.group_by("source", "target").agg(support=within.count(), last_time=within.time.max())
    result = pairs.filter(pairs.support >= min_support).to_pyarrow()
    customers = purchases.per_node(firsts)
    return Evidence(pairs=result, tries=customers, hits=customers, trials=purchases.num_users)
