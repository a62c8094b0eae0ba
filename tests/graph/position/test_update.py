"""After an append only rows near changed arcs are computed, and the bytes are those of a full computation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.graph.position.worlds import cycle, drawn, names

from thence.base.errors import ArtifactError, DataError
from thence.base.ids import IdMap
from thence.graph import Arcs
from thence.graph.position import positions, updated

FORMS = [{}, {"form": "rows", "channels": 8}, {"hops": 1}, {"hops": 3, "channels": 40}, {"weight": "weight"}]


def same(one: object, two: object) -> bool:
    return {n: b.tobytes() for n, b in one.blocks.items()} == {n: b.tobytes() for n, b in two.blocks.items()}  # type: ignore[attr-defined]


def changed(arcs: Arcs, rng: np.random.Generator, more: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Some arcs lost, some found, some weights other, and some nodes more."""
    nodes = arcs.num_nodes + more
    source, target = arcs.pairs
    keep = rng.random(arcs.num_arcs) > 0.02
    weight = np.where(rng.random(arcs.num_arcs) < 0.02, 1.75, arcs.weight)[keep]
    fresh = rng.integers(0, nodes, (2, 4 + more))
    source, target = np.concatenate([source[keep], fresh[0]]), np.concatenate([target[keep], fresh[1]])
    weight = np.concatenate([weight, np.ones(fresh.shape[1])])
    _, first = np.unique(source * nodes + target, return_index=True)
    first = first[source[first] != target[first]]
    return source[first], target[first], weight[first], nodes


@given(st.integers(0, 10_000), st.sampled_from(FORMS))
@settings(max_examples=25)
def test_an_update_has_the_bytes_of_a_full_computation(seed: int, form: dict) -> None:
    rng = np.random.default_rng(seed)
    before = drawn(120, int(rng.integers(0, 300)), seed)
    source, target, weight, nodes = changed(before, rng, int(rng.integers(0, 5)))
    after = Arcs.from_pairs(source, target, num_nodes=nodes, weight=weight)
    known = positions(before, {"propagate": form, "profile": {}}, seed=seed)
    found = updated(known, before, after)
    full = positions(after, {"propagate": form, "profile": {}}, seed=seed)
    assert same(found, full)
    assert {**found.info, "computed": None} == {**full.info, "computed": None}
    found.check_of(after)


@given(st.integers(0, 10_000))
@settings(max_examples=10)
def test_nodes_may_be_numbered_anew_when_they_have_ids(seed: int) -> None:
    rng = np.random.default_rng(seed)
    before = drawn(90, 200, seed)
    source, target, weight, nodes = changed(before, rng, 3)
    place = rng.permutation(nodes)
    after = Arcs.from_pairs(place[source], place[target], num_nodes=nodes, weight=weight)
    ids = IdMap([f"p{at}" for at in np.argsort(place)])
    known = positions(before, ["propagate"], ids=names(90))
    assert same(updated(known, before, after, ids=ids), positions(after, ["propagate"], ids=ids))


def test_only_rows_near_the_change_are_computed() -> None:
    """One arc more on a cycle: the rows of its ends, and those that reach them in two steps."""
    before = cycle(1_000)
    source, target = before.pairs
    after = Arcs.from_pairs([*source, 500], [*target, 600], num_nodes=1_000)
    known = positions(before, ["propagate"])
    found = updated(known, before, after)
    assert found.info["computed"] == {"propagate": 6}  # each end and its two neighbours
    assert same(found, positions(after, ["propagate"]))
    apart = np.flatnonzero((found.blocks["propagate.out"] != known.blocks["propagate.out"]).any(axis=1))
    assert set(apart.tolist()) <= {499, 500, 501, 599, 600, 601}
    assert updated(known, before, before).info["computed"] == {"propagate": 0}


def test_nodes_may_go() -> None:
    before = drawn(60, 150)
    keep = (before.pairs < 50).all(axis=0)
    after = Arcs.from_pairs(*before.pairs[:, keep], num_nodes=50)
    known = positions(before, ["propagate"])
    assert same(updated(known, before, after), positions(after, ["propagate"]))


def test_what_is_refused() -> None:
    before, after = cycle(4), cycle(5)
    known = positions(before, ["propagate"])
    with pytest.raises(ArtifactError, match="another graph"):
        updated(known, after, after)
    with pytest.raises(DataError, match="ids"):
        updated(known, before, after, ids=names(5))
    with pytest.raises(DataError, match="ids"):
        updated(positions(before, ["propagate"], ids=names(4)), before, after, ids=names(4))
