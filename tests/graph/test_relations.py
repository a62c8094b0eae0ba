"""Each relation against its definition in plain Python, on answers known by hand and on random logs."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.graph import literal
from tests.graph.literal import DAY, MINUTE, bought, counted, log_of, valued
from tests.worlds import cycle_log, phone_case_log

from thence.graph.build import GraphConfig, build_graph
from thence.graph.relation.evidence import asymmetry, lift

ALL = ("same_basket", "bought_after", "co_viewed", "substitute")
ITEMS = "abcdef"
CATEGORY = {"a": "x", "b": "x", "c": "x", "d": "y", "e": "y", "f": None}
CATALOGUE = {"item_id": list(CATEGORY), "category": list(CATEGORY.values())}


def build(rows, *relations, items=None, **settings):
    config = GraphConfig(**{"relations": relations, "min_count": 1, "min_support": 1, **settings})
    return build_graph(log_of(rows, items), config)


# Answers known by hand


def test_phone_and_case_by_hand():
    """ann: phone + case in one order, then charger; bob: phone, then case; cleo: phone + charger, then case."""
    graph = build_graph(
        phone_case_log(), GraphConfig(relations=("same_basket", "bought_after"), min_count=1, min_support=1)
    )
    pairs = {name: {pair: n for pair, (n, _) in counted(graph, name).items()} for name in graph.relations}
    assert pairs["same_basket"] == {
        ("phone", "case"): 1,
        ("case", "phone"): 1,
        ("phone", "charger"): 1,
        ("charger", "phone"): 1,
    }
    assert pairs["bought_after"] == {
        ("phone", "case"): 2,  # bob and cleo; ann's was in the same order, a second later
        ("phone", "charger"): 1,
        ("case", "charger"): 1,
        ("charger", "case"): 1,
        ("tea", "phone"): 1,
    }


def test_a_cycle_leads_one_way_round():
    graph = build_graph(cycle_log(6, 3), GraphConfig(relations=("bought_after",), min_count=1))
    assert {p: n for p, (n, _) in counted(graph, "bought_after").items()} == {
        (f"i{k}", f"i{(k + 1) % 6}"): 3 for k in range(6)
    }
    # a pair: 6 · 6 customers; 30 such pairs; 18 of these 1,080 were seen; so .6 are expected where 3 were seen
    assert list(valued(graph, "bought_after", "lift").values()) == pytest.approx([3 / (6 * 6 * 18 / 1080)] * 6)


def test_in_a_basket_the_old_leads_to_the_new():
    rows = bought([], (0, "ann", "milk"), order="1")
    rows = bought(rows, (1, "ann", "milk"), (1, "ann", "tea"), order="2")
    rows = bought(rows, (2, "ann", "milk"), (2, "ann", "tea"), order="3")
    graph = build(rows, "same_basket")
    assert counted(graph, "same_basket") == {("milk", "tea"): (1, DAY)}
    # tries milk 3, hits tea 1, trials 3 baskets: 1 · 3 / (3 · 1)
    assert valued(graph, "same_basket", "lift") == {("milk", "tea"): 1.0}


def test_baskets_that_are_too_large_count_nowhere():
    rows = bought([], *((0, "ann", i) for i in "abc"), order="1")
    rows = bought(rows, (0, "bob", "a"), (0, "bob", "b"), order="1")
    graph = build(rows, "same_basket", max_basket=2)
    assert counted(graph, "same_basket") == {("a", "b"): (1, 0), ("b", "a"): (1, 0)}
    assert set(valued(graph, "same_basket", "lift").values()) == {1.0}  # one basket, both in it


def test_the_window_includes_its_last_moment_and_nothing_of_the_same_basket():
    rows = bought([], (0, "ann", "a"), (0, "ann", "b"), (2, "ann", "c"))
    assert counted(build(rows, "bought_after", window_days=2), "bought_after").keys() == {
        ("a", "c"),
        ("b", "c"),
    }
    rows[2] = (2 * DAY + 1, *rows[2][1:])
    assert counted(build(rows, "bought_after", window_days=2), "bought_after") == {}


def test_only_the_first_purchase_of_each_product_counts():
    rows = bought([], (0, "ann", "a"), (1, "ann", "b"), (2, "ann", "a"), (3, "ann", "b"))
    assert counted(build(rows, "bought_after"), "bought_after") == {("a", "b"): (1, DAY)}


def test_an_order_is_one_moment_however_its_lines_are_stamped():
    rows = [
        (10, "ann", "a", "purchase", "1"),
        (20, "ann", "b", "purchase", "1"),
        (30, "ann", "c", "purchase", "2"),
        (40, "ann", "a", "purchase", "2"),
    ]
    graph = build(rows, "same_basket", "bought_after")
    assert counted(graph, "same_basket") == {("a", "b"): (1, 10), ("b", "a"): (1, 10), ("a", "c"): (1, 30)}
    assert counted(graph, "bought_after") == {("a", "c"): (1, 30), ("b", "c"): (1, 30)}


def test_without_an_order_id_a_basket_is_an_instant():
    rows = bought([], (0, "ann", "a"), (0, "ann", "b"), (1, "ann", "c"))
    assert counted(build(rows, "same_basket"), "same_basket").keys() == {("a", "b"), ("b", "a")}


def test_an_order_named_like_an_instant_is_another_basket():
    rows = [(DAY, "ann", "a", "purchase", None), (DAY, "ann", "b", "purchase", str(DAY))]
    assert counted(build(rows, "same_basket"), "same_basket") == {}


def test_orders_of_two_customers_are_two_baskets():
    rows = [(DAY, "ann", "a", "purchase", "1"), (DAY, "bob", "b", "purchase", "1")]
    assert counted(build(rows, "same_basket"), "same_basket") == {}


def test_sessions_end_with_a_pause_and_ends_of_pairs_are_equal():
    looks = [(0, "a"), (20, "b"), (50, "c"), (81, "d"), (90, "a")]  # minutes; the pause before d is 31
    rows = [(minute * MINUTE, "ann", item, "view", None) for minute, item in looks]
    rows = bought(rows, *((9, "bob", i) for i in "abcd"))
    pairs = counted(build(rows, "same_basket", "co_viewed"), "co_viewed")
    assert pairs.keys() == {(i, j) for group in ("abc", "ad") for i in group for j in group if i != j}
    assert pairs["a", "b"] == pairs["b", "a"] == (1, 20 * MINUTE)


def test_substitutes_are_bought_apart():
    rows = []
    for user in ("ann", "bob", "cleo"):
        rows = bought(rows, (0, user, "a"), (1, user, "b"))
    rows = bought(rows, (0, "dan", "a"), (0, "dan", "b"), (0, "dan", "c"), (0, "eve", "b"), (0, "eve", "c"))
    rows = bought(rows, (0, "fay", "a"), (1, "fay", "d"), (0, "gus", "a"), (1, "gus", "d"))
    pairs = counted(build(rows, "same_basket", "substitute", items=CATALOGUE), "substitute")
    assert pairs == {("a", "b"): (3, DAY), ("b", "a"): (3, DAY)}  # d is of another category, c bought with them


# The same as the definitions, on random logs


def check_all(rows, config, graph):
    """Supports, times, lifts and asymmetries of every relation are those of the definitions."""
    warm = literal.warm_of(rows, config.min_count)
    least = {name: config.min_support or {"bought_after": 2, "substitute": 2}.get(name, 1) for name in ALL}
    baskets = literal.same_basket(rows, warm, least["same_basket"], config.max_basket)
    after = literal.bought_after(rows, warm, least["bought_after"], config.window_days)
    assert counted(graph, "same_basket") == baskets
    assert counted(graph, "bought_after") == after
    assert counted(graph, "co_viewed") == literal.co_viewed(rows, warm, least["co_viewed"])
    assert counted(graph, "substitute") == literal.substitute(rows, warm, CATEGORY, least["substitute"])
    tries, hits, trials = literal.same_basket_sizes(rows, warm, config.max_basket)
    check_statistics(graph, "same_basket", baskets, tries, hits, trials)
    customers = literal.customers_of(rows, warm)
    every = literal.bought_after(rows, warm, 1, config.window_days)
    expected = sum(n * m for i, n in customers.items() for j, m in customers.items() if i != j)
    check_statistics(
        graph, "bought_after", after, customers, customers, expected / max(sum(n for n, _ in every.values()), 1)
    )


def check_statistics(graph, name, pairs, tries, hits, trials):
    lifts, scores = valued(graph, name, "lift"), valued(graph, name, "asymmetry")
    for (i, j), (n, _) in pairs.items():
        m = pairs.get((j, i), (0, 0))[0]
        assert lifts[i, j] == pytest.approx(n / (tries[i] * hits[j] / trials), rel=1e-6)
        expected = literal.z_score(n, tries[i], m, tries[j])
        if name == "bought_after":  # one trial, two outcomes: a coin toss
            expected = (n - m) / (n + m) ** 0.5
        assert scores[i, j] == pytest.approx(expected, rel=1e-5, abs=1e-6)


times = st.one_of(
    st.integers(0, 4).map(lambda day: day * DAY),
    st.tuples(st.integers(0, 3), st.integers(0, 80)).map(lambda t: t[0] * DAY + t[1] * MINUTE),
)
events = st.tuples(
    times,
    st.sampled_from(["ann", "bob", "cleo"]),
    st.sampled_from(ITEMS),
    st.sampled_from(["purchase", "purchase", "view", "click", "cart"]),
    st.sampled_from([None, None, "1", "2"]),
)


@settings(deadline=None, max_examples=6)
@given(st.lists(events, min_size=1, max_size=40), st.integers(1, 3), st.sampled_from([None, 1, 2]))
def test_small_logs(rows, min_count, min_support):
    rows = bought(rows, *((8, "zoe", "a") for _ in range(min_count)))
    config = GraphConfig(ALL, min_count, min_support, window_days=2, max_basket=4)
    check_all(rows, config, build_graph(log_of(rows, CATALOGUE), config))


@pytest.mark.parametrize("seed", range(3))
def test_larger_logs(seed):
    rng = np.random.default_rng(seed)
    size, users = 1500, 40
    orders = rng.integers(0, 120, size)
    day = rng.integers(0, 60, size)
    rows = [
        (
            int(d) * DAY + int(minute) * MINUTE,
            f"u{u}",
            ITEMS[i],
            ("purchase", "view", "click")[k],
            f"o{o}" if o < 100 else None,
        )
        for d, minute, u, i, k, o in zip(
            day,
            rng.integers(0, 1440, size),
            rng.integers(0, users, size),
            np.minimum(rng.geometric(0.3, size) - 1, 5),
            rng.choice(3, size, p=[0.5, 0.3, 0.2]),
            orders,
            strict=True,
        )
    ]
    config = GraphConfig(ALL, min_count=20, window_days=7.5, max_basket=5)
    check_all(rows, config, build_graph(log_of(rows, CATALOGUE), config))


def test_expected_and_seen_supports_of_later_purchases_have_the_same_sum():
    rng = np.random.default_rng(0)
    rows = bought(
        [],
        *((int(rng.integers(0, 90)), f"u{rng.integers(0, 60)}", str(rng.integers(0, 30))) for _ in range(900)),
    )
    graph = build(rows, "bought_after")
    customers = literal.customers_of(rows, literal.warm_of(rows, 1))
    seen = sum(n for n, _ in counted(graph, "bought_after").values())
    scale = next(
        n / valued(graph, "bought_after", "lift")[pair] / (customers[pair[0]] * customers[pair[1]])
        for pair, (n, _) in counted(graph, "bought_after").items()
    )
    expected = sum(n * m * scale for i, n in customers.items() for j, m in customers.items() if i != j)
    assert expected == pytest.approx(seen, rel=1e-5)


# The two statistics


@given(st.integers(0, 50), st.integers(1, 50), st.integers(0, 50), st.integers(1, 50))
def test_asymmetry_is_the_two_proportion_test_and_turns_with_the_pair(x, n, y, m):
    x, y = min(x, n), min(y, m)
    one = asymmetry(np.array([x]), np.array([y]), np.array([n]), np.array([m]))[0]
    other = asymmetry(np.array([y]), np.array([x]), np.array([m]), np.array([n]))[0]
    assert one == pytest.approx(-other)
    assert one == pytest.approx(literal.z_score(x, n, y, m), abs=1e-9)
    if 0 < x + y < n + m:  # the square of z is Pearson's chi-squared of the 2 × 2 table
        table = np.array([[x, n - x], [y, m - y]], float)
        expected = table.sum(1, keepdims=True) * table.sum(0) / table.sum()
        assert one**2 == pytest.approx(((table - expected) ** 2 / expected).sum(), abs=1e-9)
        assert math.copysign(1, x / n - y / m) == math.copysign(1, one) or one == pytest.approx(0, abs=1e-9)


def test_lift_is_seen_over_expected():
    assert lift(np.array([8, 2, 0]), np.array([10, 10, 10]), np.array([20, 20, 20]), 100).tolist() == [
        4.0,
        1.0,
        0.0,
    ]
    assert lift(np.array([0]), np.array([0]), np.array([0]), 0).tolist() == [0.0]  # nothing was tried
    large = lift(np.array([10**6]), np.array([2**31 - 1]), np.array([2**31 - 1]), 1e12)[0]
    assert large == pytest.approx(10**18 / (2.0**31 - 1) ** 2)
