"""Graphs that are wrong in a plausible way are caught: the real one passes each check, each mutant fails.

A check is a function of the implementation under test. It states facts that are known by hand.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from tests.graph import literal
from tests.graph.literal import DAY, MINUTE, baskets_of, bought, counted, firsts_of, log_of, tally
from tests.graph.test_digraph import assert_same, example

from thence.events import EventLog
from thence.graph import build as builder
from thence.graph.arcs import Arcs
from thence.graph.build import GraphConfig, build_graph
from thence.graph.digraph import DiGraph
from thence.graph.relation.evidence import asymmetry, lift


def fails(check, mutant):
    with pytest.raises(AssertionError):
        check(mutant)


# A build that ignores the clock

CUT = 5 * DAY
KNOWN = [
    *bought([], (0, "ann", "a"), (1, "ann", "b"), (0, "bob", "a"), (0, "bob", "b"), (2, "bob", "c")),
    (DAY, "cleo", "a", "view", None),
    (DAY + MINUTE, "cleo", "b", "view", None),
]
LATER = [
    *bought([], (5, "ann", "c"), (6, "bob", "a"), (6, "dan", "d"), (7, "ann", "b")),
    (6 * DAY, "cleo", "b", "view", None),
    (6 * DAY + MINUTE, "cleo", "c", "view", None),
]
CONFIG = GraphConfig(("same_basket", "bought_after", "co_viewed"), min_count=1, min_support=1)


@cache
def known_alone():
    return build_graph(log_of(KNOWN), CONFIG)


def check_clock(build):
    seen = build(log_of(KNOWN + LATER).before(CUT))
    assert_same(replace(seen, info={}), replace(known_alone(), info={}))
    assert seen.info["log"]["until"] == CUT and seen.info["log"]["events"] == len(KNOWN)


def unclocked(log):
    return EventLog(log._all, log.items, start=log.start)


def test_the_clock_holds(monkeypatch):
    check_clock(lambda log: build_graph(log, CONFIG))
    fails(check_clock, lambda log: build_graph(unclocked(log), CONFIG))
    for part in ("node_table", "purchases_of", "co_viewed", "_origin"):
        real = getattr(builder, part)
        with monkeypatch.context() as patch:
            patch.setattr(
                builder,
                part,
                lambda log, *rest, real=real, **more: real(unclocked(log), *rest, **more),
            )
            fails(check_clock, lambda log: build_graph(log, CONFIG))
    fails(check_clock, lambda log: build_graph(unclocked(log).before(CUT + 1), CONFIG))  # at it, not before it


# A loader that drops the direction


def check_loader(load, folder):
    graph = example()
    graph.save(folder)
    back = load(folder)
    names = back.ids.array.to_pylist()
    assert back.ids.decode(back.main.out(names.index("phone"))) == ["case", "charger"]
    for name in ("case", "charger"):
        assert back.ids.decode(back.main.into(names.index(name))) == ["phone"]
    assert [back.main.weight[at] for at in back.main.positions([0, 0, 1], [1, 2, 0])] == [3, 2, 1]
    assert back.main.positions([2], [0]) == [-1]
    assert back.main.directed and not back["co_viewed"].directed


def changed(change):
    def load(folder):
        graph = DiGraph.load(folder)
        return graph.with_relation("bought_after", change(graph.main))

    return load


def symmetrised(arcs):
    source, target = arcs.pairs
    both = np.unique(np.concatenate([arcs.pairs, arcs.pairs[::-1]], axis=1), axis=1)
    assert len(source) == len(target)
    return Arcs.from_pairs(*both, num_nodes=arcs.num_nodes, directed=False)


def sides_swapped(arcs):
    """The out-side and the in-side exchanged, as a loader would that mistakes one file for the other."""
    return replace(
        arcs, indptr=arcs.in_indptr, targets=arcs.sources, in_indptr=arcs.indptr, sources=arcs.targets
    )


def test_the_loader_keeps_the_direction(tmp_path):
    check_loader(DiGraph.load, tmp_path / "g")
    for change in (
        Arcs.reversed,
        symmetrised,
        sides_swapped,
        lambda arcs: replace(arcs, sources=arcs.targets, in_indptr=arcs.indptr),  # one side is both
        lambda arcs: replace(arcs, directed=False),
        lambda arcs: arcs.with_value("weight", arcs.weight[arcs.in_order]),  # values in in-order
    ):
        fails(lambda load: check_loader(load, tmp_path / "g"), changed(change))


# Arcs that lose the direction or a value's place


def check_arcs(make):
    arcs = make([2, 0, 0], [1, 2, 1], num_nodes=3, weight=[5.0, 7.0, 9.0])
    assert arcs.out(0).tolist() == [1, 2] and arcs.out(1).tolist() == [] and arcs.into(1).tolist() == [0, 2]
    assert arcs.weight.tolist() == [9, 7, 5]
    assert arcs.weight[arcs.in_order[arcs.in_indptr[1] : arcs.in_indptr[2]]].tolist() == [9, 5]


def test_arcs_keep_their_direction_and_values():
    real = Arcs.from_pairs
    check_arcs(real)
    fails(check_arcs, lambda source, target, **more: real(target, source, **more))
    fails(check_arcs, lambda source, target, weight, **more: real(source, target, weight=weight[::-1], **more))
    fails(
        check_arcs,
        lambda source, target, **more: replace(a := real(source, target, **more), in_order=a.in_order[::-1]),
    )
    fails(check_arcs, lambda source, target, weight, **more: _unsorted(real(source, target, **more), weight))


def _unsorted(arcs, weight):
    return arcs.with_value("weight", np.array(weight, np.float32))  # in the order in which they came


# Relations that count something near to what they say

SHOP = [
    *bought([], (0, "ann", "phone"), order="1"),
    *bought([], (0, "ann", "case"), order="1"),
    *bought([], (3, "ann", "film"), (3, "ann", "phone"), order="2"),
    *bought([], (40, "ann", "tea"), (41, "ann", "film"), order="3"),
    *bought([], (0, "bob", "phone"), order="1"),
    *bought([], (2, "bob", "case"), order="2"),
    *bought([], (28, "bob", "tea"), order="3"),
    *bought([], (29, "bob", "phone"), order="4"),
]
WARM = {"phone", "case", "film", "tea"}


def real_relation(name):
    def count(rows, warm):
        config = GraphConfig((name,), min_count=1, min_support=1)
        return counted(build_graph(log_of(rows), config), name)

    return count


def supports(pairs):
    return {pair: support for pair, (support, _) in pairs.items()}


def check_bought_after(count):
    assert supports(count(SHOP, WARM)) == {
        ("phone", "case"): 1,  # bob; ann's came in one order
        ("phone", "film"): 1,
        ("case", "film"): 1,
        ("phone", "tea"): 1,  # bob, on the last moment of the window; ann's came 40 days after
        ("case", "tea"): 1,
    }


def after(rows, warm, *, joins=lambda gap: 0 < gap <= 28 * DAY, firsts=firsts_of):
    return tally(
        [
            (i, j, first[j])
            for first in firsts(baskets_of(rows, warm)).values()
            for i in first
            for j in first
            if i != j and joins(first[j] - first[i])
        ],
        1,
    )


def lasts_of(baskets):
    return firsts_of([replace(b, time=-b.time) for b in baskets])


def test_bought_after_is_what_it_says():
    check_bought_after(real_relation("bought_after"))
    check_bought_after(after)
    fails(check_bought_after, lambda rows, warm: after(rows, warm, joins=lambda gap: 0 <= gap <= 28 * DAY))
    fails(check_bought_after, lambda rows, warm: after(rows, warm, joins=lambda gap: 0 < gap < 28 * DAY))
    fails(check_bought_after, lambda rows, warm: after(rows, warm, joins=lambda gap: gap > 0))  # no window
    fails(check_bought_after, lambda rows, warm: after(rows, warm, joins=lambda gap: -28 * DAY <= gap < 0))
    fails(check_bought_after, lambda rows, warm: after(rows, warm, joins=lambda gap: 0 < abs(gap) <= 28 * DAY))
    fails(check_bought_after, lambda rows, warm: after(rows, warm, firsts=lasts_of))
    fails(check_bought_after, real_relation("same_basket"))


def check_same_basket(count):
    assert supports(count(SHOP, WARM)) == {
        ("phone", "case"): 1,
        ("case", "phone"): 1,
        ("phone", "film"): 1,  # not film → phone: the phone was not new
        ("film", "tea"): 1,
    }


def in_one_basket(rows, warm, *, counts):
    baskets = baskets_of(rows, warm)
    first = firsts_of(baskets)
    return tally(
        [
            (i, j, b.time)
            for b in baskets
            for i in b.items
            for j in b.items
            if i != j and counts(first[b.user][i] == b.time, first[b.user][j] == b.time)
        ],
        1,
    )


def test_same_basket_is_what_it_says():
    check_same_basket(real_relation("same_basket"))
    check_same_basket(lambda rows, warm: in_one_basket(rows, warm, counts=lambda source, target: target))
    for wrong in (
        lambda source, target: True,  # any two of a basket
        lambda source, target: source,  # turned round
        lambda source, target: source and target,  # both new
        lambda source, target: not source and target,
    ):
        fails(check_same_basket, lambda rows, warm, wrong=wrong: in_one_basket(rows, warm, counts=wrong))
    fails(check_same_basket, real_relation("bought_after"))


def check_substitute(count):
    rows = []
    for user in ("ann", "bob"):
        rows = bought(rows, (0, user, "a"), (1, user, "b"), (2, user, "c"), (2, user, "a"))
    pairs = {("a", "b"), ("b", "a"), ("b", "c"), ("c", "b")}  # a and c were bought together
    assert supports(count(rows, {"a": "x", "b": "x", "c": "x"})) == dict.fromkeys(pairs, 2)
    assert supports(count(rows, {"a": "x", "b": "y", "c": "y"})) == {("b", "c"): 2, ("c", "b"): 2}


def real_substitute(rows, category):
    items = {"item_id": list(category), "category": list(category.values())}
    graph = build_graph(log_of(rows, items), GraphConfig(("same_basket", "substitute"), min_count=1))
    return counted(graph, "substitute")


def test_substitute_is_what_it_says():
    check_substitute(real_substitute)
    fails(check_substitute, lambda rows, category: real_substitute(rows, dict.fromkeys(category, "x")))
    fails(
        check_substitute,
        lambda rows, category: literal.co_viewed(
            [(*row[:3], "view", None) for row in rows], set(category), gap_minutes=1e9
        ),
    )  # whatever one customer bought


# The two statistics


def check_lift(implementation):
    assert implementation(np.array([8]), np.array([10]), np.array([20]), 100).tolist() == [4.0]


def check_asymmetry(implementation):
    x, n, y, m = (np.array([value]) for value in (30, 100, 10, 400))
    assert implementation(x, y, n, m)[0] == pytest.approx(literal.z_score(30, 100, 10, 400))
    assert implementation(y, x, m, n)[0] < 0 < implementation(x, y, n, m)[0]


def test_the_statistics_are_what_they_say():
    check_lift(lift)
    fails(check_lift, lambda support, tries, hits, trials: support / tries)  # confidence
    fails(check_lift, lambda support, tries, hits, trials: support * trials / tries**2)
    check_asymmetry(asymmetry)
    fails(check_asymmetry, lambda x, y, n, m: asymmetry(x, y, m, n))  # rates over the other's tries
    fails(check_asymmetry, lambda x, y, n, m: asymmetry(y, x, m, n))  # the sign turned
    fails(check_asymmetry, lambda x, y, n, m: abs(asymmetry(x, y, n, m)))
    fails(check_asymmetry, lambda x, y, n, m: (x - y) / np.sqrt(x + y))  # counts instead of rates


def check_level(trials_of):
    """Customers who buy at random: a pair of later purchases is seen as often as expected, on the whole."""
    rng = np.random.default_rng(0)
    rows = bought(
        [],
        *((int(rng.integers(0, 200)), f"u{rng.integers(0, 80)}", str(rng.integers(0, 20))) for _ in range(800)),
    )
    graph = build_graph(log_of(rows), GraphConfig(("bought_after",), min_count=1, min_support=1))
    arcs, customers = graph.main, literal.customers_of(rows, literal.warm_of(rows, 1))
    count = np.array([customers[name] for name in graph.ids.array.to_pylist()], float)
    expected = np.outer(count, count)[~np.eye(len(count), dtype=bool)].sum() / trials_of(graph, count)
    assert expected == pytest.approx(arcs.values["support"].sum(), rel=1e-5)


def test_the_lift_of_later_purchases_is_level():
    def stored(graph, count):
        source, target = graph.main.pairs[:, 0]
        return count[source] * count[target] * graph.main.values["lift"][0] / graph.main.values["support"][0]

    check_level(stored)
    fails(
        check_level, lambda graph, count: 80
    )  # all customers, as if every pair of purchases fell in the window
