"""What customers look at right after they bought something.

    seen_ij = |{u : u looks at j within an hour after u first bought i}|

Who has just bought a phone and looks at cases shows what leads to what sooner and more often than purchases
do: most looks end in none. Unlike a basket it has a direction, and unlike purchases weeks apart hardly anything
else comes between the two.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from thence.base.ids import IdMap
from thence.events import EventLog
from thence.graph import Arcs
from thence.graph.nodes import node_codes
from thence.graph.purchases import code_nodes
from thence.graph.relation.co_viewed import LOOKS
from thence.graph.relation.pairs import count_pairs, pair_of
from thence.rerank.parts import Part
from thence.rerank.timely_teach import source_of, weights_of
from thence.rerank.walks import Candidates

MINUTE = 60_000_000


def seen_next(log: EventLog, ids: IdMap, *, minutes: float = 60.0) -> Arcs:
    """How many customers looked at one product right after they first bought another.

    Args:
        log: the log; its clock holds.
        ids: the products, in node order.
        minutes: so long after a purchase a look counts.

    Returns:
        arcs weighted by customers; none where the log holds no looks.

    Example:
        >>> import pyarrow as pa
        >>> events = pa.table({"timestamp": [0, 60_000_000], "user_id": ["u", "u"],
        ...                    "item_id": ["phone", "case"], "event": ["purchase", "view"]})
        >>> seen_next(EventLog.from_tables(events), IdMap(["phone", "case"])).pairs.tolist()
        [[0], [1]]
    """
    codes = node_codes(ids, np.ones(len(ids), bool))
    events: Any = log.events
    bought = code_nodes(events.filter(events.event == "purchase"), codes)
    looks = code_nodes(events.filter(events.event.isin(LOOKS)), codes)
    firsts = bought.group_by("user_id", "node").agg(time=bought.timestamp.min())
    joined = firsts.join(looks.select("user_id", look=looks.node, at=looks.timestamp), "user_id")
    gap = joined.at - joined.time
    near = joined.filter((gap > 0) & (gap <= round(minutes * MINUTE)) & (joined.node != joined.look))
    once = near.group_by("user_id", "node", "look").agg(time=near.at.max())
    pairs = count_pairs(once.select("time", pair=pair_of(once.node, once.look)), min_support=1)
    return Arcs.from_pairs(pairs.source, pairs.target, num_nodes=len(ids), weight=pairs.support)


def view_parts(looks: Arcs) -> list[Part]:
    """Parts of a pair that looks right after a purchase tell: either way, and as a share of the source's.

    Args:
        looks: what :func:`seen_next` counts.

    Example:
        >>> looks = Arcs.from_pairs([0, 0], [1, 2], num_nodes=3, weight=[2.0, 1.0])
        >>> at = np.array([0]), np.array([0, 2]), np.array([1, 2])
        >>> {part.name: part.values(at).tolist() for part in view_parts(looks)}["looks.share"]
        [0.5, 0.25]
    """
    total = 1 + np.bincount(looks.pairs[0], weights=looks.weight, minlength=looks.num_nodes).astype(np.float32)

    def forth(at: Candidates) -> np.ndarray:
        return weights_of(looks, source_of(at), at[2])

    def back(at: Candidates) -> np.ndarray:
        return weights_of(looks, at[2], source_of(at))

    def share(at: Candidates) -> np.ndarray:
        return forth(at) / total[source_of(at)]

    named = {"looks": forth, "looks.reverse": back, "looks.share": share}
    return [Part(name, "other", values) for name, values in named.items()]
