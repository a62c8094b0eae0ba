"""Recall as it is measured, and efforts as they are chosen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thence.base.rng import generator
from thence.index.recall import recalls, sampled


@given(st.integers(0, 10_000), st.integers(1, 8))
def test_recall_is_the_share_of_the_best_that_was_found(seed, k):
    rng = generator(seed, "recall")
    truth = rng.permutation(30)[:k]
    found = rng.permutation(30)[:k]
    scores = -np.arange(30, dtype=np.float32)  # node 0 is the best of all
    exact = np.sort(scores)[::-1][None, :k]
    kept = np.sort(scores[found])[::-1][None]
    assert recalls(kept, exact, k)[0] == pytest.approx(np.isin(found, np.arange(k)).mean())
    assert len(truth) == k


def test_equals_count_for_each_other_and_missing_answers_do_not():
    exact = np.array([[2.0, 1.0, 1.0], [2.0, -np.inf, -np.inf], [-np.inf] * 3])
    assert recalls(np.array([[2.0, 1.0, -np.inf]] * 3), exact, 3).tolist() == [2 / 3, 1.0, 1.0]


def test_samples_share_no_node_and_skip_the_dead():
    alive = np.arange(100) % 3 == 0
    choose, report = sampled(100, 40, 0, alive)
    assert len(choose) == len(report) == 17 and alive[choose].all() and alive[report].all()
    assert not np.isin(choose, report).any()
    assert (choose == sampled(100, 40, 0, alive)[0]).all() and (choose != sampled(100, 40, 1, alive)[0]).any()


def test_the_cheapest_effort_that_reaches_the_recall_is_chosen():
    pytest.importorskip("faiss")
    from dataclasses import replace

    from tests.index.ann_worlds import built, world

    from thence.index.engine.engine import Effort
    from thence.index.filters import Filter
    from thence.index.recall import exact_scores
    from thence.index.space import space_of
    from thence.index.tune import choose_effort

    index, data = built("ivf_pq"), world()
    nodes, space = np.arange(0, 3000, 31), space_of(data, "next")
    bar = Filter.of(nodes, 3000, alive=None, allowed=None, exclude=None)
    exact = exact_scores(space, nodes, 10, bar)
    side = index.sides["target"]
    spent = 0.0
    for target in (0.5, 0.8, 0.95):
        choice = choose_effort(side, space, nodes, exact, 10, target)
        assert choice.reached and choice.recall >= target and choice.cost >= spent
        spent = choice.cost
        found = replace(index, efforts={"next": choice.effort}).search(nodes, 10).scores
        assert recalls(found, exact, 10).mean() == pytest.approx(choice.recall, abs=0.02)
        for reach in side.engine.reaches:  # nothing cheaper reaches it
            for pool in (16, 31, 61):
                if side.engine.cost(reach, pool) < 0.7 * choice.cost:
                    cheaper = replace(index, efforts={"next": Effort(reach, pool, 10)}).search(nodes, 10).scores
                    assert recalls(cheaper, exact, 10).mean() < target + 0.05
