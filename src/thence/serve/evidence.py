"""The arcs behind an answer: how many customers, how much more often than chance, which way round, since when.

Direction strength of a pair is the share of the evidence that points its way,

    n(i → j) / (n(i → j) + n(j → i)),

where n is the support of the arc (its weight in a relation without support) in the first directed relation
that knows the pair. 1 is a one-way street, 0.5 says nothing, None means that no arc joins the two.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from thence.encode.embeddings import Embeddings
from thence.graph.arcs import Arcs
from thence.graph.digraph import DiGraph
from thence.index.neighbors import Direction

DAY, EPOCH = 86_400_000_000, datetime(1970, 1, 1)
"""Microseconds of a day, and the first."""
UNITS = {"same_basket": "baskets", "bought_after": "customers", "co_viewed": "sessions"}


class ArcFact(NamedTuple):
    """What one relation knows of the arc ``source → target`` (node ids)."""

    relation: str
    source: int
    target: int
    directed: bool
    weight: float
    support: int | None
    lift: float | None
    asymmetry: float | None
    last_time: int | None


class Evidence(NamedTuple):
    """What the graph knows of one ordered pair; ``facts`` is empty where no arc leads that way."""

    facts: Sequence[ArcFact]
    direction_strength: float | None

    @property
    def support(self) -> int | None:
        """Support of the relation that speaks first."""
        return next((fact.support for fact in self.facts if fact.support is not None), None)

    @property
    def lift(self) -> float | None:
        """Lift in the relation that speaks first."""
        return next((fact.lift for fact in self.facts if fact.lift is not None), None)


def evidence(graph: DiGraph, source: np.ndarray, target: np.ndarray) -> list[Evidence]:
    """The evidence of many ordered pairs.

    Args:
        graph: the arcs.
        source: ``[num_pairs]`` node ids.
        target: ``[num_pairs]`` node ids.

    Example:
        >>> from thence.base.ids import IdMap
        >>> arcs = Arcs.from_pairs([0, 1], [1, 0], num_nodes=2, values={"support": [30, 10]})
        >>> graph = DiGraph(IdMap(["phone", "case"]), {"bought_after": arcs})
        >>> one = evidence(graph, np.array([0]), np.array([1]))[0]
        >>> one.support, one.direction_strength
        (30, 0.75)
    """
    facts: list[list[ArcFact]] = [[] for _ in source]
    strength: list[float | None] = [None] * len(source)
    pairs = list(zip(source.tolist(), target.tolist(), strict=True))
    for name, arcs in graph.relations.items():
        forward = arcs.positions(source, target).tolist()
        fact = reader(name, arcs)
        for i, at in enumerate(forward):
            if at >= 0:
                facts[i].append(fact(*pairs[i], at))
        if arcs.directed:
            amount = arcs.values.get("support", arcs.weight)
            for i, back in enumerate(arcs.positions(target, source).tolist()):
                if strength[i] is None:
                    strength[i] = _share(amount, forward[i], back)
    return [Evidence(rows, share) for rows, share in zip(facts, strength, strict=True)]


def via(
    graph: DiGraph, embeddings: Embeddings, query: int, answers: np.ndarray, direction: Direction
) -> list[tuple[str, int | None]]:
    """For answers that no arc joins to the query: through which item the model may have come to them.

    ``("path", m)``: arcs lead query → m → answer (for *before*, answer → m → query), m the one whose weaker
    arc is strongest. ``("alike", m)``: an arc joins query and m, and m's vector points most nearly the
    answer's way (cosine). ``("features", None)``: the query has no arcs at all.

    Args:
        graph: the arcs; its main relation is used.
        embeddings: the model.
        query: a node id.
        answers: ``[num_answers]`` node ids.
        direction: of the answers.
    """
    arcs = graph.main
    vectors = embeddings.target if direction == "next" else embeddings.source
    near, near_weight = side_of(arcs, query, direction)
    if not len(near):
        return [("features", None)] * len(answers)
    found: list[tuple[str, int | None]] = []
    for answer, cosine in zip(answers, _cosines(vectors[answers], vectors[near]), strict=True):
        far, far_weight = side_of(arcs, int(answer), "before" if direction == "next" else "next")
        middle, at_near, at_far = np.intersect1d(near, far, assume_unique=True, return_indices=True)
        if len(middle):
            best = np.argmax(np.minimum(near_weight[at_near], far_weight[at_far]))
            found.append(("path", int(middle[best])))
        else:
            found.append(("alike", int(near[np.argmax(cosine)])))
    return found


def sentence(one: Evidence) -> str:
    """The evidence in words.

    Example:
        >>> fact = ArcFact("bought_after", 0, 1, True, 2.5, 34, 5.21, 3.1, 1507000000_000000)
        >>> sentence(Evidence([fact], 0.9))
        'bought after: 34 customers, lift 5.2, last on 3 Oct 2017'
    """
    return "; ".join(_clause(fact) for fact in one.facts)


def day(microseconds: int) -> str:
    """A date as people write it, from microseconds UTC."""
    return _day(microseconds // DAY)


def stamp(microseconds: int) -> str:
    """A moment in ISO 8601, from microseconds UTC.

    Example:
        >>> stamp(1_507_000_000_000_000), stamp(1_500)
        ('2017-10-03T03:06:40Z', '1970-01-01T00:00:00.001500Z')
    """
    return f"{(EPOCH + timedelta(microseconds=microseconds)).isoformat()}Z"


@lru_cache(10_000)
def _day(number: int) -> str:
    """Of a day since 1970; most arcs of a shop share a year of them."""
    moment = EPOCH + timedelta(days=number)
    return f"{moment.day} {moment:%b %Y}"


def _clause(fact: ArcFact) -> str:
    parts = []
    if fact.support is not None:
        unit = UNITS.get(fact.relation, "customers")
        parts.append(f"{fact.support:,} {unit if fact.support != 1 else unit.removesuffix('s')}")
    else:
        parts.append(f"weight {fact.weight:.3g}")
    if fact.lift is not None:
        parts.append(f"lift {fact.lift:.1f}")
    if fact.last_time is not None:
        parts.append(f"last on {day(fact.last_time)}")
    return f"{fact.relation.replace('_', ' ')}: " + ", ".join(parts)


def reader(name: str, arcs: Arcs) -> Callable[[int, int, int], ArcFact]:
    """Reads what a relation knows of the arc at a position."""
    support, lift, last, asymmetry = (
        arcs.values.get(key) for key in ("support", "lift", "last_time", "asymmetry")
    )
    weight, directed = arcs.weight, arcs.directed

    def value(array: np.ndarray | None, at: int) -> float | None:
        found = math.nan if array is None else array.item(at)
        return found if math.isfinite(found) else None

    def fact(source: int, target: int, at: int) -> ArcFact:
        count, moment = value(support, at), value(last, at)
        return ArcFact(
            name,
            source,
            target,
            directed,
            weight=float(weight.item(at)),
            support=None if count is None else int(count),
            lift=value(lift, at),
            asymmetry=value(asymmetry, at) if directed else None,
            last_time=int(moment) if moment else None,
        )

    return fact


def _share(amount: np.ndarray, forward: int, backward: int) -> float | None:
    """Share of the evidence that points forward; None where the relation has no arc."""
    ahead = max(amount.item(forward), 0) if forward >= 0 else 0
    back = max(amount.item(backward), 0) if backward >= 0 else 0
    return ahead / (ahead + back) if ahead + back > 0 else None


def side_of(arcs: Arcs, node: int, direction: Direction) -> tuple[np.ndarray, np.ndarray]:
    """Neighbours of a node along its arcs out (next) or in (before), and the weights of those arcs."""
    if direction == "next":
        return arcs.out(node), arcs.weight[arcs.indptr[node] : arcs.indptr[node + 1]]
    at = arcs.in_order[arcs.in_indptr[node] : arcs.in_indptr[node + 1]]
    return arcs.into(node), arcs.weight[at]


def _cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    length_a, length_b = (np.linalg.norm(x, axis=1, keepdims=True) + 1e-12 for x in (a, b))
    return (a / length_a) @ (b / length_b).T
