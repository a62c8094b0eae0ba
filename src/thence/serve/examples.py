"""Good examples for a first visit: strong one-way arcs that start at well-known items."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thence.graph.arcs import Arcs
from thence.graph.digraph import DiGraph
from thence.serve.catalogue import Catalogue
from thence.serve.evidence import evidence

LOOKED_AT = 4000
MIN_STRENGTH = 0.6


@dataclass(frozen=True)
class ArcExample:
    """An arc worth showing (node ids)."""

    source: int
    target: int
    support: int | None
    direction_strength: float


def strong_examples(graph: DiGraph, catalogue: Catalogue, count: int = 8) -> list[ArcExample]:
    """Up to ``count`` arcs of the main relation, each from another item and, while it lasts, another category.

    Arcs are ranked by ``log(1 + support) · (2 · strength - 1) · log(lift)²``: many customers, one way round,
    much more often than chance. Pairs of one title or one category are left out, since they say little.
    """
    arcs = next((arcs for arcs in graph.relations.values() if arcs.directed and arcs.num_arcs), None)
    if arcs is None:
        return []
    source, target = arcs.pairs
    amount = np.maximum(arcs.values.get("support", arcs.weight), 0).astype(np.float64)
    likely = np.argsort(-amount, kind="stable")[:LOOKED_AT]
    source, target = source[likely], target[likely]
    strength = np.array([e.direction_strength or 0.0 for e in evidence(graph, source, target)])
    value = np.log1p(amount[likely]) * np.maximum(2 * strength - 1, 0) * np.log(_lift(arcs)[likely]) ** 2
    value[strength < MIN_STRENGTH] = 0
    order = [i for i in np.argsort(-value, kind="stable") if value[i] > 0]
    chosen = _varied(order, source, target, catalogue, count)
    support = amount[likely] if "support" in arcs.values else None
    return [
        ArcExample(
            int(source[i]), int(target[i]), None if support is None else int(support[i]), float(strength[i])
        )
        for i in chosen
    ]


def _lift(arcs: Arcs) -> np.ndarray:
    if "lift" not in arcs.values:
        return np.full(arcs.num_arcs, np.e)
    return np.clip(np.nan_to_num(arcs.values["lift"], nan=1.0, posinf=1.0), 1, 1e6)


def _varied(
    order: list[int], source: np.ndarray, target: np.ndarray, catalogue: Catalogue, count: int
) -> list[int]:
    """The best of ``order`` with each title used once; a category stands twice only when others ran out."""
    chosen: list[int] = []
    for strict in (True, False):
        titles, tops = set(), set()
        for i in chosen:
            titles |= {catalogue.titles[int(n)].as_py() for n in (source[i], target[i])}
            tops.add(_top(catalogue, int(source[i])))
        for i in order:
            if len(chosen) == count:
                return chosen
            pair = [catalogue.titles[int(n)].as_py() for n in (source[i], target[i])]
            top = _top(catalogue, int(source[i]))
            leaf = [catalogue.categories[int(n)].as_py() for n in (source[i], target[i])]
            same = pair[0] == pair[1] or (leaf[0] is not None and leaf[0] == leaf[1])
            if same or titles & set(pair) or (strict and top in tops):
                continue
            chosen.append(i)
            titles.update(pair)
            tops.add(top)
    return chosen


def _top(catalogue: Catalogue, node: int) -> str:
    """The category of an item down to its second level."""
    path = catalogue.categories[node].as_py() or ""
    return " > ".join(path.split(" > ")[:2])
