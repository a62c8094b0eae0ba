"""Evaluation that is wrong in a plausible way is caught: the real one passes each check, each mutant fails.

A check is a function of the implementation under test. It states facts that are known by hand.
"""

from dataclasses import replace

import numpy as np
import pytest

from thence.base.ids import IdMap
from thence.evaluate.cases import Cases, arc_cases
from thence.evaluate.direction import DirectionCases, judge_direction
from thence.evaluate.metrics import discounted_gain, hit, reciprocal_rank
from thence.evaluate.ranking import Ranking, rank_cases
from thence.graph.arcs import Arcs
from thence.graph.split import ArcSplit, split_arcs


class Table:
    def __init__(self, scores):
        self.table = np.asarray(scores, np.float64)
        self.ids = IdMap([str(i) for i in range(len(self.table))])

    def scores(self, sources):
        return self.table[np.asarray(sources)]

    def scores_into(self, targets):
        return self.table.T[np.asarray(targets)]


def fails(check, mutant):
    with pytest.raises(AssertionError):
        check(mutant)


# Figures from places


def check_hit(implementation):
    above, tied = np.array([0, 4, 5, 9, 10]), np.ones(5, int)
    assert implementation(above, tied, 5).tolist() == [1, 1, 0, 0, 0]
    assert implementation(above, tied, 10).tolist() == [1, 1, 1, 1, 0]


def check_reciprocal(implementation):
    above, tied = np.array([0, 1, 9, 10]), np.ones(4, int)
    assert implementation(above, tied, 10) == pytest.approx([1, 1 / 2, 1 / 10, 0])


def check_gain(implementation):
    above, tied = np.array([0, 2, 4, 5]), np.ones(4, int)
    assert implementation(above, tied, 5) == pytest.approx([1, 1 / 2, 1 / np.log2(6), 0])


def test_figures_from_places():
    check_hit(hit)
    fails(check_hit, lambda above, tied, k: hit(above, tied, k + 1))  # rank ≤ k + 1
    fails(check_hit, lambda above, tied, k: hit(above, tied, k - 1))  # rank < k
    fails(check_hit, lambda above, tied, k: (above <= k).astype(float))  # ranks from 0, compared with k
    check_reciprocal(reciprocal_rank)
    fails(check_reciprocal, lambda above, tied, k: reciprocal_rank(np.maximum(above - 1, 0), tied, k))
    fails(check_reciprocal, lambda above, tied, k: reciprocal_rank(above + 1, tied, k))
    fails(check_reciprocal, lambda above, tied, k: 1 / (above + 1))  # no cut at k
    check_gain(discounted_gain)
    fails(check_gain, lambda above, tied, k: discounted_gain(above + 1, tied, k))  # 1 / log2(2 + rank)
    fails(check_gain, lambda above, tied, k: hit(above, tied, k))  # no discount


# Places


def check_known_arcs_are_filtered(rank):
    scores = np.tile([9.0, 8.0, 7.0, 6.0, 5.0], (5, 1))
    known = Arcs.from_pairs([4, 4], [0, 1], num_nodes=5)
    found = rank(Table(scores), arc_cases(Arcs.from_pairs([4], [2], num_nodes=5), known), 3)
    assert found.rank.tolist() == [1]
    assert found.top.tolist() == [[2, 3, -1]]


def check_the_query_is_no_candidate(rank):
    found = rank(Table(np.eye(4) * 9 + np.arange(4)), Cases.make([0, 1], [3, 3], num_nodes=4), 2)
    assert found.rank.tolist() == [1, 1]
    assert found.top.tolist() == [[3, 2], [3, 2]]


def check_a_constant_scorer_gets_chance(rank):
    found = rank(Table(np.zeros((11, 11))), Cases.make([0], [1], num_nodes=11), 5)
    assert hit(found.above, found.tied, 5).tolist() == [0.5]


def check_the_direction_is_kept(rank):
    found = rank(
        Table([[0, 1, 2, 3], [9, 0, 0, 0], [0, 9, 0, 0], [0, 9, 9, 0]]), Cases.make([0], [3], num_nodes=4), 1
    )
    assert found.rank.tolist() == [1]


def without_known(scorer, cases, k):
    return rank_cases(scorer, replace(cases, known=None), k)


