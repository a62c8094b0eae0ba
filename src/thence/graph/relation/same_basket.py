"""Same basket: i → j counts the baskets that hold i and are those in which the customer first bought j.

    support_ij = |{b : i, j ∈ b, j is new to the customer of b}|,   i ≠ j
    tries_i    = |{b : i ∈ b}|
    hits_j     = |{b : j ∈ b, j is new to the customer of b}|
    trials     = |{b}|

over the baskets of at most ``max_basket`` products. Two products in one basket know no order, yet the question
"what else, that I do not have yet?" does: j is new to this customer, i is at hand. A product that everybody
owns already is seldom the new one, so the relation leads from the established to the new, and P(j new | i)
differs from P(i new | j).
"""

from __future__ import annotations

from thence.graph.purchases import Purchases, count_per_node
from thence.graph.relation.evidence import Evidence
from thence.graph.relation.pairs import count_pairs, pair_of


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
    table = table.filter(table.basket_size <= max_basket)
    shared = table.filter(table.basket_size > 1)
    new = shared.filter(shared.is_first).select("basket", target="node", time="time")
    old = shared.select("basket", source="node")
    joined = old.join(new, "basket").filter(lambda t: t.source != t.target)
    seen = joined.select("time", pair=pair_of(joined.source, joined.target))
    tries, hits = count_per_node(table, purchases.num_nodes, table.is_first)
    return Evidence(
        count_pairs(seen, min_support=min_support),
        tries=tries,
        hits=hits,
        trials=int(table.basket.nunique().to_pyarrow().as_py()),
    )
