"""Same basket: i → j counts the baskets that hold i and are those in which the customer first bought j.

Two products in one basket know no order, yet the question "what else, that I do not have yet?" does: j is new
to this customer, i is at hand. A product that everybody owns already is seldom the new one, so the relation
leads from the established to the new, and P(j new | i) differs from P(i new | j).
"""

from __future__ import annotations

from thence.graph.purchases import Purchases
from thence.graph.relation.evidence import Evidence


def same_basket(purchases: Purchases, *, min_support: int = 1, max_basket: int = 200) -> Evidence:
    """Evidence of the relation from the purchases of a log.

    Args:
        purchases: coded purchases.
        min_support: pairs that were seen in fewer baskets are left out.
        max_basket: baskets with more distinct products are left out: they are stock, not taste.

    Returns:
        pairs with ``tries`` = baskets that hold i, ``hits`` = baskets in which j was new, ``trials`` = baskets.
    """
    table = purchases.table
    sizes = table.group_by("basket").agg(size=table.count())
    kept = sizes.filter((sizes.size > 1) & (sizes.size <= max_basket)).select("basket")
    inside = table.semi_join(kept, "basket").select("basket", "node", "time", "is_first").cache()
    new = inside.filter(inside.is_first).select("basket", target="node", time="time")
    old = inside.select("basket", source="node")
    joined = old.join(new, "basket").filter(lambda t: t.source != t.target)
    pairs = joined.group_by("source", "target").agg(support=joined.count(), last_time=joined.time.max())
    result = pairs.filter(pairs.support >= min_support).to_pyarrow()
    return Evidence(
        pairs=result,
        tries=purchases.per_node(table),
        hits=purchases.per_node(table.filter(table.is_first)),
        trials=int(table.basket.nunique().to_pyarrow().as_py()),
    )
