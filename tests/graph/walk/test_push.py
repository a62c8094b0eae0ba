"""PageRank by push against dense solutions, its guarantees, and networkx."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.graph.walk.literal import adjacency, page_rank, relations, transition

from thence.base.errors import ConfigError, DataError
from thence.graph import Arcs
from thence.graph.sample import Side
from thence.graph.walk import contributions, mixture, push

quick = settings(deadline=None, max_examples=60)
ROUND = 1e-12
alphas, epsilons = st.sampled_from([0.1, 0.15, 0.5, 0.9]), st.sampled_from([0.3, 1e-2, 1e-5, 1e-9])
sides, weights = st.sampled_from(["out", "into"]), st.sampled_from([None, "weight"])
EVEN = {"out": "into", "into": "out"}


def residual(arcs, seed, mass, alpha, direction, weight, dangling):
    """The r = e - (p - (1 - α) Pᵀ p) / α that a mass leaves undone of the equation that PageRank solves."""
    step = transition(arcs, direction, weight)
    for node in np.flatnonzero(step.sum(axis=1) == 0):
        step[node, node if dangling == "end" else seed] = 1
    return np.eye(arcs.num_nodes)[seed] - (mass - (1 - alpha) * step.T @ mass) / alpha


@quick
@given(relations(), alphas, epsilons, sides, weights, st.sampled_from(["end", "restart"]))
def test_push_keeps_its_guarantee(arcs, alpha, epsilon, direction, weight, dangling):
    seeds = list(range(arcs.num_nodes))
    near = push(arcs, seeds, alpha, epsilon, direction=direction, weight=weight, dangling=dangling)
    degree = adjacency(arcs, direction).sum(axis=1)
    for seed, mass in enumerate(near.matrix().toarray()):
        exact = page_rank(arcs, seed, alpha, direction, weight, dangling)
        rest = residual(arcs, seed, mass, alpha, direction, weight, dangling)
        assert (rest >= -1e-9).all() and (rest <= epsilon * degree + 1e-9).all()
        assert near.left[seed] == pytest.approx(rest.sum(), abs=1e-9)
        assert mass.sum() + near.left[seed] == pytest.approx(1, abs=ROUND)
        assert (mass <= exact + ROUND).all() and (exact <= mass + near.left[seed] + ROUND).all()
        assert (exact - mass).sum() == pytest.approx(near.left[seed], abs=1e-9)


@quick
@given(relations(), alphas, epsilons, weights)
def test_backward_push_keeps_its_guarantee(arcs, alpha, epsilon, weight):
    exact = np.array([page_rank(arcs, seed, alpha, "out", weight) for seed in range(arcs.num_nodes)])
    near = contributions(arcs, range(arcs.num_nodes), alpha, epsilon, weight=weight)
    for target, mass in enumerate(near.matrix().toarray()):
        assert near.left[target] <= epsilon + ROUND
        assert (mass <= exact[:, target] + 1e-9).all()
        assert (exact[:, target] <= mass + near.left[target] + 1e-9).all()


@quick
@given(relations(), sides, weights)
def test_against_the_arcs_is_along_the_reversed(arcs, direction, weight):
    seeds = range(arcs.num_nodes)
    one = push(arcs, seeds, direction=direction, weight=weight)
    other = push(arcs.reversed(), seeds, direction=EVEN[direction], weight=weight)
    assert one.matrix().toarray() == pytest.approx(other.matrix().toarray(), abs=ROUND)


def check_direction(implementation):
    """Along a → b → c and a → c: from a all is reached, from c nothing."""
    arcs = Arcs.from_pairs([0, 0, 1], [1, 2, 2], num_nodes=3, weight=[3, 1, 7])
    assert implementation(arcs, [0], 0.5, "weight").tolist() == [[0.5, 0.1875, 0.3125]]
    assert implementation(arcs, [2], 0.5, "weight").tolist() == [[0, 0, 1]]


def test_a_push_the_wrong_way_is_seen():
    def forward(arcs, seeds, alpha, weight, **more):
        return push(arcs, seeds, alpha, 1e-9, weight=weight, **more).matrix().toarray()

    check_direction(forward)
    for mutant in (
        lambda *given: forward(*given, direction="into"),
        lambda arcs, *given: forward(arcs.reversed(), *given),
        lambda arcs, seeds, alpha, weight: forward(arcs, seeds, alpha, None),
        lambda arcs, seeds, alpha, weight: forward(arcs, seeds, 1 - alpha / 2, weight),
        lambda arcs, *given: contributions(arcs, *given[:2], 1e-9, weight=given[2]).matrix().toarray(),
    ):
        with pytest.raises(AssertionError):
            check_direction(mutant)


def test_networkx_gives_the_same_when_walks_restart():
    rng = np.random.default_rng(0)
    pairs = np.unique(rng.integers(0, 60, (300, 2)), axis=0)
    source, target = pairs[(pairs[:, 0] != pairs[:, 1]) & (pairs[:, 0] % 5 > 0)].T  # every fifth node is an end
    weight = rng.integers(1, 9, len(source)).astype(float)
    arcs = Arcs.from_pairs(source, target, num_nodes=60, weight=weight)
    graph = nx.DiGraph()
    graph.add_nodes_from(range(60))
    graph.add_weighted_edges_from(zip(source.tolist(), target.tolist(), weight.tolist(), strict=True))
    for seed in (1, 2, 5):
        theirs = nx.pagerank(graph, alpha=0.85, personalization={seed: 1.0}, tol=1e-14, max_iter=1000)
        ours = push(arcs, [seed], 0.15, 1e-12, weight="weight", dangling="restart").matrix().toarray()[0]
        assert ours == pytest.approx([theirs[node] for node in range(60)], abs=1e-9)


def test_the_work_does_not_grow_with_the_graph():
    """1 / (α ε) arcs are passed at most; a node is reached only by a push."""
    ring = Arcs.from_pairs(np.arange(100_000), (np.arange(100_000) + 1) % 100_000, num_nodes=100_000)
    near = push(ring, [0], 0.5, 1e-3)
    assert near.row(0)[0].tolist() == list(range(10))  # 2⁻¹⁰ < 10⁻³
    assert near.row(0)[1].tolist() == [2.0 ** -(k + 1) for k in range(10)]


@quick
@given(relations(), weights)
def test_threads_and_company_change_nothing(arcs, weight):
    seeds = [*range(arcs.num_nodes), 0] * 3
    one, two = (push(arcs, seeds, weight=weight, threads=threads) for threads in (1, 2))
    assert one.nodes.tolist() == two.nodes.tolist() and one.mass.tolist() == two.mass.tolist()
    alone = push(arcs, seeds[-1:], weight=weight)
    assert one.row(len(seeds) - 1)[1].tolist() == alone.mass.tolist()
    assert all(one.row(at)[0][0] == seed for at, seed in enumerate(seeds))  # the seed is found first


def test_a_push_over_a_mixture():
    views, buys = Arcs.from_pairs([0, 0], [1, 2], num_nodes=4), Arcs.from_pairs([0], [3], num_nodes=4)
    side = mixture({"views": views, "buys": buys}, {"views": 1, "buys": 3})
    expected = [0.5, 1 / 16, 1 / 16, 3 / 8]
    assert push(side, [0], 0.5, 1e-9).matrix().toarray()[0] == pytest.approx(expected)


def test_top_k_orders_by_mass_and_ties_by_node():
    arcs = Arcs.from_pairs([0] * 4, [4, 2, 3, 1], num_nodes=5, weight=[1, 1, 3, 1])
    near = push(arcs, [0, 4], 0.5, 1e-9, weight="weight")
    nodes, mass = near.top_k(3)
    assert nodes.tolist() == [[3, 1, 2], [-1, -1, -1]]
    assert mass == pytest.approx(np.array([[0.25, 1 / 12, 1 / 12], [0, 0, 0]]))
    assert near.top_k(2, with_seed=True)[0].tolist() == [[0, 3], [4, -1]]
    assert near.top_k(9)[0].tolist()[0] == [3, 1, 2, 4, -1, -1, -1, -1, -1]


@quick
@given(relations(), st.integers(1, 9), st.booleans())
def test_top_k_is_the_head_of_the_sorted_row(arcs, k, with_seed):
    near = push(arcs, range(arcs.num_nodes))
    nodes, mass = near.top_k(k, with_seed=with_seed)
    for at in range(arcs.num_nodes):
        row = [
            (-m, v) for v, m in zip(*map(np.ndarray.tolist, near.row(at)), strict=True) if with_seed or v != at
        ]
        expected = sorted(row)[:k]
        assert nodes[at, : len(expected)].tolist() == [v for _, v in expected]
        assert mass[at, : len(expected)].tolist() == [-m for m, _ in expected]
        assert (nodes[at, len(expected) :] == -1).all() and not mass[at, len(expected) :].any()


def test_empty_graphs_and_no_seeds():
    empty = Arcs.from_pairs([], [], num_nodes=3)
    assert push(empty, [1]).matrix().toarray().tolist() == [[0, 1, 0]]
    assert push(empty, [1], dangling="restart").matrix().toarray().tolist() == [[0, 1, 0]]
    assert contributions(empty, [1]).matrix().toarray().tolist() == [[0, 1, 0]]
    assert push(empty, []).matrix().shape == (0, 3)
    assert push(Arcs.from_pairs([], [], num_nodes=0), []).top_k(2)[0].shape == (0, 2)


SMALL = Arcs.from_pairs([0, 1], [1, 2], num_nodes=3)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: push(SMALL, [3]), DataError, "seed 3 is out of range"),
        (lambda: push(SMALL, [0], 0.0), ConfigError, "alpha is 0.0"),
        (lambda: push(SMALL, [0], float("nan")), ConfigError, "alpha is nan"),
        (lambda: push(SMALL, [0], 0.5, 0.0), ConfigError, "epsilon is 0.0"),
        (lambda: push(SMALL, [0], 0.5, float("nan")), ConfigError, "epsilon is nan"),
        (lambda: push(SMALL, [0], direction="both"), ConfigError, "no direction"),
        (lambda: push(SMALL, [0], dangling="lost"), ConfigError, "no such end 'lost'"),
        (lambda: push(SMALL, [0], weight="lift"), DataError, "no value 'lift'"),
        (lambda: push(SMALL.with_value("weight", [-1, 1]), [0], weight="weight"), DataError, "negative"),
        (lambda: push(SMALL, [0], threads=0), ConfigError, "threads is 0"),
        (lambda: push(Side(SMALL.indptr, SMALL.targets), [0], weight="weight"), ConfigError, "own weights"),
        (lambda: contributions(SMALL, [-1]), DataError, "out of range"),
        (lambda: contributions(SMALL, [0], 1.0), ConfigError, "alpha is 1.0"),
        (lambda: push(SMALL, [0]).top_k(0), ConfigError, "k is 0"),
    ],
)
def test_what_is_no_push_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()
