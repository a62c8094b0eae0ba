"""Ranks and the figures made of them, against literal definitions, other libraries and answers by hand."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from thence.base.errors import ConfigError, DataError
from thence.evaluate.cases import Cases
from thence.evaluate.ranking import rank_cases
from thence.evaluate.tallies import case_tallies, query_tallies
from thence.graph.arcs import Arcs

spec = importlib.util.spec_from_file_location("literal", Path(__file__).with_name("literal.py"))
literal = importlib.util.module_from_spec(spec)
spec.loader.exec_module(literal)
Table = literal.Table


def figures(scorer, cases, ks, **options):
    ranking = rank_cases(scorer, cases, max(ks), **options)
    tallies = case_tallies(cases, ranking, ks) | query_tallies(cases, ranking, ks)
    return {name: tally.value for name, tally in tallies.items()}


@st.composite
def tiny(draw):
    """Cases over at most 6 nodes and a table of scores with many ties and some -inf."""
    num = draw(st.integers(3, 6))
    ordered = [(u, v) for u in range(num) for v in range(num) if u != v]
    known = draw(st.lists(st.sampled_from(ordered), unique=True, max_size=num))
    free = [pair for pair in ordered if pair not in known]
    drawn = draw(
        st.lists(st.tuples(st.sampled_from(free), st.integers(0, 1)), unique=True, min_size=1, max_size=6)
    )
    weight = draw(st.lists(st.integers(1, 4), min_size=len(drawn), max_size=len(drawn)))
    arcs = Arcs.from_pairs([u for u, _ in known], [v for _, v in known], num_nodes=num)
    cases = Cases.make(
        [pair[0] for pair, _ in drawn],
        [pair[1] for pair, _ in drawn],
        num_nodes=num,
        weight=weight,
        group=[group for _, group in drawn],
        known=arcs,
    )
    values = st.sampled_from([0.0, 1.0, 2.0, 3.0, -np.inf])
    table = draw(st.lists(st.lists(values, min_size=num, max_size=num), min_size=num, max_size=num))
    return cases, np.array(table)


@settings(deadline=None, max_examples=40)
@given(tiny(), st.integers(1, 6))
def test_every_figure_equals_its_literal_definition(drawn, k):
    cases, table = drawn
    found = figures(Table(table), cases, [k])
    wanted = {
        f"HR@{k}": literal.hit_rate(table, cases, k),
        f"MRR@{k}": literal.mrr(table, cases, k),
        f"Recall@{k}": literal.recall(table, cases, k),
        f"NDCG@{k}": literal.ndcg(table, cases, k),
    }
    assert found == pytest.approx(wanted)


@settings(deadline=None, max_examples=30)
@given(tiny(), st.randoms(use_true_random=False))
def test_figures_do_not_hang_on_what_nodes_are_called(drawn, random):
    cases, table = drawn
    name = list(range(cases.num_nodes))
    random.shuffle(name)
    name = np.array(name)
    other = np.empty_like(table)
    other[np.ix_(name, name)] = table
    moved = Arcs.from_pairs(*name[cases.known.pairs], num_nodes=cases.num_nodes)
    renamed = Cases.make(
        name[cases.source],
        name[cases.target],
        num_nodes=cases.num_nodes,
        weight=cases.weight,
        group=cases.group,
        known=moved,
    )
    assert figures(Table(other), renamed, [1, 3]) == pytest.approx(figures(Table(table), cases, [1, 3]))


@settings(deadline=None, max_examples=30)
@given(tiny())
def test_only_the_order_of_scores_counts(drawn):
    cases, table = drawn
    assert figures(Table(2 * table + 5), cases, [2]) == figures(Table(table), cases, [2])


def test_ndcg_agrees_with_scikit_learn_ties_included():
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 5, (12, 30)).astype(float)
    scores[np.arange(12), np.arange(12)] = -1  # scikit-learn does not know that the query is no candidate
    source, target = np.nonzero(rng.random((12, 30)) < 0.2)
    source, target = source[source != target], target[source != target]
    square = np.zeros((30, 30))
    square[:12] = scores
    relevant = np.zeros((12, 30))
    relevant[source, target] = 1
    found = figures(Table(square), Cases.make(source, target, num_nodes=30), [5, 10])
    rows = np.unique(source)
    for k in (5, 10):
        assert found[f"NDCG@{k}"] == pytest.approx(ndcg_score(relevant[rows], scores[rows], k=k))


def test_known_answers_by_hand():
    # from 0 the order is 4, 3, 2, 1; 4 is known already, so 3 is first and 1 is third
    scores = np.zeros((5, 5))
    scores[0] = [9, 1, 2, 3, 4]
    known = Arcs.from_pairs([0], [4], num_nodes=5)
    cases = Cases.make([0, 0], [3, 1], num_nodes=5, weight=[3, 1], known=known)
    ranking = rank_cases(Table(scores), cases, 3)
    assert ranking.rank.tolist() == [1, 3]
    assert ranking.top.tolist() == [[3, 2, 1]]
    found = figures(Table(scores), cases, [1, 2, 3])
    assert found["HR@1"] == found["HR@2"] == 0.75
    assert found["HR@3"] == 1
    assert found["MRR@3"] == pytest.approx((3 * 1 + 1 / 3) / 4)
    assert found["Recall@2"] == 0.5
    assert found["NDCG@3"] == pytest.approx((1 + 1 / 2) / (1 + 1 / np.log2(3)))


@pytest.mark.parametrize("k", [1, 5, 20])
def test_a_constant_scorer_gets_exactly_what_guessing_gets(k):
    num = 41
    cases = Cases.make([0, 0, 7], [1, 30, 2], num_nodes=num)
    found = figures(Table(np.full((num, num), 3.0)), cases, [k])
    assert found[f"HR@{k}"] == pytest.approx(k / (num - 1))
    assert found[f"MRR@{k}"] == pytest.approx(sum(1 / r for r in range(1, k + 1)) / (num - 1))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize("batch", [1, 7, None])
def test_batches_and_types_of_scores_do_not_matter(batch, dtype):
    rng = np.random.default_rng(1)
    num = 60
    table = rng.integers(0, 40, (num, num))
    pairs = rng.choice(num * num, 400, replace=False)
    source, target = np.divmod(pairs[pairs // num != pairs % num], num)
    cases = Cases.make(source, target, num_nodes=num)
    scorer = Table(table)
    scorer.table = table.astype(dtype)
    found = rank_cases(scorer, cases, 10, batch=batch)
    for at in range(0, len(source), 37):
        row = [table[source[at], node] for node in range(num) if node != source[at]]
        mine = table[source[at], target[at]]
        assert found.above[at] == sum(x > mine for x in row)
        assert found.tied[at] == sum(x == mine for x in row)
    for at, node in enumerate(found.sources):
        order = sorted((n for n in range(num) if n != node), key=lambda n: (-table[node, n], n))
        assert found.top[at].tolist() == order[:10]


def test_what_must_never_be_answered_is_never_listed():
    scores = np.full((4, 4), -np.inf)
    scores[0, 2] = 1.0
    ranking = rank_cases(Table(scores), Cases.make([0, 0], [2, 1], num_nodes=4), 3)
    assert ranking.top.tolist() == [[2, -1, -1]]
    assert ranking.rank.tolist() == [1, 2.5]


def test_a_scorers_own_table_is_left_alone():
    scorer = Table(np.ones((3, 3)))
    rank_cases(scorer, Cases.make([0], [1], num_nodes=3))
    assert (scorer.table == 1).all()


def test_bad_scores_and_settings_are_refused():
    cases = Cases.make([0], [1], num_nodes=3)
    broken = np.zeros((3, 3))
    broken[0, 2] = np.nan
    with pytest.raises(DataError, match="0 → 2 is NaN"):
        rank_cases(Table(broken), cases)
    with pytest.raises(DataError, match="4 nodes"):
        rank_cases(Table(np.zeros((4, 4))), cases)
    scorer = Table(np.zeros((3, 3)))
    scorer.table = np.zeros((3, 2))
    with pytest.raises(DataError, match="shape"):
        rank_cases(scorer, cases)
    with pytest.raises(ConfigError, match="k is 0"):
        rank_cases(Table(np.zeros((3, 3))), cases, 0)
