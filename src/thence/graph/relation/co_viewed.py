"""Co-viewed: i — j counts the sessions in which a customer looked at both. Undirected."""

from __future__ import annotations

from typing import Any

import ibis

from thence.base.ids import IdMap
from thence.events import EventLog, sessions
from thence.graph.purchases import code_nodes, count_per_node
from thence.graph.relation.evidence import Evidence

LOOKS = ("view", "click")


def co_viewed(
    log: EventLog, ids: IdMap, *, gap_minutes: float = 30.0, min_support: int = 1, max_session: int = 100
) -> Evidence:
    """Evidence of the relation from the views and clicks of a log.

    Args:
        log: the event log.
        ids: the nodes; other items are left out.
        gap_minutes: a pause longer than this begins a new session.
        min_support: pairs that were seen in fewer sessions are left out.
        max_session: sessions with more distinct products are left out: they are crawlers, not customers.

    Returns:
        pairs in both orders, with ``tries`` = ``hits`` = sessions that hold the product, ``trials`` = sessions.
    """
    events: Any = log.events
    looks = sessions(events.filter(events.event.isin(LOOKS)), gap_minutes=gap_minutes)
    coded = code_nodes(looks, ids)
    seen = coded.group_by("user_id", "session", "node").agg(time=coded.timestamp.max()).cache()
    sizes = seen.group_by("user_id", "session").agg(size=seen.count())
    kept = sizes.filter((sizes.size > 1) & (sizes.size <= max_session))
    inside = seen.semi_join(kept, ["user_id", "session"]).cache()
    one, other = inside.view(), inside.view()
    joined = one.join(other, ["user_id", "session"]).select(
        source=one.node, target=other.node, time=ibis.greatest(one.time, other.time)
    )
    pairs = joined.filter(joined.source != joined.target).group_by("source", "target")
    result = pairs.agg(support=lambda t: t.count(), last_time=lambda t: t.time.max())
    visits = count_per_node(seen, len(ids))
    return Evidence(
        pairs=result.filter(result.support >= min_support).to_pyarrow(),
        tries=visits,
        hits=visits,
        trials=int(seen.select("user_id", "session").distinct().count().to_pyarrow().as_py()),
        directed=False,
    )
