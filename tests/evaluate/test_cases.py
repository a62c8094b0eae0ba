"""Cases know what they hold, refuse what cannot be judged, and see one-way arcs and cold nodes."""

import numpy as np
import pytest

from thence.base.errors import DataError
from thence.evaluate.cases import Cases, arc_cases, arcs_of
from thence.graph.arcs import Arcs


def test_one_way_looks_at_the_whole_graph():
    known = Arcs.from_pairs([0], [1], num_nodes=4)
    test = Arcs.from_pairs([1, 1, 2, 3], [0, 3, 3, 2], num_nodes=4)
    hidden = Arcs.from_pairs([3], [1], num_nodes=4)
    assert arc_cases(test, known).one_way.tolist() == [False, True, False, False]
    assert arc_cases(test, known, hidden).one_way.tolist() == [False, False, False, False]


def test_cold_means_that_nothing_was_known_in_either_role():
    known = Arcs.from_pairs([0, 1], [1, 2], num_nodes=5)
    cases = arc_cases(Arcs.from_pairs([0, 0, 4], [2, 3, 0], num_nodes=5), known)
    assert cases.cold.tolist() == [False, True, False]
    assert cases.degree.tolist() == [1, 1, 0, 0, 0]
    assert cases.popularity.tolist() == [0, 1, 1, 0, 0]


def test_select_and_sample_keep_columns_together():
    test = Arcs.from_pairs([0, 1, 2, 3], [1, 2, 3, 0], num_nodes=4)
    cases = arc_cases(test, Arcs.from_pairs([], [], num_nodes=4))
    picked = cases.select(np.array([3, 1]))
    assert picked.source.tolist() == [3, 1]
    assert picked.target.tolist() == [0, 2]
    assert len(picked.one_way) == 2
    sampled = cases.sample(2, seed=0)
    assert len(sampled) == 2
    assert sampled.target.tolist() == ((sampled.source + 1) % 4).tolist()
    assert cases.sample(9, seed=0) is cases


@pytest.mark.parametrize(
    ("source", "target", "weight", "match"),
    [
        ([0], [0], [1], "own source"),
        ([0], [1], [1], "known arc"),
        ([0], [5], [1], "node 5 is out of range"),
        ([-1], [2], [1], "node -1 is out of range"),
        ([0], [2], [0], "not positive"),
        ([0], [2], [np.nan], "not positive"),
        ([0, 1], [2], [1, 1], "shape"),
    ],
)
def test_what_cannot_be_judged_is_refused(source, target, weight, match):
    known = Arcs.from_pairs([0], [1], num_nodes=5)
    with pytest.raises(DataError, match=match):
        Cases.make(source, target, num_nodes=5, weight=weight, known=known)


def test_arcs_over_other_nodes_are_refused():
    with pytest.raises(DataError, match="among 2 nodes"):
        arc_cases(Arcs.from_pairs([0], [1], num_nodes=3), Arcs.from_pairs([0], [1], num_nodes=2))


def test_cases_as_arcs_add_up_what_came_more_than_once():
    rng = np.random.default_rng(0)
    source, step = rng.integers(5, size=60), rng.integers(1, 5, size=60)
    weight = rng.uniform(0.5, 2, size=60)
    cases = Cases.make(source, (source + step) % 5, num_nodes=5, weight=weight, group=np.arange(60))
    literal = np.zeros((5, 5))
    for i, j, w in zip(cases.source, cases.target, weight, strict=True):
        literal[i, j] += w
    arcs = arcs_of(cases)
    np.testing.assert_allclose(arcs.matrix().toarray(), literal, rtol=1e-6)
    assert arcs.num_arcs == len({*zip(cases.source.tolist(), cases.target.tolist(), strict=True)})
    assert arcs_of(cases.select([])).num_arcs == 0
