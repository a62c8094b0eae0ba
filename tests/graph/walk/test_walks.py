"""Each step of a walk against its transition matrix; where a walk ends; what it depends on."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.graph.walk.literal import adjacency, fair, relations, transition

from thence.base.errors import ConfigError, DataError
from thence.graph import Arcs
from thence.graph.sample import Side
from thence.graph.walk import Walker, mixture

quick = settings(deadline=None, max_examples=40)
WALKS = 4000
PAIRS = ([0, 0, 0, 1, 1, 2, 3, 3, 4], [1, 2, 3, 2, 4, 0, 0, 4, 5])
SMALL = Arcs.from_pairs(*PAIRS, num_nodes=6, weight=[1, 2, 5, 3, 1, 1, 0, 4, 2])
EVEN = {"out": "into", "into": "out"}


def distributions(arcs, start, length, *, direction, alternate, restart, weight):
    """The exact distribution over (node, or stopped; steps taken since the start, odd or not), by place."""
    n = arcs.num_nodes
    ways = [transition(arcs, direction, weight), transition(arcs, EVEN[direction], weight)]
    state = np.zeros((2, n + 1))
    state[0, start] = 1
    yield state.sum(axis=0)
    for _ in range(length):
        following = np.zeros_like(state)
        following[0, n] = state[:, n].sum()
        for odd in (0, 1):
            way = ways[odd if alternate else 0]
            for node in range(n):
                here, dead = state[odd, node], way[node].sum() == 0
                following[0, start] += here * (1.0 if dead and restart else restart)
                if dead and not restart:
                    following[0, n] += here
                following[1 - odd, :n] += here * (1 - restart) * way[node]
        state = following
        yield state.sum(axis=0)


def check_steps(make, direction, alternate, restart, weight, start=1):
    walks = make(direction, alternate, restart, weight).walk([start], 4, num_walks=WALKS)
    exact = distributions(
        SMALL, start, 4, direction=direction, alternate=alternate, restart=restart, weight=weight
    )
    for place, chances in enumerate(exact):
        fair(np.bincount(walks[:, place] % 7, minlength=7), chances)  # -1 % 7 = 6: stopped


def real(direction, alternate, restart, weight, arcs=SMALL):
    return Walker(arcs, direction=direction, alternate=alternate, restart=restart, weight=weight, seed=3)


@pytest.mark.parametrize("direction", ["out", "into"])
@pytest.mark.parametrize("alternate", [False, True])
@pytest.mark.parametrize("restart", [0.0, 0.3])
@pytest.mark.parametrize("weight", [None, "weight"])
def test_every_place_of_a_walk_has_its_exact_distribution(direction, alternate, restart, weight):
    for start in (0, 1, 4):
        check_steps(real, direction, alternate, restart, weight, start)


def test_a_walk_that_goes_wrong_is_seen():
    mutants = {
        "turned round": lambda d, a, r, w: real(EVEN[d], a, r, w),
        "the relation turned round": lambda d, a, r, w: real(d, a, r, w, SMALL.reversed()),
        "never turns": lambda d, a, r, w: real(d, False, r, w),
        "never returns": lambda d, a, r, w: real(d, a, 0.0, w),
        "weighs nothing": lambda d, a, r, w: real(d, a, r, None),
        "weights of the other order": lambda d, a, r, w: real(
            d, a, r, w, SMALL.with_value("weight", SMALL.weight[SMALL.in_order])
        ),
    }
    check_steps(real, "out", True, 0.3, "weight", 0)
    for mutant in mutants.values():
        with pytest.raises(AssertionError):
            check_steps(mutant, "out", True, 0.3, "weight", 0)
            check_steps(mutant, "into", True, 0.3, "weight", 0)


def test_two_steps_are_independent_given_the_middle():
    walks = real("out", False, 0.0, "weight").walk([0], 2, num_walks=20 * WALKS)
    step = transition(SMALL, "out", "weight")
    for middle in (1, 2, 3):
        after = walks[walks[:, 1] == middle, 2]
        fair(np.bincount(after, minlength=6), step[middle])


@quick
@given(relations(), st.booleans(), st.booleans(), st.booleans(), st.data())
def test_a_walk_goes_along_arcs_until_there_are_none(arcs, into, alternate, weighted, data):
    direction, weight = ("into" if into else "out"), ("weight" if weighted else None)
    seeds = data.draw(st.lists(st.integers(0, arcs.num_nodes - 1), max_size=5))
    walker = Walker(arcs, direction=direction, alternate=alternate, weight=weight)
    walks = walker.walk(seeds, 6, num_walks=2)
    assert walks.shape == (2 * len(seeds), 7) and walks.dtype == np.int32
    assert walks[:, 0].tolist() == np.repeat(seeds, 2).tolist()
    ways = [adjacency(arcs, d, weight) > 0 for d in (direction, EVEN[direction])]
    for walk in walks.tolist():
        for place in range(6):
            way = ways[place % 2 if alternate else 0]
            here, following = walk[place], walk[place + 1]
            if following >= 0:
                assert way[here, following]
            else:
                assert here < 0 or not way[here].any()


@quick
@given(relations(), st.integers(0, 3))
def test_a_walk_depends_on_its_start_number_and_step_alone(arcs, step):
    seeds = list(range(arcs.num_nodes)) * 2
    one = Walker(arcs, restart=0.2, weight="weight", threads=1).walk(seeds, 5, num_walks=3, step=step)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("thence.graph.walk.walks.WALKS_AT_A_TIME", 4)
        two = Walker(arcs, restart=0.2, weight="weight", threads=2).walk(seeds, 5, num_walks=3, step=step)
    assert (one == two).all()
    assert (one[: len(one) // 2] == one[len(one) // 2 :]).all()  # given twice: the same walks
    alone = Walker(arcs, restart=0.2, weight="weight").walk(seeds[-1:], 5, num_walks=3, step=step)
    assert (one[-3:] == alone).all()


def test_seeds_steps_and_numbers_draw_anew():
    ring = Arcs.from_pairs(
        [k for k in range(64) for _ in range(2)],
        [(k + d) % 64 for k in range(64) for d in (1, 2)],
        num_nodes=64,
    )
    base = Walker(ring).walk([0], 40, num_walks=2)
    others = [Walker(ring, seed=1).walk([0], 40), Walker(ring).walk([0], 40, step=1), base[1:], base[:1] + 1]
    assert all((other[0] != base[0]).any() for other in others)


def test_stored_arrays_of_either_width_walk_alike():
    expected = Walker(SMALL).walk([0, 1, 3], 5, num_walks=4)
    for kind in (np.int32, np.int64):
        side = Side(SMALL.indptr.astype(kind), SMALL.targets)
        assert (Walker(side).walk([0, 1, 3], 5, num_walks=4) == expected).all()


def test_a_walk_of_no_length_and_of_no_seeds():
    assert Walker(SMALL).walk([2], 0).tolist() == [[2]]
    assert Walker(SMALL).walk([], 3).shape == (0, 4)


# Mixtures


@quick
@given(relations(least=2), st.data())
def test_a_mixture_steps_as_its_relations_do_by_share(arcs, data):
    keep = np.array(data.draw(st.lists(st.booleans(), min_size=arcs.num_arcs, max_size=arcs.num_arcs)), bool)
    parts, shares = {"a": arcs, "b": arcs.select(keep)}, {"a": 1.0, "b": 3.0}
    side = mixture(parts, shares, direction="into", weight="weight")
    for node in range(arcs.num_nodes):
        expected, total = np.zeros(arcs.num_nodes), 0.0
        for name, part in parts.items():
            row = transition(part, "into", "weight")[node]
            expected += shares[name] * row
            total += shares[name] * (row.sum() > 0)
        entries = slice(side.indptr[node], side.indptr[node + 1])
        weight = np.bincount(side.neighbors[entries], side.weight[entries], arcs.num_nodes)
        assert weight == pytest.approx(expected, rel=1e-6)
        assert weight.sum() == pytest.approx(total, rel=1e-6)


def test_walks_over_a_mixture():
    views, buys = Arcs.from_pairs([0, 0], [1, 2], num_nodes=4), Arcs.from_pairs([0, 1], [3, 0], num_nodes=4)
    side = mixture({"views": views, "buys": buys}, {"views": 1, "buys": 3})
    walks = Walker(side).walk([0], 1, num_walks=WALKS)
    fair(np.bincount(walks[:, 1], minlength=4), [0, 1 / 8, 1 / 8, 3 / 4])


# What is refused


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Walker(SMALL, restart=1.0), ConfigError, "restart is 1.0"),
        (lambda: Walker(SMALL, restart=float("nan")), ConfigError, "restart is nan"),
        (lambda: Walker(SMALL, direction="back"), ConfigError, "no direction 'back'"),
        (lambda: Walker(SMALL, weight="lift"), DataError, "no value 'lift'"),
        (lambda: Walker(SMALL.with_value("weight", -SMALL.weight), weight="weight"), DataError, "negative"),
        (lambda: Walker(Side(SMALL.indptr, SMALL.targets), direction="into"), ConfigError, "one direction"),
        (lambda: Walker(Side(SMALL.indptr, SMALL.targets), alternate=True), ConfigError, "one direction"),
        (lambda: Walker(SMALL).walk([6], 1), DataError, "seed 6 is out of range"),
        (lambda: Walker(SMALL).walk([-1], 1), DataError, "seed -1 is out of range"),
        (lambda: Walker(SMALL).walk([0], -1), ConfigError, "length is -1"),
        (lambda: Walker(SMALL).walk([0], 1, num_walks=0), ConfigError, "num_walks is 0"),
        (lambda: Walker(SMALL, threads=0).walk([0], 1), ConfigError, "threads is 0"),
        (lambda: mixture({}), ConfigError, "no relations"),
        (lambda: mixture({"a": SMALL}, {"b": 1.0}), ConfigError, "shares are"),
        (lambda: mixture({"a": SMALL}, {"a": float("nan")}), ConfigError, "shares are"),
        (
            lambda: mixture({"a": SMALL, "b": Arcs.from_pairs([], [], num_nodes=2)}),
            DataError,
            "different nodes",
        ),
    ],
)
def test_what_is_no_walk_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()
