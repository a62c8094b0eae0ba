"""Every sampler of negatives keeps the same promise, and those that break it in a plausible way are seen."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.graph.negative.contract import (
    KINDS,
    RELATION,
    check_frequency,
    check_promise,
    make,
    table_of,
)
from tests.graph.walk.literal import relations

from thence.base.errors import ConfigError, DataError
from thence.graph import Arcs
from thence.graph.negative import (
    HardNegatives,
    InBatchNegatives,
    Negatives,
    PopularityNegatives,
    UniformNegatives,
)

every = pytest.mark.parametrize("kind", KINDS)
quick = settings(deadline=None, max_examples=40)


def popular(arcs):
    return bool(arcs.weight.sum() > 0)


@every
@quick
@given(arcs=relations(), data=st.data())
def test_no_negative_is_an_arc_and_each_tells_its_chance(kind, arcs, data):
    if kind in ("popularity", "by weight", "in batch") and not popular(arcs):
        return
    node = st.integers(0, arcs.num_nodes - 1)
    pairs = data.draw(st.lists(st.tuples(node, node), max_size=6))
    source, target = [u for u, _ in pairs], [v for _, v in pairs]
    check_promise(kind, arcs, make(kind, arcs), source, target)


@every
def test_each_node_is_as_frequent_as_its_chance(kind):
    check_frequency(kind, RELATION, lambda arcs: make(kind, arcs, seed=2))


@every
def test_the_same_positives_and_step_give_the_same(kind):
    source, target = RELATION.pairs
    one, two = (make(kind, RELATION).draw(source, target, step=3) for _ in range(2))
    assert (one.nodes == two.nodes).all() and (one.log_chance == two.log_chance).all()
    if kind in ("uniform", "popularity", "by weight", "hard"):
        half = make(kind, RELATION).draw(source[5:], target[5:], step=3)
        assert (half.nodes == one.nodes[5:]).all()  # the company changes nothing
        others = [
            make(kind, RELATION).draw(source, target),
            make(kind, RELATION, 1).draw(source, target, step=3),
        ]
        assert all((other.nodes != one.nodes).any() for other in others)


@every
def test_no_positives_have_no_negatives(kind):
    assert make(kind, RELATION).draw([], []).nodes.shape[0] == 0


@every
@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        ([8], [0], "source 8 is out of range"),
        ([-1], [0], "source -1 is out of range"),
        ([0], [8], "target 8 is out of range"),
        ([0, 1], [0], "2 sources but 1 targets"),
        ([0.5], [1], "not ints"),
    ],
)
def test_what_is_no_positive_is_refused(kind, source, target, message):
    with pytest.raises(DataError, match=message):
        make(kind, RELATION).draw(source, target)


# Where little or nothing is allowed


def star(size):
    """Node 0 leads to all but the last two."""
    return Arcs.from_pairs([0] * (size - 3), range(1, size - 2), num_nodes=size)


def test_a_source_of_nearly_all_finds_the_few_that_are_left():
    arcs = star(200)
    found = UniformNegatives(arcs, 400).draw([0], [1])
    counts = np.bincount(found.nodes[0], minlength=200)
    assert counts[:198].sum() == 0 and abs(counts[198] - 200) < 60
    assert np.exp(found.log_chance) == pytest.approx(0.5)
    weight = np.r_[np.full(196, 1.0), 1e-9, 3e-9]
    rest = Arcs.from_pairs([0] * 196 + [1, 1], [*range(2, 198), 198, 199], num_nodes=200, weight=weight)
    found = PopularityNegatives(rest, 400, alpha=1, by="weight").draw([0], [1])
    counts = np.bincount(found.nodes[0], minlength=200)
    assert counts[:198].sum() == 0 and abs(counts[198] - 100) < 50
    assert np.exp(found.log_chance[0]) == pytest.approx(np.where(found.nodes[0] == 198, 0.25, 0.75), rel=1e-6)


def test_a_source_of_all_has_empty_places_that_drop_out():
    arcs = Arcs.from_pairs([0, 0, 1], [1, 2, 0], num_nodes=3)
    found = UniformNegatives(arcs, 2).draw([0, 1], [1, 0])
    assert found.nodes.tolist() == [[-1, -1], [2, 2]]
    corrected = np.zeros((2, 2)) - found.log_chance
    assert np.exp(corrected).tolist() == [[0, 0], [1, 1]]
    assert repr(found) == "Negatives(2 sources, 2 of 4 places filled)"


def test_alpha_of_none_is_all_alike():
    one = PopularityNegatives(RELATION, 4, alpha=0.0).draw([0, 4], [1, 5])
    assert np.exp(one.log_chance) == pytest.approx(np.array([[1 / 4] * 4, [1 / 6] * 4]))


def test_a_batch_smaller_than_asked_leaves_places_empty():
    found = InBatchNegatives(RELATION, 3).draw([4, 3], [5, 2])
    assert found.nodes.tolist() == [[2, -1, -1], [5, -1, -1]]


def test_a_batch_with_chances_of_its_own():
    chance = np.array([0, 0, 1, 0, 2, 1, 0, 0])
    found = InBatchNegatives(RELATION, chance=chance).draw([0, 2], [4, 5])
    assert found.nodes.tolist() == [[5], [-1]]  # 2 → 4 is an arc
    assert np.exp(found.log_chance[0, 0]) == pytest.approx(1.0)  # 2 is a target of 0, 4 the positive


# Samplers that break the promise


class Changed:
    def __init__(self, real, change):
        self._real, self._change = real, change

    def draw(self, source, target, *, step=0):
        found = self._real.draw(source, target, step=step)
        nodes, log_chance = self._change(found)
        return Negatives(found.source, nodes, log_chance)


def broken(kind, arcs, check):
    with pytest.raises(AssertionError):
        source, target = arcs.pairs
        check(source.tolist(), target.tolist())


@every
def test_a_sampler_that_checks_the_reverse_is_seen(kind):
    def check(source, target):
        check_promise(kind, RELATION, make(kind, RELATION.reversed()), source, target)

    broken(kind, RELATION, check)


@every
def test_a_sampler_that_tells_the_proposals_chance_is_seen(kind):
    def uncorrected(found):
        return found.nodes, np.where(found.filled, found.log_chance - 0.2, np.inf)

    def check(source, target):
        check_promise(kind, RELATION, Changed(make(kind, RELATION), uncorrected), source, target)

    broken(kind, RELATION, check)


@every
def test_a_sampler_that_returns_the_source_or_an_arc_is_seen(kind):
    for wrong in (
        lambda found: found.source[:, None],
        lambda found: np.array([RELATION.out(i)[:1] if len(RELATION.out(i)) else [-1] for i in found.source]),
    ):
        real = make(kind, RELATION)

        def check(source, target, real=real, wrong=wrong):
            sampler = Changed(real, lambda f: (np.where(f.filled, wrong(f), -1).astype(np.int32), f.log_chance))
            check_promise(kind, RELATION, sampler, source, target)

        broken(kind, RELATION, check)


@pytest.mark.parametrize("kind", ["uniform", "popularity", "by weight", "hard"])
def test_a_sampler_that_prefers_some_is_seen(kind):
    """Draws that are right one by one but not in number."""

    def first(found):
        return np.repeat(found.nodes.min(axis=1, keepdims=True), found.nodes.shape[1], axis=1), found.log_chance

    check_frequency(kind, RELATION, lambda arcs: make(kind, arcs))
    with pytest.raises(AssertionError):
        check_frequency(kind, RELATION, lambda arcs: Changed(make(kind, arcs), first))


# What is refused where it is made

NEGATIVE = RELATION.with_value("loss", -RELATION.weight)


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: UniformNegatives(RELATION, 0), ConfigError, "num_negatives is 0"),
        (lambda: UniformNegatives(RELATION, -3), ConfigError, "num_negatives is -3"),
        (lambda: PopularityNegatives(RELATION, 0), ConfigError, "num_negatives is 0"),
        (lambda: PopularityNegatives(RELATION, alpha=float("nan")), ConfigError, "alpha is nan"),
        (lambda: PopularityNegatives(RELATION, alpha=-1), ConfigError, "alpha is -1"),
        (lambda: PopularityNegatives(RELATION, by="lift"), DataError, "no value 'lift'"),
        (lambda: PopularityNegatives(NEGATIVE, by="loss"), DataError, "'loss' sums to something negative"),
        (lambda: PopularityNegatives(Arcs.from_pairs([], [], num_nodes=3)), DataError, "no node has a chance"),
        (lambda: InBatchNegatives(RELATION, 0), ConfigError, "num_negatives is 0"),
        (lambda: InBatchNegatives(RELATION, chance=np.ones(3)), DataError, "shape"),
        (lambda: InBatchNegatives(RELATION, chance=np.full(8, np.nan)), DataError, "not finite"),
        (lambda: HardNegatives(RELATION, table_of(RELATION), 0), ConfigError, "num_negatives is 0"),
        (lambda: HardNegatives(RELATION, np.zeros((3, 2), int)), DataError, r"shape \(3, 2\) for 8 nodes"),
        (lambda: HardNegatives(RELATION, np.zeros((8, 2))), DataError, "float64"),
        (lambda: HardNegatives(RELATION, np.full((8, 2), 8)), DataError, "holds what is no node"),
    ],
)
def test_what_is_no_sampler_is_refused(build, error, message):
    with pytest.raises(error, match=message):
        build()
