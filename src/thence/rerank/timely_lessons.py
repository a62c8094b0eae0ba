"""Lessons from a log: what came together after a clock, which way it points, and what may be chance.

A basket of first purchases is the clearest sign that one product leads to another, as nothing else has to come
between the two, and it says nothing of the direction. The kinds of the two do: with W_cd the pairs in which a
product of kind d was bought after one of kind c,

    share(i → j) = (W_cd + s) / (W_cd + W_dc + 2 s) ,        c = kind of i, d = kind of j ,

and a pair teaches the direction in which its kinds follow each other. The same holds of looks right after a
purchase. What was bought weeks later is mostly chance; there a sighting counts as far as its pair is surely
seen more often than by chance (:mod:`thence.rerank.chance`), and the sightings the other way round count
against it, so that what is left of chance, which has no direction, cancels out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from thence.base.errors import DataError
from thence.base.ids import IdMap
from thence.graph import Arcs
from thence.graph.nodes import categories
from thence.rerank.chance import sure_arcs, wider_kinds
from thence.rerank.timely import Known
from thence.rerank.timely_teach import weights_of

STRENGTH, CLEAR = 2.0, 0.5
LATER, AGAINST, LEAST_SURE = 2.0, 2.0, 0.2
"""How much a sighting weeks later counts beside one in a basket, and one the other way round beside it; pairs
that are less sure than the last are chance."""
BASKET, WEEKS = "same_basket", "bought_after"


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


def lesson_arcs(before: Known, now: Known, *, seed: int = 0) -> tuple[Arcs, Arcs]:
    """What the log between two clocks teaches of what leads to what: pairs, and pairs that count against.

    Args:
        before: what was known at the earlier clock, in whose nodes the lesson is.
        now: what is known at the later one.
        seed: of what :func:`~thence.rerank.chance.sure_arcs` draws.

    Returns:
        ``after`` and ``against`` of :class:`~thence.rerank.timely.Known`.

    Raises:
        DataError: a graph lacks one of the relations ``same_basket`` and ``bought_after``.
    """
    for name in (BASKET, WEEKS):
        if name not in before.graph.relations or name not in now.graph.relations:
            raise DataError(f"no relation {name!r}", fix="Build both graphs with it.")
    old, new, ids, later = before.graph.relations, now.graph.relations, before.graph.ids, now.graph.ids
    kind = categories(before.graph.nodes) if before.graph.nodes is not None else np.full(len(ids), -1)
    near = _added([gained(old[BASKET], new[BASKET], ids, later), gained(before.looks, now.looks, ids, later)])
    near = pointed(near, old[WEEKS], kind)
    weeks = new[WEEKS]
    sure = sure_arcs(weeks, wider_kinds(now.graph.nodes, now.graph.num_nodes), seed=seed)
    came = gained(old[WEEKS], weeks, ids, later)
    place = later.encode(ids.array, missing="mark")
    trust = weights_of(sure, *place[came.pairs])
    came = came.with_value("weight", (LATER * trust * came.weight).astype(np.float32)).select(
        trust >= LEAST_SURE
    )
    turned = Arcs.from_pairs(*came.pairs[::-1], num_nodes=came.num_nodes, weight=AGAINST * came.weight)
    return _added([near, came]), turned


def _added(relations: list[Arcs]) -> Arcs:
    """Arcs of all, weights added up."""
    total: Any = sum(sp.csr_matrix(arcs.matrix()) for arcs in relations)
    total = total.tocoo()
    return Arcs.from_pairs(total.row, total.col, num_nodes=relations[0].num_nodes, weight=total.data)
