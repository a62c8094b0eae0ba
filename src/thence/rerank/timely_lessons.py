"""Lessons from baskets: what came together after a clock, and which way it points.

A basket of first purchases is the clearest sign that one product leads to another, as nothing else has to come
between the two, and it says nothing of the direction. The kinds of the two do: with W_cd the pairs in which a
product of kind d was bought after one of kind c,

    share(i → j) = (W_cd + s) / (W_cd + W_dc + 2 s) ,        c = kind of i, d = kind of j ,

and a pair teaches the direction in which its kinds follow each other.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from thence.base.ids import IdMap
from thence.graph import Arcs

STRENGTH, CLEAR = 2.0, 0.5


def gained(before: Arcs, after: Arcs, ids: IdMap, later: IdMap) -> Arcs:
    """Arcs whose weight grew from one graph to a later one, weighted by how much, over the earlier nodes.

    Args:
        before: a relation at the clock.
        after: the same relation of a log that sees more.
        ids: of the earlier graph.
        later: of the later graph.

    Example:
        >>> ids = IdMap(["case", "phone"])
        >>> one, three = (Arcs.from_pairs([1], [0], num_nodes=2, weight=[w]) for w in (1.0, 3.0))
        >>> gained(one, three, ids, ids).weight.tolist()
        [2.0]
    """
    place = ids.encode(later.array, missing="mark")
    source, target = place[after.pairs]
    both = (source >= 0) & (target >= 0)
    source, target, weight = source[both], target[both], after.weight[both]
    at = before.positions(source, target)
    had = before.weight[np.maximum(at, 0)] if before.num_arcs else np.zeros(len(at), np.float32)
    grown = weight - np.where(at >= 0, had, 0)
    more = grown > 1e-6
    return Arcs.from_pairs(source[more], target[more], num_nodes=before.num_nodes, weight=grown[more])


def pointed(pairs: Arcs, followed: Arcs, kind: np.ndarray, *, strength: float = STRENGTH) -> Arcs:
    """Those of some pairs that point the way in which their kinds follow each other.

    Args:
        pairs: of baskets, both ways.
        followed: what was bought after what, on other occasions.
        kind: ``[num_nodes]`` code of each node's kind, -1 for none.
        strength: s, so many pairs either way are taken for granted.

    Example:
        >>> both = Arcs.from_pairs([0, 1], [1, 0], num_nodes=4)  # a phone and a case in one basket
        >>> followed = Arcs.from_pairs([2], [3], num_nodes=4)  # another case was bought after another phone
        >>> pointed(both, followed, np.array([0, 1, 0, 1])).pairs.tolist()
        [[0], [1]]
    """
    size = int(kind.max(initial=-1)) + 2
    code = np.where(kind < 0, size - 1, kind)
    between = sp.csr_matrix((followed.weight.astype(np.float64), tuple(code[followed.pairs])), (size, size))
    source, target = code[pairs.pairs]
    forth, back = (
        np.asarray(between[end, other]).ravel() for end, other in ((source, target), (target, source))
    )
    share = (forth + strength) / (forth + back + 2 * strength)
    return pairs.select(share > CLEAR)
