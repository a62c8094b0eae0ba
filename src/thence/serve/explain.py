"""Why one item is answered to another: the arcs of the pair, paths through a third item, and what each does.

What an arc does is the score without it (:mod:`thence.encode.effects`): worked out anew, not estimated. Arcs
that are tried are those of the pair and, of each end, those likely to add most: |⟨start vector, other end⟩|
times the share of weight. The rank is the target's place among all items, scored with the vectors that the two
ends have without the arc.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from thence.encode.effects import Arc, ArcEffects
from thence.serve.answers import find
from thence.serve.evidence import ArcFact, evidence, reader, side_of
from thence.serve.problems import RefusedError
from thence.serve.rows import arc_of, card
from thence.serve.schemas_explain import Explained, PathCard, Without
from thence.serve.second import listed
from thence.serve.standing import route_of

if TYPE_CHECKING:
    from thence.serve.store import Live

PATHS, EACH_END, TOLD = 5, 4, 12
"""Paths that are told; arcs of each end that are tried beside those of the pair; effects that are told."""
NO_EFFECTS = (
    "What each arc does is not told: the bundle keeps no encoder. A run whose first stage is trained keeps one."
)
OTHER_MODEL = "What each arc does is not told: the kept encoder does not give the score of the model."
TABLE = "The list is ordered by the second stage; scores, ranks and changes here are those of the embeddings."


def explained(live: Live, source_id: str, target_id: str) -> Explained:
    """What stands behind source → target, and what each arc of it does to the score.

    Raises:
        RefusedError: an item is unknown (404), or both are the same (422).
    """
    source, target = find(live, source_id), find(live, target_id)
    if source == target:
        raise RefusedError(422, "an item does not follow itself", model_version=live.version)
    rows = evidence(live.graph, np.array([source, target]), np.array([target, source]))
    score, rank = _standing(live, source, target)
    route, second = route_of(live, source, "next"), listed(live, source, 1, "next")
    without, note = _effects(live, source, target, score)
    if second is not None and route == "model":
        route, note = "table", " ".join([TABLE, *([note] if note else [])])
    return Explained.model_validate(
        {
            "source": card(live.catalogue, source),
            "target": card(live.catalogue, target),
            "model_version": live.version,
            "route": route,
            "score": score,
            "rank": rank,
            "listed_at": _listed_at(live, source, target) if route == "table" else None,
            "direction_strength": rows[0].direction_strength,
            "arcs": [arc_of(live, fact) for row in rows for fact in row.facts],
            "paths": _paths(live, source, target),
            "without": without,
            "note": note,
        }
    )


def _standing(live: Live, source: int, target: int, vectors: Any = None) -> tuple[float, int]:
    """Score of the arc, and the target's place among all items; ``vectors`` stand in for the two ends' own."""
    model = live.bundle.embeddings
    asking, answering = vectors or (model.source[source], model.target[target])
    bias = np.asarray(model.bias)
    scores = model.target @ asking + bias
    score = float(asking @ answering + bias[target])
    scores[[source, target]] = -np.inf
    return score, 1 + int((scores > score).sum())


def _listed_at(live: Live, source: int, target: int) -> int | None:
    """The target's place in the second stage's list."""
    table = live.bundle.reranked
    at = [] if table is None else np.flatnonzero(table.neighbors.row(source, "next")[0] == target)
    return int(at[0]) + 1 if len(at) else None


def _paths(live: Live, source: int, target: int) -> list[PathCard]:
    """Detours through one third item, those whose weaker arc is strongest first."""
    arcs = live.graph.main
    near, near_weight = side_of(arcs, source, "next")
    far, far_weight = side_of(arcs, target, "before")
    middle, at_near, at_far = np.intersect1d(near, far, assume_unique=True, return_indices=True)
    weaker = np.minimum(near_weight[at_near], far_weight[at_far])
    name = next(iter(live.graph.relations))
    told = []
    for at in np.argsort(-weaker, kind="stable")[:PATHS]:
        through = int(middle[at])
        facts = [_fact(live, Arc(name, *pair)) for pair in ((source, through), (through, target))]
        told.append(
            PathCard.model_validate(
                {
                    "through": card(live.catalogue, through),
                    "arcs": [arc_of(live, fact) for fact in facts],
                    "strength": float(weaker[at]),
                }
            )
        )
    return told


def _fact(live: Live, arc: Arc) -> ArcFact:
    arcs = live.graph[arc.relation]
    at = int(arcs.positions([arc.source], [arc.target])[0])
    return reader(arc.relation, arcs)(arc.source, arc.target, at)


def _effects(live: Live, source: int, target: int, score: float) -> tuple[list[Without], str | None]:
    """What removing each arc that matters would change, the largest change first; or why it is not told."""
    effects = live.bundle.effects
    if effects is None:
        return [], NO_EFFECTS
    graph = live.graph
    if not np.isclose(effects.score(graph, source, target), score, rtol=1e-3, atol=1e-3):
        return [], OTHER_MODEL
    told = []
    for arc in _tried(live, effects, source, target):
        vectors = effects.vectors(graph, source, target, without=arc)
        changed, rank = _standing(live, source, target, vectors)
        told.append(
            Without.model_validate(
                {
                    "what": _words(live, arc, source, target),
                    "arc": arc_of(live, _fact(live, arc)),
                    "score": changed,
                    "rank": rank,
                    "change": changed - score,
                }
            )
        )
    return sorted(told, key=lambda one: -abs(one.change))[:TOLD], None


def _tried(live: Live, effects: ArcEffects, source: int, target: int) -> list[Arc]:
    """Arcs of the pair, and those of each end that are likely to add most to the score."""
    model, found = live.bundle.embeddings, []
    for name, arcs in live.graph.relations.items():
        pairs = [(source, target), *([(target, source)] if arcs.directed else [])]
        found += [Arc(name, *pair) for pair in pairs if arcs.positions([pair[0]], [pair[1]])[0] >= 0]
        theirs: tuple[Any, Any] = (
            (effects.target, effects.source) if arcs.directed else (effects.source, effects.target)
        )
        ends = (
            (source, "next", theirs[0], model.target[target]),
            (target, "before" if arcs.directed else "next", theirs[1], model.source[source]),
        )
        for node, way, start, vector in ends:
            near, weight = side_of(arcs, node, way)  # type: ignore[arg-type]
            value = np.abs(start[near] @ vector) * weight / max(float(weight.sum()), 1e-12)
            for other in near[np.argsort(-value, kind="stable")[:EACH_END]].tolist():
                found.append(Arc(name, node, other) if way == "next" else Arc(name, other, node))
    alone = {
        node for node in (source, target) if _num_arcs(live, node) == 1
    }  # without it nothing tells of them
    return [arc for arc in dict.fromkeys(found) if not alone & {arc.source, arc.target}]


def _num_arcs(live: Live, node: int) -> int:
    """Arcs at a node, in all relations; those of an undirected one count once."""
    return sum(
        len(arcs.out(node)) + (len(arcs.into(node)) if arcs.directed else 0)
        for arcs in live.graph.relations.values()
    )


def _words(live: Live, arc: Arc, source: int, target: int) -> str:
    """The arc as a reader meets it."""
    title = [live.catalogue.item(node).title for node in (arc.source, arc.target)]
    kind = arc.relation.replace("_", " ")
    sign = "→" if live.graph[arc.relation].directed else "—"
    direct = " (the pair itself)" if {arc.source, arc.target} == {source, target} else ""
    return f"{kind}: {title[0]} {sign} {title[1]}{direct}"
