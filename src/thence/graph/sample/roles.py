"""Both roles of every node in one graph, for encoders in which sources look at targets and the reverse."""

from __future__ import annotations

import numpy as np

from thence.graph.arcs import Arcs
from thence.graph.sample.side import Side, side_of


def roles_side(arcs: Arcs, *, weight: str | None = None, time: str | None = None) -> Side:
    """The bipartite double cover of a relation, as one side to draw from.

    Node i stands twice: as ``i`` in its role as a source, as ``num_nodes + i`` in its role as a target. A
    source looks at the targets of its arcs, a target at the sources of the arcs that lead to it; so several
    hops alternate of themselves, as dual encoders (DAEMON, Algorithm 1) need it. Positions are those of the
    relation.

    Args:
        arcs: the relation.
        weight: name of the value to weight entries by.
        time: name of the value that tells when an arc came to be.

    Raises:
        DataError: there is no such value, or a weight is negative or not finite.

    Example:
        >>> from thence.graph.sample import FanOut
        >>> arcs = Arcs.from_pairs([0, 1], [1, 2], num_nodes=3)
        >>> sample = FanOut(roles_side(arcs), [5, 5]).sample([0])
        >>> sample.nodes.tolist()  # the source 0, the target 1 that it leads to, which only 0 leads to
        [0, 4]
    """
    out, into = (side_of(arcs, way, weight=weight, time=time) for way in ("out", "into"))
    num_nodes, num_arcs = arcs.num_nodes, arcs.num_arcs
    order = np.arange(num_arcs, dtype=arcs.in_order.dtype)
    return Side(
        np.concatenate([out.indptr, into.indptr[1:] + np.int64(num_arcs)]),
        np.concatenate([out.neighbors + np.int32(num_nodes), into.neighbors]),
        np.concatenate([order, arcs.in_order]),
        None if out.weight is None or into.weight is None else np.concatenate([out.weight, into.weight]),
        None if out.time is None or into.time is None else np.concatenate([out.time, into.time]),
    )
