"""The spanning structure: what it must keep, and that it is the heaviest that does."""

import numpy as np
from hypothesis import given, settings
from scipy.sparse.csgraph import connected_components
from tests.graph.partition.graphs import relations, scale_free

from thence.graph.partition import symmetrised
from thence.graph.sparsify import structure
from thence.graph.sparsify.structure import _forest


def kruskal(arcs):
    """The largest weight that a spanning forest of pairs can have, and its number of pairs."""
    weight: dict[frozenset, float] = {}
    for u, v, w in zip(*arcs.pairs.tolist(), arcs.weight.tolist(), strict=True):
        weight[frozenset((u, v))] = weight.get(frozenset((u, v)), 0.0) + w
    of = list(range(arcs.num_nodes))
    total, count = 0.0, 0
    for pair in sorted(weight, key=lambda pair: -weight[pair]):
        u, v = (of[node] for node in pair)
        if u != v:
            of = [v if root == u else root for root in of]
            total, count = total + weight[pair], count + 1
    return total, count


@settings(max_examples=80)
@given(relations())
def test_components_and_sides_stay_and_the_forest_is_the_heaviest(arcs):
    keep = structure(arcs)
    after = arcs.select(keep)
    before_label, after_label = (connected_components(symmetrised(a), directed=False)[1] for a in (arcs, after))
    assert before_label.tolist() == after_label.tolist()
    assert ((after.out_degree > 0) == (arcs.out_degree > 0)).all()
    assert ((after.in_degree > 0) == (arcs.in_degree > 0)).all()
    if not arcs.num_arcs:
        return
    source = np.repeat(np.arange(arcs.num_nodes), arcs.out_degree)
    forest = _forest(arcs, arcs.weight.astype(float), source)
    pairs = {frozenset(pair): 0.0 for pair in zip(*arcs.pairs[:, forest].tolist(), strict=True)}
    for u, v, w in zip(*arcs.pairs.tolist(), arcs.weight.tolist(), strict=True):
        if frozenset((u, v)) in pairs:
            pairs[frozenset((u, v))] += w
    weight, count = kruskal(arcs)
    assert (sum(pairs.values()), len(pairs), int(forest.sum())) == (weight, count, count)
    reverse = arcs.reverse_at
    heavier = arcs.weight >= np.where(reverse >= 0, arcs.weight[reverse], -1)
    assert heavier[forest].all()
    assert keep[forest].all()


def test_it_is_at_most_three_arcs_a_node():
    arcs = scale_free(400, 6_000)
    assert structure(arcs).sum() <= 3 * arcs.num_nodes
