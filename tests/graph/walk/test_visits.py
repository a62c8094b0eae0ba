"""Visits are counted by hand, and tend to PageRank."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.graph.walk.literal import page_rank, relations

from thence.base.errors import ConfigError
from thence.graph import Arcs
from thence.graph.walk import Walker, visits


@settings(deadline=None, max_examples=40)
@given(relations(), st.sampled_from([0.0, 0.4]), st.integers(1, 3))
def test_visits_are_the_counts_of_the_walks(arcs, restart, chunk):
    walker, seeds = Walker(arcs, restart=restart), [*range(arcs.num_nodes), 0]
    walks = walker.walk(seeds, 5, num_walks=4, step=2)[:, 1:]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("thence.graph.walk.visited.VISITS_AT_A_TIME", 20 * chunk)
        near = visits(walker, seeds, num_walks=4, length=5, step=2)
    for at in range(len(seeds)):
        count = Counter(v for v in walks[4 * at : 4 * at + 4].ravel().tolist() if v >= 0)
        nodes, mass = near.row(at)
        assert dict(zip(nodes.tolist(), mass.tolist(), strict=True)) == {
            v: c / count.total() for v, c in count.items()
        }


def test_long_restarting_walks_visit_in_proportion_to_page_rank():
    arcs = Arcs.from_pairs([0, 0, 1, 2, 2, 3], [1, 2, 3, 0, 3, 4], num_nodes=5)
    near = visits(Walker(arcs, restart=0.25, seed=1), [0, 2], num_walks=200, length=2000)
    for seed, shares in zip((0, 2), near.matrix().toarray(), strict=True):
        assert shares == pytest.approx(page_rank(arcs, seed, 0.25, dangling="restart"), abs=3e-3)
        assert np.abs(shares - page_rank(arcs.reversed(), seed, 0.25, dangling="restart")).max() > 0.05


def test_no_walks_are_refused():
    arcs = Arcs.from_pairs([0], [1], num_nodes=2)
    for more in ({"num_walks": 0}, {"length": 0}):
        with pytest.raises(ConfigError, match="is 0"):
            visits(Walker(arcs), [0], **more)
