"""Co-viewed: i — j counts the sessions in which a customer looked at both. Undirected.

    support_ij = |{s : i, j ∈ s}|,   tries_i = hits_i = |{s : i ∈ s}|,   trials = |{s}|

over the sessions of at most ``max_session`` products. A look is a view or a click; a session ends with a pause.
"""

from __future__ import annotations

from typing import Any

import ibis
import pyarrow as pa

from thence.events import EventLog, sessions
from thence.graph.purchases import code_nodes, count_per_node
from thence.graph.relation.evidence import Evidence
from thence.graph.relation.pairs import count_pairs, pair_of

LOOKS = ("view", "click")


def co_viewed(
    log: EventLog,
    codes: pa.Table,
    num_nodes: int,
    *,
    gap_minutes: float = 30.0,
    min_support: int = 1,
    max_session: int = 100,
) -> Evidence:
    """Evidence of the relation from the views and clicks of a log.

    Args:
        log: the event log.
        codes: ``item_id`` and ``node`` of the products that may have arcs; other items are left out.
        num_nodes: how many nodes there are.
        gap_minutes: a pause longer than this begins a new session.
        min_support: pairs that were seen in fewer sessions are left out.
        max_session: sessions with more distinct products are left out: they are crawlers, not customers.

    Returns:
        pairs in both orders, with ``tries`` = ``hits`` = sessions that hold the product, ``trials`` = sessions.
    """
    events: Any = log.events
    looks = sessions(events.filter(events.event.isin(LOOKS)), gap_minutes=gap_minutes)
    coded = code_nodes(looks, codes)
    visits = coded.group_by("user_id", "session", "node").agg(time=coded.timestamp.max())
    sized = visits.mutate(size=visits.count().over(group_by=["user_id", "session"]))
    with sized.filter(sized.size <= max_session).cache() as seen:
        one, other = seen.view(), seen.view()
        joined = one.join(other, ["user_id", "session"]).filter(one.node < other.node)
        both = joined.select(pair=pair_of(one.node, other.node), time=ibis.greatest(one.time, other.time))
        pairs = count_pairs(both, min_support=min_support).mirrored()
        tries = count_per_node(seen, num_nodes)[0]
        trials = int(seen.select("user_id", "session").distinct().count().to_pyarrow().as_py())
    return Evidence(pairs, tries=tries, hits=tries, trials=trials, directed=False)
