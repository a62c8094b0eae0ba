"""Bought after: i → j counts the customers who first bought j within a window after they first bought i.

With t_u(i) the time of the basket in which customer u first bought i,

    support_ij = |{u : 0 < t_u(j) - t_u(i) ≤ window}|
    tries_i    = hits_i = n_i = |{u : u bought i}|
    trials     = Σ_{a ≠ b} n_a n_b / Σ_{a ≠ b} support_ab

Strictly after: what was first bought in one basket has no order and does not count here (it does in
``same_basket``). The number of customers would be the wrong number of trials: even if nothing led to anything,
only the share of pairs of purchases that happens to fall into the window in this order could be seen. So that
share is measured, over all pairs of products, before any is left out: the expected support of a pair is
n_i n_j / trials, expected and seen supports have the same sum, and a lift of 1 means "as often as two products
bought by as many customers follow each other on average".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from thence.graph.purchases import Purchases
from thence.graph.relation.evidence import Evidence
from thence.graph.relation.pairs import count_pairs, pair_of

DAY = 86_400_000_000


def bought_after(purchases: Purchases, *, window_days: float = 28.0, min_support: int = 2) -> Evidence:
    """Evidence of the relation from the purchases of a log.

    Args:
        purchases: coded purchases.
        window_days: longest time between the two first purchases, in days.
        min_support: pairs that fewer customers show are left out.

    Returns:
        pairs with ``tries`` = ``hits`` = customers who bought the product, and ``trials`` such that expected
        and seen supports of all pairs have the same sum.
    """
    table = purchases.table
    window = round(window_days * DAY)
    with table.filter(table.is_first).group_by("user", "node").agg(time=table.time.min()).cache() as firsts:
        first, later = firsts.view(), firsts.view()
        joined = first.join(later, "user").select(
            source=first.node, target=later.node, time=later.time, gap=later.time - first.time
        )
        within = joined.filter((joined.gap > 0) & (joined.gap <= window))
        seen = within.select("time", pair=pair_of(within.source, within.target))
        pairs = count_pairs(seen, min_support=min_support)
        customers, total = purchases.per_node(firsts), _seen(firsts, window)
    trials = _ordered_pairs(customers) / max(total, 1)
    return Evidence(pairs, tries=customers, hits=customers, trials=trials, ordered=True)


def _seen(firsts: Any, window: int) -> int:
    """Σ_{a ≠ b} support_ab, counted moment by moment, which are far fewer than products."""
    moments = firsts.group_by("user", "time").agg(size=firsts.count())
    one, other = moments.view(), moments.view()
    joined = one.join(other, "user").select(ways=one.size * other.size, gap=other.time - one.time)
    ways = joined.filter((joined.gap > 0) & (joined.gap <= window)).ways.sum()
    return int(ways.to_pyarrow().as_py() or 0)


def _ordered_pairs(customers: np.ndarray) -> float:
    """Σ_{a ≠ b} n_a n_b."""
    n = customers.astype(float)
    return float(n.sum() ** 2 - (n**2).sum())