def with_the_query(scorer, cases, k):
    """Ranks among all nodes, the source included."""
    rows = scorer.scores(cases.source)
    mine = rows[np.arange(len(cases)), cases.target][:, None]
    real = rank_cases(scorer, cases, k)
    order = np.argsort(-scorer.scores(real.sources), axis=1, kind="stable")[:, :k]
    return Ranking((rows > mine).sum(1), (rows == mine).sum(1), real.sources, order)


def hopeful(scorer, cases, k):
    """Ties count as won."""
    found = rank_cases(scorer, cases, k)
    return replace(found, tied=np.ones_like(found.tied))


def gloomy(scorer, cases, k):
    """Ties count as lost."""
    found = rank_cases(scorer, cases, k)
    return replace(found, above=found.above + found.tied - 1, tied=np.ones_like(found.tied))


def swapped(scorer, cases, k):
    """Source and target changed places."""
    return rank_cases(Table(scorer.table.T), cases, k)


@pytest.mark.parametrize(
    ("check", "mutants"),
    [
        (check_known_arcs_are_filtered, [without_known]),
        (check_the_query_is_no_candidate, [with_the_query]),
        (check_a_constant_scorer_gets_chance, [hopeful, gloomy]),
        (check_the_direction_is_kept, [swapped]),
    ],
)
def test_places(check, mutants):
    check(rank_cases)
    for mutant in mutants:
        fails(check, mutant)


# Direction


def direction_of(scores, popularity=(0.0,) * 6):
    pairs = np.array([[0, 1, 2, 3, 0], [1, 2, 3, 4, 5]])
    return Table(scores), DirectionCases(pairs, pairs[::-1], pairs, np.array(popularity))


def check_symmetric_scores_get_one_half(judge):
    scores = np.random.default_rng(0).normal(size=(6, 6))
    found = judge(*direction_of(scores + scores.T))
    assert found.direction_auc == found.direction_auc_paired == found.direction_auc_matched == 0.5


def check_the_right_way_round_wins(judge):
    found = judge(*direction_of(np.triu(np.ones((6, 6)))))
    assert found.direction_auc == found.direction_auc_paired == found.direction_auc_matched == 1


def check_popularity_is_matched_out(judge):
    popularity = np.array([10.0, 11, 12, 13, 14, 9])
    found = judge(*direction_of(np.tile(popularity, (6, 1)), popularity))
    assert found.direction_auc_paired == 0.8
    assert found.direction_auc_matched == 0.5


def ties_win(scorer, cases):
    return judge_direction(Table(scorer.table - 1e-9 * np.tril(np.ones((6, 6)))), cases)


def backwards(scorer, cases):
    return judge_direction(Table(scorer.table.T), cases)


def unmatched(scorer, cases):
    found = judge_direction(scorer, cases)
    return replace(found, direction_auc_matched=found.direction_auc_paired)


def test_direction():
    check_symmetric_scores_get_one_half(judge_direction)
    fails(check_symmetric_scores_get_one_half, ties_win)
    check_the_right_way_round_wins(judge_direction)
    fails(check_the_right_way_round_wins, backwards)
    check_popularity_is_matched_out(judge_direction)
    fails(check_popularity_is_matched_out, unmatched)


# Splits


def check_a_leak_free_split_has_no_leak(split):
    pairs = np.argwhere(~np.eye(12, dtype=bool)).T
    arcs = Arcs.from_pairs(*pairs, num_nodes=12)
    found = split(arcs, seed=0, leak_free=True)
    assert not found.train.contains(*found.test.pairs[::-1]).any()
    assert not found.train.contains(*found.test.pairs).any()


def leaks_the_reverse(arcs, *, seed, leak_free):
    return split_arcs(arcs, seed=seed)


def trains_on_everything(arcs, *, seed, leak_free):
    found = split_arcs(arcs, seed=seed, leak_free=leak_free)
    return ArcSplit(arcs, found.valid, found.test)


def test_splits():
    check_a_leak_free_split_has_no_leak(split_arcs)
    fails(check_a_leak_free_split_has_no_leak, leaks_the_reverse)
    fails(check_a_leak_free_split_has_no_leak, trains_on_everything)
