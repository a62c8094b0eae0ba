"""Existence and direction: oracles, and what symmetric scores and in-degree must get."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from thence.base.errors import DataError
from thence.base.ids import IdMap
from thence.encode.embeddings import Embeddings
from thence.evaluate.direction import (
    absent_pairs,
    auc,
    direction_cases,
    judge_direction,
    matched_share,
    score_pairs,
)
from thence.graph.arcs import Arcs
from thence.graph.split import split_arcs

spec = importlib.util.spec_from_file_location("literal", Path(__file__).with_name("literal.py"))
literal = importlib.util.module_from_spec(spec)
spec.loader.exec_module(literal)
Table = literal.Table


def random_arcs(num_nodes=60, num_arcs=400, seed=0):
    """Arcs whose targets follow a popularity with a long tail."""
    rng = np.random.default_rng(seed)
    share = 1 / np.arange(1, num_nodes + 1) ** 1.5
    source = rng.integers(0, num_nodes, 4 * num_arcs)
    target = rng.choice(num_nodes, 4 * num_arcs, p=share / share.sum())
    keys = np.unique((source * num_nodes + target)[source != target])
    source, target = np.divmod(rng.choice(keys, min(num_arcs, len(keys)), replace=False), num_nodes)
    return Arcs.from_pairs(source, target, num_nodes=num_nodes)


def made(seed=0):
    arcs = random_arcs(seed=seed)
    split = split_arcs(arcs, seed=seed)
    return arcs, split, direction_cases(split.test, split.train, arcs, seed=seed)


@settings(deadline=None)
@given(
    st.lists(st.sampled_from([0.0, 1.0, 2.0, -np.inf]), min_size=1, max_size=8),
    st.lists(st.sampled_from([0.0, 1.0, 2.0, -np.inf]), min_size=1, max_size=8),
)
def test_auc_is_the_share_of_pairs_won(positive, negative):
    literal_auc = np.mean([(p > n) + 0.5 * (p == n) for p in positive for n in negative])
    assert auc(np.array(positive), np.array(negative)) == pytest.approx(literal_auc)


def test_auc_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    positive, negative = rng.integers(1, 9, 200).astype(float), rng.integers(0, 8, 300).astype(float)
    labels = np.r_[np.ones(200), np.zeros(300)]
    assert auc(positive, negative) == pytest.approx(roc_auc_score(labels, np.r_[positive, negative]))
    assert np.isnan(auc(positive, np.empty(0)))


@pytest.mark.parametrize("seed", range(3))
def test_figures_against_their_literal_definition(seed):
    _arcs, split, cases = made(seed)
    scores = np.random.default_rng(seed).integers(0, 9, (60, 60)).astype(float)
    found = judge_direction(Table(scores), cases)
    forward = [scores[u, v] for u, v in cases.one_way.T]
    backward = [scores[v, u] for u, v in cases.one_way.T]
    wins = [(f > b) + 0.5 * (f == b) for f, b in zip(forward, backward, strict=True)]
    assert found.direction_auc_paired == pytest.approx(np.mean(wins))
    pooled = [(f > b) + 0.5 * (f == b) for f in forward for b in backward]
    assert found.direction_auc == pytest.approx(np.mean(pooled))
    exist = [scores[u, v] for u, v in split.test.pairs.T]
    absent = [scores[u, v] for u, v in cases.absent.T]
    assert found.existence_auc == pytest.approx(auc(np.array(exist), np.array(absent)))


@pytest.mark.parametrize("seed", range(3))
def test_a_symmetric_score_gets_one_half_in_each_figure(seed):
    *_, cases = made(seed)
    scores = np.random.default_rng(seed).normal(size=(60, 60))
    found = judge_direction(Table(scores + scores.T), cases)
    assert found.direction_auc == pytest.approx(0.5)
    assert found.direction_auc_paired == found.direction_auc_matched == 0.5


def test_in_degree_gets_much_unmatched_one_half_matched_and_gains_nothing():
    _, split, cases = made()
    popular = Table(np.tile(split.train.in_degree.astype(float), (60, 1)))
    found = judge_direction(popular, cases)
    assert found.direction_auc > 0.8
    assert found.gain == 0
    assert found.num_matched > 5
    assert found.direction_auc_matched == pytest.approx(0.5)


def test_a_score_that_knows_the_arcs_gets_everything():
    arcs, _, cases = made()
    found = judge_direction(Table(arcs.matrix().toarray()), cases)
    assert found.existence_auc == found.direction_auc == found.direction_auc_paired == 1
    assert found.direction_auc_matched == 1
    backwards = judge_direction(Table(arcs.matrix().toarray().T), cases)
    assert backwards.direction_auc == backwards.direction_auc_paired == 0


def test_matching_literally():
    rng = np.random.default_rng(4)
    win = rng.integers(0, 3, 300) / 2
    source, target = rng.integers(0, 30, 300), rng.integers(0, 30, 300)
    level, up, down = [], [], []
    for w, s, t in zip(win, source, target, strict=True):
        if max(1 + s, 1 + t) ** 2 <= 2 * min(1 + s, 1 + t) ** 2:
            (level if s == t else up if t > s else down).append(w)
    tilted = len(up) + len(down)
    wanted = (sum(level) + tilted * (np.mean(up) + np.mean(down)) / 2) / (len(level) + tilted)
    assert matched_share(win, source.astype(float), target.astype(float)) == (
        pytest.approx(wanted),
        len(level) + tilted,
    )
    nothing = matched_share(np.ones(2), np.array([0.0, 0.0]), np.array([50.0, 60.0]))
    assert np.isnan(nothing[0]) and nothing[1] == 0


def test_absent_pairs_are_no_arcs_of_any_relation_and_no_loops():
    arcs, _split, cases = made()
    assert cases.absent.shape == cases.arcs.shape
    assert not arcs.contains(*cases.absent).any()
    assert (cases.absent[0] != cases.absent[1]).all()
    again, other = absent_pairs([arcs], 50, seed=1), absent_pairs([arcs], 50, seed=2)
    assert np.array_equal(again, absent_pairs([arcs], 50, seed=1))
    assert not np.array_equal(again, other)
    full = Arcs.from_pairs([0, 1], [1, 0], num_nodes=2)
    assert absent_pairs([full], 3).shape == (2, 0)


def test_one_way_arcs_have_no_reverse_anywhere():
    arcs, _, cases = made()
    assert cases.one_way.shape[1] > 20
    assert not arcs.contains(*cases.one_way[::-1]).any()


def test_embeddings_are_scored_pair_by_pair_as_by_rows():
    rng = np.random.default_rng(0)
    ids = IdMap([f"n{i}" for i in range(60)])
    vectors = Embeddings(ids, rng.normal(size=(60, 8)), rng.normal(size=(60, 8)), rng.normal(size=60))
    source, target = rng.integers(0, 60, (2, 500))
    rows = vectors.scores(source)[np.arange(500), target]
    assert score_pairs(vectors, source, target) == pytest.approx(rows, abs=1e-5)
    table = Table(vectors.scores(np.arange(60)))
    assert score_pairs(table, source, target) == pytest.approx(rows, abs=1e-5)


def test_a_limit_draws_a_sample():
    arcs, split, _ = made()
    cases = direction_cases(split.test, split.train, arcs, limit=20)
    assert cases.arcs.shape == cases.absent.shape == (2, 20)
    assert split.test.contains(*cases.one_way).all()


def test_what_cannot_be_judged_is_refused():
    _arcs, split, cases = made()
    with pytest.raises(DataError, match="no test arcs"):
        direction_cases(Arcs.from_pairs([], [], num_nodes=60), split.train)
    with pytest.raises(DataError, match="known arcs are among"):
        direction_cases(split.test, Arcs.from_pairs([0], [1], num_nodes=2))
    with pytest.raises(DataError, match="the scorer knows 3 nodes"):
        judge_direction(Table(np.zeros((3, 3))), cases)
