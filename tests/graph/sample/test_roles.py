"""The double cover: two hops from a source are the sources that lead where it leads."""

from __future__ import annotations

import numpy as np
from tests.samplers import hub_graph

from thence.graph.arcs import Arcs
from thence.graph.sample import FanOut, roles_side


def test_roles_alternate_and_positions_are_the_relations() -> None:
    arcs = hub_graph()
    side = roles_side(arcs, weight="weight")
    assert side.checked().num_nodes == 80
    sample = FanOut(side, [None, None]).sample(np.arange(80))
    looks, seen = sample.nodes[sample.row], sample.nodes[sample.column]
    assert ((looks < 40) != (seen < 40)).all()
    source, target = np.where(looks < 40, looks, seen), np.where(looks < 40, seen, looks) - 40
    assert np.array_equal(arcs.pairs[:, sample.position], np.stack([source, target]))
    assert side.weight is not None
    assert np.array_equal(side.weight[sample.entry], arcs.weight[sample.position])


def test_two_hops_from_a_source_are_its_rivals() -> None:
    arcs = Arcs.from_pairs([0, 1, 2, 1], [3, 3, 4, 4], num_nodes=5)
    sample = FanOut(roles_side(arcs), [None, None]).sample([0])
    assert sample.nodes.tolist() == [0, 5 + 3, 1]
    assert FanOut(roles_side(arcs), [None]).sample([3]).num_arcs == 0  # as a source, 3 leads nowhere
