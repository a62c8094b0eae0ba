"""The cold-start cases and the transitive arcs of the bias protocol, by hand and by a literal loop."""

from __future__ import annotations

import numpy as np
import pytest

from thence.base.errors import ConfigError, DataError
from thence.evaluate.cold_start import cold_cases
from thence.evaluate.selection_bias import transitive_arcs
from thence.graph import Arcs
from thence.graph.split import TEST, split_nodes


def random_arcs(seed: int, num_nodes: int = 20, num: int = 60) -> Arcs:
    rng = np.random.default_rng(seed)
    pairs = {(int(a), int(b)) for a, b in rng.integers(0, num_nodes, (num, 2)) if a != b}
    return Arcs.from_pairs(*zip(*sorted(pairs), strict=True), num_nodes=num_nodes)


def test_the_two_sides_are_told_apart_and_arcs_between_cold_nodes_are_left_out() -> None:
    split = split_nodes(random_arcs(0), seed=3)
    cold = split.part == TEST
    known = Arcs.from_pairs(*np.concatenate([split.train.pairs, split.valid.pairs], axis=1), num_nodes=20)
    asked, answered = (cold_cases(split.test, known, cold, side=side) for side in ("source", "target"))
    assert cold[asked.source].all() and not cold[asked.target].any()
    assert cold[answered.target].all() and not cold[answered.source].any()
    both = int(cold[split.test.pairs].all(axis=0).sum())
    assert len(asked) + len(answered) + both == split.test.num_arcs


def test_cold_cases_refuse_what_leaks() -> None:
    arcs, cold = random_arcs(1), np.zeros(20, bool)
    with pytest.raises(DataError, match="cold source"):
        cold_cases(arcs, Arcs.from_pairs([], [], num_nodes=20), cold)
    cold[arcs.pairs[0, 0]] = True
    with pytest.raises(DataError, match="known arc"):
        cold_cases(arcs, arcs, cold)
    with pytest.raises(ConfigError, match="source"):
        cold_cases(arcs, arcs, cold, side="sources")  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(5))
def test_transitive_arcs_against_a_loop(seed: int) -> None:
    bought, viewed, known = (random_arcs(10 * seed + k) for k in range(3))
    beside = set(zip(*viewed.pairs.tolist(), strict=True))
    beside |= {(b, a) for a, b in beside}
    arcs = set(zip(*bought.pairs.tolist(), strict=True))
    ways = [(a, c) for a, b in arcs for b2, c in beside if b == b2]
    ways += [(a, c) for a, b in beside for b2, c in arcs if b == b2]
    left_out = arcs | set(zip(*known.pairs.tolist(), strict=True))
    expected = {pair for pair in ways if pair[0] != pair[1] and pair not in left_out}
    found = transitive_arcs(bought, viewed, (known,))
    assert set(zip(*found.pairs.tolist(), strict=True)) == expected
    for (a, c), weight in zip(zip(*found.pairs.tolist(), strict=True), found.weight, strict=True):
        assert weight == ways.count((a, c))


def test_direction_is_kept_and_a_draw_is_one_of_them() -> None:
    bought, viewed = Arcs.from_pairs([0], [1], num_nodes=4), Arcs.from_pairs([2], [1], num_nodes=4)
    assert transitive_arcs(bought, viewed).pairs.tolist() == [[0], [2]]
    assert transitive_arcs(bought.reversed(), viewed).pairs.tolist() == [[2], [0]]
    bought, viewed = random_arcs(1), random_arcs(2)
    every, some = transitive_arcs(bought, viewed), transitive_arcs(bought, viewed, limit=7, seed=1)
    assert some.num_arcs == 7 and every.contains(*some.pairs).all()
    with pytest.raises(DataError, match="nodes"):
        transitive_arcs(bought, random_arcs(2, num_nodes=30))
