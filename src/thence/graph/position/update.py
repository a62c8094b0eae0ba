"""Positions of a graph that has changed a little, without computing everything anew.

A row of propagated random features depends on the arcs within ``hops`` steps of its node alone, and a node's
random signs on its id alone. So after an append only the rows near changed arcs are computed, and the result
has the same bytes as a full computation. Positions of other kinds look at the whole graph and are computed
anew.
"""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from typing import Any

import numpy as np

from thence.base.errors import DataError
from thence.base.ids import IdMap
from thence.graph.arcs import Arcs
from thence.graph.position.choose import positions
from thence.graph.position.keys import node_keys, signs
from thence.graph.position.operators import Rows, taken, walk
from thence.graph.position.positions import Positions, fingerprint
from thence.graph.position.propagate import Word, assembled, words
from thence.graph.sample.aggregate import aggregate
from thence.graph.walk.rows import thread_count

Walks = dict[str, Rows]


def updated(before: Positions, arcs_before: Arcs, arcs_after: Arcs, *, ids: IdMap | None = None) -> Positions:
    """The positions that :func:`~thence.graph.position.positions` gives for the new arcs, byte for byte.

    Args:
        before: positions of the old arcs.
        arcs_before: the old arcs.
        arcs_after: the new arcs.
        ids: external ids of the new nodes, where the old ones have some; nodes may be numbered anew. Without
            ids a node is its int.

    Returns:
        The new positions; ``info["computed"]`` says of how many nodes each kind was computed.

    Raises:
        ArtifactError: ``before`` are not positions of ``arcs_before``.
        DataError: ids are given for one of the graphs alone, or not one a node.

    Example:
        >>> ring = Arcs.from_pairs([0, 1, 2, 3], [1, 2, 3, 0], num_nodes=40)
        >>> grown = Arcs.from_pairs([0, 1, 2, 3, 30], [1, 2, 3, 0, 31], num_nodes=41)
        >>> updated(positions(ring, ["propagate"]), ring, grown).info["computed"]
        {'propagate': 3}
    """
    before.check_of(arcs_before)
    if (ids is None) != (before.ids is None) or (ids is not None and len(ids) != arcs_after.num_nodes):
        raise DataError("the ids do not fit both graphs", fix="Give an id for every node of both, or none.")
    kinds, seed = before.info["kinds"], before.info["seed"]
    blocks: dict[str, np.ndarray] = {}
    told: dict[str, Any] = {}
    computed: dict[str, int] = {}
    for name, known in kinds.items():
        if name == "propagate":
            made, computed[name] = _propagated(before, arcs_before, arcs_after, ids)
            blocks, told[name] = blocks | made, known
        else:
            anew = positions(arcs_after, {name: known["settings"]}, seed=seed, ids=ids)
            blocks, told[name] = {**blocks, **anew.blocks}, anew.info["kinds"][name]
            computed[name] = arcs_after.num_nodes
    info = {"fingerprint": fingerprint(arcs_after), "seed": seed, "arcs": arcs_after.num_arcs, "kinds": told}
    return Positions(ids, blocks, {**info, "computed": computed})


def _propagated(
    before: Positions, arcs_before: Arcs, arcs_after: Arcs, ids: IdMap | None
) -> tuple[dict[str, np.ndarray], int]:
    """The blocks of propagated features, and how many rows were computed."""
    told = before.info["kinds"]["propagate"]
    old, new = (_walks(arcs, told["weight"]) for arcs in (arcs_before, arcs_after))
    place = _places(before.ids, ids, arcs_before.num_nodes, arcs_after.num_nodes)
    near = _touched(old, new, place, told["hops"])
    keys = node_keys(ids, arcs_after.num_nodes)
    need = _needed(new, near, told["hops"])

    def travel(first: int, count: int) -> dict[Word, np.ndarray]:
        rows: dict[Word, np.ndarray] = {
            (): signs(keys[need[()]], count, before.info["seed"], "propagate", first)
        }
        for word in words(told["hops"]):
            rows[word] = _hop(new[word[0]], need[word], need[word[1:]], rows[word[1:]])
        return {word: made[np.searchsorted(need[word], near)] for word, made in rows.items()}

    fresh, _ = assembled(travel, told["channels"], told["form"])
    blocks = {}
    for name, rows in fresh.items():
        blocks[name] = np.zeros((arcs_after.num_nodes, rows.shape[1]), np.float32)
        stays = place >= 0
        blocks[name][place[stays]] = before.blocks[name][stays]
        blocks[name][near] = rows
    return blocks, len(near)


def _walks(arcs: Arcs, weight: str | None) -> Walks:
    return {"out": walk(arcs, "out", weight), "in": walk(arcs, "into", weight)}


def _places(old: IdMap | None, new: IdMap | None, before: int, after: int) -> np.ndarray:
    """``[before]`` the new int of each old node, -1 where it is gone."""
    if old is None or new is None:
        return np.where(np.arange(before) < after, np.arange(before), -1)
    return new.encode(old.array, missing="mark")


def _touched(old: Walks, new: Walks, place: np.ndarray, hops: int) -> np.ndarray:
    """New ints, ascending, of the nodes whose rows may differ from what they were."""
    size = new["out"].num_nodes
    fresh = np.ones(size, bool)
    fresh[place[place >= 0]] = False
    changed = {side: fresh | _differs(old[side], new[side], place) for side in new}
    touched: dict[Word, np.ndarray] = {(): fresh}
    for word in words(hops):
        against = new["in" if word[0] == "out" else "out"]
        _, entries = taken(against, np.flatnonzero(touched[word[1:]]))
        touched[word] = changed[word[0]].copy()
        touched[word][against.neighbors[entries]] = True
    return np.flatnonzero(reduce(np.logical_or, touched.values()))


def _differs(old: Rows, new: Rows, place: np.ndarray) -> np.ndarray:
    """``[new nodes]`` bool: rows that list other neighbours, other weights or another order than before."""
    kept = np.flatnonzero(place >= 0)
    same = np.diff(old.indptr)[kept] == np.diff(new.indptr)[place[kept]]
    differs = np.zeros(new.num_nodes, bool)
    differs[place[kept[~same]]] = True
    rows = kept[same]
    at, entries = taken(old, rows)
    _, others = taken(new, place[rows])
    apart = place[old.neighbors[entries]] != new.neighbors[others]
    apart |= old.weight[entries] != new.weight[others]
    differs[place[rows[at[apart]]]] = True
    return differs


def _needed(new: Walks, near: np.ndarray, hops: int) -> dict[Word, np.ndarray]:
    """For each word the nodes, ascending, whose X_w the wanted rows are made of."""
    need: dict[Word, np.ndarray] = {(): near, **dict.fromkeys(words(hops), near)}
    for word in reversed(words(hops)):
        hop = new[word[0]]
        _, entries = taken(hop, need[word])
        need[word[1:]] = np.union1d(need[word[1:]], hop.neighbors[entries])
    return need


def _hop(hop: Rows, rows: np.ndarray, known: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Some rows of the product, from the rows of ``x`` that they need."""
    _, entries = taken(hop, rows)
    count = np.diff(hop.indptr)[rows]
    indptr = np.concatenate([[0], np.cumsum(count)]).astype(hop.indptr.dtype)
    neighbors = np.searchsorted(known, hop.neighbors[entries]).astype(np.int32)
    part = replace(hop, indptr=indptr, neighbors=neighbors, weight=hop.weight[entries])
    return aggregate(part.indptr, part.neighbors, part.weight, x, threads=thread_count(None))
