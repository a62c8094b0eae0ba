"""Spectral embeddings against dense formulas written a second time, and against mutants that drop direction."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.encode.graphs import random_graph, reversed_graph
from tests.worlds import one_way_communities

from thence.base.errors import FitError
from thence.encode.loss import top_loss
from thence.encode.spectral import PartsConfig, arc_odds, spectral, spectral_scorer
from thence.encode.spectral import spectral as room
from thence.encode.spectral.calibrate import facts, labelled
from thence.encode.spectral.compress import compress
from thence.encode.spectral.factor import left_vectors, orthonormal, thin
from thence.encode.spectral.mix import Mix, make_lists, mixed, plain_mix, scales
from thence.encode.spectral.parts import make_parts
from thence.graph import Arcs, DiGraph
from thence.graph.split import split_arcs

PLAIN = PartsConfig(damp=0.0, weight_power=1.0, ridge=(2.0,), beside=0.5)
EVERYONE = np.arange(12)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def graph() -> DiGraph:
    main, other = random_graph(seed=1), random_graph(num_arcs=25, seed=2)
    return DiGraph(main.ids, {"bought_after": main.main, "viewed": other.main})


def rows(part, num=12) -> np.ndarray:
    return part.rows(np.arange(num))


def test_parts_are_what_their_formulas_say(graph: DiGraph) -> None:
    parts = make_parts(graph, PLAIN)
    a, v = (arcs.matrix().toarray().astype(float) for arcs in graph.relations.values())
    profile = np.hstack([a, 0.5 * a.T, 0.5 * v, 0.5 * v.T])
    gram = profile @ profile.T
    ridge = 2.0 * np.trace(gram) / 12
    hat = gram @ np.linalg.inv(gram + ridge * np.eye(12))
    np.testing.assert_allclose(rows(parts["like sources 2"]), hat @ a, atol=1e-3)
    profile = np.hstack([a.T, 0.5 * a, 0.5 * v, 0.5 * v.T])
    gram = profile @ profile.T
    hat = gram @ np.linalg.inv(gram + 2.0 * np.trace(gram) / 12 * np.eye(12))
    np.testing.assert_allclose(rows(parts["like targets 2"]), a @ hat / (1 - np.diag(hat)), atol=1e-3)
    np.testing.assert_allclose(rows(parts["reverse"]), a.T, atol=1e-6)
    chance = a / np.maximum(a.sum(1, keepdims=True), 1e-12)
    walks = sum(0.4 * 0.6 ** (t - 1) * np.linalg.matrix_power(chance, t) for t in (1, 2, 3, 4))
    np.testing.assert_allclose(rows(parts["walks"]), walks, atol=1e-6)
    unit = a / np.maximum(np.linalg.norm(a, axis=1, keepdims=True), 1e-12)
    np.testing.assert_allclose(rows(parts["near sources"]), unit @ unit.T @ a, atol=1e-5)
    seen = v / np.maximum(v.sum(1, keepdims=True), 1e-12)
    np.testing.assert_allclose(rows(parts["viewed, then"]), seen @ a, atol=1e-5)


def test_ridge_ranks_what_is_not_known_as_the_regression_with_zero_diagonal_does(graph: DiGraph) -> None:
    a = graph.main.matrix().toarray().astype(float)
    ridge = 2.0 * (a**2).sum() / 12
    inverse = np.linalg.inv(a.T @ a + ridge * np.eye(12))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    literal, ours = a @ weights, rows(make_parts(graph, PLAIN)["ridge 2"])
    unknown = a == 0
    np.testing.assert_allclose(ours[unknown], literal[unknown], atol=2e-3)


def test_every_part_is_one_matrix_however_it_is_asked(graph: DiGraph) -> None:
    dense = np.random.default_rng(0).standard_normal((12, 5)).astype(np.float32)
    for name, part in make_parts(graph, PartsConfig()).items():
        whole = rows(part)
        np.testing.assert_allclose(part.times(dense), whole @ dense, atol=1e-4, err_msg=name)
        np.testing.assert_allclose(part.back(dense), whole.T @ dense, atol=1e-4, err_msg=name)
        np.testing.assert_allclose(rows(part.turned()), whole.T, atol=1e-5, err_msg=name)
        np.testing.assert_allclose(part.rows(np.array([3, 3])), whole[[3, 3]], atol=1e-6, err_msg=name)


def test_factors_are_those_of_a_dense_decomposition() -> None:
    rng = np.random.default_rng(0)
    matrix = (rng.standard_normal((30, 4)) * [9, 5, 2, 1]) @ rng.standard_normal((4, 20))

    def times(x):
        return matrix @ x

    def back(x):
        return matrix.T @ x

    left, values = left_vectors(times, back, 20, 3, seed=0)
    np.testing.assert_allclose(values, np.linalg.svd(matrix)[1][:3], rtol=1e-4)
    np.testing.assert_allclose(left.T @ left, np.eye(3), atol=1e-4)
    source, target = thin(times, back, 20, 4, seed=0)
    np.testing.assert_allclose(source @ target.T, matrix, atol=1e-3)
    basis = orthonormal(rng.standard_normal((50, 3)) @ rng.standard_normal((3, 6)))
    np.testing.assert_allclose(np.linalg.eigvalsh(basis.T @ basis), [0, 0, 0, 1, 1, 1], atol=1e-8)


def test_compress_finds_the_weighted_sum_when_there_is_room(graph: DiGraph) -> None:
    parts = make_parts(graph, PLAIN)
    share = np.random.default_rng(0).random((len(parts), 12)).astype(np.float32)
    whole = sum(s[:, None] * rows(part) for s, part in zip(share, parts.values(), strict=True))
    source, target = compress(parts, share, 12)
    np.testing.assert_allclose(source @ target.T, whole, atol=2e-3)


def test_top_loss_is_its_formula_and_between_its_limits() -> None:
    rng = np.random.default_rng(0)
    scores, share = rng.standard_normal((3, 5)), rng.random((3, 5))
    share /= share.sum()
    weight = np.where(rng.random((3, 5)) < 0.2, -np.inf, 0.1)
    total = 0.0
    for b in range(3):
        denominator = sum(np.exp(scores[b, c] + weight[b, c]) for c in range(5))
        for c in range(5):
            chance = min(np.exp(scores[b, c]) / denominator, 1.0)
            total += share[b, c] * (1 - chance**0.7) / 0.7
    tensors = [torch.from_numpy(array) for array in (scores, share, weight)]
    assert top_loss(*tensors, 0.7).item() == pytest.approx(total)
    nearly = top_loss(*tensors, 1e-6).item()
    assert nearly == pytest.approx(
        -(tensors[1] * torch.log(chances(*tensors)).clamp(max=0)).sum().item(), rel=1e-4
    )


def chances(scores, share, weight):
    return torch.exp(scores - torch.logsumexp(scores + weight, 1, keepdim=True))


def test_lists_hold_what_is_hidden_and_nothing_that_is_known(graph: DiGraph) -> None:
    split = split_arcs(graph.main, (0.6, 0.0, 0.4), seed=0)
    rest = DiGraph(graph.ids, {"bought_after": split.train})
    parts = make_parts(rest, PLAIN)
    lists = make_lists(parts, split.train, split.test, plain_mix(len(parts)), 0)
    assert lists.target.sum().item() == pytest.approx(1.0)
    assert int((lists.target > 0).sum()) == split.test.num_arcs
    open_ = 12 * 12 - 12 - split.train.num_arcs
    rows_with_hidden = int((split.test.out_degree > 0).sum())
    assert int(torch.isfinite(lists.log_weight).sum()) <= open_
    assert lists.values.shape[1] == rows_with_hidden
    unknown = torch.zeros(2 * len(parts) + 2)
    unknown[0] = 2.0
    np.testing.assert_allclose(mixed(lists, unknown).numpy(), 2 * lists.values[0].numpy())


def test_odds_are_learned_from_reverses_that_are_no_arcs() -> None:
    known = Arcs.from_pairs([0, 1], [1, 0], num_nodes=5)
    hidden = Arcs.from_pairs([0, 2, 3, 4], [2, 3, 2, 0], num_nodes=5)  # 2 and 3 lead to each other
    pairs, label, weight = labelled(known, hidden)
    none = {tuple(pair) for pair in pairs[:, label == 0].T.tolist()}
    arcs = {tuple(pair) for pair in np.concatenate([known.pairs, hidden.pairs], axis=1).T.tolist()}
    assert not none & arcs and {(2, 0), (0, 4)} <= none and all(i != j for i, j in none)
    assert weight[label == 1].sum() == pytest.approx(1.0) and weight[label == 0].sum() == pytest.approx(1.0)
    assert facts(known)[0].tolist() == pytest.approx([1.0, np.log(2), np.log(2)])


@pytest.fixture(scope="module")
def communities() -> DiGraph:
    return one_way_communities()[0]


def test_embeddings_with_room_are_the_exact_scorer(communities: DiGraph) -> None:
    scorer = spectral_scorer(communities)
    everyone = np.arange(communities.num_nodes)
    embeddings = scorer.embeddings(communities.num_nodes + 2)
    exact = scorer.scores(everyone)
    assert np.abs(embeddings.scores(everyone) - exact).max() < 0.02 * np.abs(exact).max()


def test_calibration_leaves_every_list_as_it_is(communities: DiGraph) -> None:
    scorer = spectral_scorer(communities)
    plain = replace(scorer, alpha=np.ones_like(scorer.alpha), offset=np.zeros_like(scorer.offset))
    everyone = np.arange(communities.num_nodes)
    ours, raw = scorer.scores(everyone), plain.scores(everyone)
    assert (scorer.alpha > 0).all()
    np.testing.assert_array_equal(ours.argmax(1), raw.argmax(1))


def forward_share(make, graph: DiGraph) -> float:
    """Of arcs held out, the share that scores above its reverse."""
    split = split_arcs(graph.main, (0.8, 0.0, 0.2), seed=0, leak_free=True)
    scorer = make(DiGraph(graph.ids, {"bought_after": split.train}))
    source, target = split.test.pairs
    scores = scorer.scores(np.arange(graph.num_nodes))
    return float((scores[source, target] > scores[target, source]).mean())


def test_direction_is_found_and_mutants_lose_it(communities: DiGraph) -> None:
    def symmetric(graph: DiGraph):
        both = graph.main.matrix() + graph.main.matrix().T
        source, target = both.nonzero()
        blind = Arcs.from_pairs(source, target, num_nodes=graph.num_nodes)
        return spectral(DiGraph(graph.ids, {"bought_after": blind}))

    def turned(graph: DiGraph):
        return spectral(reversed_graph(graph))

    assert forward_share(spectral, communities) > 0.95
    assert forward_share(symmetric, communities) < 0.8
    assert forward_share(turned, communities) < 0.05


def test_weights_lean_on_what_tells_hidden_arcs(communities: DiGraph) -> None:
    """The reverse of an arc says nothing where all arcs are one-way, and is not relied on."""
    weights = spectral_scorer(communities).info["mix"]["weights"]
    likeness = sum(abs(weights[name][0]) for name in weights if name.startswith("like"))
    assert abs(weights["reverse"][0]) < likeness


def test_small_graphs_fall_back_and_empty_ones_are_refused() -> None:
    few = DiGraph(random_graph().ids, {"bought_after": random_graph(num_arcs=10).main})
    assert set(np.array(list(spectral_scorer(few).info["mix"]["weights"].values()))[:, 0]) == {1.0}
    with pytest.raises(FitError, match="no arcs"):
        spectral(DiGraph(few.ids, {"bought_after": Arcs.from_pairs([], [], num_nodes=12)}))


def test_scales_look_at_unknown_pairs_alone() -> None:
    arcs = Arcs.from_pairs([0, 1], [1, 2], num_nodes=3)
    graph = DiGraph(random_graph(3, 2).ids, {"bought_after": arcs})
    parts = {name: make_parts(graph, PLAIN)[name] for name in ("reverse",)}
    assert scales(parts, arcs).tolist() == [0.5]  # of 0's row 1 → 0 turned round is nothing, of 1's row 0 is 1
    assert (
        Mix(np.ones(1), np.zeros(1), (0.0, 0.0), (0.0, 1.0)).shares(np.array([0.5]), np.zeros(3)).max() == 2.0
    )


def test_odds_know_which_way_arcs_point_and_which_exist(communities: DiGraph) -> None:
    assert forward_share(arc_odds, communities) > 0.95
    split = split_arcs(communities.main, (0.8, 0.0, 0.2), seed=0)
    odds = arc_odds(DiGraph(communities.ids, {"bought_after": split.train}))
    rng = np.random.default_rng(0)
    absent = rng.integers(communities.num_nodes, size=(2, 200))
    absent = absent[:, ~communities.main.contains(*absent) & (absent[0] != absent[1])]
    arcs = odds.pairs(*split.test.pairs)
    assert np.mean(arcs[:, None] > odds.pairs(*absent)[None, :]) > 0.9


def test_hidden_arcs_may_be_given(communities: DiGraph) -> None:
    split = split_arcs(communities.main, (0.7, 0.0, 0.3), seed=1)
    earlier = DiGraph(communities.ids, {"bought_after": split.train})
    scorer = room(earlier, hidden=split.test)
    own = spectral_scorer(earlier, hidden=split.test)
    assert own.info["mix"]["weights"] != spectral_scorer(earlier).info["mix"]["weights"]
    assert scorer.ids == communities.ids
