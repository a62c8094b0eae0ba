"""The parts of a re-ranked score: what can be said of a pair i → j by counting, by name and in words.

Every part is computed from a graph and the first stage alone, for some candidates of each source. No part is
symmetric unless it is so by what it means (likeness of category): a walk, its turned-round twin, the arc i → j
and the arc j → i are parts of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from thence.encode.baseline.svd import svd
from thence.encode.embeddings import Embeddings
from thence.encode.features import item_features
from thence.graph import Arcs, DiGraph
from thence.graph.nodes import categories
from thence.graph.walk.page_rank import push
from thence.rerank.kernel import look_up, ranks_within
from thence.rerank.ridge import Ridge
from thence.rerank.walks import Candidates, Step, Walk, Walker, kernel_rows

Values = Callable[[Candidates], np.ndarray]
Rows = Callable[[np.ndarray], np.ndarray]
LEAST = np.float32(-1e30)
DAY = 86_400_000_000
SVD_DIMS = (32, 128, 256)
PPR = {"alpha": 0.3, "epsilon": 1e-5}


@dataclass(frozen=True)
class Part:
    """One part.

    Args:
        name: unique.
        group: key of :data:`~thence.rerank.words.WORDS` under which it is explained.
        values: from candidates to ``[ptr[B]]`` float32.
        ranked: its place within the candidates of a source is a part too.
    """

    name: str
    group: str
    values: Values
    ranked: bool = False


def all_parts(
    graph: DiGraph, first: Rows | None = None, *, walker: Walker | None = None, seed: int = 0
) -> list[Part]:
    """Every part that applies to a graph.

    Args:
        graph: what may be known.
        first: from sources to rows of scores of the first stage, fitted to the same graph.
        walker: of the same graph; a new one when not given.
        seed: of the factorisations.
    """
    walker = walker or Walker(graph)
    main, *others = graph.relations
    found = _arc_parts(graph) + _walk_parts(walker, main, others) + _node_parts(graph)
    if first is not None:
        found.append(Part("first", "first", lambda at: _scored(first, at), ranked=True))
    if graph.main.num_arcs:
        for dim in SVD_DIMS:
            if dim == SVD_DIMS[0] or dim < graph.num_nodes:
                found.append(_svd_part(graph, dim, seed))
        ridge, joined = Ridge(graph, seed=seed), Ridge(graph, symmetric=True, seed=seed)
        found.append(Part("ridge", "factors", ridge.values, ranked=True))
        found.append(Part("ridge.joined", "factors", joined.values, ranked=True))
        found.append(Part("page_rank", "page_rank", lambda at: _page_rank(graph.main, at), ranked=True))
    return found + catalogue_parts(graph)


def part_table(parts: list[Part], at: Candidates) -> np.ndarray:
    """``[ptr[B], columns]`` float32: every part at every candidate, then the places of the ranked ones."""
    names = columns(parts)
    table = np.empty((len(at[2]), len(names)), np.float32, order="F")
    place = len(parts)
    for column, part in enumerate(parts):
        table[:, column] = part.values(at)
        if part.ranked:
            table[:, place] = np.log1p(ranks_within(table[:, column], at[1]))
            place += 1
    return table


def columns(parts: list[Part]) -> list[str]:
    """Names of the columns of :func:`part_table`."""
    return [part.name for part in parts] + [f"{part.name}.place" for part in parts if part.ranked]


# ---- arcs between the two


def _arc_parts(graph: DiGraph) -> list[Part]:
    found: list[Part] = []
    for r, (name, arcs) in enumerate(graph.relations.items()):
        for value in ("weight", "support", "lift", "asymmetry", "last_time"):
            if value not in arcs.values or not arcs.num_arcs:
                continue
            group = ("arc", "reverse") if r == 0 else ("other", "other")
            found.append(Part(f"{name}.{value}", group[0], _arc_value(arcs, value, False)))
            if arcs.directed:
                found.append(Part(f"{name}.{value}.reverse", group[1], _arc_value(arcs, value, True)))
    return found


def _arc_value(arcs: Arcs, value: str, reverse: bool) -> Values:
    known = fresh(arcs.values[value]) if value == "last_time" else arcs.values[value]

    def values(at: Candidates) -> np.ndarray:
        sources, ptr, nodes = at
        source = np.repeat(sources, np.diff(ptr))
        place = arcs.positions(nodes, source) if reverse else arcs.positions(source, nodes)
        found = np.where(place >= 0, known[place], 0)
        return found.astype(np.float32)

    return values


def fresh(times: np.ndarray) -> np.ndarray:
    """How fresh arcs are beside the newest: 1 / (1 + days / 30), which no calendar date shifts.

    Example:
        >>> fresh(np.array([0, 30 * 86_400_000_000])).tolist()
        [0.5, 1.0]
    """
    days = (times.max(initial=0) - times.astype(np.float64)) / DAY
    return (1 / (1 + days / 30)).astype(np.float32)


# ---- walks


def _walk_parts(walker: Walker, main: str, others: list[str]) -> list[Part]:
    steps = {"A": Step(main), "a": Step(main, True), "C": Step(main, damp=None), "c": Step(main, True, None)}
    groups = {"AA": "chain", "Aa": "alike_targets", "aA": "same_before", "aa": "chain"}
    walks: list[tuple[str, str]] = [(walk, groups[walk]) for walk in groups]
    walks += [(walk.translate(str.maketrans("Aa", "Cc")), group) for walk, group in groups.items()]
    three = {"AAA": "chain", "AAa": "alike_targets", "AaA": "alike_sources", "Aaa": "alike_targets"}
    three |= {"aAA": "same_before", "aAa": "alike_targets", "aaA": "same_before", "aaa": "chain"}
    walks += list(three.items())
    found = [_walk_part(walker, name, group, steps) for name, group in walks]
    for other in others:
        directed = walker.graph.relations[other].directed
        beside = {**steps, "V": Step(other), "v": Step(other, True)}
        names = ["AV", "aV", "VA", "Va", "VV", "AVA", "VAA", "AaV", "VaA", "VVA", "AVV", "VVV"]
        if directed:
            names += ["Av", "av", "vA", "va", "Vv", "vV", "vv", "VvA", "vVA", "AVv", "AvV", "AvA", "VvV"]
        for name in names:
            found.append(_walk_part(walker, name, "other", beside, f"{other}."))
    return found


def _walk_part(walker: Walker, name: str, group: str, steps: Mapping[str, Step], prefix: str = "") -> Part:
    walk: Walk = tuple(steps[letter] for letter in name)
    return Part(
        f"walk.{prefix}{name}", group, lambda at: walker.values(walk, at), ranked=len(name) == 3 and not prefix
    )


# ---- the two nodes


def _node_parts(graph: DiGraph) -> list[Part]:
    found = []
    for name, arcs in graph.relations.items():
        for side, degree in (("out", arcs.out_degree), ("in", arcs.in_degree)):
            values = np.log1p(degree).astype(np.float32)
            found.append(Part(f"{name}.source_{side}", "popularity", _of_source(values)))
            found.append(Part(f"{name}.target_{side}", "popularity", _of_target(values)))
    return found


def _of_source(values: np.ndarray) -> Values:
    return lambda at: np.repeat(values[at[0]], np.diff(at[1]))


def _of_target(values: np.ndarray) -> Values:
    return lambda at: values[at[2]]


# ---- scores


def _scored(rows_of: Rows, at: Candidates) -> np.ndarray:
    sources, ptr, nodes = at
    scores = rows_of(sources)[np.repeat(np.arange(len(sources)), np.diff(ptr)), nodes].astype(np.float32)
    return np.where(np.isfinite(scores), scores, LEAST)


def _svd_part(graph: DiGraph, dim: int, seed: int) -> Part:
    factors = (
        svd(graph, dim, 0.5, 0.5, seed=seed) if dim == SVD_DIMS[0] else svd(graph, dim, 0.3, 0.3, seed=seed)
    )
    return Part(f"svd_{dim}", "factors", lambda at: _inner(factors, at), ranked=dim != SVD_DIMS[0])


def _inner(vectors: Embeddings, at: Candidates) -> np.ndarray:
    sources, ptr, nodes = at
    out = np.empty(len(nodes), np.float32)
    for row, source in enumerate(sources):
        part = slice(ptr[row], ptr[row + 1])
        out[part] = vectors.target[nodes[part]] @ vectors.source[source]
    return out


def _page_rank(arcs: Arcs, at: Candidates) -> np.ndarray:
    sources, ptr, nodes = at
    near: Any = push(arcs, sources, PPR["alpha"], PPR["epsilon"], threads=1).matrix()
    return look_up(kernel_rows(near), np.arange(len(sources)), ptr, nodes, arcs.num_nodes)


# ---- the catalogue


def catalogue_parts(graph: DiGraph) -> list[Part]:
    """What the catalogue says of a pair: how often their categories follow each other, and likeness."""
    if graph.nodes is None:
        return []
    found = []
    codes = categories(graph.nodes)
    if (codes >= 0).any():
        found += _category_parts(graph, codes)
    if set(graph.nodes.column_names) & {"title", "brand", "price"}:
        features = item_features(graph.nodes)
        found.append(Part("features", "features", lambda at: _cosine(features, at)))
    return found


def _category_parts(graph: DiGraph, codes: np.ndarray) -> list[Part]:
    size = int(codes.max()) + 2  # the last one is for nodes without a category
    source, target = codes[graph.main.pairs] % size
    led, count = np.unique(source * size + target, return_counts=True)  # there may be very many categories
    total = np.bincount(source, minlength=size) + size
    nodes = np.bincount(codes % size, minlength=size) + 1
    base = np.log(nodes / nodes.sum())

    def of_pairs(at: Candidates) -> tuple[np.ndarray, np.ndarray]:
        return np.repeat(codes[at[0]], np.diff(at[1])) % size, codes[at[2]] % size

    def share(at: Candidates) -> np.ndarray:
        first, second = of_pairs(at)
        place = np.minimum(np.searchsorted(led, first * size + second), len(led) - 1)
        arcs = np.where(led[place] == first * size + second, count[place], 0)
        return np.log((arcs + 1) / total[first]).astype(np.float32)

    def lift(at: Candidates) -> np.ndarray:
        return (share(at) - base[of_pairs(at)[1]]).astype(np.float32)

    def same(at: Candidates) -> np.ndarray:
        first, second = of_pairs(at)
        return (first == second).astype(np.float32)

    return [
        Part("category.lift", "category", lift),
        Part("category.share", "category", share),
        Part("category.same", "category", same),
    ]


def _cosine(features: Any, at: Candidates) -> np.ndarray:
    sources, ptr, nodes = at
    source = np.repeat(sources, np.diff(ptr))
    out = np.empty(len(nodes), np.float32)
    for begin in range(0, len(nodes), 1 << 18):
        part = slice(begin, begin + (1 << 18))
        out[part] = np.asarray(features[source[part]].multiply(features[nodes[part]]).sum(axis=1)).ravel()
    return out
